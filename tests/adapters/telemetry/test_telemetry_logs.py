"""Logs: one object on one line, from whichever library the event comes."""

import json
import logging
import threading
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
import time_machine

from ledgercore.errors import InternalError
from ledgercore_telemetry import Telemetry, configure_logs
from ledgercore_telemetry.logs import LEVELS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "hunter2-canary"


def test_event_is_one_json_object_with_time_level_event_and_fields_in_this_order(written):
    log = configure_logs(written)

    with time_machine.travel(NOON, tick=False):
        log.info("ledger opened", ledger="shop", accounts=3)

    assert written.lines == [
        '{"time":"2026-03-01T12:00:00+00:00","level":"info","event":"ledger opened","ledger":"shop","accounts":3}'
    ]


def test_standard_library_records_come_out_the_same_way(written):
    configure_logs(written)

    logging.getLogger("uvicorn.error").warning("Shutting down %s", "now", extra={"workers": 2})

    [event] = written.events
    assert (event["level"], event["event"], event["logger"]) == ("warning", "Shutting down now", "uvicorn.error")
    assert event["workers"] == 2
    assert event.keys() == {"time", "level", "event", "logger", "workers"}


@pytest.mark.parametrize("json_lines", [True, False], ids=["json", "console"])
def test_exceptions_keep_their_traceback_from_either_side(written, json_lines):
    log = configure_logs(written, json=json_lines)

    try:
        raise LookupError("no such chart")
    except LookupError as error:
        log.error("request broke", exc_info=error)
        logging.getLogger("asyncio").exception("task failed")

    assert written.getvalue().count("Traceback (most recent call last)") == 2
    assert written.getvalue().count("LookupError: no such chart") == 2


@pytest.mark.parametrize("level", LEVELS)
def test_events_below_the_level_are_not_written(written, level):
    log = configure_logs(written, level=level)

    for each in LEVELS:
        getattr(log, each)("from us")
        getattr(logging.getLogger("uvicorn"), each)("from elsewhere")

    expected = LEVELS[LEVELS.index(level) :]
    assert [event["level"] for event in written.events] == [each for each in expected for _ in range(2)]


def test_level_holds_for_loggers_with_a_level_of_their_own(written, monkeypatch):
    monkeypatch.setattr(logging.getLogger("sqlalchemy"), "level", logging.DEBUG)
    configure_logs(written, level="error")

    logging.getLogger("sqlalchemy").warning("too little")

    assert written.lines == []


def test_unknown_level_is_refused(written):
    with pytest.raises(InternalError) as refusal:
        configure_logs(written, level="loud")

    assert refusal.value.details == {"setting": "log_level", "value": "loud", "known": list(LEVELS)}


def test_configuring_again_replaces_what_was_configured(written):
    configure_logs(type(written)())
    configure_logs(written)

    logging.getLogger("alembic").error("once")

    assert [event["event"] for event in written.events] == ["once"]
    assert sum("ledgercore_telemetry" in type(each).__module__ for each in logging.getLogger().handlers) == 1


BREAKS = "a\r\nb\u2028c\u2029d\x85e\x0bf\x0cg\x1b[2Jh\x00i"


def test_nothing_that_is_logged_ends_its_line_in_json(written):
    log = configure_logs(written)

    log.info(BREAKS, field=BREAKS, nested={"deep": [BREAKS], BREAKS: 1})
    logging.getLogger("uvicorn").error("%s", BREAKS)

    assert len(written.lines) == len(written.getvalue().splitlines()) == 2
    assert all(line.isascii() and line.isprintable() for line in written.lines)
    assert written.events[0]["field"] == written.events[1]["event"] == BREAKS


def test_nothing_that_is_logged_ends_its_line_on_a_console(written):
    log = configure_logs(written, json=False)

    log.info(BREAKS, field=BREAKS, nested={"deep": [BREAKS]})
    logging.getLogger("uvicorn").error("%s", BREAKS)

    assert len(written.lines) == len(written.getvalue().splitlines()) == 2
    assert all(line.isprintable() for line in written.lines)


def test_traceback_on_a_console_cannot_be_forged_by_the_text_of_an_exception(written):
    log = configure_logs(written, json=False)

    log.error("request broke", exc_info=ValueError("\x1b[2J\rall is well"))

    assert written.lines[-1] == r"ValueError: \x1b[2J\rall is well"


def test_every_value_becomes_json(written):
    log = configure_logs(written)

    log.info(
        "values",
        amount=Decimal("0.10"), id=UUID(int=7), at=NOON, nan=float("nan"), surrogate="\ud800",
        large=10**5000, raw=b"\xff", names={"one"}, nothing=None, yes=True, share=0.5, level_of=logging.Handler,
    )  # fmt: skip

    [event] = written.events
    assert event["amount"] == "0.10"
    assert event["id"] == str(UUID(int=7))
    assert event["at"] == "2026-03-01T12:00:00+00:00"
    assert (event["nan"], event["surrogate"]) == ("nan", r"\ud800")
    assert event["large"] == "an integer of 16610 bits"
    assert (event["names"], event["nothing"], event["yes"], event["share"]) == (["one"], None, True, 0.5)
    assert event["level_of"] == "<class 'logging.Handler'>"


@pytest.mark.parametrize("json_lines", [True, False], ids=["json", "console"])
def test_secrets_are_not_written_wherever_they_stand(written, json_lines):
    log = configure_logs(written, json=json_lines)

    log.info(f"Bearer {SECRET}", password=SECRET, user={"name": "alice", "api_key": SECRET})
    log.bind(token=SECRET).warning("bound", headers=[(b"authorization", SECRET)])
    logging.getLogger("sqlalchemy").error("[parameters: {'password_hash': '%s'}]", SECRET, extra={"secret": SECRET})
    try:
        raise OSError(f"postgresql://app:{SECRET}@db/bank is gone")
    except OSError:
        log.exception("database gone")
        logging.getLogger("alembic").exception("database gone")

    assert len(written.lines) >= 5
    assert SECRET not in written.getvalue()
    assert "alice" in written.getvalue()


def test_correlation_id_is_on_every_line_of_the_block(written):
    log = configure_logs(written)
    telemetry = Telemetry(log=log, metrics=None, tracer=None)  # type: ignore[arg-type]

    with telemetry.correlated("c-1"):
        log.info("ours")
        logging.getLogger("sqlalchemy").warning("theirs")
    log.info("after")

    assert [event.get("correlation_id") for event in written.events] == ["c-1", "c-1", None]


def test_stream_that_can_no_longer_be_written_to_stops_nobody(written):
    log = configure_logs(written)
    written.close()

    log.error("unheard")
    logging.getLogger("uvicorn").error("unheard")


def test_record_that_cannot_be_formatted_is_reported_without_its_arguments(written, capsys, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # those of the test runner would raise
    configure_logs(written)

    logging.getLogger("elsewhere").error("%d accounts", SECRET)

    [event] = written.events
    assert (event["event"], event["logger"]) == ("record cannot be logged", "elsewhere")
    assert SECRET not in written.getvalue()
    assert capsys.readouterr().err == ""


def test_lines_of_many_threads_stay_whole(written):
    log = configure_logs(written)
    threads = [
        threading.Thread(target=lambda: [log.info("posted", text="x" * 200) for _ in range(50)]) for _ in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [json.loads(line)["text"] for line in written.lines] == ["x" * 200] * 400
