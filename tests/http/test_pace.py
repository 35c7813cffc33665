"""The pace: no window of the vendor's sees too many calls, whoever asks and however long it takes.

Most tests run in virtual time, where sleeping costs nothing and clocks are exact.
"""

import asyncio
import selectors
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.http.vendor import Request, account, answer
from voucher_mcp.backends.pace import Pace, Paces
from voucher_mcp.domain.errors import RateLimited

SECONDS = st.floats(0, 3)


class _VirtualClock(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += timeout or 0.0
        return super().select(0)


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _VirtualClock()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def in_virtual_time(work: Callable[[], Awaitable[None]]) -> None:
    anyio.run(work, backend_options={"loop_factory": _VirtualLoop})


def most_within(seconds: float, times: Sequence[float]) -> int:
    """The largest number of moments in a half-open window of that length."""
    moments = sorted(times)
    return max(bisect_left(moments, start + seconds) - index for index, start in enumerate(moments))


async def ask(pace: Pace, times: list[float], on_the_way: float = 0.0, answering: float = 0.0) -> None:
    """A call that reaches the vendor after a while and is answered after another."""
    async with pace.turn():
        await anyio.sleep(on_the_way)
        times.append(anyio.current_time())
        await anyio.sleep(answering)


@given(
    st.lists(st.tuples(SECONDS, SECONDS, st.floats(0, 20)), min_size=1, max_size=30),
    st.integers(1, 5),
)
def test_no_window_sees_more_calls_than_the_limit(
    delays: list[tuple[float, float, float]], calls: int
) -> None:
    arrivals: list[float] = []

    async def work() -> None:
        pace = Pace(calls, 2.0)

        async def come(on_the_way: float, answering: float, later: float) -> None:
            await anyio.sleep(later)
            await ask(pace, arrivals, on_the_way, answering)

        async with anyio.create_task_group() as tasks:
            for delay in delays:
                tasks.start_soon(come, *delay)

    in_virtual_time(work)
    assert len(arrivals) == len(delays)
    assert most_within(2.0, arrivals) <= calls


def test_the_limit_is_used_to_the_full_and_who_came_first_goes_in_an_earlier_window() -> None:
    order: list[int] = []
    times: list[float] = []

    async def work() -> None:
        pace = Pace(200, 30.0)

        async def come(number: int) -> None:
            await ask(pace, times)
            order.append(number)

        async with anyio.create_task_group() as tasks:
            for number in range(500):
                tasks.start_soon(come, number)

    in_virtual_time(work)
    assert [sorted(order[start : start + 200]) for start in (0, 200, 400)] == [
        list(range(200)),
        list(range(200, 400)),
        list(range(400, 500)),
    ]
    assert [round(time - times[0]) for time in times] == [0] * 200 + [30] * 200 + [60] * 100


def test_a_turn_that_comes_too_late_is_refused_at_once() -> None:
    async def work() -> None:
        pace = Pace(2, 60.0)
        for _ in range(2):
            await ask(pace, [])
        before = anyio.current_time()
        with anyio.fail_after(50), pytest.raises(RateLimited) as caught:
            await ask(pace, [])
        assert anyio.current_time() == before
        assert caught.value.retry_after == pytest.approx(60, abs=0.1)
        assert caught.value.applied == "no"
        with anyio.fail_after(61.5):
            await ask(pace, [])

    in_virtual_time(work)


def test_those_behind_others_in_the_line_are_refused_at_once_too() -> None:
    refused: list[float] = []

    async def work() -> None:
        pace = Pace(1, 20.0)
        await ask(pace, [])

        async def come() -> None:
            started = anyio.current_time()
            with anyio.fail_after(50):
                try:
                    await ask(pace, [])
                except RateLimited:
                    refused.append(anyio.current_time() - started)

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(come)

    in_virtual_time(work)
    assert len(refused) == 3
    assert max(refused) <= 40  # the second in the line cannot be told before


def test_who_leaves_the_line_takes_no_turn() -> None:
    times: list[float] = []

    async def work() -> None:
        pace = Pace(1, 10.0)
        await ask(pace, times)
        async with anyio.create_task_group() as tasks:
            impatient = anyio.CancelScope()

            async def leave() -> None:
                with impatient:
                    await ask(pace, times)

            tasks.start_soon(leave)
            await anyio.sleep(1)
            impatient.cancel()
        await ask(pace, times)

    in_virtual_time(work)
    assert [round(time - times[0]) for time in times] == [0, 10]


def test_a_pause_holds_everyone_and_the_longest_counts() -> None:
    times: list[float] = []

    async def work() -> None:
        pace = Pace()
        pace.pause(20)
        pace.pause(5)
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(ask, pace, times)

    in_virtual_time(work)
    assert [round(time - 1_000) for time in times] == [20, 20, 20]


def test_absurd_news_about_the_rate_do_not_hold_for_ever() -> None:
    async def work() -> None:
        pace = Pace()
        pace.pause(1e9)
        pace.learn(0, 1e9)
        with anyio.fail_after(50), pytest.raises(RateLimited) as caught:
            await ask(pace, [])
        assert caught.value.retry_after == 3600

    in_virtual_time(work)


def test_what_the_vendor_says_is_left_is_not_overdrawn_by_many_at_once() -> None:
    asked: list[float] = []

    async def work() -> None:
        pace = Pace()

        async def come(number: int) -> None:
            async with pace.turn():
                asked.append(anyio.current_time())
                left = 10 - len(asked)
                await anyio.sleep(number % 4)  # answers overtake each other
                pace.learn(left, max(0.0, 1_040.0 - anyio.current_time()))

        await come(0)
        async with anyio.create_task_group() as tasks:
            for number in range(30):
                tasks.start_soon(come, number)
            await anyio.sleep(39.5)
            assert len(asked) == 10  # of this period, all of them
            del asked[:]

    in_virtual_time(work)
    assert asked[0] >= 1_040


async def test_a_server_that_counts_never_sees_too_many_from_sixteen_callers() -> None:
    arrivals: list[float] = []

    async def note(_request: Request, _stream: object) -> bytes:
        arrivals.append(anyio.current_time())
        return answer()

    async with account(Pace(20, 0.25)) as (server, client):
        server.always = note

        async def work() -> None:
            for _ in range(5):
                await client.read("GET", "/v1/vouchers")

        async with anyio.create_task_group() as tasks:
            for _ in range(16):
                tasks.start_soon(work)
    assert len(arrivals) == 80
    assert most_within(0.25, arrivals) <= 20


def test_those_who_ask_with_one_account_share_its_pace() -> None:
    paces = Paces()
    shared = paces.of("account", 1, 1.0)
    assert paces.of("account", 1, 1.0) is shared
    assert paces.of("other", 1, 1.0) is not shared
    assert Paces().of("account", 1, 1.0) is not shared
