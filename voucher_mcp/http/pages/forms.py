"""What a small form sends."""

from typing import Final
from urllib.parse import parse_qs

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

FORM_BYTES: Final = 4_096
FORM_SECONDS: Final = 30.0


async def sent(request: Request) -> dict[str, str] | None:
    """The fields of a form; None where it is none, or does not arrive."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        return None
    body = bytearray()
    try:
        with anyio.fail_after(FORM_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > FORM_BYTES:
                    return None
        fields = parse_qs(body.decode("ascii"), errors="strict", max_num_fields=6)
    except (ClientDisconnect, TimeoutError, ValueError):
        return None
    return {name: values[0] for name, values in fields.items()}


def no_form() -> Response:
    """The answer to what no form of ours sends."""
    return PlainTextResponse("This is not what the form sends.\n", 400)
