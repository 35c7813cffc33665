"""The tasks of evals/: each can be solved in its ideal number of calls, and a wrong end is noticed."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from evals import attempt, world
from evals.__main__ import TASKS
from evals.report import report
from evals.scripted import walk


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the shop."""
    folder = tmp_path_factory.mktemp("evals")
    anyio.run(world.make, folder)
    return folder


def test_there_are_forty_tasks_each_in_its_own_words() -> None:
    assert len(TASKS) == 40
    assert len({task.words for task in TASKS.values()}) == 40


@pytest.mark.parametrize("name", TASKS)
async def test_a_task_is_solved_by_the_ideal_calls_and_nothing_else_changes(
    made: Path, tmp_path: Path, name: str
) -> None:
    done = await walk(TASKS[name], made, tmp_path / "copy")
    assert list(done.problems) == []
    assert len(done.sizes) == TASKS[name].calls


async def test_what_nobody_asked_for_is_a_problem(made: Path, tmp_path: Path) -> None:
    async def clumsy(call: Any) -> str:
        await call("disable_voucher", code="LAUNCH")
        return "55.00"

    task = TASKS["money-on-a-card"]
    done = await walk(type(task)(task.name, task.words, 1, clumsy, task.says), made, tmp_path / "copy")
    assert done.problems == ("voucher:LAUNCH/active became False, and nobody asked for that",)


async def test_an_attempt_through_a_shell_is_counted_and_judged(tmp_path: Path) -> None:
    from evals.__main__ import _called, _shown

    task, folder = TASKS["money-on-a-card"], tmp_path / "attempt"
    await attempt.begin(task, folder)
    assert "get_voucher" in await _shown(folder)
    call = json.dumps({"project_id": world.SHOP, "code": "GIFT-LENA"})
    answer = json.loads(await _called(folder, "get_voucher", call))
    assert answer["data"]["gift"]["balance"] == 5_500
    done = await attempt.end(task, folder, "55.00 EUR are left")
    assert (len(done.sizes), done.failed, list(done.problems)) == (1, 0, [])
    assert "1 of 1 solved; 1 calls, ideally 1" in report([done], 0)
