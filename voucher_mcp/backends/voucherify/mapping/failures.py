"""The vendor's failures as typed errors.

Its envelope is {code, key, message, details, request_id, resource_id, resource_type}; any of it may be
missing (401, 402, 403 and 429 have no key at times), 413 has {statusCode, error, message}, and a gateway
answers HTML. The status decides first, the key where the status leaves it open; keys are those that the
vendor's documents and examples name.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from voucher_mcp.backends.http.reply import Reply
from voucher_mcp.backends.http.statuses import KINDS, Advice, kind_of, refused
from voucher_mcp.domain.errors import (
    AlreadyExists,
    AlreadyRolledBack,
    Conflict,
    Forbidden,
    InsufficientBalance,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    PoolExhausted,
    QuantityExceeded,
    SessionNotFound,
    Unauthorized,
    UpstreamError,
    VoucherDisabled,
    VoucherError,
    VoucherExpired,
    VoucherNotActive,
    quoted,
)

KEYS: Final[Mapping[str, type[VoucherError]]] = {
    "voucher_expired": VoucherExpired,
    "voucher_disabled": VoucherDisabled,
    "voucher_not_active": VoucherNotActive,
    "voucher_not_active_now": VoucherNotActive,
    "quantity_exceeded": QuantityExceeded,
    "gift_amount_exceeded": InsufficientBalance,
    "loyalty_card_points_exceeded": InsufficientBalance,
    "already_rolled_back": AlreadyRolledBack,
    "no_voucher_suitable_for_publication": PoolExhausted,
    "voucher_already_published": Conflict,
    "resource_in_use": Conflict,
    "resource_protected": Conflict,
    "multiple_requests": Conflict,
    "duplicate_found": AlreadyExists,
    "duplicate_key": AlreadyExists,
    "duplicate_resource_key": AlreadyExists,
    "duplicate_source_id": AlreadyExists,
    "not_found": NotFound,
    "resource_not_found": NotFound,
    "unauthorized": Unauthorized,
    "forbidden": Forbidden,
    "missing_required_permission": Forbidden,
    "missing_required_feature": Forbidden,
}

_DECIDED: Final = frozenset({401, 402, 403, 408, 423})
"""Statuses that no key changes."""

_PROPERTY = re.compile(r"Property ((?:\.\w+|\[\d+\])+)(?=\s|$)")

_RESOURCES: Final[Mapping[str, tuple[str | None, str]]] = {
    "voucher": ("code", "To see what there is use list_vouchers."),
    # an argument that each tool calls by another name
    "campaign": (None, "To see what there is use list_voucher_pools: pools are campaigns here."),
    "category": ("category_id", "create_voucher makes a new one that it is given as `category`."),
    "customer": ("customer_id", "To see who there is use find_customers."),
    "redemption": ("redemption_id", "To see what there is use list_redemptions."),
    "session": (
        "session_key",
        "It was released, used up or has expired; validate_vouchers with a session reserves again.",
    ),
    "async_action": (
        "async_action_id",
        "Use the id that import_vouchers or update_vouchers_in_bulk answered.",
    ),
    "export": ("export_id", "Use the id that export_voucher_transactions answered."),
}
_ANY_RESOURCE: Final = "list_voucher_pools, list_vouchers and list_redemptions show what there is."

_ADVICE: Final[Advice] = {
    Unauthorized: "The project's app_id and app_token (or oauth_token) are not accepted at this base_url: "
    "the operator should compare both with the vendor's dashboard, the region of base_url too.",
    Forbidden: "The API key lacks the permission, or the account's plan the feature. The operator can change "
    "that in the vendor's dashboard.",
    PoolExhausted: "add_voucher_codes puts more codes into a pool.",
    AlreadyRolledBack: "get_redemption shows it.",
}


def failure(reply: Reply, writing: bool) -> VoucherError:
    """The error of an answer with a status of 400 or more, with the vendor's key, words and request id."""
    body = reply.refusal()
    if reply.status in (408, 429) or reply.status >= 500:  # no key can say that it was refused
        return refused(reply, "Voucherify", _words(body), _ADVICE)
    kind = _kind(reply.status, key_of(body))
    resource = str(body.get("resource_type"))
    field, advice = None, _ADVICE
    if kind is NotFound:
        field, hint = _RESOURCES.get(resource, (None, _ANY_RESOURCE))
        kind = SessionNotFound if field == "session_key" else NotFound
        advice = {kind: hint}
    elif kind is AlreadyExists and resource == "voucher":
        field = "code"
    elif kind is AlreadyRolledBack:
        field = "redemption_id"
    elif kind is InvalidInput:
        field = _field(body)
    error = refused(reply, "Voucherify", _words(body), advice, kind=kind, field=field)
    error.add_note(key_of(body))
    error.add_note(resource)
    return error


def says(error: VoucherError, word: str) -> bool:
    """Whether the vendor gave this key, or this type of resource, for it."""
    return word in getattr(error, "__notes__", ())


def require_gone(error: NotFound) -> None:
    """Take a 404 for the proof that something is gone, if it is the vendor's own.

    Raises:
        UpstreamError: it may be a gateway's.
    """
    if not any(says(error, word) for word in ("not_found", "resource_not_found", *_RESOURCES)):
        raise UpstreamError(
            "What answered (status 404) does not look like Voucherify's API, so nothing can be said of "
            "what is there. base_url should be the API's address.",
            request_id=error.request_id,
        ) from None


NO_REPEAT: Final = (
    "A repeat with the same idempotency_key neither finds out nor sends it again. If nothing was done, use a "
    "new one."
)


def unsettled(advice: str, *, recovering: bool = False, request_id: str | None = None) -> OutcomeUnknown:
    """The error of a lost answer that a repeat cannot find out about; `advice` names the read which can, and
    says what a repeat does."""
    start = (
        "The answer to the first try was lost; nothing was sent again"
        if recovering
        else "Voucherify's answer was lost or cannot be read"
    )
    return OutcomeUnknown(
        f"{start}, so it is unknown whether the change was made. {advice}", request_id=request_id
    )


def ineligible(error: Mapping[str, Any]) -> VoucherError:
    """The error that a validation gives as the reason why a voucher does not apply."""
    status = error.get("code")
    kind = _kind(status if isinstance(status, int) and status in KINDS else 400, key_of(error))
    return kind(f"it does not apply{_words(error)}")


def key_of(body: Mapping[str, Any]) -> str:
    """The vendor's key of a failure; empty where there is none."""
    key = body.get("key")
    return key if isinstance(key, str) else ""


def _kind(status: int, key: str) -> type[VoucherError]:
    return (None if status in _DECIDED else KEYS.get(key)) or kind_of(status)


def _field(body: Mapping[str, Any]) -> str | None:
    """The field at fault, where the details name it: "Property .redemption.quantity should be …"."""
    details = body.get("details")
    named = _PROPERTY.match(details) if isinstance(details, str) else None
    return None if named is None else re.sub(r"\[(\d+)\]", r".\1", named[1]).strip(".")


def _words(body: Mapping[str, Any]) -> str:
    """What the vendor says about it, as data: its key, its message, the details, and what the merchant wrote
    for whoever breaks a validation rule."""
    own = body.get("error")
    merchants = own.get("message") if isinstance(own, Mapping) else None
    key, said = key_of(body), [body.get("message"), body.get("details"), merchants]
    named = [f" {key}"] if key.isidentifier() and len(key) <= 60 else []
    texts = dict.fromkeys(text for text in said if isinstance(text, str) and text)
    parts = [*named, *(f" {quoted(text, 200)}" for text in texts)]
    return f":{','.join(parts)}" if parts else ""
