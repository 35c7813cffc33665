"""Web addresses: segments and queries that keep every character, and whose host an address names."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode, urlsplit

from voucher_mcp.config.values import is_loopback
from voucher_mcp.domain.errors import InvalidInput, quoted

Query = Sequence[tuple[str, str]]
"""The pairs of a query, flat and not yet percent-encoded; a name may come more than once."""


def segment(text: str) -> str:
    """One percent-encoded path segment: `A/B c?#%v` becomes `A%2FB%20c%3F%23%25v`.

    Raises:
        InvalidInput: the text is empty, `.` or `..`: the path would be that of something else, for what is on
            the way takes these out of it, also where they are encoded (RFC 3986, 6.2.2).
    """
    if not is_segment(text):
        raise InvalidInput(
            f"{quoted(text)} cannot be an id or code of a voucher system that is reached over the web: in an "
            "address it would lead elsewhere. Give the whole id or code."
        )
    return quote(text, safe="", errors="surrogatepass")


def is_segment(text: str) -> bool:
    """Whether it can stand in a path and name something there."""
    return text not in ("", ".", "..")


def with_query(address: str, query: Query) -> str:
    """The address with the query behind it; spaces become %20, names are encoded too."""
    if not query:
        return address
    return f"{address}?{urlencode(query, quote_via=quote, safe='', errors='surrogatepass')}"


def host_of(address: str) -> str:
    """The host of an address, in lower case; empty where there is none.

    Raises:
        ValueError: it is not an address.
    """
    return (urlsplit(address).hostname or "").lower()


def same_vendor(base_url: str, address: str, own_domain: str | None = None) -> bool:
    """Whether what opens `base_url` may be shown at `address` (ours).

    So it is at the same host. Where the base is https and below `own_domain`, whose hosts are all the
    vendor's, it is at every other https host below that too. Whose the neighbours of any other host are, its
    name does not tell. On loopback the port is of no matter.
    """
    try:
        base, other = urlsplit(base_url), urlsplit(address)
        base_host, other_host = host_of(base_url), host_of(address)
        ports = base.port, other.port
    except ValueError:
        return False
    plain = address.isascii() and address.isprintable() and not set(other.netloc) & set("@\\")
    if not plain or not other_host or other.scheme != base.scheme:
        return False
    if other_host == base_host:
        return is_loopback(base_host) or (ports[0] or 443) == (ports[1] or 443)
    if own_domain is None or other.scheme != "https" or ports[1] not in (None, 443):
        return False
    return all(host.endswith(f".{own_domain}") for host in (base_host, other_host))
