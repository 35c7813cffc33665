"""The job tool on Bloomreach: starting an import of vouchers that somebody defined in the product."""

import base64
import json
import re
from typing import Any

from pydantic import SecretStr

from voucher_mcp.backends.base import Object
from voucher_mcp.backends.bloomreach.client.account import Account
from voucher_mcp.backends.http import HttpClient, Reply, segment
from voucher_mcp.backends.http.statuses import Advice, refused
from voucher_mcp.config import BloomreachProject
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    Unauthorized,
    UpstreamError,
    VoucherError,
    quoted,
)
from voucher_mcp.domain.write import Write

_IMPORTS_PAGE = "the imports page of Bloomreach"
_LONGEST_PATH = 2_000
"""Ours."""
_VERSIONS = ("v2", "v1")
"""Of the address: older pages of the documents name the first, newer ones the other."""
_OF_THE_IMPORT = re.compile(r"(?<![/\w])(import|project)s?\b", re.IGNORECASE)
"""What a 404 says where the address is there and the import is not (ours). A path in it says nothing."""


class _NoSuchAddress(NotFound):
    """A 404 that may be the address's own: nothing was there that could have started an import."""


_WHERE = f"See {_IMPORTS_PAGE} for the id; let the operator check `project_token` too."
_ADVICE: Advice = {
    Unauthorized: "Let the operator check `api_key_id` and `api_secret`, and `api_base`.",
    Forbidden: "The API key needs the permission to start imports.",
    NotFound: _WHERE,
    _NoSuchAddress: _WHERE,
    Conflict: "The import may be running already.",
}


class JobTools(Account):
    """Starts imports over the product's HTTP API, which has an API key of its own."""

    def __init__(self, project: BloomreachProject) -> None:
        super().__init__(project)
        self._project_token = project.project_token or ""
        self._api = _api(project) if project.can_import else None
        self._version: str | None = None
        """Which address exists, once it is known."""

    @classmethod
    def serves(cls, project: Any, method: str) -> bool:
        if method == "start_voucher_import":
            return isinstance(project, BloomreachProject) and project.can_import
        return super().serves(project, method)

    async def close(self) -> None:
        await super().close()
        if self._api is not None:
            await self._api.close()

    async def start_voucher_import(self, write: Write, import_id: str, path: str | None) -> Answer[Object]:
        """Start a defined import, from another source if `path` names one (URL, GCS or SFTP).

        Answers {import_id, started, path} and what else the vendor says: any JSON or nothing, as its
        documents give no form. The vendor offers no read of its imports: whether one was started shows in the
        product only, where also duplicates are left out in silence.

        Raises:
            OutcomeUnknown: it may have been started.
        """
        assert self._api is not None, "serves() says no without the API key"
        if path is not None and (not path.isprintable() or not 0 < len(path) <= _LONGEST_PATH):
            raise InvalidInput(f"`path` must be 1 to {_LONGEST_PATH:,} printable characters.", field="path")
        place = f"projects/{segment(self._project_token)}/imports/{segment(import_id)}/start"
        data: Object = {
            "import_id": import_id,
            "started": True,
            **({"path": path} if path is not None else {}),
        }
        if write.dry_run:
            return Answer(data, {"dry_run": True})
        if write.recovering:
            raise _unknown("The answer to the first try was lost; nothing was sent again")
        # without a body there must be no content type either, which the vendor answers with 400
        body = None if path is None else {"path": path}
        try:
            reply = await self._post(self._api, write, place, body)
            answer = reply.json() if reply.content.strip() else None
        except OutcomeUnknown as error:  # whose advice is for writes that a repeat or a read settles
            raise _unknown("Bloomreach's answer was lost or cannot be read", error.request_id) from error
        said: Object = answer if isinstance(answer, dict) else {}
        success = said.get("success")
        if success is False:
            raise UpstreamError(f"Bloomreach did not start the import{_words(reply)}.")
        if success is not True and (success is not None or said.get("error") or said.get("errors")):
            raise _unknown("Bloomreach's answer cannot be read", reply.request_id)
        return Answer({**said, **data})

    async def _post(self, api: HttpClient, write: Write, place: str, body: Object | None) -> Reply:
        """The answer of whichever version of the address exists. Only a 404 leads on to the other one: every
        other failure comes from an address that is there, or leaves open what happened.

        Raises:
            VoucherError: it was refused, or `place` is at neither.
        """
        missing: _NoSuchAddress | None = None
        for version in sorted(_VERSIONS, key=lambda one: one != self._version):
            try:
                reply = await api.write(write, "POST", f"/data/{version}/{place}", json=body)
            except _NoSuchAddress as error:
                missing = error
            except NotFound:
                self._version = version
                raise
            else:
                self._version = version
                return reply
        assert missing is not None
        raise missing


def _api(project: BloomreachProject) -> HttpClient:
    assert project.api_base is not None
    assert project.api_secret is not None
    pair = f"{project.api_key_id}:{project.api_secret.get_secret_value()}"
    basic = base64.b64encode(pair.encode()).decode()
    return HttpClient(
        project.api_base,
        system="bloomreach",
        project=project.id,
        headers={"Authorization": f"Basic {basic}"},
        timeout=project.timeout,
        pace=None,
        failure=_failure,
        secrets=(project.api_secret, SecretStr(basic)),  # a refusal may repeat the header
    )


def _unknown(start: str, request_id: str | None = None) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{start}, so it is unknown whether the import was started. Let a person look at {_IMPORTS_PAGE}: no "
        "read shows it, and a repeat with the same idempotency_key neither finds out nor starts it. If it "
        "did not run, start it with a new idempotency_key.",
        request_id=request_id,
    )


def _failure(reply: Reply, writing: bool) -> VoucherError:
    kind, field, said = None, None, _words(reply)
    if reply.status == 404:
        kind = NotFound if _OF_THE_IMPORT.search(said) else _NoSuchAddress
        field = "import_id"
    return refused(reply, "Bloomreach", said, _ADVICE, kind=kind, field=field)


def _words(reply: Reply) -> str:
    """What the vendor says about it, as data."""
    said = reply.refusal()
    errors: Any = said.get("errors", said.get("error", said.get("message")))
    texts = errors if isinstance(errors, list) else [errors]
    text = "; ".join(each if isinstance(each, str) else json.dumps(each) for each in texts[:3] if each)
    return f": {quoted(text, 200)}" if text else ""
