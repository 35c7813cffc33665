"""Hostile requests, each hostile in one way, so that it is known which answers are right."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.protocol.clients import Table
from tests.serving.servers import MODERN, call, request

Chance = random.Random
OK = {200, 202}


@dataclass(frozen=True, slots=True)
class Hostile:
    """A request as it is sent: piece after piece, with a little time between them."""

    kind: str
    pieces: tuple[bytes, ...]
    right: frozenset[int]
    """The statuses that the first answer may have; 0: the connection may end without one."""
    half_close: bool = False
    """Say after it that nothing more will come."""


@dataclass(frozen=True, slots=True)
class Known:
    """What who attacks got hold of."""

    token: str
    """That of somebody who may use the server."""
    wrong_tokens: Sequence[str]
    """Of another audience, expired, not yet valid, forged, signed by nobody."""
    session: str
    """Of somebody else."""
    state: str
    """A sealed question that somebody else was asked, with the arguments of `asked`."""
    asked: Table


def stream(chance: Chance, known: Known) -> Iterator[Hostile]:
    """Hostile requests without end, of every kind about as many."""
    while True:
        kinds = list(KINDS)
        chance.shuffle(kinds)
        for kind in kinds:
            yield kind(chance, known)


def _raw(body: bytes, known: Known, *lines: bytes, without: Sequence[str] = (), first: bytes = b"") -> bytes:
    """A request that is right, but for what is added, taken away or put in the first line's place."""
    headers = {
        "host": b"localhost",
        "authorization": b"Bearer " + known.token.encode(),
        "content-type": b"application/json",
        "accept": b"application/json, text/event-stream",
        "content-length": str(len(body)).encode(),
    }
    kept = [name.encode() + b": " + value for name, value in headers.items() if name not in without]
    return b"\r\n".join([first or b"POST /mcp HTTP/1.1", *kept, *lines, b"", b""]) + body


def _text(message: object) -> bytes:
    return json.dumps(message).encode()


def _junk(chance: Chance, most: int = 200) -> bytes:
    """Bytes that a header may have."""
    return bytes(chance.choice(range(0x21, 0x7F)) for _ in range(chance.randint(1, most)))


def _value(chance: Chance, depth: int = 0) -> Any:
    """Any JSON."""
    simple: list[Any] = [
        None,
        True,
        False,
        -1,
        0,
        2**53,
        10**30,
        1e308,
        "",
        "\ud83d",
        "\x00",
        "../..",
        "A" * 5_000,
        [],
        {},
    ]
    if depth > 3 or chance.random() < 0.6:
        return chance.choice(simple)
    inner = [_value(chance, depth + 1) for _ in range(chance.randint(1, 4))]
    return inner if chance.random() < 0.5 else {str(chance.choice(simple)): one for one in inner}


def _usual(chance: Chance) -> Table:
    return chance.choice([call("list_projects"), request("tools/list"), request("ping")])


def broken_json(chance: Chance, known: Known) -> Hostile:
    body = bytearray(_text(call("get_voucher", project_id="shop", code="CARD")))
    match chance.randrange(4):
        case 0:
            body = body[: chance.randrange(len(body) - 1)]
        case 1:
            body[0:1] = bytes(chance.randrange(0x80, 0x100) for _ in range(9))
        case 2:
            body = bytearray(b"[" * chance.randint(300, 50_000))
        case 3:
            body = bytearray(b'{"jsonrpc":"2.0","id":1,"method":"ping"') + chance.randbytes(5) + b"}}"
    return Hostile("broken JSON", (_raw(bytes(body), known),), frozenset({400}))


def wrong_kinds(chance: Chance, known: Known) -> Hostile:
    message: Any = call("get_voucher", project_id="shop", code="CARD")
    match chance.randrange(4):
        case 0:
            message = _value(chance)
        case 1:
            message[chance.choice(list(message))] = _value(chance)
        case 2:
            message["params"][chance.choice(["name", "arguments", "_meta", "task", "x"])] = _value(chance)
        case 3:
            message["params"]["arguments"][chance.choice(["project_id", "code", "x"])] = _value(chance)
    return Hostile("values of the wrong kind", (_raw(_text(message), known),), frozenset(OK | {400, 404}))


def batch(chance: Chance, known: Known) -> Hostile:
    body = _text([_usual(chance) for _ in range(chance.randint(0, 200))])
    return Hostile("a batch", (_raw(body, known),), frozenset({400}))


def content_type(chance: Chance, known: Known) -> Hostile:
    kind = chance.choice([b"text/plain", b"application/xml", b"", b"multipart/form-data", _junk(chance)])
    sent = _raw(_text(_usual(chance)), known, b"content-type: " + kind, without=["content-type"])
    return Hostile("another content type", (sent,), frozenset({415}))


def accepts(chance: Chance, known: Known) -> Hostile:
    kind = chance.choice([b"text/html", b"application/json", b"image/*", b"", b";q=", _junk(chance)])
    sent = _raw(_text(_usual(chance)), known, b"accept: " + kind, without=["accept"])
    return Hostile("another Accept", (sent,), frozenset({406}))


def large_headers(chance: Chance, known: Known) -> Hostile:
    lines = [b"x-%d: " % n + b"y" * chance.randint(300, 3_000) for n in range(300)]
    sent = _raw(_text(_usual(chance)), known, *lines)
    return Hostile("large headers", (sent,), frozenset({400, 431, 0}))


def odd_headers(chance: Chance, known: Known) -> Hostile:
    name = chance.choice(
        [b"mcp-protocol-version", b"mcp-method", b"mcp-name", b"last-event-id", b"x-forwarded-for", b"cookie"]
    )
    sent = _raw(_text(_usual(chance)), known, name + b": " + _junk(chance, 3_000))
    return Hostile("odd headers", (sent,), frozenset({*OK, 400}))


def doubled_headers(chance: Chance, known: Known) -> Hostile:
    line, right = chance.choice(
        [
            (b"host: evil.example", {400, 421}),
            (b"authorization: Bearer x", {401}),
            (b"content-length: 3", {400}),
            (b"origin: https://evil.example", {403}),
        ]
    )
    return Hostile("a header twice", (_raw(_text(_usual(chance)), known, line),), frozenset(right))


def session(chance: Chance, known: Known) -> Hostile:
    number = chance.choice([0, 1, 2, 99, 9_999])
    made = chance.choice(
        [known.session.encode(), b"%d-%032x" % (number, chance.getrandbits(128)), b"1-", _junk(chance)]
    )
    verb = chance.choice([b"POST", b"GET", b"DELETE"])
    sent = _raw(
        _text(_usual(chance)) if verb == b"POST" else b"",
        known,
        b"mcp-session-id: " + made,
        first=verb + b" /mcp HTTP/1.1",
    )
    return Hostile("a session of somebody else, or of nobody", (sent,), frozenset({400, 404}))


def wrong_token(chance: Chance, known: Known) -> Hostile:
    wrong = chance.choice([*(token.encode() for token in known.wrong_tokens), _junk(chance, 2_000), b""])
    scheme = chance.choice([b"Bearer ", b"Bearer ", b"bearer ", b"Basic ", b""])
    line = b"authorization: " + scheme + wrong
    sent = _raw(_text(_usual(chance)), known, line, without=["authorization"])
    return Hostile("a token that opens nothing", (sent,), frozenset({401}))


def no_token(chance: Chance, known: Known) -> Hostile:
    sent = _raw(_text(_usual(chance)), known, without=["authorization"])
    return Hostile("no token", (sent,), frozenset({401}))


def state(chance: Chance, known: Known) -> Hostile:
    """Forged, cut, or replayed by somebody else or for something else."""
    brought = known.state
    arguments = dict(known.asked)
    match chance.randrange(4):
        case 0:
            place = chance.randrange(len(brought))
            brought = brought[:place] + chance.choice("AZaz09_-") + brought[place + 1 :]
        case 1:
            brought = brought[: chance.randrange(len(brought))]
        case 2:
            arguments["pool_id"] = "Other"
        case 3:
            brought = _junk(chance, 3_000).decode()
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    }
    agreed = {"confirmation": {"action": "accept", "content": {"confirm": True}}}
    given: Table = {"name": "delete_voucher_pool", "arguments": arguments, "_meta": meta}
    body = request("tools/call", **given, requestState=brought, inputResponses=agreed)
    headers = (
        b"mcp-protocol-version: " + MODERN.encode(),
        b"mcp-method: tools/call",
        b"mcp-name: delete_voucher_pool",
    )
    return Hostile("a question's state", (_raw(_text(body), known, *headers),), frozenset({200, 400}))


def half_closed(chance: Chance, known: Known) -> Hostile:
    whole = _raw(_text(_usual(chance)), known)
    return Hostile(
        "half of it", (whole[: chance.randrange(len(whole))],), frozenset({0, 400}), half_close=True
    )


def slow(chance: Chance, known: Known) -> Hostile:
    whole = _raw(_text(_usual(chance)), known)
    cuts = sorted(chance.sample(range(1, len(whole)), 5))
    pieces = tuple(whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True))
    return Hostile("bit by bit", pieces, frozenset(OK))


def chunks(chance: Chance, known: Known) -> Hostile:
    body = chance.choice(
        [
            b"zz\r\n",
            b"-1\r\n",
            b"ffffffffffffffff\r\n",
            b"5\r\n{}\r\n0\r\n\r\n",
            b"5;" + b"x" * 40_000,
            b"\r\n",
        ]
    )
    lines = (b"transfer-encoding: chunked",)
    sent = _raw(body, known, *lines, without=["content-length"])
    return Hostile("broken chunks", (sent,), frozenset({0, 400}), half_close=True)


def smuggled(chance: Chance, known: Known) -> Hostile:
    """Two readers of it might not agree on where it ends."""
    hidden = (
        b"DELETE /mcp HTTP/1.1\r\nhost: localhost\r\nmcp-session-id: " + known.session.encode() + b"\r\n\r\n"
    )
    lines = chance.choice(
        [
            [b"content-length: 5", b"transfer-encoding: chunked"],
            [b"content-length: 5", b"content-length: 50"],
            [b"content-length: +5"],
            [b"content-length: 5, 50"],
            [b"transfer-encoding: xchunked"],
            [b"transfer-encoding: chunked", b"transfer-encoding: identity"],
            [b"transfer-encoding : chunked"],
            [b" transfer-encoding: chunked"],  # which goes on with the line before, of what is accepted
            [b"x: y\rtransfer-encoding: chunked"],
            [b"x: y\x00z"],
        ]
    )
    sent = _raw(b"0\r\n\r\n" + hidden, known, *lines, without=["content-length"])
    return Hostile("two lengths", (sent,), frozenset({400, 406, 501}))


def lines(chance: Chance, known: Known) -> Hostile:
    first, right = chance.choice(
        [
            (b"POST /mcp HTTP/0.9", {400, 505}),
            (b"POST /mcp", {400}),
            (b"PRI * HTTP/2.0", {400, 404, 505}),
            (b"CONNECT evil.example:443 HTTP/1.1", {400, 404, 405}),
            (b"POST http://evil.example/mcp HTTP/1.1", {200, 202, 400, 404, 421}),
            (b"POST /" + b"x" * 70_000 + b" HTTP/1.1", {400, 404, 414, 431}),
            (b"POST /../mcp HTTP/1.1", {404}),
            (b"POST /%6dcp/%2e%2e HTTP/1.1", {404}),
            (b"POST //mcp HTTP/1.1", {404}),
            (b"POST /mcp\x00 HTTP/1.1", {400}),
            (b"POST /healthz HTTP/1.1", {405}),
            (b"TRACE /mcp HTTP/1.1", {405}),
            (_junk(chance) + b" /mcp HTTP/1.1", {400, 405}),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {400}),
        ]
    )
    return Hostile("an odd first line", (_raw(b"{}", known, first=first),), frozenset(right))


def large_body(chance: Chance, known: Known) -> Hostile:
    kind = chance.choice([b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"', b"[1,", b"\x00"])
    body = kind + b"9" * (4 * 2**20 + chance.randrange(9))
    return Hostile("a body that is too large", (_raw(body, known),), frozenset({413}))


KINDS: Sequence[Callable[[Chance, Known], Hostile]] = (
    *(broken_json, wrong_kinds, wrong_kinds, batch, content_type, accepts, large_headers, odd_headers),
    *(doubled_headers, session, session, wrong_token, wrong_token, no_token, state, state, half_closed, slow),
    *(chunks, smuggled, smuggled, lines, lines),
)
RARE = large_body
"""It takes long, so there are few of it."""
