"""An attempt by somebody else: a folder with a shop, a server for any MCP client, and what was called.

The server is the real one, behind a pipe that counts: it hands every line on as it is.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from evals import world
from evals.report import Attempt
from evals.task import Task

CONFIG, TASK, BEFORE, CALLS = "config.toml", "task.txt", "before.json", "calls.jsonl"


async def begin(task: Task, folder: Path) -> None:
    """Make a shop in a new folder, for that task."""
    folder.mkdir(parents=True)
    await world.make(folder)
    (folder / CONFIG).write_text(_config(folder), encoding="utf-8")
    (folder / TASK).write_text(task.name, encoding="utf-8")
    (folder / BEFORE).write_text(json.dumps(await world.state(folder)), encoding="utf-8")


def command(folder: Path) -> list[str]:
    """How a client starts the server of an attempt."""
    return [sys.executable, "-m", "voucher_mcp", "--config", str(folder / CONFIG)]


def serve(folder: Path) -> int:
    """Stand between a client and the server, on standard input and output, and note every call."""
    with subprocess.Popen(command(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        asked: dict[Any, str] = {}
        threading.Thread(target=_hand_on, args=(server.stdin, asked), daemon=True).start()
        with (folder / CALLS).open("a", encoding="utf-8") as calls:
            for line in server.stdout:
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()
                _note(line, asked, calls)
        return server.wait()


async def end(task: Task, folder: Path, answer: str) -> Attempt:
    """What the attempt took, and whether it did what was asked and nothing else."""
    before = json.loads((folder / BEFORE).read_text(encoding="utf-8"))
    changed = world.changes(before, json.loads(json.dumps(await world.state(folder))))
    calls = list(_read(folder))
    sizes = tuple(call["bytes"] for call in calls)
    failed = sum(call["failed"] for call in calls)
    return Attempt(task, sizes, failed, tuple(task.problems(answer, changed)))


def _hand_on(server: IO[bytes], asked: dict[Any, str]) -> None:
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if message.get("method") == "tools/call":
            asked[message["id"]] = message["params"]["name"]
        server.write(line)
        server.flush()
    server.close()


def _note(line: bytes, asked: dict[Any, str], calls: IO[str]) -> None:
    message = json.loads(line)
    tool = asked.pop(message.get("id"), None)
    if tool is None or "method" in message:
        return
    result = message.get("result", {})
    text = "".join(part.get("text", "") for part in result.get("content", ()))
    note = {
        "tool": tool,
        "bytes": len(text.encode()),
        "failed": bool(result.get("isError", "error" in message)),
    }
    calls.write(json.dumps(note) + "\n")
    calls.flush()


def _read(folder: Path) -> Iterator[dict[str, Any]]:
    if (folder / CALLS).exists():
        yield from map(json.loads, (folder / CALLS).read_text(encoding="utf-8").splitlines())


def _config(folder: Path) -> str:
    tables = []
    for project in world.settings(folder).projects.values():
        tables.append(
            f'[projects.{project.id}]\nname = "{project.name}"\nbackend = "local"\n'
            f'url = "sqlite:///{folder / world.DATABASE}"\naccess = "{project.access}"\n'
            f'destructive = "allow"\ncurrency = "EUR"\n'
        )
    return "\n".join(tables)
