"""One resilient HTTP client for all vendors; `client` has it, the other modules are its parts."""

from voucher_mcp.backends.http.addresses import Query, is_segment, segment
from voucher_mcp.backends.http.client import Files, HttpClient
from voucher_mcp.backends.http.reply import MAX_DEPTH, Reply, is_deeper
from voucher_mcp.backends.http.trouble import Failure

__all__ = [
    "MAX_DEPTH",
    "Failure",
    "Files",
    "HttpClient",
    "Query",
    "Reply",
    "is_deeper",
    "is_segment",
    "segment",
]
