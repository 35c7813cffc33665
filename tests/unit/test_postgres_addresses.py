"""What a `postgresql://` address may say, what is said of a wrong one, and how it is shown to people."""

from pathlib import Path

import pytest

from voucher_mcp.config.postgres import parse_postgres
from voucher_mcp.config.values import parse_database


def test_what_is_not_said_is_the_usual() -> None:
    options = parse_postgres("postgresql://u@h/db?sslmode=verify-full")
    assert options.address == "postgresql://u@h/db?sslmode=verify-full"
    assert (options.pool_size, options.statement_cache_size, options.clock) == (16, 1_024, "database")
    assert options.isolation == "read_committed"


def test_the_drivers_options_stay_in_the_address_and_the_others_do_not() -> None:
    options = parse_postgres("postgres://h/db?pool_size=4&statement_cache_size=0&sslrootcert=%2Fetc%2Fca.pem")
    assert options.address == "postgresql://h/db?sslrootcert=%2Fetc%2Fca.pem"
    assert (options.pool_size, options.statement_cache_size) == (4, 0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            "statment_cache_size=0",
            "unknown option 'statment_cache_size'; did you mean 'statement_cache_size'?",
        ),
        ("search_path=x", "unknown option 'search_path'"),
        ("sslmode=verify", "'sslmode' should be one of disable"),
        ("isolation=chaos", "'isolation' should be one of read_committed"),
        ("pool_size=0", "'pool_size' should be a number from 1"),
        ("pool_size=4&pool_size=5", "stands twice"),
        ("pool_size", "name=value"),
        ("sslmode=", "has no value"),
    ],
)
def test_a_wrong_option_is_refused_and_no_secret_repeated(options: str, says: str) -> None:
    with pytest.raises(ValueError, match="option") as refused:
        parse_database(f"postgresql://u:hunter2@h/db?{options}", Path())
    assert says in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("place", ["u:hunter2@h:port/db", "u:hunter2@h/db/more", "u:hunt@er2@h/db", "h/db#x"])
def test_what_is_no_address_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="should be an address such as"):
        parse_database(f"postgresql://{place}", Path())


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:hunter2@h:5432/db?pool_size=4", "postgresql://u@h:5432/db"),
        ("postgres:///db?host=/run/pg&user=u&password=hunter2", "postgresql://u@/run/pg/db"),
        ("postgresql://a:1,b:2/db?target_session_attrs=read-write", "postgresql://a:1,b:2/db"),
    ],
)
def test_it_is_shown_without_its_password(url: str, shown: str) -> None:
    assert str(parse_database(url, Path())) == shown
