"""One Mews account: its services, and finding vouchers and codes in it."""

from collections.abc import Iterable, Mapping, Sequence

import anyio
from anyio.abc import TaskGroup

from voucher_mcp.backends.base import Backend
from voucher_mcp.backends.mews.client.client import MAX_ITEMS, Fields, MewsClient, chunks
from voucher_mcp.backends.mews.client.walking import Walk
from voucher_mcp.backends.mews.mapping.ids import is_id, lowered
from voucher_mcp.backends.mews.mapping.objects import Object, Pool, is_active, key_of, objects, rates_of
from voucher_mcp.backends.mews.mapping.windows import utc
from voucher_mcp.backends.pace import Paces
from voucher_mcp.config.models import MewsProject
from voucher_mcp.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Unavailable, quoted
from voucher_mcp.domain.values.texts import composed, counted, names_looked_up, spellings

SERVICES_SECONDS = 300.0
"""How long the services that were found are remembered (ours)."""

ACTIVE: Fields = {"ActivityStates": ["Active"]}
PLAIN: Fields = {"Vouchers": True, "VoucherAssignments": False, "Rates": False}
WITH_RATES: Fields = {"Vouchers": True, "VoucherAssignments": True, "Rates": True}


class Account(Backend):
    """What all tools on Mews share. Made without touching the network."""

    name = "mews"

    def __init__(self, project: MewsProject) -> None:
        self.project = project
        self.client = MewsClient(project)
        self._services: tuple[float, list[Object]] | None = None

    def start(self, tasks: TaskGroup, paces: Paces) -> None:
        """Nothing runs in the background; the pace is that of the access token."""
        self.client.start(paces)

    async def close(self) -> None:
        await self.client.close()

    async def check(self) -> str:
        services = await self.service_ids(fresh=True)
        if not services:
            return "Mews answers, but shows no service, so that there can be no pools; set service_ids."
        body = {"Extent": PLAIN, **ACTIVE, "ServiceIds": services[:MAX_ITEMS], "Limitation": {"Count": 1}}
        found = objects((await self.client.read("vouchers/getAll", "Vouchers", body))["Vouchers"])
        pools = f"pools, the newest is {quoted(Pool(found[0]).name)}" if found else "no pools yet"
        return f"Mews answers: {counted(len(services), 'service')}, {pools}"

    async def services(self, *, fresh: bool = False) -> list[Object]:
        """The services that the token shows, the inactive ones too: vouchers may hang on them."""
        now = anyio.current_time()
        if self._services is None or fresh or now - self._services[0] > SERVICES_SECONDS:
            walk = Walk(self.client, "services/getAll", "Services", [{}])
            found = await walk.all()
            if not walk.whole:
                raise Unavailable("Mews did not show all services of the project. Try again later.")
            if not found:
                return []
            self._services = now, found
        return self._services[1]

    async def service_ids(self, *, fresh: bool = False) -> list[str]:
        """Those of the configuration, else those that the token shows."""
        if self.project.service_ids:
            return list(map(lowered, self.project.service_ids))
        return [service["Id"] for service in await self.services(fresh=fresh)]

    async def walk_vouchers(self, fields: Fields, extent: Fields = PLAIN) -> Walk:
        """A walk over the vouchers of all services, as many of them at once as a request takes.

        Raises:
            Forbidden: no service is shown, so that nothing could be said of what there is.
        """
        services = await self.service_ids()
        if not services:
            raise Forbidden(
                "Mews shows no service to this project, and pools hang on services. The operator has to let "
                "the integration see them, or to set `service_ids`."
            )
        parts = [{**fields, "Extent": extent, "ServiceIds": chunk} for chunk in chunks(services)]
        return Walk(self.client, "vouchers/getAll", "Vouchers", parts)

    def walk_codes(self, voucher_ids: Sequence[str], parts: Sequence[Fields] = ({},)) -> Walk:
        """A walk over the codes of at most 1,000 vouchers, or over what each of `parts` leaves of them."""
        selected = [{"VoucherIds": list(voucher_ids), **part} for part in parts]
        return Walk(self.client, "voucherCodes/getAll", "VoucherCodes", selected)

    def walk_named(self, voucher_id: str, code_ids: Iterable[str]) -> Walk:
        """A walk over the codes of a voucher that have one of at most 1,000 ids."""
        return self.walk_codes([voucher_id], [{"VoucherCodeIds": list(dict.fromkeys(code_ids))}])

    def walk_changed(self, voucher_id: str, windows: Iterable[tuple[int, int]]) -> Walk:
        """A walk over the codes of a voucher that were last changed in one of the windows, half-open and in
        milliseconds UTC, none longer than Mews takes."""
        spans = [{"StartUtc": utc(start), "EndUtc": utc(end)} for start, end in windows]
        return self.walk_codes([voucher_id], [{"UpdatedUtc": span} for span in spans])

    async def find_pool(self, reference: str) -> Pool:
        """The active voucher of that id or exact name.

        Raises:
            NotFound: there is none, or not among the newest that a walk reaches.
            InvalidInput: several have that name.
        """
        for name in filter(is_id, names_looked_up(reference)):
            if (pool := await self.pool_by_id(name)) is not None and pool.is_active:
                return pool
        walk = await self.walk_vouchers(ACTIVE)
        active = [pool for item in await walk.all() if (pool := Pool(item)).is_active]
        by_name = ([pool for pool in active if pool.name == name] for name in names_looked_up(reference))
        named = next(filter(None, by_name), [])
        if len(named) > 1:
            ids = ", ".join(pool.id for pool in named[:5])
            raise InvalidInput(
                f"{len(named)} pools are named {quoted(reference)}. Give its id: {ids}.",
                field="pool_id",
            )
        if named and walk.reached_end:
            return named[0]
        where = (
            "in this project" if walk.reached_end else "among the newest pools of this project; give its id"
        )
        raise NotFound(
            f"There is no pool {quoted(reference)} {where}. "
            "list_voucher_pools shows the pools with their ids and names.",
            field="pool_id",
        )

    async def pool_by_id(self, voucher_id: str) -> Pool | None:
        """The voucher with its rates, deleted or not."""
        for pool in await self.pools_with_rates({"VoucherIds": [lowered(voucher_id)]}):
            if pool.id == lowered(voucher_id):
                return pool
        return None

    async def pools_with_rates(self, fields: Fields) -> list[Pool]:
        """The vouchers that fit, deleted ones too, with their rates.

        Raises:
            Unavailable: there was not time for all of them, or some cannot be told apart.
        """
        found: list[Pool] = []
        walk = await self.walk_vouchers(fields, WITH_RATES)
        while (page := await walk.page()) is not None:
            assignments, rates = walk.answer.get("VoucherAssignments"), walk.answer.get("Rates")
            found += [Pool(item, rates_of(item["Id"], assignments, rates)) for item in page]
        if not walk.whole:
            raise Unavailable("Mews did not show all the pools in question. Try again later.")
        return found

    async def name_seems_free(self, name: str, but: str | None = None) -> bool:
        """Whether no active voucher that a walk reaches has that name, save the one of the id `but`.

        Mews itself does not mind equal names; here they would make a name useless as a reference (ours).
        """
        vouchers = await (await self.walk_vouchers(ACTIVE)).all()
        return not any(is_active(item) and Pool(item).name == name and item["Id"] != but for item in vouchers)

    async def active_codes(
        self, values: Iterable[str], voucher_id: str | None = None
    ) -> Mapping[str, Object]:
        """Those of the texts that active codes have, with the codes: in one voucher, or in any active one.

        Raises:
            Conflict: it could not be told for all of them.
        """
        found: dict[str, Object] = {}
        for chunk in chunks([spelling for value in values for spelling in spellings(value)]):
            fields: Fields = {"VoucherCodeValues": chunk, **ACTIVE}
            if voucher_id is not None:
                fields["VoucherIds"] = [voucher_id]
            walk = await self.walk_vouchers(fields)
            vouchers = await walk.all()
            if not walk.whole:
                raise _untold()
            for ids in chunks([item["Id"] for item in vouchers]):
                found |= await self._among(set(map(composed, chunk)), ids)
        return found

    async def _among(self, values: set[str], voucher_ids: Sequence[str]) -> dict[str, Object]:
        """Mews says that these vouchers have some of the texts; which ones, only their codes show."""
        found: dict[str, Object] = {}
        walk = self.walk_codes(voucher_ids)
        while len(found) < len(values) and (page := await walk.page()) is not None:
            for code in page:
                if key_of(code) in values and is_active(code):
                    found.setdefault(key_of(code), code)
        if len(found) < len(values) and not walk.whole:
            raise _untold()
        return found

    async def count_codes(self, voucher_id: str) -> tuple[int, bool]:
        """How many codes that are not deleted a walk sees, and whether it saw all."""
        walk = self.walk_codes([voucher_id])
        codes = await walk.all()
        return sum(is_active(code) for code in codes), walk.whole

    async def is_empty(self, voucher_id: str) -> bool:
        """Whether a voucher has never had a code."""
        walk = self.walk_codes([voucher_id])
        while (page := await walk.page()) is not None:
            if page:
                return False
        return walk.whole


def _untold() -> Conflict:
    return Conflict(
        "Some of these codes may exist already, in a pool of which not all codes could be looked through. "
        "Use other ones.",
        field="codes",
    )
