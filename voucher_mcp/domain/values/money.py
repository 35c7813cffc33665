"""Currencies, and amounts as a person reads them. Source: ISO 4217, list one, without funds and metals."""

from collections.abc import Mapping
from typing import Final

from voucher_mcp.domain.values.texts import counted

_TWO_DIGITS: Final = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
    "CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR "
    "MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD "
    "SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG "
    "YER ZAR ZMW ZWG"
)
_NO_DIGITS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DIGITS: Final = "BHD IQD JOD KWD LYD OMR TND"

MINOR_UNITS: Final[Mapping[str, int]] = {
    **dict.fromkeys(_TWO_DIGITS.split(), 2),
    **dict.fromkeys(_NO_DIGITS.split(), 0),
    **dict.fromkeys(_THREE_DIGITS.split(), 3),
}
"""How many digits of an amount stand behind the point, by currency."""


def worth(amount: int | None, points: int | None, currency: str) -> str:
    """An amount and points as a person reads them: `5.00 EUR and 3 points`; what is None is not there."""
    parts = [money(amount, currency)] if amount is not None else []
    parts += [counted(points, "point")] if points is not None else []
    return " and ".join(parts)


def in_both(amount: int, currency: str) -> str:
    """An amount for a person and for the agent that has to count with it: `5.00 EUR (500 minor units)`."""
    return f"{money(amount, currency)} ({counted(amount, 'minor unit')})"


def money(amount: int, currency: str) -> str:
    """An amount of minor units as a person reads it: 123450 is `1,234.50 EUR`, or `123,450 JPY`."""
    digits = MINOR_UNITS[currency]
    whole, rest = divmod(abs(amount), 10**digits)
    fraction = f".{rest:0{digits}}" if digits else ""
    return f"{'-' if amount < 0 else ''}{whole:,}{fraction} {currency}"
