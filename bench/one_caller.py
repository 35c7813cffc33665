"""Calls over HTTP of one caller, one after another, over one connection."""

import json
import socket
import time
from statistics import median

from bench.engine import PROJECT, codes


def request(token: str) -> bytes:
    """A call of get_voucher."""
    params = {"name": "get_voucher", "arguments": {"project_id": PROJECT, "code": next(codes(1))}}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    headers = (
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"accept: application/json, text/event-stream\r\nauthorization: Bearer {token}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return headers.encode() + body


def latency(port: int, token: str, calls: int) -> float:
    """The median seconds of so many calls, each of which succeeded."""
    times = []
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        for _ in range(calls):
            started, answer = time.perf_counter(), b""
            connection.sendall(request(token))
            while not answer.endswith(b"\r\n0\r\n\r\n"):
                part = connection.recv(65_536)
                assert part, answer
                answer += part
            times.append(time.perf_counter() - started)
            assert b'"isError":false' in answer, answer[:500]
    return median(times)
