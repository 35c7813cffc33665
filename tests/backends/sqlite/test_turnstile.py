"""Turns at one file: they alternate, and those of the dead are free."""

import threading
from collections.abc import Iterator
from pathlib import Path

import portalocker
import pytest

from tests.faults.workers import Worker, working
from voucher_mcp.stores.sqlite.turnstile import Turnstile, TurnTimeout

ROUNDS = 10


@pytest.fixture
def turnstile(database: Path) -> Iterator[Turnstile]:
    turnstile = Turnstile(database)
    yield turnstile
    turnstile.close()


def await_someone_at_the_gate(database: Path) -> None:
    """Return once someone waits for the turn: then the gate is locked."""
    flags = portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING
    with database.with_name(database.name + "-gate").open("r+b") as gate:
        for _ in range(10_000):
            try:
                portalocker.lock(gate, flags)
            except portalocker.AlreadyLocked:
                return
            portalocker.unlock(gate)
            threading.Event().wait(0.001)
    raise AssertionError("nobody came to the gate")


def started(worker: Worker) -> Worker:
    assert worker.says() == "ready"
    return worker


def test_two_threads_alternate_however_eager_one_of_them_is(database: Path, turnstile: Turnstile) -> None:
    turns: list[str] = []

    def patient() -> None:
        own = Turnstile(database)
        for _ in range(ROUNDS):
            with own.turn(10):
                turns.append("patient")
                await_someone_at_the_gate(database)
        own.close()

    thread = threading.Thread(target=patient)
    with turnstile.turn(10):
        thread.start()
        await_someone_at_the_gate(database)
    for number in range(ROUNDS):
        with turnstile.turn(10):  # asked for again as soon as it is over
            turns.append("eager")
            if number < ROUNDS - 1:
                await_someone_at_the_gate(database)
    thread.join()
    assert turns == ["patient", "eager"] * ROUNDS


def test_a_process_that_waits_comes_before_the_one_that_just_had_its_turn(
    database: Path, turnstile: Turnstile
) -> None:
    with working("take_turns", database) as worker:
        started(worker)
        for _ in range(ROUNDS):
            with turnstile.turn(10):
                worker.tell("wait")
                await_someone_at_the_gate(database)
            with pytest.raises(TurnTimeout), turnstile.turn(0.01):
                pass
            assert worker.says() == "my turn"
            worker.tell("let go")
            assert worker.says() == "done"


def test_the_turn_of_a_process_that_died_is_free(database: Path, turnstile: Turnstile) -> None:
    with working("take_turns", database) as worker:
        started(worker).tell("take it")
        assert worker.says() == "my turn"
        with pytest.raises(TurnTimeout), turnstile.turn(0.01):
            pass
        worker.kill()
        with turnstile.turn(0):
            pass


def test_the_place_of_a_process_that_died_while_it_waited_is_free(
    database: Path, turnstile: Turnstile
) -> None:
    other = Turnstile(database)
    with working("take_turns", database) as worker:
        with turnstile.turn(10):
            started(worker).tell("wait")
            await_someone_at_the_gate(database)
            worker.kill()
        with other.turn(0):
            pass
    other.close()


def test_who_waits_too_long_is_told_and_leaves_the_place_to_others(
    database: Path, turnstile: Turnstile
) -> None:
    hasty, other = Turnstile(database), Turnstile(database)
    with turnstile.turn(10):
        with pytest.raises(TurnTimeout), hasty.turn(0.01):
            pass
        with pytest.raises(TurnTimeout), other.turn(0.01):
            pass
    for free in (other, hasty, turnstile):
        with free.turn(0):
            pass
    hasty.close()
    other.close()


def test_a_turn_that_ends_in_an_error_is_free(database: Path, turnstile: Turnstile) -> None:
    other = Turnstile(database)
    with pytest.raises(ZeroDivisionError), turnstile.turn(0):
        raise ZeroDivisionError
    with other.turn(0):
        pass
    other.close()


def test_no_turn_is_held_by_two_at_once(database: Path) -> None:
    inside = 0
    most = 0

    def work() -> None:
        nonlocal inside, most
        own = Turnstile(database)
        for _ in range(20):
            with own.turn(10):
                inside += 1
                most = max(most, inside)
                inside -= 1
        own.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == (0, 1)
