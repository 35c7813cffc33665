"""Adding codes: each with its own fate, none twice."""

from collections.abc import Collection, Mapping, Sequence

from voucher_mcp.backends.http.reply import unknown_outcome
from voucher_mcp.backends.mews.client.account import Account
from voucher_mcp.backends.mews.client.batches import in_batches
from voucher_mcp.backends.mews.client.client import Fields
from voucher_mcp.backends.mews.client.settling import settled
from voucher_mcp.backends.mews.client.walking import WALK_REQUESTS
from voucher_mcp.backends.mews.mapping.objects import Object, Pool, is_active, key_of, moment, objects, text
from voucher_mcp.backends.mews.mapping.windows import CLOCK_ERROR, pieces, utc
from voucher_mcp.domain.answer import Answer
from voucher_mcp.domain.errors import Conflict, InvalidInput, OutcomeUnknown, VoucherError
from voucher_mcp.domain.values.times import now
from voucher_mcp.domain.vouchers.pool import BadCode, CodeFate, Generation, NewCode
from voucher_mcp.domain.write import Write

MAX_GENERATED = 5_000
"""Codes that one call generates on Mews (ours): ten requests or so, which fit into a call's 50 s."""
GENERATED_SHOWN = 100
ROUNDS = 20
"""How often codes that turned out taken are made again (ours)."""
SPARE = 100
"""So many are tried then, however few are missing: one look tells of all of them."""

SETTLED_BY = "list_voucher_codes of the pool (the newest codes come first)"


def require_possible(codes: Sequence[NewCode | BadCode] | Generation) -> None:
    """Refuse what one call could not do.

    Raises:
        InvalidInput: too many codes to generate.
    """
    if isinstance(codes, Generation) and codes.count > MAX_GENERATED:
        raise InvalidInput(
            f"`generate.count` is at most {MAX_GENERATED:,} on Mews, which takes 1,000 codes a request.",
            field="generate.count",
        )


async def choose(account: Account, codes: Sequence[NewCode | BadCode] | Generation) -> "Chosen":
    """What is to be added once codes that active ones have already are left out; reads only.

    Raises:
        InvalidInput: nearly all codes of the form to generate are taken.
        Conflict: whether some exist already cannot be told.
    """
    if isinstance(codes, Generation):
        made = [NewCode(value) for value in await _fresh(account, codes)]
        return Chosen(made, {}, shown=GENERATED_SHOWN, shape=codes.config.shape)
    existing = await account.active_codes(_values(codes))
    return Chosen(codes, dict.fromkeys(existing))


async def choose_missing(
    account: Account, write: Write, pool: Pool, codes: Sequence[NewCode | BadCode]
) -> "Chosen":
    """What a try whose answer was lost has not added: what the pool has now is that try's work, unless it
    is older.

    Raises:
        OutcomeUnknown: whether it has them cannot be told, Mews is still adding them, or some were added and
            deleted since.
    """
    values = _values(codes)

    async def look() -> tuple[Mapping[str, Object], Mapping[str, Object]]:
        there = await account.active_codes(values, pool.id)
        return there, await account.active_codes([value for value in values if value not in there])

    try:
        there, elsewhere = await settled(look, lambda found: len(found[0]) + len(found[1]) == len(values))
    except Conflict as error:
        start = "An earlier try lost its answer, and not all codes of the pool could be looked through"
        raise unknown_outcome(start, SETTLED_BY, error.request_id) from error
    missing = set(values).difference(there, elsewhere)
    if missing and not missing.isdisjoint(await _deleted_since(account, pool, write.begun)):
        start = "An earlier try lost its answer, and some of its codes were deleted since it began"
        raise unknown_outcome(start, SETTLED_BY)
    older = {value for value, code in there.items() if _is_older(code, write.begun)}
    added = {value: text(code, "Id") for value, code in there.items() if value not in older}
    return Chosen(codes, older.union(elsewhere), added)


class Chosen:
    """Codes that were asked for, and which of them are to be added."""

    def __init__(
        self,
        codes: Sequence[NewCode | BadCode],
        taken: Collection[str],
        there: Mapping[str, str | None] | None = None,
        shown: int | None = None,
        shape: str | None = None,
    ) -> None:
        """`taken` are texts that exist already, `there` those that an earlier try has added, with ids;
        `shape` is the form of random codes."""
        self._codes = codes
        self._taken = taken
        self._added: dict[str, str | None] = dict(there or {})
        self._shown = shown
        self._shape = shape
        self.wanted: dict[str, NewCode] = {}
        for code in codes:
            if isinstance(code, NewCode) and code.value not in taken and code.value not in self._added:
                self.wanted.setdefault(code.value, code)

    def pretend(self) -> Answer[list[CodeFate]]:
        """The answer if all were added; their ids nobody knows yet."""
        self._added |= dict.fromkeys(self.wanted)
        answer = self.answer()
        for fate in answer.data:
            if fate["result"] == "added":
                fate["result"] = "would_add"
                fate["code"] = self._shape or fate["code"]
        return answer

    async def write(self, account: Account, write: Write, pool: Pool) -> Answer[list[CodeFate]]:
        """Add them.

        Raises:
            VoucherError: `applied` says whether a part was added.
        """

        async def look(batch: Sequence[str]) -> Mapping[str, str | None]:
            found = await account.active_codes(batch, pool.id)
            return {value: text(code, "Id") for value, code in found.items()}

        async def send(batch: Sequence[str]) -> Mapping[str, str | None]:
            answer = await account.client.write(
                write,
                "voucherCodes/add",
                {"VoucherCodeParameters": [_parameters(pool, self.wanted[value]) for value in batch]},
                enterprise=pool.enterprise_id,
                settled_by=SETTLED_BY,
            )
            added = {key_of(c): text(c, "Id") for c in objects(answer.get("VoucherCodes")) if is_active(c)}
            if all(value in added for value in batch):
                return {value: added[value] for value in batch}
            try:  # the documents do not say that an answer names all of them
                return await look(batch)
            except VoucherError as error:
                start = "Mews took the codes but did not show all of them"
                raise unknown_outcome(start, SETTLED_BY, error.request_id) from error

        self._added |= await in_batches(list(self.wanted), send, look, "added", recovering=write.recovering)
        return self.answer()

    def answer(self) -> Answer[list[CodeFate]]:
        """Each code's fate in the order of asking, with the counts beside them."""
        fates = self._fates()
        added = sum(fate["result"] == "added" for fate in fates)
        return Answer(fates[: self._shown], {"added": added, "rejected": len(fates) - added})

    def _fates(self) -> list[CodeFate]:
        fates: list[CodeFate] = []
        seen: set[str] = set()
        for code in self._codes:
            if isinstance(code, BadCode):
                fates.append(_rejected(code.value, "invalid", code.reason))
            elif code.value in seen:
                fates.append(_rejected(code.value, "duplicate", "this call has the code twice"))
            elif code.value in self._added:
                identity = self._added[code.value]
                fates.append({"code": code.value, "id": identity, "result": "added", "error": None})
            elif code.value in self._taken:
                fates.append(_rejected(code.value, "duplicate", "this code exists already"))
            else:
                fates.append(_rejected(code.value, "invalid", "Mews did not keep this code and said no more"))
            seen.add(code.value)
        return fates


def all_there(codes: Sequence[Object]) -> Chosen:
    """What an earlier try has generated, all of it."""
    made = {key_of(code): text(code, "Id") for code in codes if is_active(code)}
    return Chosen([NewCode(value) for value in made], (), made, GENERATED_SHOWN)


def undecided() -> OutcomeUnknown:
    """Generated codes are new with each try, so that nothing shows which of a pool's codes are its own."""
    return OutcomeUnknown(
        "An earlier call with this idempotency_key lost its answer, and which codes it generated cannot be "
        f"told. This call wrote nothing. Compare {SETTLED_BY}, and call with a new key for what is missing."
    )


async def _fresh(account: Account, generation: Generation) -> list[str]:
    """So many random codes that no active code has."""
    fresh: dict[str, None] = {}
    tried = generation.count
    for _ in range(ROUNDS):
        made = [value for value in generation.config.generate(tried) if value not in fresh]
        taken = await account.active_codes(made)
        fresh |= dict.fromkeys(value for value in made if value not in taken)
        if len(fresh) >= generation.count:
            return list(fresh)[: generation.count]
        missing = generation.count - len(fresh)
        tried = min(max(missing, SPARE), generation.config.space() // 2)
    raise InvalidInput(
        f"Nearly all codes of this form are taken: {len(fresh):,} of {generation.count:,} could be made. "
        "Ask for a longer length or another pattern, prefix or postfix.",
        field="generate",
    )


async def _deleted_since(account: Account, pool: Pool, begun: int) -> set[str]:
    """The texts of the pool's codes that were deleted since that moment.

    Raises:
        OutcomeUnknown: they are too many to be looked through.
    """
    windows = pieces(begun - CLOCK_ERROR, now() + CLOCK_ERROR, WALK_REQUESTS) or ()
    walk = account.walk_changed(pool.id, windows)
    gone = {key_of(code) for code in await walk.all() if not is_active(code)}
    if not windows or not walk.whole:
        raise unknown_outcome(
            "An earlier try lost its answer, and not all that was deleted since could be seen", SETTLED_BY
        )
    return gone


def _is_older(code: Object, begun: int) -> bool:
    """Whether it was surely there before that moment."""
    made = moment(code, "CreatedUtc")
    return made is not None and made < begun - CLOCK_ERROR


def _parameters(pool: Pool, code: NewCode) -> Fields:
    given: Fields = {"VoucherId": pool.id, "Value": code.value}
    if code.valid_from is not None:
        given["ValidityStartUtc"] = utc(code.valid_from)
    if code.valid_until is not None:
        given["ValidityEndUtc"] = utc(code.valid_until)
    return given


def _values(codes: Sequence[NewCode | BadCode]) -> list[str]:
    return list(dict.fromkeys(code.value for code in codes if isinstance(code, NewCode)))


def _rejected(value: str, result: str, error: str) -> CodeFate:
    return {"code": value, "id": None, "result": result, "error": error}  # type: ignore[typeddict-item]
