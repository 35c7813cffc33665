"""server.json meets the schema of the MCP registry."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator, FormatChecker, ValidationError

from tests.support import SPECS

FILE = SPECS / "server.schema.json"
ENTRY = json.loads((Path(__file__).parents[2] / "server.json").read_text(encoding="utf-8"))


@pytest.mark.skipif(not FILE.exists(), reason="the registry's schema is not here (VOUCHER_MCP_SPECS)")
def test_the_entry_meets_the_schema_that_it_names() -> None:
    schema = json.loads(FILE.read_text(encoding="utf-8"))
    assert schema["$id"] == ENTRY["$schema"]
    check = Draft7Validator(schema, format_checker=FormatChecker())
    check.validate(ENTRY)
    with pytest.raises(ValidationError):
        check.validate({**ENTRY, "remotes": [{"type": "streamable-http"}]})
