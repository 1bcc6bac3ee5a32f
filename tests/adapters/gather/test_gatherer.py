"""Gathering: who asks while others are answered is answered together with those who ask then too."""

import asyncio
import gc
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from ledgercore.errors import ExternalDependencyError, InternalError
from ledgercore.errors.catalog import DATABASE_UNAVAILABLE
from ledgercore_gather import Failed, Gatherer
from ledgercore_gather.gatherer import RUNS_MAX

PATIENCE_SECONDS = 30


@pytest.fixture
def gatherer(gated, executor) -> Gatherer[int, str]:
    """Three asks leave together, and five may wait."""
    return Gatherer(gated, executor=executor, batch_max=3, queue_max=5)


def results(futures: list[Future]) -> list[Any]:
    return [future.result(PATIENCE_SECONDS) for future in futures]


def failure(future: Future) -> BaseException | None:
    return future.exception(PATIENCE_SECONDS)


class TestBatches:
    def test_asks_that_arrive_meanwhile_leave_together_in_order(self, gated, executor) -> None:
        """The first leaves at once and alone; everybody gets the answer to what they asked."""
        gatherer = Gatherer[int, str](gated, executor=executor)
        first = gatherer.submit(1)
        gated.begun()

        others = [gatherer.submit(number) for number in (2, 3, 4)]
        gated.let_go(2)

        assert results([first, *others]) == ["1 done", "2 done", "3 done", "4 done"]
        assert gated.batches == [[1], [2, 3, 4]]

    def test_batches_have_a_largest_size(self, gatherer, gated) -> None:
        """Whoever does not fit leaves with the next."""
        first = gatherer.submit(0)
        gated.begun()

        others = [gatherer.submit(number) for number in (1, 2, 3, 4, 5)]
        gated.let_go(3)

        assert results([first, *others])[-1] == "5 done"
        assert gated.batches == [[0], [1, 2, 3], [4, 5]]

    def test_one_batch_runs_at_a_time(self, executor) -> None:
        """Sixteen threads and two event loops ask at once: each gets its own answer, each ask is carried out once."""
        running = threading.Lock()
        seen: list[tuple[int, int]] = []

        def work(asks: list[tuple[int, int]]) -> list[tuple[int, int]]:
            assert running.acquire(blocking=False)
            seen.extend(asks)
            running.release()
            return asks

        gatherer = Gatherer[tuple[int, int], tuple[int, int]](work, executor=executor, batch_max=7)

        async def ask_often(asker: int) -> list[tuple[int, int]]:
            return await asyncio.gather(*(gatherer.ask((asker, number)) for number in range(200)))

        def submit_often(asker: int) -> list[tuple[int, int]]:
            return [gatherer.submit((asker, number)).result(PATIENCE_SECONDS) for number in range(50)]

        with ThreadPoolExecutor(18) as threads:
            loops = [threads.submit(asyncio.run, ask_often(asker)) for asker in range(2)]
            others = [threads.submit(submit_often, asker) for asker in range(2, 18)]
            answers = results([*loops, *others])

        expected = [[(asker, number) for number in range(200 if asker < 2 else 50)] for asker in range(18)]
        assert answers == expected
        assert sorted(seen) == [ask for asks in expected for ask in asks]

    def test_gatherers_of_one_thread_take_turns(self) -> None:
        """Who always has more to do lets the others in after a few runs."""
        runs: list[str] = []
        begun, go = threading.Event(), threading.Event()

        def busy(asks: list[int]) -> list[int]:
            begun.set()
            assert go.wait(PATIENCE_SECONDS)
            runs.append("busy")
            return asks

        def modest(asks: list[int]) -> list[int]:
            runs.append("modest")
            return asks

        with ThreadPoolExecutor(1) as one_thread:
            first = Gatherer[int, int](busy, executor=one_thread, batch_max=1)
            second = Gatherer[int, int](modest, executor=one_thread)
            many = [first.submit(0)]
            assert begun.wait(PATIENCE_SECONDS)
            many += [first.submit(number) for number in range(1, 3 * RUNS_MAX)]
            one = second.submit(0)
            go.set()
            results([*many, one])

        assert runs == ["busy"] * RUNS_MAX + ["modest"] + ["busy"] * 2 * RUNS_MAX


class TestBounds:
    def test_only_so_many_may_wait(self, gatherer, gated) -> None:
        """What runs does not count; who is refused learns when to come again, and may when some have left."""
        accepted = [gatherer.submit(0)]
        gated.begun()
        accepted += [gatherer.submit(number) for number in range(1, 6)]

        with pytest.raises(ExternalDependencyError) as from_thread:
            gatherer.submit(6)
        with pytest.raises(ExternalDependencyError) as from_loop:
            asyncio.run(gatherer.ask(7))

        for caught in (from_thread, from_loop):
            assert caught.value.code == "service_overloaded"
            assert (caught.value.details["waiting"], caught.value.details["retry_after_ms"]) == (5, 1_000)
        gated.let_go()
        gated.begun()
        accepted.append(gatherer.submit(8))
        gated.let_go(3)
        assert results(accepted)[-1] == "8 done"
        assert [ask for batch in gated.batches for ask in batch] == [0, 1, 2, 3, 4, 5, 8]

    @pytest.mark.parametrize("setting", ["batch_max", "queue_max"])
    def test_bounds_leave_room_for_one(self, gated, executor, setting: str) -> None:
        """A gatherer that could never answer is not made."""
        with pytest.raises(InternalError) as caught:
            Gatherer(gated, executor=executor, **{setting: 0})

        assert (caught.value.code, caught.value.details["setting"]) == ("configuration_error", setting)


class Uncopied(Exception):
    """An exception that cannot be made again from its arguments."""

    def __init__(self, *, needed: str) -> None:
        super().__init__(needed)


class TestFailures:
    def test_one_may_fail_alone(self, executor) -> None:
        """A failed answer is raised to its asker; the others get theirs."""
        gatherer = Gatherer[int, int](
            lambda asks: [Failed(ValueError(ask)) if ask % 2 else ask for ask in asks], executor=executor
        )

        async def ask_all() -> list[Any]:
            return await asyncio.gather(*map(gatherer.ask, range(4)), return_exceptions=True)

        submitted = [gatherer.submit(number) for number in range(4)]
        asked = asyncio.run(ask_all())

        assert [*results(submitted[::2]), *asked[::2]] == [0, 2, 0, 2]
        assert [repr(failure(future)) for future in submitted[1::2]] == ["ValueError(1)", "ValueError(3)"]
        assert [repr(error) for error in asked[1::2]] == ["ValueError(1)", "ValueError(3)"]

    def test_failed_work_fails_for_all_of_its_batch(self, gatherer, gated) -> None:
        """Each gets an exception of its own, caused by the one there was; the next batch is answered."""
        first = gatherer.submit(0)
        gated.begun()
        together = [gatherer.submit(1), gatherer.submit(2), gatherer.submit(3)]
        gated.let_go()
        gated.begun()
        well, error = gated.answers, ExternalDependencyError(DATABASE_UNAVAILABLE, why="gone")

        def fail(asks: list[int]) -> None:
            gated.answers = well
            raise error

        gated.answers = fail
        last = gatherer.submit(4)
        gated.let_go(2)

        errors = [failure(future) for future in together]
        assert results([first, last]) == ["0 done", "4 done"]
        assert [repr(each) for each in errors] == [repr(error)] * 3
        assert len({id(each) for each in errors}) == 3
        assert all(each is not None and each.__cause__ is error and each.__traceback__ is None for each in errors)

    def test_traceback_does_not_grow_with_the_askers(self, executor) -> None:
        """An exception that cannot be copied is shared; it comes without what was noted of earlier raises."""
        error = Uncopied(needed="this")
        gatherer = Gatherer[int, int](lambda asks: [Failed(error)] * len(asks), executor=executor)
        lengths = []

        for number in range(5):
            with pytest.raises(Uncopied) as caught:
                gatherer.submit(number).result(PATIENCE_SECONDS)
            lengths.append(len(caught.traceback))

        assert len(set(lengths)) == 1

    @pytest.mark.parametrize("answers", [["one"], ["one", "two", "three"], None, 7], ids=repr)
    def test_work_gives_one_answer_for_each_ask(self, gatherer, gated, answers: Any) -> None:
        """With any other number nobody can tell whose is whose, so all of them hear of a fault."""
        first = gatherer.submit(0)
        gated.begun()
        two = [gatherer.submit(1), gatherer.submit(2)]
        gated.let_go()
        gated.begun()
        gated.answers = lambda asks: answers
        gated.let_go()

        errors = [failure(future) for future in two]

        assert results([first]) == ["0 done"]
        wanted = InternalError if isinstance(answers, list) else TypeError
        assert [type(error) for error in errors] == [wanted, wanted]
        if isinstance(errors[0], InternalError):
            assert (errors[0].code, errors[0].details["asks"]) == ("internal_server_error", 2)

    @pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()], ids=repr)
    def test_nobody_hangs_whatever_is_raised(self, gatherer, gated, error: BaseException) -> None:
        """Not even when work tries to end the program; the gatherer goes on."""
        well = gated.answers

        def fail(asks: list[int]) -> None:
            gated.answers = well
            raise error

        gated.answers = fail
        gated.let_go(2)

        found = failure(gatherer.submit(0))

        assert type(found) is type(error)
        assert results([gatherer.submit(1)]) == ["1 done"]

    def test_failure_that_no_coroutine_may_raise_is_told_too(self, executor) -> None:
        """`StopIteration` cannot leave a coroutine; Python makes it a RuntimeError."""
        gatherer = Gatherer[int, int](lambda asks: [Failed(StopIteration(1))], executor=executor)

        with pytest.raises(RuntimeError, match="StopIteration"):
            asyncio.run(asyncio.wait_for(gatherer.ask(1), PATIENCE_SECONDS))


class TestAskers:
    def test_a_loop_is_woken_once_for_a_batch(self, gated, executor) -> None:
        """However many of its tasks are answered."""
        gatherer = Gatherer[int, str](gated, executor=executor)
        calls, woken = [], []

        async def ask_all() -> list[str]:
            loop = asyncio.get_running_loop()
            first = asyncio.create_task(gatherer.ask(0))
            await asyncio.to_thread(gated.begun)
            others = [asyncio.create_task(gatherer.ask(number)) for number in range(1, 100)]
            await asyncio.sleep(0)
            wake = loop.call_soon_threadsafe

            def counted(callback: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
                calls.append(callback)
                return wake(callback, *arguments, **options)

            loop.call_soon_threadsafe = counted  # type: ignore[assignment, method-assign]
            gated.let_go(2)
            answers = await asyncio.gather(first, *others)
            woken.append(len(calls))
            return answers

        answers = asyncio.run(ask_all())

        assert answers == [f"{number} done" for number in range(100)]
        assert [len(batch) for batch in gated.batches] == [1, 99]
        assert woken == [2]

    def test_what_a_cancelled_task_asked_is_carried_out(self, gated, executor) -> None:
        """Its answer is dropped, failed ones without a warning, and the others get theirs."""
        gatherer = Gatherer[int, str](gated, executor=executor)
        gated.answers = lambda asks: [Failed(ValueError(ask)) if ask > 2 else f"{ask} done" for ask in asks]
        complaints = []

        async def ask_and_leave() -> list[Any]:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
            tasks = [asyncio.create_task(gatherer.ask(0))]
            await asyncio.to_thread(gated.begun)
            tasks += [asyncio.create_task(gatherer.ask(number)) for number in (1, 2, 3, 4)]
            await asyncio.sleep(0)
            for leaving in (tasks[0], tasks[1], tasks[3]):
                leaving.cancel()
            gated.let_go(2)
            return await asyncio.gather(*tasks, return_exceptions=True)

        answers = asyncio.run(ask_and_leave())
        gc.collect()

        assert gated.batches == [[0], [1, 2, 3, 4]]
        assert [type(answer) for answer in (*answers[:2], answers[3])] == [asyncio.CancelledError] * 3
        assert answers[2] == "2 done"
        assert [repr(answer) for answer in answers[4:]] == ["ValueError(4)"]
        assert complaints == []

    def test_each_loop_gets_its_own_answers(self, gated, executor) -> None:
        """Two event loops in two threads, and a thread without one, share a batch."""
        gatherer = Gatherer[int, str](gated, executor=executor)
        first = gatherer.submit(0)
        gated.begun()
        asked = threading.Barrier(3)

        async def ask(numbers: list[int]) -> tuple[list[str], bool]:
            tasks = [asyncio.create_task(gatherer.ask(number)) for number in numbers]
            await asyncio.sleep(0)
            await asyncio.to_thread(asked.wait, PATIENCE_SECONDS)
            home = threading.get_ident()
            return [await task for task in tasks], home == threading.get_ident()

        with ThreadPoolExecutor(2) as threads:
            loops = [threads.submit(asyncio.run, ask(numbers)) for numbers in ([1, 2], [3, 4])]
            asked.wait(PATIENCE_SECONDS)
            last = gatherer.submit(5)
            gated.let_go(2)
            answers = results(loops)

        assert answers == [(["1 done", "2 done"], True), (["3 done", "4 done"], True)]
        assert results([first, last]) == ["0 done", "5 done"]
        assert [sorted(batch) for batch in gated.batches] == [[0], [1, 2, 3, 4, 5]]

    def test_a_loop_that_was_closed_breaks_nobody(self, gated, executor) -> None:
        """Its asks are carried out like those of others who left."""
        gatherer = Gatherer[int, str](gated, executor=executor)
        first = gatherer.submit(0)
        gated.begun()
        left = asyncio.new_event_loop()
        asking = left.create_task(gatherer.ask(1))
        left.call_soon(left.stop)
        left.run_forever()
        asking.cancel()
        left.call_soon(left.stop)
        left.run_forever()
        left.close()

        others = [first, gatherer.submit(2)]
        gated.let_go(3)
        answers = results(others)
        later = asyncio.run(asyncio.wait_for(gatherer.ask(3), PATIENCE_SECONDS))

        assert [*answers, later] == ["0 done", "2 done", "3 done"]
        assert gated.batches == [[0], [1, 2], [3]]

    def test_a_submitted_ask_cannot_be_taken_back(self, gatherer, gated) -> None:
        """It is carried out in any case, so its future says no."""
        future = gatherer.submit(1)

        taken_back = future.cancel()
        gated.let_go()

        assert (taken_back, future.result(PATIENCE_SECONDS)) == (False, "1 done")


class TestClosing:
    def test_closing_waits_for_what_was_accepted(self, gatherer, gated) -> None:
        """Several may close, at once or again; all wait, and nobody is accepted any more."""
        accepted = [gatherer.submit(0)]
        gated.begun()
        accepted += [gatherer.submit(number) for number in (1, 2, 3, 4)]
        with ThreadPoolExecutor(2) as threads:
            closing = [threads.submit(gatherer.close) for _ in range(2)]
            refusals = refused_once_closed(gatherer)
            waited = [future.done() for future in closing]
            gated.let_go(3)
            results(closing)

        assert waited == [False, False]
        assert refusals.code == "service_overloaded"
        assert refusals.details["closed"] is True
        assert all(future.done() for future in accepted)
        assert results(accepted)[-1] == "4 done"
        gatherer.close()

    def test_nothing_accepted_means_nothing_to_wait_for(self, gatherer) -> None:
        """Closing a gatherer that was never used returns at once, and holds for event loops too."""
        gatherer.close()

        with pytest.raises(ExternalDependencyError) as caught:
            asyncio.run(gatherer.ask(1))

        assert caught.value.code == "service_overloaded"

    def test_asks_survive_the_shutdown_of_the_executor(self, gated) -> None:
        """What was accepted is carried out by the thread that is still there; what comes later is refused."""
        executor = ThreadPoolExecutor(1)
        gatherer = Gatherer[int, str](gated, executor=executor, batch_max=1)
        accepted = [gatherer.submit(number) for number in range(3 * RUNS_MAX)]
        gated.begun()

        executor.shutdown(wait=False)
        gated.let_go(len(accepted))

        assert results(accepted)[-1] == f"{3 * RUNS_MAX - 1} done"
        gatherer_is_idle(executor)
        late = gatherer.submit(99)
        error = failure(late)
        assert isinstance(error, ExternalDependencyError)
        assert error.code == "service_overloaded"
        gatherer.close()

    def test_a_run_that_the_executor_drops_leaves_nobody_waiting(self, gated) -> None:
        """An executor that is shut down with its queue cancelled never runs what it took."""
        executor = ThreadPoolExecutor(1)
        go = threading.Event()
        executor.submit(go.wait, PATIENCE_SECONDS)
        gatherer = Gatherer[int, str](gated, executor=executor)
        dropped = [gatherer.submit(1), gatherer.submit(2)]

        executor.shutdown(wait=False, cancel_futures=True)

        errors = [failure(future) for future in dropped]
        assert [repr(error).split()[1] for error in errors] == ["service_overloaded"] * 2
        gatherer.close()
        go.set()
        assert gated.batches == []


def refused_once_closed(gatherer: Gatherer[int, str]) -> ExternalDependencyError:
    """The refusal of an ask after `close` was called in other threads, however soon they come to it."""
    while True:
        try:
            gatherer.submit(9)
        except ExternalDependencyError as error:
            if error.details["closed"]:
                return error


def gatherer_is_idle(executor: ThreadPoolExecutor) -> None:
    """Wait for the end of the executor's threads."""
    executor.shutdown(wait=True)
