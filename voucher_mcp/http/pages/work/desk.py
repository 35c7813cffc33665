"""A person at a page: whom they are, their projects, and calling tools as any client does.

A call goes the whole way of a tool's call: access, consent, limits and journal are there, and nowhere else.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from mcp.server import ServerRequestContext
from mcp.server.session import ServerSession
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ClientCapabilities,
    ElicitationCapability,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    FormElicitationCapability,
    Implementation,
    InitializeRequestParams,
    InputRequiredResult,
)
from starlette.requests import Request
from starlette.responses import Response

from voucher_mcp import __version__
from voucher_mcp.config import Project, Settings
from voucher_mcp.domain.errors import LimitExceeded
from voucher_mcp.http.pages.downloads import Turn
from voucher_mcp.http.pages.links import Links
from voucher_mcp.http.pages.templates import page
from voucher_mcp.http.pages.visitors import Visitors
from voucher_mcp.http.sign_in.bearer import CALLER
from voucher_mcp.policy.callers import Caller
from voucher_mcp.tools.asking.confirmation import FIRST_MODERN, QUESTION
from voucher_mcp.tools.dispatch import Dispatcher

_ABLE: Final = ClientCapabilities(elicitation=ElicitationCapability(form=FormElicitationCapability()))


class _Session:
    """What a call asks of the session of its client: that it can ask its user, and who it is."""

    client_capabilities = _ABLE
    client_params = InitializeRequestParams(
        protocol_version=FIRST_MODERN,
        capabilities=_ABLE,
        client_info=Implementation(name="page", version=__version__),
    )

    async def report_progress(self, progress: float, total: float | None) -> None:
        """A page shows none."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the person is asked before a call is made."""

    text: str
    digest: str
    """Of what they would agree to."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One person, while they look at one page."""

    caller: Caller
    settings: Settings
    """As they hold for them."""
    dispatcher: Dispatcher
    request: Request
    links: Links

    @property
    def project(self) -> Project | None:
        """The one that is looked at; else the first that can be used."""
        asked = self.settings.projects.get(self.request.query_params.get("project", ""))
        usable = (one for one in self.settings.projects.values() if not self.settings.unusable(one.id))
        return asked or next(usable, None)

    async def call(
        self, tool: str, arguments: Mapping[str, Any], agreed: str | None = None
    ) -> dict[str, Any] | Question:
        """The envelope of a tool's answer; or what the person has to be asked first.

        Args:
            agreed: the digest of a question that they said yes to.
        """
        answer = ElicitResult(action="accept", content={"confirm": True})
        params = CallToolRequestParams(
            name=tool,
            arguments=dict(arguments),
            input_responses={QUESTION: answer} if agreed else None,
            request_state=agreed,
        )
        context = ServerRequestContext[Any, Any](
            session=cast(ServerSession, _Session()),
            lifespan_context=self.dispatcher,
            protocol_version=FIRST_MODERN,
            method="tools/call",
            request=Request({**self.request.scope, CALLER: self.caller}),
        )
        result = await self.dispatcher.call(context, params)
        if isinstance(result, InputRequiredResult):
            return _question(result)
        assert isinstance(result, CallToolResult)
        return result.structured_content or {}

    async def look(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The envelope of a reading tool's answer about the project that is looked at."""
        assert self.project is not None
        answer = await self.call(tool, {"project_id": self.project.id, **arguments})
        assert isinstance(answer, dict)  # nobody is asked before a look
        return answer

    def page(self, name: str, status: int = 200, **values: Any) -> Response:
        """A page of theirs."""
        return page(
            name,
            status,
            caller=self.caller.name,
            signs_in=self.caller.access is not None,
            projects=list(self.settings.projects.values()),
            project=self.project,
            path=self.request.url.path,
            up="../" * (self.request.url.path.count("/") - 1),
            **values,
        )


Shown = Callable[[Desk], Awaitable[Response]]


class Desks:
    """Lets people sit down who are signed in, when it is their turn."""

    def __init__(
        self, visitors: Visitors, dispatcher: Callable[[], Dispatcher], links: Links, turn: Turn
    ) -> None:
        self._visitors = visitors
        self._dispatcher = dispatcher
        self._links = links
        self._turn = turn

    def seated(self, shown: Shown) -> Callable[[Request], Awaitable[Response]]:
        """The page, for whoever is signed in."""

        async def endpoint(request: Request) -> Response:
            caller = self._visitors.of(request)
            if isinstance(caller, Response):
                return caller
            whole = self._dispatcher()
            settings = caller.granted(whole.settings)
            desk = Desk(caller, settings, whole.of(caller, settings), request, self._links)
            try:
                async with self._turn(caller.name, 0):
                    if not settings.projects:
                        return desk.page("nothing.html", 403)
                    return await shown(desk)
            except LimitExceeded as error:
                return desk.page("told.html", 429, title="Wait a moment", told=error.message)

        return endpoint


def _question(result: InputRequiredResult) -> Question:
    asked = (result.input_requests or {})[QUESTION]
    assert isinstance(asked, ElicitRequest)
    assert isinstance(asked.params, ElicitRequestFormParams)
    return Question(asked.params.message, result.request_state or "")
