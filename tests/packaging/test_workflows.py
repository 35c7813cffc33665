"""What runs where the project is published: each system and Python promised, a release without secrets."""

import re
import tomllib
from typing import Any

import yaml

from tests.packaging.conftest import ROOT

GITHUB = ROOT / ".github"
TESTS = (GITHUB / "workflows" / "tests.yml").read_text(encoding="utf-8")
RELEASE = (GITHUB / "workflows" / "release.yml").read_text(encoding="utf-8")


def jobs(workflow: str) -> dict[str, Any]:
    return dict(yaml.safe_load(workflow)["jobs"])


def test_every_system_and_python_that_the_wheel_names_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pythons = [found[1] for one in project["classifiers"] if (found := re.search(r":: (3\.\d+)$", one))]
    matrix = jobs(TESTS)["systems"]["strategy"]["matrix"]
    assert matrix["python"] == pythons
    assert [system.partition("-")[0] for system in matrix["system"]] == ["ubuntu", "macos", "windows"]


def test_a_release_publishes_everything_and_keeps_no_secret() -> None:
    assert {"build", "package", "image", "page", "registry"} == jobs(RELEASE).keys()
    assert set(re.findall(r"secrets\.(\w+)", RELEASE)) == {"GITHUB_TOKEN"}
    for job in ("package", "registry"):  # which know the workflow by its identity
        assert jobs(RELEASE)[job]["permissions"]["id-token"] == "write"
    for attested in ("attest-build-provenance", "attest-sbom", "sbom-action", "sbom: true"):
        assert attested in RELEASE


def test_a_workflow_may_only_read_unless_a_job_says_more() -> None:
    for workflow in (TESTS, RELEASE):
        assert yaml.safe_load(workflow)["permissions"] == {"contents": "read"}
        assert all("timeout-minutes" in job for job in jobs(workflow).values())


def test_issue_forms_ask_each_question_once() -> None:
    forms = [path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"]
    assert len(forms) == 2
    for path in forms:
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert form["name"]
        assert form["description"]
        asked = [part for part in form["body"] if part["type"] != "markdown"]
        assert len({part["id"] for part in asked}) == len(asked)
        assert all(part["attributes"]["label"] for part in asked)
        assert all(isinstance(o, str) for part in asked for o in part["attributes"].get("options", []))
