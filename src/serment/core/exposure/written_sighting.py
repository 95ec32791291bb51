"""What the last audits saw as a JSON value and back."""

from __future__ import annotations

from typing import Any

from serment.core.exposure.findings import NotChecked, Place
from serment.core.exposure.seen import Facts, Files, Gateway, Http, Mapping, Service, Tls
from serment.core.exposure.sighting import Sighting
from serment.core.exposure.written_values import read_value, write_value


def write_sighting(seen: Sighting) -> dict[str, Any]:
    """What the last audits saw."""
    return {
        "services": [_write_service(each) for each in seen.services],
        "dmz": seen.dmz,
        "manual_rules": seen.manual_rules,
        "outside_by": list(seen.outside_by),
        "not_checked": [
            [each.check, each.host, each.reason, write_value(each.values)]
            for each in seen.not_checked
        ],
        "proved": list(seen.proved),
        "seconds": seen.seconds,
        "shared": seen.shared,
        "ended": seen.ended,
    }


def read_sighting(value: Any) -> Sighting:
    """Raises:
    KeyError, TypeError, ValueError: it is none.
    """
    return Sighting(
        tuple(_read_service(each) for each in value["services"]),
        _yes_or_no(value["dmz"]),
        _yes_or_no(value["manual_rules"]),
        tuple(map(str, value["outside_by"])),
        tuple(
            NotChecked(str(check), str(host), str(reason), dict(read_value(values)))
            for check, host, reason, values in value["not_checked"]
        ),
        tuple(map(str, value["proved"])),
        float(value["seconds"]),
        bool(value.get("shared", False)),  # histories of before do not say
        bool(value.get("ended", False)),
    )


def _write_service(service: Service) -> list[Any]:
    place, tls = service.place, service.tls is not None
    what = [service.protocol, service.product, service.version]
    return [place.host, place.port, place.proto, *what, tls, service.cut, _facts(service.facts)]


def _read_service(value: Any) -> Service:
    host, port, proto, protocol, product, version, tls, cut, facts = value
    return Service(
        Place(str(host), int(port), str(proto)),
        str(protocol),
        str(product),
        str(version),
        tls=Tls() if tls else None,
        facts=_read_facts(facts),
        cut=bool(cut),
    )


def _facts(facts: Facts) -> Any:
    match facts:
        case Http():
            return {"application": facts.application}
        case Files():
            return {"shares": facts.shares}
        case Gateway():
            ways = facts.mappings
            return {"ways": [[e.outside_port, e.host, e.port, e.protocol] for e in ways]}
    return None


def _read_facts(value: Any) -> Facts:
    match value:
        case {"application": str(application)}:
            return Http(application=application)
        case {"shares": int(shares)}:
            return Files(shares=shares)
        case {"ways": list(ways)}:
            return Gateway(
                tuple(
                    Mapping(int(out), str(host), int(port), str(p)) for out, host, port, p in ways
                )
            )
    return None


def _yes_or_no(value: Any) -> bool | None:
    return None if value is None else bool(value)
