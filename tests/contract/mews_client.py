"""A bare client of the stand-in, for the tests of the stand-in itself."""

from typing import Any

import httpx2

from tests.standins.mews import StandIn


class Caller:
    """Sends bodies with the tokens of the account; as an async context it holds one connection pool."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        self._http = httpx2.AsyncClient(base_url=standin.base_url, trust_env=False, verify=False)

    async def __aenter__(self) -> "Caller":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    def tokens(self) -> dict[str, Any]:
        return {
            "ClientToken": self.standin.client_token,
            "AccessToken": self.standin.access_token,
            "Client": "Contract tests 1.0.0",
        }

    async def send(
        self, operation: str, body: Any, *, patience: float = 30, prefer: str = ""
    ) -> httpx2.Response:
        """The body as it is; `patience` in seconds is how long to wait for the answer."""
        path, timeout = f"/api/connector/v1/{operation}", httpx2.Timeout(30, read=patience)
        headers = {"Prefer": prefer} if prefer else {}
        return await self._http.post(path, json=body, headers=headers, timeout=timeout)

    async def call(self, operation: str, **fields: Any) -> httpx2.Response:
        """The fields, with the tokens."""
        return await self.send(operation, {**self.tokens(), **fields})

    async def codes(self, voucher_id: str, count: int = 1000, **fields: Any) -> dict[str, Any]:
        """One page of the codes of a voucher."""
        limitation = {"Count": count, "Cursor": fields.pop("cursor", None)}
        reply = await self.call(
            "voucherCodes/getAll", VoucherIds=[voucher_id], Limitation=limitation, **fields
        )
        assert reply.status_code == 200, reply.text
        page: dict[str, Any] = reply.json()
        return page

    async def vouchers(self, **fields: Any) -> list[dict[str, Any]]:
        """The vouchers of all services, newest first."""
        body = {
            "ServiceIds": list(self.standin.services),
            "Extent": {"Vouchers": True},
            "Limitation": {"Count": 1000},
            **fields,
        }
        reply = await self.call("vouchers/getAll", **body)
        assert reply.status_code == 200, reply.text
        found: list[dict[str, Any]] = reply.json()["Vouchers"]
        return found
