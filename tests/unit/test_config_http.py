"""What `[http]` may say."""

from tests.unit.test_config import HTTP, LOCAL, SHA, TOKEN, home, load, problems

__all__ = ["home"]  # which these tests have too


def test_http_settings_know_whether_anyone_must_sign_in() -> None:
    issuer = 'issuer = "https://auth.io/"\naudience = "https://v.io/mcp"\nallowed_hosts = ["v.io", "v.io:*"]'
    assert load(LOCAL).http is None
    for text, sign_in in ((HTTP, False), (HTTP + issuer, True), (TOKEN + SHA + 'projects = ["shop"]', True)):
        http = load(text).http
        assert http is not None
        assert http.has_sign_in is sign_in
        assert http.issuer in (None, "https://auth.io/")  # compared letter by letter, so its slash stays


def test_a_fixed_token_reads_only_unless_told_and_is_one_callers() -> None:
    text = TOKEN + SHA.replace("ab", "AB") + 'projects = ["shop"]\n'
    http = load(text).http
    assert http is not None
    assert (http.tokens["ci"].sha256, http.tokens["ci"].access) == ("ab" * 32, "read")
    twice = text + "[http.tokens.cd]\n" + SHA + 'projects = ["shop"]\n'
    assert problems(twice) == "http: tokens 'ci' and 'cd' have the same sha256"


def test_who_signs_in_at_an_issuer_gets_known_projects_only() -> None:
    issuer = HTTP + 'issuer = "https://auth.io"\naudience = "https://v.io/mcp"\n'
    alice = '[http.access.subject."alice@example.com"]\n'
    http = load(issuer + alice + 'projects = ["shop"]\naccess = "write"\n').http
    assert http is not None
    assert http.access.subject["alice@example.com"].access == "write"
    assert "needs" not in problems(issuer + alice + 'projects = ["shp"]')
    assert "no project 'shp'; did you mean 'shop'?" in problems(issuer + alice + 'projects = ["shp"]')
    assert "unknown key; did you mean 'projects'" in problems(issuer + alice + 'project = ["shop"]')
    assert "unknown key; did you mean 'group'" in problems(
        issuer + '[http.access.groups.x]\nprojects = ["shop"]'
    )
    assert "sign in at an issuer" in problems(HTTP + alice + 'projects = ["shop"]')


def test_a_key_that_seals_is_long_and_is_not_shown() -> None:
    http = load(HTTP + f'state_key = "{"k" * 32}"').http
    assert http is not None
    assert "kkk" not in repr(http)
    told = problems(HTTP + 'state_key = "short-secret"')
    assert "should be 32 random characters or more" in told
    assert "short-secret" not in told
