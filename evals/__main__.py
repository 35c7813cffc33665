"""`python -m evals`: the forty tasks, walked by a scripted agent or tried by yours."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from evals import attempt, costs, world
from evals.report import Attempt, report
from evals.scripted import walk
from evals.task import Task, tasks_in
from evals.tasks import changing, customers, looking, money, using
from voucher_mcp.server import build_server

TASKS = tasks_in(looking, customers, money, using, changing)


def main() -> int:
    """Run what was asked for; 1 where a task is not solved."""
    arguments = _parser().parse_args()
    match arguments.command:
        case "begin":
            task = TASKS[arguments.task]
            anyio.run(attempt.begin, task, arguments.folder.resolve())
            print(task.words)
        case "serve":
            return attempt.serve(arguments.folder.resolve())
        case "tools":
            print(anyio.run(_shown, arguments.folder.resolve()))
        case "call":
            print(anyio.run(_called, arguments.folder.resolve(), arguments.tool, arguments.arguments))
        case "end":
            return _tell(
                [
                    anyio.run(
                        attempt.end, _task_of(arguments.folder), arguments.folder.resolve(), arguments.answer
                    )
                ]
            )
        case "costs":
            costs.FILE.write_text(costs.table(anyio.run(costs.measure)), encoding="utf-8", newline="\n")
        case "list":
            print("\n".join(f"{task.name}: {task.words}" for task in TASKS.values()))
        case _:
            return _tell(anyio.run(walked, list(TASKS.values())))
    return 0


async def walked(tasks: list[Task]) -> list[Attempt]:
    """The scripted agent's attempts."""
    with tempfile.TemporaryDirectory(prefix="voucher-mcp-evals-") as temporary:
        made = Path(temporary) / "made"
        made.mkdir()
        await world.make(made)
        return [await walk(task, made, Path(temporary) / task.name) for task in tasks]


async def listed() -> int:
    """How many bytes an agent reads before its first call: the instructions and tools/list."""
    async with Client(build_server(world.settings(Path("nowhere")))) as client:
        tools = await client.list_tools()
        text = tools.model_dump_json(by_alias=True, exclude_none=True)
        return len((client.instructions or "").encode()) + len(text.encode())


def _tell(attempts: list[Attempt]) -> int:
    print(report(attempts, anyio.run(listed)))
    return 1 if any(one.problems for one in attempts) else 0


def _task_of(folder: Path) -> Task:
    return TASKS[(folder / attempt.TASK).read_text(encoding="utf-8")]


def _client(folder: Path) -> Client:
    command = [sys.executable, "-m", "evals", "serve", str(folder)]
    server = StdioServerParameters(command=command[0], args=command[1:], cwd=str(Path(__file__).parents[1]))
    return Client(stdio_client(server))


async def _shown(folder: Path) -> str:
    """What an agent is shown: the instructions and the tools."""
    async with _client(folder) as client:
        tools = await client.list_tools()
        shown = tools.model_dump(mode="json", by_alias=True, exclude_none=True)["tools"]
        for tool in shown:
            tool.pop("outputSchema", None)
        return f"{client.instructions}\n\n" + "\n".join(
            json.dumps(tool, ensure_ascii=False) for tool in shown
        )


async def _called(folder: Path, tool: str, arguments: str) -> str:
    async with _client(folder) as client:
        result = await client.call_tool(tool, json.loads(arguments))
        return "\n".join(part.text for part in result.content if part.type == "text")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evals", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("list", help="the tasks")
    commands.add_parser("costs", help="write what each tool costs, as COSTS.md")
    begin = commands.add_parser("begin", help="a shop in a new folder, and the task in words")
    begin.add_argument("task", choices=TASKS, metavar="TASK")
    end = commands.add_parser("end", help="what it took, and whether it is solved")
    serve = commands.add_parser("serve", help="the server of an attempt, for any MCP client on stdio")
    tools = commands.add_parser("tools", help="what an agent is shown of it")
    call = commands.add_parser("call", help="one call of it, for an agent that has only a shell")
    for command in (begin, end, serve, tools, call):
        command.add_argument("folder", type=Path, metavar="FOLDER")
    end.add_argument("--answer", default="", help="what the agent said in the end")
    call.add_argument("tool", metavar="TOOL")
    call.add_argument("arguments", metavar="JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
