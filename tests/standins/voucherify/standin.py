"""What tests see of the stand-in."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.standins.voucherify.campaigns import new_campaign
from tests.standins.voucherify.customers import hold, upsert
from tests.standins.voucherify.errors import Json
from tests.standins.voucherify.faults import Fault
from tests.standins.voucherify.imports import add_to_campaign
from tests.standins.voucherify.server import Armed, Request, Service
from tests.standins.voucherify.state import State
from tests.standins.voucherify.vouchers import new_voucher

_TENTH_OFF: Json = {"type": "PERCENT", "percent_off": 10.0, "effect": "APPLY_TO_ORDER"}


class StandIn:
    """One Voucherify project behind a real server, with everything in it to look at and to fill."""

    def __init__(self, service: Service, base_url: str) -> None:
        self._service = service
        self.base_url = base_url
        self.state: State = service.state
        self.state.base_url = base_url

    @property
    def app_id(self) -> str:
        """What X-App-Id has to be."""
        return self._service.app_id

    @property
    def app_token(self) -> str:
        """What X-App-Token has to be."""
        return self._service.app_token

    @property
    def bearer_tokens(self) -> set[str]:
        """OAuth tokens that are taken instead of the two keys; none at first."""
        return self._service.bearer_tokens

    @property
    def requests(self) -> list[Request]:
        """Every request received, with its answer."""
        return self._service.requests

    @property
    def connections(self) -> int:
        """Connections accepted so far."""
        return self._service.connections

    def fail(
        self,
        fault: Fault,
        *,
        times: int = 1,
        path: str | None = None,
        method: str | None = None,
        after_effect: bool = False,
    ) -> None:
        """The next `times` requests whose path, still encoded, contains `path` meet the fault (see `faults`).

        after_effect: what they ask for happens, only the answer is lost."""
        self._service.armed.append(Armed(fault, times, path, method, after_effect))

    def decorate(self, change: Callable[[Request, Any], Any] | None) -> None:
        """Let `change` have the JSON of every success before it goes out; None ends it."""
        self._service.decorate = change

    def delay(self, seconds: float) -> None:
        """Every answer comes so much later."""
        self._service.delay = seconds

    def limit_rate(self, requests: int, seconds: float) -> None:
        """At most so many requests in so many seconds; 2,000 a minute at first."""
        self._service.rate_limit, self._service.rate_window = requests, seconds

    def finish_jobs(self) -> None:
        """Do now what async actions and exports still have to do."""
        for job in list(self.state.jobs.values()):
            job.finish(self.state)
        for export in self.state.exports.values():
            export.polls = 0
            export.poll(self.state)

    def add_campaign(self, name: str, codes: Iterable[str] = (), **body: Any) -> str:
        """A STATIC campaign of a tenth off with these codes, unless `body` says otherwise; answers its id."""
        template = {"type": "DISCOUNT_VOUCHER", "discount": _TENTH_OFF, "redemption": {"quantity": 1}}
        campaign = new_campaign(self.state, {"name": name, "type": "STATIC", "voucher": template, **body})
        for code in codes:
            add_to_campaign(self.state, campaign, code, {})
        return str(campaign["id"])

    def add_voucher(self, code: str, **body: Any) -> Json:
        """A voucher, a tenth off unless `body` has a discount, gift or loyalty_card; `campaign` is an id or
        name."""
        if not body.keys() & {"discount", "gift", "loyalty_card"}:
            body["discount"] = _TENTH_OFF
        campaign = self.state.campaign(body["campaign"]) if "campaign" in body else None
        return new_voucher(self.state, code, body, campaign)

    def add_customer(self, source_id: str, *codes: str, **body: Any) -> Json:
        """A customer who holds these codes."""
        customer = upsert(self.state, {"source_id": source_id, **body})
        for code in codes:
            hold(self.state, customer, self.state.voucher(code))
        return customer
