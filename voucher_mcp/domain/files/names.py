"""What the headings of columns mean: the names that are known, and those that make one doubt.

A name is known whatever its case, and whatever stands between its words and around them. What looks like a
date, a status or a use and is not known is never taken for mere metadata (ours).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from voucher_mcp.domain.values.texts import composed

Kind = Literal[
    "code", "valid_from", "valid_until", "status", "metadata", "ignore", "active", "used", "held", "balance"
]

CODE: Final = frozenset(
    {
        *("code", "codes", "coupon code", "coupon codes", "couponcode", "voucher code", "voucher codes"),
        *("vouchercode", "promo code", "promo codes", "promocode", "promotion code", "discount code"),
        *("discount codes", "gift code", "gift card code", "gift card number", "card code", "card number"),
        *("redemption code", "unique code", "gutscheincode", "gutscheincodes", "gutschein code"),
        *("gutscheinnummer", "rabattcode", "rabattcodes", "aktionscode", "promotioncode", "kartennummer"),
        *("code promo", "code promotionnel", "code de réduction", "code cadeau", "código", "codigo"),
        *("código promocional", "código de cupón", "codice", "codice sconto", "codice promozionale"),
        *("kortingscode", "kod", "kod rabatowy", "kód", "slevový kód", "kód poukazu"),
    }
)
VALID_FROM: Final = frozenset(
    {
        *("valid from", "valid since", "starts at", "starts on", "starts", "start date", "startdate"),
        *("begins at", "begin date", "active from", "gültig ab", "gültig von", "gueltig ab", "startdatum"),
    }
)
VALID_UNTIL: Final = frozenset(
    {
        *("valid until", "valid to", "valid till", "valid through", "valid thru", "ends at", "ends on"),
        *("ends", "end date", "enddate", "expires", "expires at", "expires on", "expire date", "expired at"),
        *("expiration", "expiration date", "expiry", "expiry date", "expirydate", "active until"),
        *("gültig bis", "gueltig bis", "ablaufdatum", "enddatum", "verfallsdatum", "date d expiration"),
    }
)
STATUS: Final = frozenset({"status", "code status", "coupon status", "voucher status"})
METADATA: Final = frozenset({"metadata"})
ACTIVE: Final = frozenset({"active", "enabled", "is active", "aktiv"})
USED: Final = frozenset({"redeemed quantity", "redeemed amount", "redeemed time", "redeemed at"})
HELD: Final = frozenset({"assigned time", "assigned at", "customer id", "holder id"})
BALANCE: Final = frozenset({"balance"})

KINDS: Final[Mapping[Kind, frozenset[str]]] = {
    "code": CODE,
    "valid_from": VALID_FROM,
    "valid_until": VALID_UNTIL,
    "status": STATUS,
    "metadata": METADATA,
    "active": ACTIVE,
    "used": USED,
    "held": HELD,
    "balance": BALANCE,
}

_DATES = frozenset(
    [
        "date",
        "dates",
        "datum",
        "day",
        "time",
        "timestamp",
        "valid",
        "validity",
        "until",
        "till",
        "expire",
        "expires",
        "expired",
        "expiry",
        "expiration",
        "start",
        "starts",
        "begin",
        "begins",
        "end",
        "ends",
        "deadline",
        "created",
        "updated",
        "modified",
        "gültig",
        "gültigkeit",
        "gueltig",
        "ablauf",
        "verfall",
        "at",
    ]
)
_STATES = frozenset(
    [
        "status",
        "state",
        "states",
        "zustand",
        "active",
        "aktiv",
        "inactive",
        "enabled",
        "disabled",
        "deactivated",
    ]
)
_USES = frozenset(
    [
        "used",
        "use",
        "uses",
        "usage",
        "unused",
        "usages",
        "redeemed",
        "redemption",
        "redemptions",
        "redeemable",
        "assigned",
        "claimed",
        "spent",
        "balance",
        "remaining",
        "left",
        "available",
        "availability",
        "blocked",
        "cancelled",
        "canceled",
        "voided",
        "void",
        "refunded",
        "reserved",
        "eingelöst",
        "benutzt",
        "verwendet",
        "gesperrt",
        "guthaben",
        "restwert",
        "einlösungen",
        *("eingeloest", "verbraucht", "vergeben", "ausgegeben", "verkauft", "sold", "issued", "given"),
        *("utilisé", "utilisée", "utilisés", "utilisées", "usado", "usados", "canjeado", "usato", "usati"),
        *("riscattato", "gebruikt", "ingewisseld", "rest", "restbetrag", "restguthaben", "saldo", "solde"),
        *("kontostand", "offen", "reste", "restant"),
    ]
)
_LOOKS: Final = (("a date", _DATES), ("a status", _STATES), ("a use", _USES))

_WORDS_OF_HEADINGS = frozenset(
    [
        "code",
        "codes",
        "coupon",
        "coupons",
        "voucher",
        "vouchers",
        "gutschein",
        "gutscheine",
        "gutscheincode",
        "promo",
        "promotion",
        "rabatt",
        "rabattcode",
        "card",
        "karte",
        "serial",
        "serials",
        "number",
        "numbers",
        "nummer",
        "nr",
        "no",
        "id",
        "ids",
        "key",
        "keys",
        "pin",
        "list",
        "liste",
        "name",
        "value",
        "wert",
    ]
)

_DATE = re.compile(
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d\d)|"
    r"\d{1,2}[-. ]+[^\W\d_]{3,9}[-., ]+(\d{4}|\d\d)|[^\W\d_]{3,9}\.? \d{1,2},? \d{4})([T ]\d{1,2}:\d\d.*)?"
)
_STATE = re.compile(
    "available|assigned|redeemed|used|unused|active|inactive|enabled|disabled|expired|blocked|valid|invalid|"
    "claimed|pending|cancell?ed|void(ed)?|issued|sold|spent|aktiv|inaktiv|eingelöst|gültig|ungültig",
    re.IGNORECASE,
)

_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])")
_BETWEEN = re.compile(r"[\W_]+")


def spelled(heading: str) -> str:
    """A heading in the one spelling that is compared: `Valid_Until`, `validUntil:` are `valid until`."""
    return _BETWEEN.sub(" ", _CAMEL.sub(" ", composed(heading))).strip().casefold()


def kind_of(heading: str) -> Kind | None:
    """What a column of that heading is; None where its name is not known."""
    name = spelled(heading)
    return next((kind for kind, names in KINDS.items() if name in names), None)


def doubt_of(heading: str, cells: Iterable[str]) -> str | None:
    """What a column of an unknown name looks like, by its name or by its cells: a date, a status or a use."""
    words = frozenset(spelled(heading).split())
    by_name = next((look for look, names in _LOOKS if words & names), None)
    if by_name is not None:
        return by_name
    filled = [cell for cell in map(str.strip, cells) if cell]
    if _mostly(_DATE, filled):
        return "a date"
    return "a status" if _mostly(_STATE, filled) else None


def _mostly(form: re.Pattern[str], cells: Sequence[str]) -> bool:
    """Whether half of them or more have that form: people write `open` among dates."""
    return 0 < len(cells) <= 2 * sum(form.fullmatch(cell) is not None for cell in cells)


def is_heading(first: str, others: Sequence[str]) -> bool:
    """Whether the first line of a list of codes reads like its heading: by its words, or because it is words
    where all others are not."""
    words = spelled(first).split()
    if any(character.isdigit() for character in first):
        return (
            len(words) > 1 and words[0] in _WORDS_OF_HEADINGS and bool(others) and not _alike(first, others)
        )
    if _WORDS_OF_HEADINGS & set(words) or spelled(first) in CODE:
        return True
    return bool(others) and not _alike(first, others)


def _alike(first: str, others: Sequence[str]) -> bool:
    """Whether some other code has blanks or small letters too, if the first one has."""
    blank = " " not in first or any(" " in other for other in others)
    small = first.upper() == first or any(other.upper() != other for other in others)
    return blank and small
