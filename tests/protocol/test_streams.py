"""What standard input and output may be, and what a client may do with them."""

import json
import os
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCResponse

from bench.engine import PROJECT, codes, configuration, make_pool, opened
from bench.processes import memory
from tests.protocol.wire import MODULE, PATIENCE, ROOT, environment
from voucher_mcp.cli.stdio.pipes import Outgoing

SERVE = (sys.executable, *MODULE)
PAGE = 1_000
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "夏 test", "version": "1"},
}


def line(number: int | None, method: str, **params: Any) -> bytes:
    """A message as a line; one without a number asks for nothing."""
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    return (
        json.dumps(message | ({} if number is None else {"id": number}), ensure_ascii=False).encode() + b"\n"
    )


OPENING = line(0, "initialize", **HELLO) + line(None, "notifications/initialized")


def listing(number: int) -> bytes:
    """Asks for a page whose answer is some 250 kB."""
    arguments = {"project_id": PROJECT, "pool_id": "Spring", "count": PAGE}
    return line(number, "tools/call", name="list_voucher_codes", arguments=arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a project, and a page of codes in it."""

    async def prepare() -> None:
        async with opened(tmp_path / "vouchers.db") as backend:
            await make_pool(backend, "Spring", codes(PAGE))

    anyio.run(prepare)
    configuration(tmp_path / "vouchers.db").rename(tmp_path / "config.toml")
    return tmp_path


@contextmanager
def served(folder: Path, **streams: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """A server in that folder, gone afterwards."""
    given: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    process: subprocess.Popen[bytes] = subprocess.Popen(
        SERVE, cwd=ROOT, env=environment(folder), bufsize=0, **given
    )
    with process:
        rescue = threading.Timer(PATIENCE, process.kill)
        rescue.start()
        try:
            yield process
        finally:
            rescue.cancel()
            process.kill()


def answer(source: Any) -> Any:
    """The next message."""
    return json.loads(source.readline())


def test_files_serve_as_input_and_output(tmp_path: Path) -> None:
    given, taken = tmp_path / "given", tmp_path / "taken"
    given.write_bytes(OPENING)
    with (
        given.open("rb") as source,
        taken.open("wb") as target,
        served(tmp_path, stdin=source, stdout=target) as process,
    ):
        _, log = process.communicate(timeout=PATIENCE)
        assert (process.returncode, log) == (0, b"")
    (hello,) = taken.read_bytes().splitlines()
    assert json.loads(hello)["result"]["serverInfo"]["name"] == "voucher-mcp"


def test_input_from_a_pipe_may_have_its_output_in_a_file(tmp_path: Path) -> None:
    with (tmp_path / "taken").open("w+b") as target, served(tmp_path, stdout=target) as process:
        process.communicate(OPENING, PATIENCE)
        assert process.returncode == 0
        target.seek(0)
        assert answer(target)["id"] == 0


@pytest.mark.parametrize("nothing", ["stdin", "stdout", "both"])
def test_the_null_device_is_an_empty_input_and_a_reader_of_everything(nothing: str, tmp_path: Path) -> None:
    streams = dict.fromkeys(("stdin", "stdout") if nothing == "both" else (nothing,), subprocess.DEVNULL)
    with served(tmp_path, **streams) as process:
        output, log = process.communicate(None if process.stdin is None else OPENING, PATIENCE)
        assert (process.returncode, log) == (0, b"")
        assert not output


def test_a_terminal_is_spoken_to_like_a_pipe(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    attributes = termios.tcgetattr(theirs)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    with served(tmp_path, stdin=theirs, stdout=theirs) as process, os.fdopen(ours, "r+b", buffering=0) as end:
        os.close(theirs)
        end.write(OPENING)
        assert answer(end)["id"] == 0
        end.write(b"\x04")  # as a person ends the input
        assert process.wait(PATIENCE) == 0


def test_log_and_output_may_be_one_pipe(tmp_path: Path) -> None:
    with served(tmp_path, stderr=subprocess.STDOUT) as process:
        output, _ = process.communicate(OPENING, PATIENCE)
    assert json.loads(output)["id"] == 0


def test_one_socket_may_be_input_and_output(folder: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, served(folder, stdin=theirs, stdout=theirs) as process, ours.makefile("rb") as end:
        theirs.close()
        ours.sendall(OPENING + listing(1))
        assert answer(end)["id"] == 0
        assert len(answer(end)["result"]["structuredContent"]["data"]) == PAGE
        ours.shutdown(socket.SHUT_WR)
        assert end.read() == b""
        assert process.wait(PATIENCE) == 0


def test_lines_come_in_pieces_with_either_end_and_the_last_one_without(tmp_path: Path) -> None:
    text = (
        OPENING.replace(b"\n", b"\r\n") + b"\r\n\n" + line(1, "ping") + line(2, "initialize", **HELLO).strip()
    )
    with served(tmp_path) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for place in range(0, len(text), 50):  # letters of several bytes are cut too
            process.stdin.write(text[place : place + 50])
            time.sleep(0.001)
        process.stdin.close()
        assert [answer(process.stdout)["id"] for _ in range(3)] == [0, 1, 2]
        assert process.stdout.read() == b""
        assert process.wait(PATIENCE) == 0


def test_a_letter_that_is_no_utf_8_is_replaced(folder: Path) -> None:
    params = {"name": "get_voucher", "arguments": {"project_id": PROJECT, "code": "?"}}
    with served(folder) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(OPENING + line(1, "tools/call", **params).replace(b"?", b"A\xff"))
        assert answer(process.stdout)["id"] == 0
        assert '"A\ufffd"' in answer(process.stdout)["result"]["structuredContent"]["error"]


def test_a_call_of_many_megabytes_is_answered(folder: Path) -> None:
    arguments = {"project_id": PROJECT, "pool_id": "Spring", "codes": ["X" * 100] * 100_000}
    with served(folder) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(OPENING)
        call = line(1, "tools/call", name="add_voucher_codes", arguments=arguments)
        for place in range(0, len(call), 2**16):
            process.stdin.write(call[place : place + 2**16])
        assert answer(process.stdout)["id"] == 0
        assert answer(process.stdout)["result"]["structuredContent"]["error_code"] == "invalid_input"


reads_proc = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
ASKED = 1_000
MOST_MEMORY = 200e6
"""Of a server that keeps 16 MB of answers; all of them would take 250 MB more."""


def idle(process: "subprocess.Popen[bytes]") -> None:
    """Wait until the server has begun to work, and does nothing any more."""
    deadline, spent = time.monotonic() + PATIENCE, -1
    while time.monotonic() < deadline:
        time.sleep(1)
        fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        before, spent = spent, int(fields[11]) + int(fields[12])
        if spent == before and fields[0] == "S":
            return
    raise AssertionError("it does not come to rest")


def stuffed(process: "subprocess.Popen[bytes]", most: int = ASKED) -> threading.Thread:
    """A client that asks and asks, in a thread, and reads nothing, once the server does nothing any more."""
    assert process.stdin is not None
    source = process.stdin

    def ask() -> None:
        with suppress(BrokenPipeError, ValueError):
            source.write(OPENING)
            for number in range(1, most + 1):
                source.write(listing(number))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    idle(process)
    return thread


@reads_proc
def test_a_client_that_reads_late_gets_every_answer_and_costs_little_memory(folder: Path) -> None:
    with served(folder) as process:
        thread = stuffed(process)
        assert process.stdout is not None
        with os.fdopen(os.dup(process.stdout.fileno()), "rb") as output:
            numbers = {answer(output)["id"] for _ in range(ASKED + 1)}
        assert memory(process.pid, "VmHWM") < MOST_MEMORY
        thread.join(PATIENCE)
        assert numbers == set(range(ASKED + 1))


@reads_proc
def test_a_client_that_reads_nothing_and_leaves_ends_the_server(folder: Path) -> None:
    with served(folder) as process:
        stuffed(process, 250).join()  # those that the server does not read go into the pipe
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(PATIENCE) == 0


async def test_an_answer_that_is_cancelled_half_way_is_written_to_its_end() -> None:
    source, target = os.pipe()
    os.set_blocking(target, False)
    text = "x" * 1_000_000  # more than the pipe holds
    half, waiting = (SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=n, result={"": text})) for n in (1, 2))
    with os.fdopen(source, "rb") as output:
        read = threading.Thread(target=lambda: lines.extend(output.readlines()))
        lines: list[bytes] = []
        async with anyio.create_task_group() as tasks:
            outgoing = Outgoing(target, tasks)
            async with anyio.create_task_group() as calls:
                calls.start_soon(outgoing.send, half)
                calls.start_soon(outgoing.send, waiting)
                await anyio.wait_all_tasks_blocked()
                calls.cancel_scope.cancel()
                read.start()
            assert outgoing.unread == 0
        os.close(target)
        await anyio.to_thread.run_sync(read.join)
    assert [json.loads(line)["id"] for line in lines] == [1]


def test_what_others_share_is_left_as_it_was(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, served(tmp_path, stdin=theirs, stdout=theirs) as process:
        ours.sendall(OPENING)
        with ours.makefile("rb") as output:
            assert answer(output)["id"] == 0
        assert not os.get_blocking(theirs.fileno())
        ours.shutdown(socket.SHUT_WR)
        assert process.wait(PATIENCE) == 0
        assert os.get_blocking(theirs.fileno())


@reads_proc
def test_a_pipe_that_others_hold_too_stays_as_it_was_even_where_the_server_is_killed(tmp_path: Path) -> None:
    source, into = os.pipe()
    out_of, target = os.pipe()
    with served(tmp_path, stdin=source, stdout=target) as process, os.fdopen(out_of, "rb") as output:
        os.write(into, OPENING)
        assert answer(output)["id"] == 0
        process.kill()
        process.wait()
    assert os.get_blocking(source)
    assert os.get_blocking(target)
    for end in (source, into, target):
        os.close(end)


@pytest.mark.parametrize("number", ["null", "1.5", "true"])
@pytest.mark.parametrize("argument", ["1", '"\\ud83d"'], ids=["", "half a character"])
def test_a_request_whose_id_cannot_be_answered_is_told_so(number: str, argument: str, tmp_path: Path) -> None:
    params = f'{{"arguments":{{"x":{argument}}}}}'
    request = f'{{"jsonrpc":"2.0","method":"ping","params":{params},"id":{number}}}\n'.encode()
    with served(tmp_path) as process:
        output, _ = process.communicate(OPENING + request + line(1, "ping"), PATIENCE)
    _, refused, answered = map(json.loads, output.splitlines())
    assert "id of a request" in refused["error"]["message"]
    assert answered == {"jsonrpc": "2.0", "id": 1, "result": {}}


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    with served(tmp_path) as process:
        output, _ = process.communicate(b"\xef\xbb\xbf" + OPENING, PATIENCE)
    assert json.loads(output)["id"] == 0
