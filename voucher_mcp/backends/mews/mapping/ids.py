"""The ids of Mews: UUIDs, whose letters may come in either case (documents). Here they are in lower case."""

import re
from typing import Any

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def is_id(text: str) -> bool:
    """Whether Mews could have made this id; it refuses requests with any other."""
    return _ID.fullmatch(text) is not None


def lowered(text: str) -> str:
    """An id as it is compared; any other text stays as it is."""
    return text.lower() if is_id(text) else text


def with_lowered_ids(item: dict[str, Any]) -> dict[str, Any]:
    """An object of Mews whose ids can be compared: its own, and those that it refers to."""
    ids = {
        name: lowered(value) for name, value in item.items() if name.endswith("Id") and isinstance(value, str)
    }
    return {**item, **ids}
