"""Conditions of list filters, and the paging of lists."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.standins.voucherify.errors import Json, invalid_query, page_over_limit
from tests.standins.voucherify.state import State

Field = Callable[[Json, str], Any]
"""The value that a filter's name stands for in a record."""


def limit_of(query: Json) -> int:
    """1 to 100, 10 when not given."""
    return _number(query, "limit", 10, 100)


def _number(query: Json, name: str, default: int, highest: int) -> int:
    text = query.get(name, str(default))
    if not (isinstance(text, str) and text.isdecimal() and 1 <= int(text) <= highest):
        raise invalid_query(f"Property .{name} should be >= 1 and <= {highest}")
    return int(text)


def page_of(query: Json, records: list[Json], highest: int = 99) -> list[Json]:
    """One page of a list that is read by `limit` and `page`; an empty one past the end."""
    limit, text = limit_of(query), query.get("page", "1")
    if not (isinstance(text, str) and text.isdecimal() and int(text) >= 1):
        raise invalid_query("Property .page should be >= 1")
    page = int(text)
    if page > highest:
        raise page_over_limit(highest)
    return records[(page - 1) * limit : page * limit]


def after_id(query: Json, records: list[Json]) -> tuple[list[Json], Json]:
    """One page of a list that is read by `limit`, `order` (id, -id) and `starting_after_id`; `has_more`
    and where to go on are beside it. The default order is the newest first."""
    order = query.get("order", "-id")
    if order not in ("id", "-id"):
        raise invalid_query("Property .order should be equal to one of the allowed values [ id, -id ]")
    records = sorted(records, key=lambda record: str(record["id"]), reverse=order == "-id")
    start = 0
    if (cursor := query.get("starting_after_id")) is not None:
        ids = [record["id"] for record in records]
        if cursor not in ids:
            raise invalid_query(f"Property .starting_after_id: no such id {cursor}")
        start = ids.index(cursor) + 1
    limit = limit_of(query)
    page, more = records[start : start + limit], len(records) > start + limit
    beside: Json = {"has_more": more}
    if more:
        beside["more_starting_after"] = page[-1]["id"]
    return page, beside


def ordered(query: Json, records: Iterable[Json], fields: Mapping[str, str], default: str) -> list[Json]:
    """In the order that `order` asks for; `fields` are its names and what they sort by."""
    order = query.get("order", default)
    name = str(order).removeprefix("-")
    if name not in fields:
        raise invalid_query(f"Property .order should be equal to one of the allowed values {list(fields)}")
    numbered = sorted(enumerate(records), key=lambda one: (str(one[1].get(fields[name]) or ""), one[0]))
    records = [record for _, record in numbered]
    return records[::-1] if str(order).startswith("-") else records


def between(query: Json, name: str, records: Iterable[Json], field: str | None = None) -> list[Json]:
    """Those whose time lies in `name[after]`, `name[before]`."""
    window = query.get(name)
    if window is None:
        return list(records)
    if not isinstance(window, dict) or not set(window) <= {"after", "before"}:
        raise invalid_query(f"Property .{name} should be an object of before and after")
    conditions = {f"${bound}": time for bound, time in window.items()}
    _check(conditions, name)
    return [record for record in records if holds(record.get(field or name), conditions, name)]


def heeded(state: State, filters: Any) -> Any:
    """The filters without those that this project passes over."""
    if not isinstance(filters, dict):
        return filters
    return {name: wanted for name, wanted in filters.items() if name not in state.ignored_filters}


def matching(filters: Any, records: Iterable[Json], field: Field, names: Iterable[str]) -> list[Json]:
    """Those that meet `filters`: {junction, NAME: {conditions: {$is: …}}}; ApiError 400 for unknown names."""
    if filters is None:
        return list(records)
    if not isinstance(filters, dict):
        raise invalid_query("Property .filters should be an object")
    junction = filters.get("junction", "and")
    if junction not in ("and", "or"):
        raise invalid_query(
            "Property .filters.junction should be equal to one of the allowed values [ and, or ]"
        )
    known, wanted = set(names), {name: body for name, body in filters.items() if name != "junction"}
    for name, body in wanted.items():
        if name not in known and not name.startswith("metadata."):
            raise invalid_query(f"Property .filters should NOT have additional properties: {name}")
        if (
            not isinstance(body, dict)
            or set(body) != {"conditions"}
            or not isinstance(body["conditions"], dict)
        ):
            raise invalid_query(f"Property .filters.{name} should have required property 'conditions'")
        _check(body["conditions"], name)
    together = all if junction == "and" or not wanted else any
    return [
        record
        for record in records
        if together(holds(field(record, name), body["conditions"], name) for name, body in wanted.items())
    ]


def holds(value: Any, conditions: Json, name: str) -> bool:
    """Whether a value meets all conditions of one filter."""
    return all(_meets(value, condition, wanted, name) for condition, wanted in conditions.items())


def _check(conditions: Json, name: str) -> None:
    """ApiError 400 for a condition that no record could be asked."""
    for condition, wanted in conditions.items():
        _meets(None, condition, wanted, name)


def _meets(value: Any, condition: str, wanted: Any, name: str) -> bool:
    if condition in _STATES:
        return isinstance(value, set) and condition in value
    if condition in ("$has_value", "$is_unknown"):
        return (value is None) == (condition == "$is_unknown")
    if condition in ("$in", "$not_in"):
        if not isinstance(wanted, list):
            raise invalid_query(f"Property .filters.{name}.{condition} should be array")
        return any(_equal(value, one) for one in wanted) == (condition == "$in")
    if isinstance(wanted, (list, dict)):
        raise invalid_query(f"Property .filters.{name}.{condition} should be string")
    if condition in ("$is", "$is_not"):
        return _equal(value, wanted) == (condition == "$is")
    if condition in _TEXTS:
        return value is not None and _TEXTS[condition](_text(value), str(wanted))
    if condition in ("$after", "$before"):
        at, bound = _time(value, name), _time(wanted, name)
        return at is not None and bound is not None and (at > bound if condition == "$after" else at < bound)
    if condition in ("$more_than", "$less_than"):
        return _compared(value, condition, wanted, name)
    raise invalid_query(f"Property .filters.{name}.conditions: unknown condition {condition}")


_STATES = frozenset({"$active", "$expired", "$enabled", "$disabled"})
_TEXTS: Mapping[str, Callable[[str, str], bool]] = {
    "$starts_with": str.startswith,
    "$ends_with": str.endswith,
    "$contains": lambda text, part: part in text,
    "$not_contain": lambda text, part: part not in text,
}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool):
        return _text(value) == str(wanted).lower()
    return value is not None and str(value) == str(wanted)


def _time(value: Any, name: str) -> datetime | None:
    if value is None:
        return None
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        details = f"Property .{name} cannot be recognized as a ISO-8601 compliant date"
        raise invalid_query(details) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _compared(value: Any, condition: str, wanted: Any, name: str) -> bool:
    try:
        bound = float(wanted)
    except ValueError:
        raise invalid_query(f"Property .filters.{name}.{condition} should be number") from None
    if isinstance(value, (int, float)):
        return value > bound if condition == "$more_than" else value < bound
    at = _time(value, name)  # of a time, it is days before now
    line = datetime.now(UTC) - timedelta(days=bound)
    return at is not None and (at < line if condition == "$more_than" else at > line)
