"""A client that goes away for good: the server ends, whatever it is waiting for, and lets go of its lock."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.policy.conftest import Account
from tests.policy.state import audit
from tests.protocol.clients import connect, done
from tests.protocol.wire import PATIENCE, ROOT, environment

SERVER = (sys.executable, "-m", "tests.policy.vendor_server", "serve")
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}
TOP_UP = {"project_id": "shop", "code": "CARD", "amount": 100, "idempotency_key": "top-up"}
CALL = {"name": "update_voucher_balance", "arguments": TOP_UP}


@contextmanager
def serving(account: Account[Path]) -> Iterator["subprocess.Popen[bytes]"]:
    """A server of that account whose pipes a test can break; gone afterwards."""
    folder = account.state.parent
    (folder / "config.toml").write_text(account.config, encoding="utf-8")
    process = subprocess.Popen(
        SERVER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=environment(folder),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()


def say(process: "subprocess.Popen[bytes]", method: str, params: Mapping[str, Any], **more: int) -> None:
    """Send a message; one with an `id` asks for an answer."""
    assert process.stdin is not None
    message = {"jsonrpc": "2.0", "method": method, "params": params, **more}
    process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()


def ends(process: "subprocess.Popen[bytes]") -> bool:
    """Whether the process ends once its answers meet a broken pipe; its input lasts until it is gone."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(BrokenPipeError):
            say(process, "ping", {}, id=3)
        time.sleep(0.05)
    return process.returncode is not None


@pytest.mark.parametrize("fault", ["hang before", "hang after", None])
def test_a_server_whose_answers_nobody_reads_any_more_ends_even_with_a_write_in_flight(
    fault: str | None, account: Account[Path]
) -> None:
    if fault is not None:
        account.vendor.fail(fault)
    with serving(account) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        say(process, "initialize", HELLO, id=1)
        process.stdout.readline()
        say(process, "notifications/initialized", {})
        say(process, "tools/call", CALL, id=2)
        if fault is None:
            process.stdout.readline()
        else:
            anyio.run(account.vendor.until, "hanging")
        process.stdout.close()
        assert ends(process)
    assert list(account.state.parent.glob("*owner-*")) == []
    anyio.run(_the_retry_leaves_one_effect, account)


async def _the_retry_leaves_one_effect(account: Account[Path]) -> None:
    with anyio.fail_after(PATIENCE):
        async with connect(account.settings()) as client:
            retried = await done(client, "update_voucher_balance", **TOP_UP)
    assert retried["data"]["balance"] == 1_100
    assert account.vendor.effects == ["update_voucher_balance"]
    assert audit(account.state)[-1]["outcome"] == "success"
