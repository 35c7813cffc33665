"""The `voucher` of create_voucher_pool: the service that the new Mews voucher is for, its type and rates."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from voucher_mcp.backends.mews.client.account import Account
from voucher_mcp.backends.mews.client.client import Fields
from voucher_mcp.backends.mews.mapping.ids import is_id, lowered
from voucher_mcp.backends.mews.mapping.objects import is_active, text
from voucher_mcp.domain.errors import Forbidden, InvalidInput, Unauthorized, quoted
from voucher_mcp.domain.vouchers.pool import check_name

TYPES = ("Public", "PartnerCompany", "TravelAgency")
MAX_NAME_LENGTH = 128
MAX_RATES = 10
"""Both from the documents, as are the types."""

_KEYS = ("service_id", "type", "company_id", "assigned_rate_ids")


def checked_name(name: str) -> str:
    """A name that Mews takes and that can be told apart.

    Raises:
        InvalidInput: it is too long, or one that nobody could type.
    """
    check_name(name)
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidInput(
            f"On Mews a pool's name has at most {MAX_NAME_LENGTH} characters; this one has {len(name)}.",
            field="name",
        )
    return name


async def parameters(account: Account, name: str, template: Mapping[str, Any] | None) -> Fields:
    """The voucher to be added, without its ExternalIdentifier.

    Raises:
        InvalidInput: the template has an unknown field or a wrong value, or lacks what is needed.
    """
    given = {key: value for key, value in (template or {}).items() if value not in (None, "", [])}
    for key in given:
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"On Mews it has {', '.join(_KEYS)}."
            raise _wrong("", f"has the unknown field {quoted(key)}. {hint}")
    kind = _type(given.get("type", TYPES[0]))
    company = given.get("company_id")
    if company is None and kind != TYPES[0]:
        raise _wrong("company_id", f"is needed for the type {kind}")
    rates = given.get("assigned_rate_ids", [])
    if not isinstance(rates, list) or len(rates) > MAX_RATES:
        raise _wrong("assigned_rate_ids", f"must be a list of at most {MAX_RATES} ids of rates")
    fields: Fields = {
        "ServiceId": await _service(account, given.get("service_id")),
        "Name": checked_name(name),
        "Type": kind,
    }
    if company is not None:
        fields["CompanyId"] = _id(company, "company_id")
    if rates:
        fields["AssignedRateIds"] = [
            _id(rate, "assigned_rate_ids") for rate in dict.fromkeys(lowered(str(rate)) for rate in rates)
        ]
    return fields


async def enterprise_of(account: Account, service_id: str) -> str | None:
    """Whose service it is: a portfolio token has to say so. None where the token may not ask."""
    if account.project.enterprise_id:
        return account.project.enterprise_id
    try:
        services = {service["Id"]: service for service in await account.services()}
    except (Forbidden, Unauthorized):
        return None
    return text(services.get(service_id, {}), "EnterpriseId")


async def _service(account: Account, given: object) -> str:
    """The service that was given, or the only one."""
    if account.project.service_ids:
        known = await account.service_ids()
        shown = ", ".join(map(quoted, known[:10]))
    else:
        services = [service for service in await account.services(fresh=True) if is_active(service)]
        known = [service["Id"] for service in services]
        shown = ", ".join(f"{s['Id']} ({quoted(text(s, 'Name') or '')})" for s in services[:10])
    if given is None and len(known) == 1:
        return known[0]
    if isinstance(given, str) and lowered(given) in known:
        return lowered(given)
    if not known:
        raise _wrong("service_id", "is needed, but Mews shows no service to this project")
    need = "is needed, as there are several services" if given is None else "must be one of the services"
    raise _wrong("service_id", f"{need}: {shown}")


def _type(given: object) -> str:
    for kind in TYPES:
        if isinstance(given, str) and given.casefold() == kind.casefold():
            return kind
    raise _wrong("type", f"must be one of {', '.join(TYPES)} on Mews; got {quoted(given)}")


def _id(value: object, name: str) -> str:
    if not isinstance(value, str) or not is_id(value):
        raise _wrong(
            name, f"must be an id of Mews such as 3fa85f64-5717-4562-b3fc-2c963f66afa6; got {quoted(value)}"
        )
    return lowered(value)


def _wrong(name: str, why: str) -> InvalidInput:
    field = f"voucher.{name}" if name else "voucher"
    return InvalidInput(f"`{field}` {why}{'' if why.endswith(('.', '?')) else '.'}", field=field)
