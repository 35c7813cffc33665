"""How a project signs in at the vendor."""

from typing import Any

import pytest
from pydantic import ValidationError

from voucher_mcp.backends.voucherify.adapter import VoucherifyBackend
from voucher_mcp.backends.voucherify.client.account import API_VERSION, headers_of
from voucher_mcp.config import VoucherifyProject


def project(**keys: Any) -> VoucherifyProject:
    return VoucherifyProject.model_validate({"id": "shop", "name": "Shop", "backend": "voucherify", **keys})


def test_it_signs_in_with_the_two_keys_or_with_a_bearer_token() -> None:
    keys = headers_of(project(app_id="app", app_token="hunter2"))
    assert (keys["X-App-Id"], keys["X-App-Token"]) == ("app", "hunter2")
    bearer = headers_of(project(oauth_token="hunter2"))
    assert bearer["Authorization"] == "Bearer hunter2"
    assert "X-App-Id" not in bearer
    assert keys["X-Voucherify-API-Version"] == bearer["X-Voucherify-API-Version"] == API_VERSION


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({}, "app_id"),
        ({"app_id": "app"}, "app_token"),
        ({"app_id": "app", "app_token": "a", "oauth_token": "b"}, "oauth_token stands instead"),
    ],
)
def test_exactly_one_way_of_signing_in_is_configured(keys: dict[str, str], named: str) -> None:
    with pytest.raises(ValidationError) as caught:
        project(**keys)
    assert named in str(caught.value)


def test_the_backend_serves_everything_but_the_import_of_another_system() -> None:
    methods = {name for name in vars(VoucherifyBackend.__mro__[-2]) if not name.startswith("_")}
    methods -= {"name", "journals", "serves", "can", "start", "close", "id_of", "names_of"}
    missing = {name for name in methods if not VoucherifyBackend.can(name)}
    assert missing <= {"start_voucher_import"}
