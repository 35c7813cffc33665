import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from voucher_mcp.config import ConfigError, Database, Limits, Settings, is_loopback, load_settings

# Files to build on. Wherever a secret is wanted it is hunter2, which no message may repeat.
LOCAL = '[projects.default]\nbackend = "local"\n'
SHOP = '[projects.shop]\nbackend = "voucherify"\napp_id = "app"\napp_token = "hunter2"\n'
HOTEL = '[projects.hotel]\nbackend = "mews"\nclient_token = "hunter2"\naccess_token = "hunter2"\n'
CRM = '[projects.crm]\nbackend = "bloomreach"\nurl = "https://eu.io/mcp"\nupstream_project_id = "p"\n'
CRM_KEY = 'api_base = "https://a.io"\nproject_token = "p"\napi_key_id = "k"\napi_secret = "hunter2"\n'
SHA = f'sha256 = "{"ab" * 32}"\n'
HTTP = SHOP + "[http]\n"
TOKEN = HTTP + "[http.tokens.ci]\n"

VOUCHERIFY = {"VOUCHERIFY_APP_ID": "app", "VOUCHERIFY_APP_TOKEN": "hunter2"}
MEWS = {"MEWS_CLIENT_TOKEN": "hunter2", "MEWS_ACCESS_TOKEN": "hunter2"}
LOOMI = {"LOOMI_MCP_URL": "https://eu.connect.loomi.ai/mcp", "LOOMI_PROJECT_ID": "p"}
CHOICES = [f"VOUCHER_MCP_{name}" for name in ("READ_ONLY", "ACCESS", "DESTRUCTIVE", "TOOLSETS")]
FILES = "../files"  # not the working directory
WRONG_ADDRESSES = """
http://api.example.com http://0.0.0.0 http://10.0.0.1 http://localhost.evil.io http://127.0.0.1.nip.io
https://h\\\\x.io https://h\\t.io http://127.0.0.1@evil.io https://u:hunter2@h ftp://h
https:// https:h api.example.com https://h:0 https://h:99999 https://[::1 https://h/?q https://h/#f \\u00a0
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of our own, so that no test sees the user's, and empty folders to work in."""
    for folder in ("home", "work", "files"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    for kind in ("config", "data"):
        folder = str(tmp_path / "home" / kind)
        monkeypatch.setattr(f"platformdirs.user_{kind}_dir", lambda *_, folder=folder, **__: folder)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


def load(text: str, **environ: str) -> Settings:
    file = Path(FILES).resolve() / "config.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, environ)


def problems(text: str | None, **environ: str) -> str:
    """What is said about a file (None: there is none) that stops the start, without the file's name."""
    with pytest.raises(ConfigError) as caught:
        load_settings(None, environ) if text is None else load(text, **environ)
    assert "hunter2" not in str(caught.value)
    return str(caught.value).replace(f"{Path(FILES).resolve() / 'config.toml'}: ", "")


def only(settings: Settings) -> Any:
    (project,) = settings.projects.values()
    return project


def test_with_no_configuration_there_is_one_writable_local_project(home: Path) -> None:
    settings = load_settings(None, {})
    project = only(settings)
    assert (project.id, project.name, project.backend) == ("default", "default", "local")
    assert (project.access, project.destructive, project.timezone) == ("write", "confirm", "UTC")
    assert project.url == settings.journal == Database(path=home / "data" / "vouchers.db")
    assert settings.toolsets == ("pools", "vouchers", "redeemables", "redemptions", "jobs")
    assert not settings.read_only
    assert not (home / "data").exists()


def test_vendor_variables_make_vendor_projects_and_default_only_with_a_database(home: Path) -> None:
    settings = load_settings(None, VOUCHERIFY | MEWS | LOOMI)
    assert [each.backend for each in settings.projects.values()] == ["voucherify", "mews", "bloomreach"]
    assert {project.access for project in settings.projects.values()} == {"read"}
    assert settings.journal == Database(path=home / "data" / "state.db")
    settings = load_settings(None, MEWS | {"VOUCHER_MCP_DATABASE_URL": "sqlite:///v.db"})
    assert list(settings.projects) == ["default", "mews"]
    assert settings.journal == Database(path=home.parent / "work" / "v.db")
    shop = only(load_settings(None, VOUCHERIFY | {"VOUCHERIFY_API_BASE_URL": "https://us1.io/"}))
    assert shop.app_token.get_secret_value() == "hunter2"
    assert (shop.base_url, shop.timeout) == ("https://us1.io", 30)


def test_four_variables_set_the_rest_for_all_projects() -> None:
    chosen = {"VOUCHER_MCP_ACCESS": "write", "VOUCHER_MCP_DESTRUCTIVE": "allow"}
    server_wide = {"VOUCHER_MCP_READ_ONLY": "1", "VOUCHER_MCP_TOOLSETS": "vouchers, pools,"}
    settings = load_settings(None, VOUCHERIFY | MEWS | chosen | server_wide)
    assert {(each.access, each.destructive) for each in settings.projects.values()} == {("write", "allow")}
    assert (settings.read_only, settings.toolsets) == (True, ("pools", "vouchers"))


def test_empty_variables_count_as_not_set() -> None:
    names = ("VOUCHERIFY_APP_ID", "VOUCHER_MCP_ACCESS", "VOUCHER_MCP_TOOLSETS", "VOUCHER_MCP_CONFIG")
    for blank in ("", " "):
        assert list(load_settings(None, dict.fromkeys(names, blank)).projects) == ["default"]


def test_yes_and_no_may_be_said_in_several_words() -> None:
    for word in ("true", "1", "yes", "on", "True", " ON "):
        assert load_settings(None, {"VOUCHER_MCP_READ_ONLY": word}).read_only
    for word in ("false", "0", "no", "off", "OFF"):
        assert not load_settings(None, {"VOUCHER_MCP_READ_ONLY": word}).read_only


def test_what_is_wrong_with_a_vendors_variables_names_the_variable() -> None:
    for backend, whole in (("voucherify", VOUCHERIFY), ("mews", MEWS), ("bloomreach", LOOMI)):
        for missing in whole.keys() - {"LOOMI_PROJECT_ID"}:  # which is found where it is not given
            given = {name: value for name, value in whole.items() if name != missing}
            settings = load_settings(None, given)
            assert settings.unusable(backend) == (f"environment variable {missing} is not set", "")
    said = problems(None, VOUCHERIFY_API_BASE_URL="http://h.io")
    assert said == "VOUCHERIFY_API_BASE_URL: plain http is for loopback only; use https://h.io"


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("VOUCHER_MCP_ACCESS", "raed", "'raed'; should be one of read, write; did you mean 'read'?"),
        ("VOUCHER_MCP_DESTRUCTIVE", "blok", "did you mean 'block'?"),
        ("VOUCHER_MCP_READ_ONLY", "ture", "did you mean 'true'?"),
        ("VOUCHER_MCP_TOOLSETS", "pools,voucher", "unknown value 'voucher'"),
        ("VOUCHER_MCP_TOOLSETS", ",", "names no toolset"),
        ("VOUCHER_MCP_READONLY", "true", "unknown variable; did you mean 'VOUCHER_MCP_READ_ONLY'?"),
        ("voucher_mcp_read_only", "true", "unknown variable; did you mean 'VOUCHER_MCP_READ_ONLY'?"),
        ("VOUCHER_MCP_QQQQQQQQQQQQQQQQ", "true", "unknown variable; known are VOUCHER_MCP_CONFIG,"),
    ],
)
def test_a_wrong_variable_of_ours_stops_the_start_always(variable: str, value: str, says: str) -> None:
    for text in (None, SHOP):
        said = problems(text, **{variable: value})
        assert said.startswith(f"{variable}: ")
        assert says in said


def test_the_named_file_comes_before_the_variables_and_that_before_the_users_own(home: Path) -> None:
    (home / "config").mkdir()
    for name in ("named", "variable", "config"):
        (home / "config" / f"{name}.toml").write_text(LOCAL.replace("default", name))
    variable = {"VOUCHER_MCP_CONFIG": "~/config/variable.toml"}
    assert only(load_settings(home / "config" / "named.toml", variable)).id == "named"
    assert only(load_settings(None, variable)).id == "variable"
    assert only(load_settings(None, {})).id == "config"


def test_a_file_that_was_asked_for_and_cannot_be_read_is_an_error() -> None:
    assert problems(None, VOUCHER_MCP_CONFIG="gone.toml").endswith("gone.toml: there is no such file")
    Path("plain").touch()
    for name, says in {
        "gone": "no such file",
        FILES: "is a directory",
        "plain/x": "cannot be read|no such",
    }.items():
        with pytest.raises(ConfigError, match=says):
            load_settings(Path(name), {})


def test_a_file_must_be_toml_in_utf_8_and_may_have_a_byte_order_mark() -> None:
    assert "line 2" in problems('read_only = true\nstate "x"\n')
    file = Path("config.toml")
    file.write_bytes(LOCAL.encode("utf-16"))
    with pytest.raises(ConfigError, match=r"config\.toml: is not UTF-8 text"):
        load_settings(file, {})
    file.write_bytes(LOCAL.replace("\n", "\r\n").encode("utf-8-sig"))
    assert list(load_settings(file, {}).projects) == ["default"]


def test_variables_make_projects_only_where_the_file_names_none(home: Path) -> None:
    variables = {"VOUCHER_MCP_DATABASE_URL": "sqlite:///v.db", "VOUCHER_MCP_ACCESS": "read"}
    project = only(load("[limits]\nmax_codes_per_call = 5\n", **variables))
    assert (project.url.path, project.access) == (home.parent / "work" / "v.db", "read")
    assert list(load(SHOP, **variables, VOUCHERIFY_APP_ID="app").projects) == ["shop"]


def test_variables_tighten_a_file_and_never_loosen_it() -> None:
    strict = 'read_only = true\ntoolsets = ["jobs"]\n' + SHOP + 'access = "read"\ndestructive = "block"\n'
    loose = 'toolsets = ["jobs", "pools"]\n' + SHOP + 'access = "write"\ndestructive = "allow"\n'
    loosening = dict(zip(CHOICES, ("no", "write", "allow", "jobs,pools"), strict=True))
    tightening = dict(zip(CHOICES, ("on", "read", "block", "jobs,vouchers"), strict=True))
    for settings in (load(strict, **loosening), load(loose, **tightening)):
        assert (settings.read_only, settings.toolsets) == (True, ("jobs",))
        assert (only(settings).access, only(settings).destructive) == ("read", "block")


def test_references_take_values_from_the_environment_at_any_depth() -> None:
    text = TOKEN.replace("hunter2", "${T}") + SHA + 'projects = ["${S}"]\n[projects.x]\nbackend = "local"\n'
    settings = load(text + 'name = "$${T} ${A}-${B} $5"\n', T="tok${A}", S="shop", A="a", B="b")
    assert settings.http is not None
    assert settings.http.tokens["ci"].projects == ("shop",)
    assert settings.projects["x"].name == "${T} a-b $5"
    ours = only(load(SHOP.replace("hunter2", "${VOUCHER_MCP_T}"), VOUCHER_MCP_T="x"))  # and is not unknown
    assert ours.app_token.get_secret_value() == "x"


def test_a_reference_that_is_broken_is_an_error_that_names_its_key() -> None:
    for broken in ("${", "${NAME", "${}", "${a b}"):
        assert "projects.shop.name: ${ wants a variable's name" in problems(SHOP + f'name = "{broken}"')


def test_a_reference_that_cannot_be_filled_is_its_keys_only_problem() -> None:
    text = SHOP + 'base_url = "${URL}"\nacces = "read"\n[http]\nissuer = "${URL}"\naudience = "a"\n'
    assert sorted(problems(text).splitlines()) == [
        "http.issuer: environment variable URL is not set",
        "projects.shop.acces: unknown key; did you mean 'access'?",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("read-only = true", "read-only: unknown key; did you mean 'read_only'?"),
        (SHOP + 'acces = "read"', "projects.shop.acces: unknown key; did you mean 'access'?"),
        (SHOP + 'zzz = "read"', "projects.shop.zzz: unknown key; known here: name,"),
        (LOCAL + "timeout = 3", "projects.default.timeout: unknown key"),
        ("[limits]\nmax_amount_a_call = 1", "limits.max_amount_a_call: unknown key; did you mean"),
        (LOCAL + "limits.max_codes = 1", "projects.default.limits.max_codes: unknown key; did you mean"),
        ("[http]\nisuer = 1", "http.isuer: unknown key; did you mean 'issuer'?"),
        (TOKEN + "sha = 1", "http.tokens.ci.sha: unknown key; did you mean 'sha256'?"),
        ("read_only = 'true'", "read_only: should be true or false"),
        ('toolsets = ["pools", "job"]', "toolsets[1]: unknown value 'job'; should be one of pools,"),
        ('toolsets = "pools"', "toolsets: should be a list"),
        ("[projects]\nshop = 1", "projects.shop: should be a table"),
        ('[projects."a.b"]', 'projects."a.b".backend: is missing; should be one of local, voucherify,'),
        ('[projects.x]\nbackend = "voucherfy"', "projects.x.backend: unknown value 'voucherfy';"),
        ('[projects.x]\nbackend = "mews"\nclient_token = "t"', "projects.x.access_token: is missing; a mews"),
        (SHOP + 'access = "Write"', "projects.shop.access: unknown value 'Write'; should be one of"),
        (SHOP + 'destructive = "allowed"', "did you mean 'allow'?"),
        (SHOP + 'id = "other"', "leave `id` out"),
        (SHOP + 'name = "a\\u0007"', "projects.shop.name: should be 1 to 128 printable characters"),
        (LOCAL + "url = 5", "projects.default.url: should be text"),
        (LOCAL + 'import_dir = ""', "projects.default.import_dir: should be a path"),
        (LOCAL + 'timezone = "Europe/Berln"', "zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
        (LOCAL + 'timezone = "America"', "projects.default.timezone: unknown time zone"),
        (LOCAL + 'timezone = "../zone"', "projects.default.timezone: unknown time zone"),
        (CRM + 'api_secret = "hunter2"', "projects.crm: api_base, project_token, api_key_id missing"),
        (HOTEL + 'service_ids = ["a", ""]', "projects.hotel.service_ids[1]: should be printable"),
        (HTTP + 'issuer = "https://a.io"', "http: issuer and audience need each other"),
        (HTTP + 'issuer = "http://a.io"\naudience = "x"', "http.issuer: plain http is for loopback only"),
        (HTTP + 'allowed_hosts = ["https://v.io"]', "http.allowed_hosts[0]: should be host names"),
        (TOKEN + 'sha256 = "hunter2"\nprojects = ["shop"]', "http.tokens.ci.sha256: should be the token's"),
        (TOKEN + SHA + 'projects = ["shpo"]', "ci.projects: no project 'shpo'; did you mean 'shop'?"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_the_nearest_right_one(text: str, says: str) -> None:
    assert any(says in line for line in problems(text).splitlines())


def test_all_problems_are_told_at_once_each_with_its_place() -> None:
    text = SHOP + "acces = 1\ntimeout = 0\n[limits]\nmax_points_per_day = -1\n"
    places = [line.split(":")[0] for line in problems(text, VOUCHER_MCP_ACESS="read").splitlines()]
    shop = ["projects.shop.acces", "projects.shop.timeout"]
    assert sorted(places) == ["VOUCHER_MCP_ACESS", "limits.max_points_per_day", *shop]


def test_project_ids_are_short_and_plain() -> None:
    for name in ("a", "Shop_1.eu-x", "0", "x" * 64):
        assert only(load(f'[projects."{name}"]\nbackend = "local"')).id == name
    for name in ("", "a b", "a/b", "ü", "x" * 65, ".", ".."):
        assert "a project id is 1 to 64 letters" in problems(f'[projects."{name}"]\nbackend = "local"')


def test_timeouts_and_limits_have_bounds() -> None:
    assert [only(load(SHOP + f"timeout = {each}")).timeout for each in ("45", "0.5")] == [45.0, 0.5]
    for wrong in ("0", "-1", "45.1", "nan", "inf", "true", '"30"'):
        assert problems(SHOP + f"timeout = {wrong}").startswith("projects.shop.timeout: should be")
    for wrong in ("-1", "1.5", "true", '"5"'):
        assert "limits.max_points_per_day: should be" in problems(f"[limits]\nmax_points_per_day = {wrong}")


def test_a_projects_limits_override_those_for_all_key_by_key() -> None:
    own = SHOP + "limits.max_amount_per_call = 0\nlimits.max_codes_per_call = 7\n"
    settings = load(own + LOCAL + "[limits]\nmax_amount_per_call = 50000\nmax_points_per_day = 9\n")
    shop = Limits(max_amount_per_call=0, max_codes_per_call=7, max_points_per_day=9)
    assert settings.limits_for("shop") == shop
    assert settings.limits_for("default") == Limits(max_amount_per_call=50000, max_points_per_day=9)


def test_what_a_file_says_wins_over_the_defaults() -> None:
    assert load('toolsets = ["jobs", "pools", "jobs"]').toolsets == ("jobs", "pools")
    assert load("toolsets = []").toolsets == ()
    project = only(load(LOCAL + 'name = "Haus Süd"\naccess = "read"\ntimezone = "Europe/Berlin"'))
    assert (project.name, project.access, project.timezone) == ("Haus Süd", "read", "Europe/Berlin")
    assert [only(load(CRM + key)).can_import for key in ("", CRM_KEY)] == [False, True]


def test_a_safe_vendor_address_is_kept_without_its_trailing_slash() -> None:
    for url in (
        "https://h.io",
        "https://h:8443/x",
        "http://127.9.8.7:80",
        "http://localhost",
        "http://[::1]:9",
    ):
        assert only(load(SHOP + f'base_url = "{url}"')).base_url == url
        assert only(load(SHOP + f'base_url = "{url}/"')).base_url == url


@pytest.mark.parametrize("url", WRONG_ADDRESSES.split())
def test_any_other_vendor_address_stops_the_start(url: str) -> None:
    assert problems(SHOP + f'base_url = "{url}"').startswith("projects.shop.base_url: ")
    assert problems(CRM.replace("https://eu.io/mcp", url)).startswith("projects.crm.url: ")


def test_loopback_is_told_from_other_hosts() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "", "example.com", "127.0.0.1.nip.io")))


def test_an_sqlite_url_names_a_file_relative_to_that_of_the_settings(home: Path) -> None:
    for url, path in {
        "sqlite:///sub/v.db": home.parent / "files" / "sub" / "v.db",
        "sqlite:///a b%20c.db": home.parent / "files" / "a b%20c.db",
        "sqlite:///~/v.db": home / "v.db",
        f"sqlite:///{home.as_posix()}/v.db": home / "v.db",
    }.items():
        assert only(load(LOCAL + f'url = "{url}"')).url == Database(path=path)
    assert only(load(LOCAL + 'import_dir = "~/in"')).import_dir == home / "in"
    Path("config.toml").write_text(LOCAL + 'import_dir = "in"')
    assert only(load_settings(Path("config.toml"), {})).import_dir == home.parent / "work" / "in"


def test_a_postgresql_url_is_kept_whole() -> None:
    for url in ("postgresql://u:hunter2@h:5432/db?statement_cache_size=0", "postgres://h/db"):
        assert only(load(LOCAL + f'url = "{url}"')).url == Database(dsn=SecretStr(url))


def test_a_wrong_database_url_is_explained_but_not_repeated() -> None:
    for url, says in {
        "mysql://u:hunter2@h": "unknown database 'mysql'; should begin with sqlite:/// or postgresql://",
        "postgressql://u:hunter2@h/db": "did you mean 'postgresql'?",
        "u:hunter2://h": "should begin with sqlite:/// or postgresql://",
        "sqlite://v.db": "third slash",
        "sqlite:///:memory:": "should name a file",
        "sqlite:///v.db?mode=ro": "no options",
        "sqlite:///~hunter2/v.db": "home directory",
    }.items():
        assert says in problems(LOCAL + f'url = "{url}"').removeprefix("projects.default.url: ")
        assert says in problems(f'state = "{url}"').removeprefix("state: ")
        assert says in problems(None, VOUCHER_MCP_DATABASE_URL=url).removeprefix("VOUCHER_MCP_DATABASE_URL: ")


def test_the_journal_is_in_state_else_in_the_default_local_project_else_on_its_own(home: Path) -> None:
    assert load('state = "sqlite:///s.db"\n' + LOCAL).journal.path == home.parent / "files" / "s.db"
    assert load(LOCAL + 'url = "sqlite:///v.db"').journal.path == home.parent / "files" / "v.db"
    for text in (LOCAL.replace("default", "other"), SHOP.replace("shop", "default")):
        assert load(text).journal.path == home / "data" / "state.db"


def test_no_secret_shows_in_what_is_printed_of_the_settings() -> None:
    url = '= "postgresql://u:hunter2@h/db"\n'
    hotel = HOTEL + 'service_ids = ["s"]\nenterprise_id = "e"\n'
    settings = load(f"state {url}{LOCAL}url {url}" + SHOP + hotel + CRM + CRM_KEY + 'token = "hunter2"\n')
    shown = [repr(settings), str(settings), settings.model_dump_json(), repr(settings.journal)]
    assert [text for text in shown if "hunter2" in text] == []


def test_a_wrong_setting_beside_secrets_shows_none_of_them_not_even_in_an_inner_error() -> None:
    with pytest.raises(ConfigError) as caught:
        load(SHOP + HOTEL.replace('"hunter2"', '["hunter2"]') + CRM + 'token = "hunter2 "\ntokens = 5')
    assert "hunter2" not in str(caught.value)
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)


def test_a_secret_that_no_header_could_carry_is_an_error() -> None:
    for token in ("", " hunter2", "hunter2\\n", "hunter2\\u0007", "hünter2"):
        assert "projects.shop.app_token: should be printable" in problems(SHOP.replace("hunter2", token))


def test_importing_the_settings_loads_neither_toml_nor_platformdirs() -> None:
    code = "import sys, voucher_mcp.config; print({'tomllib', 'platformdirs'} & set(sys.modules))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
