"""Every way in which a call can fail, each with the error code that the envelope shows.

    VoucherError
    ├── refused before anything happened: InvalidInput, NotFound, AlreadyExists, Conflict, Unsupported,
    │   AccessDenied, ConfirmationRequired, ApprovalRequired, Declined, LimitExceeded, IdempotencyMismatch
    ├── a voucher that cannot be used: InsufficientBalance, QuantityExceeded, VoucherDisabled, VoucherExpired,
    │   VoucherNotActive, PoolExhausted, AlreadyRolledBack, SessionNotFound
    └── the system behind the project: Unauthorized, Forbidden, RateLimited, QuotaExhausted, UpstreamError,
        Unavailable, OutcomeUnknown

A message is a sentence for the agent: what failed, and what to do next. Whether anything was changed is in
`applied`, and the envelope puts it into words; a message says only what is more than that.
Values that come from a voucher system or a caller appear in it quoted, by `quoted`.
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

Applied = Literal["no", "unknown", "partly"]

_QUOTED_LENGTH = 60


def quoted(value: object, length: int = _QUOTED_LENGTH) -> str:
    """`value` as JSON text of at most `length` characters, so that it reads as data, never as a sentence."""
    text = str(value)
    printable = "".join(character if character.isprintable() else "�" for character in text[:length])
    return json.dumps(printable + ("…" if len(text) > length else ""), ensure_ascii=False)


class VoucherError(Exception):
    """A failure that an agent is told about; `code` is the envelope's `error_code`."""

    code: ClassVar[str] = "internal"
    applied: Applied | None = "no"
    retryable: bool | None = None

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
        applied: Applied | None = None,
        request_id: str | None = None,
    ) -> None:
        """Make a failure.

        Args:
            message: the sentence for the agent.
            field: the argument at fault, as a path (`discount.percent_off`).
            retryable: whether the same call may succeed later; None where that does not apply.
            retry_after: seconds to wait before the next try.
            applied: whether anything changed; the class's own answer where not given.
            request_id: the vendor's name for the request.
        """
        super().__init__(message)
        self.message = message
        self.field = field
        self.retry_after = retry_after
        self.request_id = request_id
        if retryable is not None:
            self.retryable = retryable
        if applied is not None:
            self.applied = applied

    @property
    def beside(self) -> Mapping[str, Any]:
        """Fields of the envelope that only failures of its kind have."""
        return {}

    def kept(self) -> dict[str, Any]:
        """What the journal keeps of it, for `restored`."""
        return {"code": self.code, "message": self.message, "field": self.field, "applied": self.applied}


class InvalidInput(VoucherError):
    code = "invalid_input"


class NotFound(VoucherError):
    code = "not_found"


class AlreadyExists(VoucherError):
    code = "already_exists"


class Conflict(VoucherError):
    code = "conflict"


class Unsupported(VoucherError):
    code = "unsupported"


class AccessDenied(VoucherError):
    code = "access_denied"


class ConfirmationRequired(VoucherError):
    code = "confirmation_required"


class ApprovalRequired(VoucherError):
    """A second person was asked, and the same call goes through once they have approved it."""

    code = "approval_required"
    retryable = True

    def __init__(self, message: str, *, approval_id: str, expires_at: str, retry_after: float) -> None:
        """Say what was asked: `approval_id`, and until when (ISO 8601) an answer counts."""
        super().__init__(message, retry_after=retry_after)
        self.approval_id = approval_id
        self.expires_at = expires_at

    @property
    def beside(self) -> Mapping[str, Any]:
        return {"approval_id": self.approval_id, "expires_at": self.expires_at}


class Declined(VoucherError):
    code = "declined"


class LimitExceeded(VoucherError):
    code = "limit_exceeded"


class IdempotencyMismatch(VoucherError):
    code = "idempotency_mismatch"


class InsufficientBalance(VoucherError):
    code = "insufficient_balance"


class QuantityExceeded(VoucherError):
    code = "quantity_exceeded"


class VoucherDisabled(VoucherError):
    code = "voucher_disabled"


class VoucherExpired(VoucherError):
    code = "voucher_expired"


class VoucherNotActive(VoucherError):
    code = "voucher_not_active"


class PoolExhausted(VoucherError):
    code = "pool_exhausted"


class AlreadyRolledBack(VoucherError):
    code = "already_rolled_back"


class SessionNotFound(VoucherError):
    code = "session_not_found"


class Unauthorized(VoucherError):
    code = "unauthorized"


class Forbidden(VoucherError):
    code = "forbidden"


class RateLimited(VoucherError):
    code = "rate_limited"
    retryable = True


class QuotaExhausted(VoucherError):
    code = "quota_exhausted"
    retryable = False


class UpstreamError(VoucherError):
    code = "upstream_error"


class Unavailable(VoucherError):
    code = "unavailable"
    retryable = True


class OutcomeUnknown(VoucherError):
    code = "outcome_unknown"
    applied = "unknown"


def taken_for_dead() -> VoucherError:
    """The failure of a write that is not sent, as another process may have taken over its key."""
    return Unavailable(
        "This server stood still, or could not reach its journal, for long. Others may have taken it for "
        "dead, so it sent nothing more. Repeat the call with the same idempotency_key."
    )


def restored(kept: Mapping[str, Any]) -> VoucherError:
    """The failure that `VoucherError.kept` came from."""
    kinds = {kind.code: kind for kind in VoucherError.__subclasses__()}
    return kinds[kept["code"]](kept["message"], field=kept["field"], applied=kept["applied"])
