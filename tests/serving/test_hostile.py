"""A flood of hostile requests. `python -m tests.serving.hostile --requests N --seed N` sends others."""

from pathlib import Path

from tests.serving.hostile.siege import siege


async def test_hostile_requests_are_answered_rightly_and_leave_nothing(tmp_path: Path) -> None:
    await siege(tmp_path, 3_000, seed=13)
