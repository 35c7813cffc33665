"""Filters: what can be asked, what is refused, and that SQL finds just what a plain reading finds."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voucher_mcp.domain.errors import InvalidInput
from voucher_mcp.domain.values.field_kinds import BOOLEAN, DATE, ID, METADATA, NUMBER, FieldKind, enum, flags
from voucher_mcp.domain.values.filters import MAX_CONDITIONS, parse_filters
from voucher_mcp.domain.values.times import to_iso
from voucher_mcp.stores.base import Where
from voucher_mcp.stores.conditions import EVERYTHING, as_sql, condition
from voucher_mcp.stores.queries import load_fragments
from voucher_mcp.stores.sqlite.transaction import SqliteTransaction

NOW = 1_780_315_200_000  # 2026-06-01T12:00:00Z
DAY = 86_400_000

FIELDS: Mapping[str, FieldKind] = {
    "id": ID,
    "role": enum("OWNER", "REFEREE", "REFERRER"),
    "at": DATE,
    "stock.left": NUMBER,
    "paid": BOOLEAN,
    "active": flags("$on", "$off"),
    "metadata.": METADATA,
}
COLUMNS = {
    "id": "id",
    "role": "role",
    "at": "at",
    "stock.left": "left_over",
    "paid": "paid",
    "active.$on": "id LIKE 'a%'",
    "active.$off": "id NOT LIKE 'a%'",
    "metadata.": (
        "(SELECT CASE WHEN type IN ('true', 'false') THEN type ELSE CAST(value AS TEXT) END "
        "FROM json_each(metadata) WHERE key = ?)"
    ),
}

Row = dict[str, Any]
texts = st.text(st.sampled_from("aA%_"), min_size=1, max_size=3) | st.sampled_from(["'", "é\n", "a'"])
roles = st.sampled_from(["OWNER", "REFEREE", "REFERRER"])
numbers = st.sampled_from([-2, 0, 0.5, 1, 1.0])
moments = st.integers(0, 6).map(lambda halves: NOW - halves * DAY // 2)
anything = texts | numbers | st.sampled_from([1, 1.0, "1", "true", True, False])

rows_of_everything = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.none() | texts,
            "role": st.none() | roles,
            "at": st.none() | moments,
            "left_over": st.none() | numbers,
            "paid": st.none() | st.booleans(),
            "metadata": st.dictionaries(st.sampled_from(["k", 'a"b', "$x"]), st.none() | anything),
        }
    ),
    min_size=1,
    max_size=8,
)


EQUALITY = ("$in", "$not_in", "$is", "$is_not")
AFFIXES, CONTENT = ("$starts_with", "$ends_with"), ("$contains", "$not_contain")
AMOUNTS = ("$more_than", "$less_than", "$more_than_equal", "$less_than_equal")


def with_values(values: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    """The operators that every field which holds such values has, with what they may be given."""
    one = values | values.map(lambda value: [value])
    many = values | st.lists(values, min_size=1, max_size=3)
    nothing: st.SearchStrategy[Any] = st.sampled_from(["", None, True])
    equality = {"$in": many, "$not_in": many, "$is": one, "$is_not": one}
    return equality | {"$has_value": nothing, "$is_unknown": nothing}


ASKED: Mapping[str, dict[str, st.SearchStrategy[Any]]] = {
    "id": with_values(texts) | dict.fromkeys(AFFIXES + CONTENT, texts),
    "role": with_values(roles) | dict.fromkeys(AFFIXES, st.sampled_from(["O", "R", "REFEREE", "ER"])),
    "at": {
        "$after": moments.map(to_iso),
        "$before": moments.map(lambda moment: moment / 1000),
        "$has_value": st.just(""),
        "$is_unknown": st.just(""),
        "$more_than": st.integers(0, 3),
        "$less_than": st.sampled_from([0, 1, 1.5, 3]),
    },
    "stock.left": with_values(numbers) | dict.fromkeys(AMOUNTS, numbers),
    "paid": with_values(st.booleans()),
    "active": {"$on": st.booleans(), "$off": st.just("")},
    'metadata.a"b': with_values(anything) | dict.fromkeys(AFFIXES + CONTENT, texts),
    "metadata.$x": with_values(anything),
}
"""Everything that can be asked of the fields."""

conditions = st.sampled_from([(field, name) for field, names in ASKED.items() for name in names]).flatmap(
    lambda chosen: st.tuples(st.just(chosen[0]), st.just(chosen[1]), ASKED[chosen[0]][chosen[1]])
)


@st.composite
def filters(draw: st.DrawFn) -> dict[str, Any]:
    """One to three conditions, which may be of one field."""
    wanted: dict[str, Any] = draw(st.sampled_from([{}, {"junction": "and"}, {"junction": "or"}])).copy()
    for field, operator, value in draw(st.lists(conditions, min_size=1, max_size=3)):
        wanted.setdefault(field, {"conditions": {}})["conditions"][operator] = value
    return wanted


# What each operator means, written down a second time.


def written(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def texts_of(given: Any) -> list[str]:
    """What the metadata that is equal to it can be written as."""
    return [written(same) for one in listed(given) for same in {one, *alike(one)}]


def alike(one: Any) -> list[Any]:
    return [] if isinstance(one, str | bool) or one != int(one) else [str(int(one)), f"{int(one)}.0"]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


MEANINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$in": lambda value, given: value in listed(given),
    "$is": lambda value, given: value in listed(given),
    "$not_in": lambda value, given: value not in listed(given),
    "$is_not": lambda value, given: value not in listed(given),
    "$has_value": lambda value, _: value is not None,
    "$is_unknown": lambda value, _: value is None,
    "$starts_with": lambda value, given: value is not None and value.startswith(given),
    "$ends_with": lambda value, given: value is not None and value.endswith(given),
    "$contains": lambda value, given: value is not None and given in value,
    "$not_contain": lambda value, given: value is None or given not in value,
    "$after": lambda value, given: value is not None and to_iso(value) > given,
    "$before": lambda value, given: value is not None and value < given * 1000,
    "$more_than_equal": lambda value, given: value is not None and value >= given,
    "$less_than_equal": lambda value, given: value is not None and value <= given,
}


def holds(row: Row, field: str, operator: str, given: Any) -> bool:
    if field == "active":
        on = row["id"] is not None and row["id"].startswith(("a", "A"))
        off = row["id"] is not None and not on
        return (on if operator == "$on" else off) == (True if given == "" else given)
    if field.startswith("metadata."):
        value = row["metadata"].get(field.removeprefix("metadata."))
        value = None if value is None else written(value)
        return MEANINGS[operator](value, texts_of(given) if operator in EQUALITY else given)
    value = row["left_over" if field == "stock.left" else field]
    if operator in ("$more_than", "$less_than"):
        if value is None:
            return False
        bound = NOW - given * DAY if field == "at" else given
        return bool(value < bound) if (operator == "$more_than") == (field == "at") else bool(value > bound)
    return MEANINGS[operator](value, given)


def reading(rows: list[Row], wanted: dict[str, Any]) -> list[int]:
    answers = [
        [
            holds(row, field, operator, given)
            for field, asked in wanted.items()
            if field != "junction"
            for operator, given in asked["conditions"].items()
        ]
        for row in rows
    ]
    joined = any if wanted.get("junction") == "or" else all
    return [at for at, answer in enumerate(answers) if not answer or joined(answer)]


@pytest.fixture(scope="module")
def connection() -> Iterator[apsw.Connection]:
    opened = apsw.Connection(":memory:")
    opened.execute(
        "CREATE TABLE t (n INTEGER PRIMARY KEY, id TEXT, role TEXT, at INTEGER, left_over ANY, paid INTEGER, "
        "metadata TEXT)"
    )
    yield opened
    opened.close()


FRAGMENTS = load_fragments("sqlite")


def numbered(number: int, _: object) -> str:
    return f"?{number}"


QUERY = {"found": "SELECT n FROM t WHERE n >= ?1 AND ({where}) AND n < ?2 ORDER BY n"}


async def found(connection: apsw.Connection, where: Where) -> list[int]:
    rows = await SqliteTransaction(connection, QUERY).select("found", where, 0, 1_000)
    return [n for (n,) in rows]


def fill(connection: apsw.Connection, rows: list[Row]) -> None:
    connection.execute("DELETE FROM t")
    for n, row in enumerate(rows):
        values = {**row, "n": n, "metadata": json.dumps(row["metadata"])}
        connection.execute("INSERT INTO t VALUES (:n, :id, :role, :at, :left_over, :paid, :metadata)", values)


@settings(deadline=None, max_examples=250)
@given(rows=rows_of_everything, wanted=filters())
async def test_sql_finds_what_a_plain_reading_of_the_filter_finds(
    connection: apsw.Connection, rows: list[Row], wanted: dict[str, Any]
) -> None:
    fill(connection, rows)
    where = condition(parse_filters(wanted, FIELDS, now=NOW), COLUMNS)
    assert await found(connection, where) == reading(rows, wanted)


@given(
    value=st.text(min_size=1, max_size=20).filter(str.isprintable),
    operator=st.sampled_from(["$is", "$in", *AFFIXES, *CONTENT]),
)
async def test_whatever_is_asked_is_a_bound_value_and_never_a_part_of_the_sql(
    value: str, operator: str
) -> None:
    wanted = {f"metadata.{value}": {"conditions": {operator: value}}}
    where = condition(parse_filters(wanted, FIELDS, now=NOW), COLUMNS)
    same = condition(parse_filters({"metadata.k": {"conditions": {operator: "v"}}}, FIELDS, now=NOW), COLUMNS)
    (text, values), (same_text, _) = (as_sql(one, FRAGMENTS, numbered, 1) for one in (where, same))
    assert text == same_text
    assert value in values


@pytest.mark.parametrize("nothing", [None, {}, {"junction": "or"}, {"junction": "and"}, {"junction": ""}])
def test_a_filter_without_conditions_lets_everything_pass(nothing: object) -> None:
    assert condition(parse_filters(nothing, FIELDS, now=NOW), COLUMNS) is EVERYTHING


@pytest.mark.parametrize(
    ("wanted", "path", "hint"),
    [
        ([], "filters", "an object"),
        ("id", "filters", "an object"),
        ({"junction": "xor"}, "filters.junction", '"and" or "or"'),
        ({"junction": ["or"]}, "filters.junction", '"and" or "or"'),
        ({"idd": {"conditions": {"$is": "a"}}}, "filters.idd", "did you mean `id`?"),
        ({"zzz": {"conditions": {"$is": "a"}}}, "filters.zzz", "the fields are id, role, at"),
        ({"metadata.": {"conditions": {"$is": "a"}}}, "filters.metadata.", "has no field"),
        ({"metadata.\ud800": {"conditions": {"$is": "a"}}}, "filters.metadata.\ufffd", "has no field"),
        ({"id": "a"}, "filters.id", "an object"),
        ({"id": {"$is": "a"}}, "filters.id", '{"conditions": {operator: value}}'),
        ({"id": {"conditions": {"$is": "a"}, "x": 1}}, "filters.id", '"x"'),
        ({"id": {"conditions": {}}}, "filters.id.conditions", "the operators are $in, $not_in"),
        ({"id": {"conditions": ["$is"]}}, "filters.id.conditions", "an object"),
    ],
)
def test_a_filter_of_a_wrong_shape_is_refused_by_its_path(wanted: object, path: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_filters(wanted, FIELDS, now=NOW)
    assert refused.value.field == path
    assert hint in refused.value.message


@pytest.mark.parametrize(
    ("field", "operator", "value", "hint"),
    [
        ("id", "is", "a", "did you mean `$is`?"),
        ("id", "$after", "a", "no operator"),
        ("role", "$contains", "O", "no operator"),
        ("role", "$not_contain", "O", "no operator"),
        ("at", "$is", "2026-01-01", "no operator"),
        ("active", "$onn", True, "did you mean `$on`?"),
        ("id", "$is", None, "$is_unknown"),
        ("id", "$is", "", "must not be empty"),
        ("id", "$is", 1, "text"),
        ("id", "$is", ["a", "b"], "one value"),
        ("id", "$is", "x" * 1_001, "1000"),
        ("id", "$is", "a\x00", "control characters"),
        ("id", "$is", "\ud800", "control characters"),
        ("id", "$in", [], "1 to 1,000 values"),
        ("id", "$in", ["a"] * 1_001, "1 to 1,000 values"),
        ("id", "$starts_with", "", "must not be empty"),
        ("id", "$has_value", False, "no value"),
        ("role", "$is", "owner", "OWNER or REFEREE or REFERRER"),
        ("at", "$after", "soon", "ISO 8601"),
        ("at", "$more_than", "ten", "a number"),
        ("at", "$more_than", -1, "0 or more"),
        ("stock.left", "$is", "1", "a number"),
        ("stock.left", "$is", True, "a number"),
        ("stock.left", "$is", float("inf"), "a number"),
        ("stock.left", "$is", 2**64, "a number"),
        ("paid", "$is", 1, "true or false"),
        ("active", "$on", "yes", "true or false"),
        ("metadata.k", "$is", {"a": 1}, "a number"),
    ],
)
def test_a_wrong_operator_or_value_is_refused_by_its_path(
    field: str, operator: str, value: object, hint: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_filters({field: {"conditions": {operator: value}}}, FIELDS, now=NOW)
    assert refused.value.field == f"filters.{field}.conditions.{operator}"
    assert hint in refused.value.message


def test_a_wrong_member_of_a_list_is_refused_by_its_place() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_filters({"role": {"conditions": {"$in": ["OWNER", "OWNR"]}}}, FIELDS, now=NOW)
    assert refused.value.field == "filters.role.conditions.$in.1"


def test_a_filter_has_at_most_so_many_values_in_all() -> None:
    with pytest.raises(InvalidInput, match="1,000 values in all"):
        parse_filters({"id": {"conditions": {"$in": ["a"] * 600, "$not_in": ["a"] * 600}}}, FIELDS, now=NOW)


def test_days_ago_beyond_all_time_find_nothing_rather_than_fail() -> None:
    wanted = parse_filters({"at": {"conditions": {"$more_than": 2**53 - 1}}}, FIELDS, now=NOW)
    assert wanted.conditions[0].values == (-(2**53 - 1),)


def test_a_filter_has_at_most_so_many_conditions() -> None:
    wanted = {f"metadata.{n}": {"conditions": {"$has_value": ""}} for n in range(MAX_CONDITIONS + 1)}
    with pytest.raises(InvalidInput, match="at most 100 conditions"):
        parse_filters(wanted, FIELDS, now=NOW)
    assert len(parse_filters(dict(list(wanted.items())[1:]), FIELDS, now=NOW).conditions) == MAX_CONDITIONS


async def test_the_largest_filter_there_may_be_can_be_run(connection: apsw.Connection) -> None:
    fill(connection, [])
    wanted = {f"metadata.{n}": {"conditions": {"$in": ["x"] * 10}} for n in range(MAX_CONDITIONS)}
    assert await found(connection, condition(parse_filters(wanted, FIELDS, now=NOW), COLUMNS)) == []
