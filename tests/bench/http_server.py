"""The service as it is served, and beside its routes three that are only there to be compared with.

`noop` checks the bearer token and reads the body as a post does, and does nothing; with `--memory` identity and rates
are kept in this process, so that no database is asked at all. `alone` posts each request in a transaction of its own.
"""

import os
import sys

import uvicorn

from ledgercore.identity.access import LEDGER_POST, LEDGER_READ
from ledgercore.ledger.applied_documents import posted_document
from ledgercore.ledger.documents import transaction_from
from ledgercore.ledger.outcomes import Posted
from ledgercore.money import ISO
from ledgercore_app.asgi import Application
from ledgercore_app.service_settings import ServiceSettings
from ledgercore_app.settings import Settings
from ledgercore_http.answers import Answer, success
from ledgercore_http.call import Call
from ledgercore_http.deadlines import DeadlineProtocol
from ledgercore_http.resources.table import TABLES
from ledgercore_http.routes import Body, Routes, Success

BENCH = Routes("bench", "Only there to be compared with.")
_BODY = Body(schema={}, example={})
_DONE = Success(status=201, schema={}, example={})


@BENCH.route("POST", "/ledgers/{ledger}/noop", access=LEDGER_POST, body=_BODY, success=_DONE, named_by_key=True)
async def noop_post(call: Call) -> Answer:
    """Read a transaction and answer as if it were posted."""
    command = transaction_from(call.named(call.body), ISO)
    now = call.service.clock()
    outcome = Posted(identity=bytes(16), number=1, recorded_at=now)
    return success(posted_document(command, outcome), at=now, status=201)


@BENCH.route("GET", "/ledgers/{ledger}/noop/{path}", access=LEDGER_READ, success=_DONE)
async def noop_get(call: Call) -> Answer:
    """Answer with as much as a balance."""
    amount = {"amount": "12.34", "amount_minor": "1234", "currency": "EUR"}
    data = {"account": call.path["path"], "type": "asset", "posted": amount, "available": amount}
    return success(data, at=call.service.clock())


@BENCH.route("POST", "/ledgers/{ledger}/alone", access=LEDGER_POST, body=_BODY, success=_DONE, named_by_key=True)
def post_alone(call: Call) -> Answer:
    """Post a transaction without waiting for others."""
    command = transaction_from(call.named(call.body), ISO)
    outcome = call.ledger.post(command)
    return success(posted_document(command, outcome), at=outcome.recorded_at, status=201)


def application() -> Application:
    """What the server runs."""
    told = Settings.from_environment(os.environ), ServiceSettings.from_environment(os.environ)
    return Application(*told, tables=(*TABLES, BENCH))


if __name__ == "__main__":
    uvicorn.run(
        "http_server:application",
        factory=True,
        app_dir=os.path.dirname(__file__),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        workers=int(sys.argv[2]),
        http=DeadlineProtocol,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=2_048,
    )
