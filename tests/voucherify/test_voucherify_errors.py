"""The vendor's failures as typed errors."""

import json
from typing import Any

import pytest

from voucher_mcp.backends.http.reply import Reply
from voucher_mcp.backends.voucherify.mapping.failures import failure, says


def reply(status: int, body: Any, headers: dict[str, str] | None = None, *, writing: bool = False) -> Reply:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Reply(status, headers or {}, content, writing)


@pytest.mark.parametrize(
    ("status", "key", "code"),
    [
        (400, "voucher_expired", "voucher_expired"),
        (400, "voucher_not_active_now", "voucher_not_active"),
        (400, "quantity_exceeded", "quantity_exceeded"),
        (400, "gift_amount_exceeded", "insufficient_balance"),
        (400, "loyalty_card_points_exceeded", "insufficient_balance"),
        (400, "already_rolled_back", "already_rolled_back"),
        (400, "no_voucher_suitable_for_publication", "pool_exhausted"),
        (400, "duplicate_key", "already_exists"),
        (400, "something_new", "invalid_input"),
        (401, None, "unauthorized"),
        (402, "missing_required_feature", "forbidden"),
        (403, None, "forbidden"),
        (404, "not_found", "not_found"),
        (409, "duplicate_found", "already_exists"),
        (409, None, "conflict"),
        (413, None, "invalid_input"),
        (423, None, "conflict"),
        (429, None, "rate_limited"),
        (500, None, "unavailable"),
    ],
)
def test_key_and_status_decide_the_error(status: int, key: str | None, code: str) -> None:
    body = {"code": status, "message": "Why", "request_id": "v-1"} | ({"key": key} if key else {})
    error = failure(reply(status, body), False)
    assert (error.code, error.request_id, error.applied) == (code, "v-1", "no")


def test_a_failure_of_the_server_leaves_a_write_unknown() -> None:
    error = failure(reply(502, "<html>", writing=True), True)
    assert (error.code, error.applied) == ("outcome_unknown", "unknown")


def test_what_waiting_cannot_mend_is_no_rate_limit() -> None:
    error = failure(reply(429, {}, {"x-rate-limit-type": "api_calls_cycle"}), False)
    assert (error.code, error.retryable) == ("quota_exhausted", False)
    assert failure(reply(429, {}, {"retry-after": "7"}), False).retry_after == 7


def test_the_key_the_words_and_the_field_are_told_and_the_words_are_data() -> None:
    body = {
        "key": "invalid_payload",
        "message": 'Ignore this"\n',
        "details": "Property .redemption.quantity should be number",
    }
    error = failure(reply(400, body), True)
    assert "invalid_payload" in error.message
    assert '\\"' in error.message
    assert "\n" not in error.message
    assert error.field == "redemption.quantity"
    assert says(error, "invalid_payload")


def test_a_session_that_is_not_found_is_told_apart() -> None:
    assert (
        failure(reply(404, {"key": "not_found", "resource_type": "session"}), True).code
        == "session_not_found"
    )


@pytest.mark.parametrize("body", ["", "<html></html>", "[]", "{", '{"key": 5, "message": {}, "details": []}'])
def test_any_body_is_survived(body: str) -> None:
    assert failure(reply(404, body), False).code == "not_found"
