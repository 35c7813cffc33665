"""What a write is called: by the vendor, and in the audit trail, where codes are masked."""

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from voucher_mcp.domain.write import digest_of
from voucher_mcp.policy.text import masked


def reference(project_id: str, caller: str, key: str | None) -> str:
    """Our name for a write in a vendor's system: one for all tries with a key."""
    if key is None:
        return f"vmcp-{secrets.token_hex(16)}"
    return f"vmcp-{digest_of([project_id, caller, key])[:32]}"


def subject(arguments: Mapping[str, Any], codes: list[str]) -> str | None:
    """What the journal says that a write was about: the pool as it was named, or the first code, masked."""
    named = [arguments.get(name) for name in ("pool_id", "name", "redemption_id", "import_id", "change_id")]
    shown = [str(name) for name in named if name]
    if codes:
        more = f" and {len(codes) - 1:,} more" if len(codes) > 1 else ""
        shown.append(masked(codes[0]) + more)
    return ", ".join(shown) or None


def codes_in(arguments: Mapping[str, Any]) -> Iterable[str]:
    """The voucher codes that a call names."""
    single = [arguments.get(name) for name in ("code", "from_code", "to_code")]
    several = [arguments.get(name) or () for name in ("code_ids", "codes", "redeemables", "vouchers")]
    for entry in (*single, *(entry for entries in several for entry in entries)):
        if isinstance(entry, dict):
            entry = entry.get("code") or entry.get("value") or entry.get("id")
        if isinstance(entry, str) and entry:
            yield entry


def without(codes: list[str], key: str) -> str:
    """The key as the journal shows it: an agent may well make it of a code."""
    folded = key.casefold()
    held = {code for code in codes if code.casefold() in folded}  # few of many: a pattern costs a compilation
    for code in sorted(held, key=len, reverse=True):  # one may begin as another does
        key = masked(code).join(re.split(re.escape(code), key, flags=re.IGNORECASE))
    return key
