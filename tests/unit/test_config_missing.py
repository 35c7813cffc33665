"""Values of the configuration that are not there, and values from files."""

from pathlib import Path

import pytest

from tests.unit.test_config import FILES, LOCAL, SHOP, home, load, only, problems

__all__ = ["home"]

VALUES = {
    "voucherify": ("base_url", "app_id", "app_token", "timeout", "timezone", "currency", "access", "name"),
    "mews": ("base_url", "client_token", "access_token", "enterprise_id", "limits.max_codes_per_call"),
    "bloomreach": ("url", "token", "api_base", "project_token", "api_key_id", "api_secret"),
    "local": ("url", "timezone", "import_dir", "destructive"),
}


@pytest.mark.parametrize(("backend", "key"), [(name, key) for name, keys in VALUES.items() for key in keys])
@pytest.mark.parametrize("reference", ["${MISSING}", "${file:missing.txt}"])
def test_a_value_that_is_missing_takes_away_its_project_alone(backend: str, key: str, reference: str) -> None:
    needed = {
        "voucherify": ("app_id", "app_token"),
        "mews": ("client_token", "access_token"),
        "bloomreach": ("url",),
    }
    api = ("api_base", "project_token", "api_key_id", "api_secret")
    keys = {*needed.get(backend, ()), *(api if key in api else ()), key}
    given = {name: '"https://h.io"' if name in ("url", "api_base") else '"x"' for name in keys} | {
        key: f'"{reference}"'
    }
    table = "\n".join(f"{name} = {value}" for name, value in given.items())
    settings = load(f'[projects.other]\nbackend = "local"\n[projects.lame]\nbackend = "{backend}"\n{table}\n')
    missing = settings.unusable("lame")
    assert missing is not None
    assert missing.what.startswith(
        ("environment variable MISSING is not set", "file missing.txt cannot be read")
    )
    assert settings.unusable("other") is None
    assert list(settings.projects) == ["other", "lame"]


def test_a_project_with_a_missing_value_may_have_no_other_fault() -> None:
    assert "projects.shop.acces" in problems(SHOP.replace("hunter2", "${T}") + 'acces = "read"\n')
    assert (
        problems('[projects.x]\nbackend = "${B}"\n')
        == "projects.x.backend: environment variable B is not set"
    )


def test_a_journal_whose_place_is_missing_is_nowhere_else() -> None:
    settings = load('[projects.default]\nbackend = "local"\nurl = "${URL}"\n')
    assert settings.journal.is_missing


def test_a_value_is_taken_from_a_file_without_the_line_end_that_closes_it() -> None:
    for ending in ("", "\n", "\r\n"):
        Path(FILES, "token.txt").write_bytes(b"hunter2" + ending.encode())
        for path in ("token.txt", str(Path(FILES, "token.txt").resolve())):
            shop = only(load(SHOP.replace("hunter2", f"${{file:{path}}}")))
            assert shop.app_token.get_secret_value() == "hunter2"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * 70_000, "more than"),
    ],
)
def test_a_file_that_holds_no_value_is_a_missing_one(content: bytes, says: str) -> None:
    Path(FILES, "token.txt").write_bytes(content)
    missing = load(SHOP.replace("hunter2", "${file:token.txt}")).unusable("shop")
    assert missing is not None
    assert missing.what.startswith("file token.txt ")
    assert says in missing.what


def test_a_value_that_is_missing_outside_the_projects_is_an_error_that_names_its_key() -> None:
    text = LOCAL + 'limits.max_codes_per_call = 1\n[http]\naudience = "a"\nissuer = "${ISSUER}"\n'
    expected = "http.issuer: environment variable ISSUER is not set"
    assert problems(text) == problems(text, ISSUER="") == expected
    assert problems(text, ISUER="x") == expected + "; did you mean 'ISUER'?"
