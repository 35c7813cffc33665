"""The vendor's error envelopes, as its documents show them."""

from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """An answer with status >= 400; `request_id` is added by the server."""

    def __init__(self, code: int, key: str, message: str, details: str | None = None, **more: Any) -> None:
        super().__init__(f"{code} {key}: {details or message}")
        self.code = code
        self.key = key
        self.message = message
        self.more: Json = {} if details is None else {"details": details}
        self.more.update(more)

    def envelope(self, request_id: str) -> Json:
        """The body of the answer."""
        shown: Json = {"code": self.code, "key": self.key, "message": self.message}
        return {**shown, **self.more, "request_id": request_id}


def not_found(kind: str, identifier: str) -> ApiError:
    """404 for a voucher, campaign, customer, session, async_action, export, redemption or category."""
    details = f"Cannot find {kind} with id {identifier}"
    more = {"resource_id": identifier, "resource_type": kind}
    return ApiError(404, "not_found", "Resource not found", details, **more)


def duplicate(kind: str, by: str, identifier: str) -> ApiError:
    """409: the code or name is taken."""
    details = f"Duplicated {kind} exists with {by} {identifier}"
    more = {"resource_id": identifier, "resource_type": kind}
    return ApiError(409, "duplicate_found", "Duplicated resource found", details, **more)


def invalid_payload(details: str) -> ApiError:
    """400: the body has the wrong shape."""
    return ApiError(400, "invalid_payload", "Invalid payload", details)


def invalid_query(details: str) -> ApiError:
    """400: a query parameter has the wrong form."""
    return ApiError(400, "invalid_query_params", "Invalid query params", details)


def page_over_limit(highest: int) -> ApiError:
    """400: further pages are not served; time filters lead on."""
    message = f"Listing resource above {highest} page is not supported"
    details = f"Property .page cannot be higher than {highest}"
    return ApiError(400, "page_over_limit", message, details)


def invalid(key: str, details: str, message: str | None = None, **more: Any) -> ApiError:
    """400 with a key of its own, e.g. invalid_voucher: 'Invalid voucher'."""
    return ApiError(400, key, message or key.replace("_", " ").capitalize(), details, **more)


UNAUTHORIZED: Json = {"code": 401, "message": "Unauthorized", "key": "unauthorized"}
TOO_LARGE: Json = {
    "statusCode": 413,
    "error": "Request Entity Too Large",
    "message": "Payload content length greater than maximum allowed: 10485760",
}
