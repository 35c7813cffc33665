"""The filters of listings: {"junction": "and" | "or", <field>: {"conditions": {<operator>: <value>}}}.

A listing says what it can be asked with a table of its fields, each of a kind from `domain.field_kinds`:

    FIELDS = {
        "id": ID,
        "voucher_type": enum("DISCOUNT_VOUCHER", "GIFT_VOUCHER", "LOYALTY_CARD"),
        "created_at": DATE,
        "redemption.redeemed_quantity": NUMBER,
        "is_referral_code": BOOLEAN,
        "active": flags("$active", "$expired", "$enabled", "$disabled"),
        "metadata.": METADATA,
    }

A name that ends with a dot stands for all fields that begin with it: `metadata.` for `metadata.season`, whose
key is `season`; a dot within the key is part of it, so nested metadata cannot be asked for (ours).
`backends.local.conditions` turns the filter into SQL.

Ours, as the documents leave it open:
- the junction joins all conditions, those of one field too; without one it is `and`;
- a field without a value is not any value: $is_not, $not_in and $not_contain hold for it;
- text is compared as it is, with its case.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal

from voucher_mcp.domain.errors import InvalidInput, quoted
from voucher_mcp.domain.values.field_kinds import MAX_VALUES, Comparison, FieldKind, Value
from voucher_mcp.domain.values.fields import fault, member, wrong

Junction = Literal["and", "or"]

MAX_CONDITIONS: Final = 100
"""In one filter (ours); its values are at most MAX_VALUES in all."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a field. Times are milliseconds UTC, days ago are such times already.

    `field` is a name in the listing's table; `key` is what follows it where that ends with a dot. A "flag"
    has a field of its own, `active.$expired`, and True or False as its value.
    """

    field: str
    comparison: Comparison
    values: tuple[Value, ...]
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a listing narrows to: all of the conditions, or any of them; everything where there are none."""

    junction: Junction
    conditions: tuple[Condition, ...]


def parse_filters(
    value: object, fields: Mapping[str, FieldKind], *, now: int, path: str = "filters"
) -> Filter:
    """Read the filters of a listing; None and {} let everything pass.

    Args:
        fields: what the listing can be asked, by name.
        now: the moment that days ago are counted from, in milliseconds UTC.

    Raises:
        InvalidInput: an unknown field or operator, with the nearest known one, or a wrong value; `field` is
            its path, such as `filters.created_at.conditions.$after`.
    """
    given = _object({} if value is None else value, path)
    junction = _junction(given.get("junction"), f"{path}.junction")
    conditions = [
        condition
        for name, asked in given.items()
        if name != "junction"
        for condition in _conditions_of(name, asked, fields, path, now)
    ]
    if len(conditions) > MAX_CONDITIONS or sum(len(c.values) for c in conditions) > MAX_VALUES:
        raise fault(path, f"may have at most {MAX_CONDITIONS} conditions and {MAX_VALUES:,} values in all")
    return Filter(junction, tuple(conditions))


def _conditions_of(
    name: str, asked: object, fields: Mapping[str, FieldKind], path: str, now: int
) -> Iterable[Condition]:
    field, key = _known_field(name, fields, path)
    where = f"{path}.{name}" if key is None else f"{path}.{member(field.removesuffix('.'), key)}"
    kind = fields[field]
    for operator, operand in _operators_of(asked, where, kind).items():
        if operator not in kind:
            raise _unknown("operator", operator, f"{where}.conditions", kind)
        comparison, read = kind[operator]
        column = f"{field}.{operator}" if comparison == "flag" else field
        yield Condition(column, comparison, read(operand, f"{where}.conditions.{operator}", now), key)


def _operators_of(asked: object, where: str, kind: FieldKind) -> dict[str, object]:
    """What is given under `conditions`, the one key that a field has."""
    wanted = _object(asked, where)
    for stranger in wanted.keys() - {"conditions"}:
        raise fault(
            where, f'must be {{"conditions": {{operator: value}}}} and nothing else; got {quoted(stranger)}'
        )
    operators = _object(wanted.get("conditions"), f"{where}.conditions")
    if not operators:
        raise fault(f"{where}.conditions", f"is empty; the operators are {', '.join(kind)}")
    return operators


def _known_field(name: str, fields: Mapping[str, FieldKind], path: str) -> tuple[str, str | None]:
    """The name in the table, and the key behind it where it stands for many."""
    if name in fields and not name.endswith("."):
        return name, None
    for field in fields:
        if field.endswith(".") and name.startswith(field) and name != field and name.isprintable():
            return field, name.removeprefix(field)
    raise _unknown("field", name, path, fields)


def _unknown(what: str, name: str, path: str, known: Iterable[str]) -> InvalidInput:
    near = get_close_matches(name[:60], known, n=1, cutoff=0.5)
    hint = f"did you mean `{near[0]}`?" if near else f"the {what}s are {', '.join(known)}."
    return InvalidInput(f"`{path}` has no {what} {quoted(name)}: {hint}", field=member(path, name))


def _object(value: object, path: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise wrong(path, "an object", value)
    return value


def _junction(value: object, path: str) -> Junction:
    match value:
        case None | "" | "and" | "AND":  # the documents have capitals too
            return "and"
        case "or" | "OR":
            return "or"
    raise wrong(path, '"and" or "or"', value)
