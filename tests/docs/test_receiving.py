"""The receiver of the webhook that docs/approvals.md shows knows what is ours."""

import hashlib
import hmac
import time
from typing import Any

from tests.docs.blocks import blocks
from voucher_mcp.backends.http.webhook import signature

SECRET, BODY = "whsec-5d1f0c", b'{"type": "approval_required"}'


def test_the_receiver_takes_what_was_signed_just_now_and_nothing_else() -> None:
    [block] = blocks("python")
    names: dict[str, Any] = {"hashlib": hashlib, "hmac": hmac, "time": time}
    exec(block.text, names)
    is_ours = names["is_ours"]
    now = int(time.time())
    assert is_ours(signature(SECRET, now, BODY), BODY, SECRET.encode())
    assert not is_ours(signature(SECRET, now, BODY), BODY + b" ", SECRET.encode())
    assert not is_ours(signature("another", now, BODY), BODY, SECRET.encode())
    assert not is_ours(signature(SECRET, now - 600, BODY), BODY, SECRET.encode())
