"""The ledger and its parts as JSON values and back, in no language: messages stay message ids."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from serment.core.exposure.coverage import Hosts, Looked
from serment.core.exposure.findings import (
    Confidence,
    Finding,
    Outside,
    Place,
    Readable,
    Severity,
    Unit,
    Way,
)
from serment.core.exposure.history import Acceptance, Known, Ledger, Made
from serment.core.exposure.sighting import Sighting
from serment.core.exposure.written_sighting import read_sighting, write_sighting
from serment.core.exposure.written_values import read_value, write_value
from serment.errors import N_, FormatError

VERSION = 1


def write_ledger(ledger: Ledger) -> dict[str, Any]:
    """Everything."""
    return {
        "version": VERSION,
        "known": [write_known(each) for each in ledger.known.values()],
        "accepted": [write_acceptance(each) for each in ledger.accepted.values()],
        "scans": [write_made(each) for each in ledger.scans],
        "seen": write_sighting(ledger.seen),
    }


def read_ledger(value: Any) -> Ledger:
    """Raises:
    FormatError: it is no ledger of this version.
    """
    try:
        if value["version"] != VERSION:
            raise ValueError
        known = [_read_known(each) for each in value["known"]]
        accepted = [read_acceptance(each) for each in value["accepted"]]
        return Ledger(
            {each.finding.key: each for each in known},
            {each.key: each for each in accepted},
            tuple(read_made(each) for each in value["scans"]),
            read_sighting(value["seen"]) if "seen" in value else Sighting(),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise unreadable() from error


def write_finding(finding: Finding) -> dict[str, Any]:
    """One finding."""
    readable = finding.readable
    return {
        "id": finding.id,
        "host": finding.place.host,
        "port": finding.place.port,
        "proto": finding.place.proto,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "title": finding.title,
        "remedy": finding.remedy,
        "evidence": finding.evidence,
        "values": write_value(finding.values),
        "readable": [readable.count, readable.capped, readable.unit.value] if readable else None,
        "outside": finding.outside.value,
        "cves": list(finding.cves),
        "reached_by": [list(each) for each in finding.reached_by],
    }


def read_finding(value: Any) -> Finding:
    """Raises:
    KeyError, TypeError, ValueError: it is none.
    """
    readable = value["readable"]
    return Finding(
        str(value["id"]),
        Place(str(value["host"]), int(value["port"]), str(value["proto"])),
        Severity(value["severity"]),
        Confidence(value["confidence"]),
        str(value["title"]),
        str(value["remedy"]),
        str(value["evidence"]),
        dict(read_value(value["values"])),
        Readable(int(readable[0]), bool(readable[1]), Unit(readable[2])) if readable else None,
        Outside(value["outside"]),
        tuple(map(str, value["cves"])),
        tuple(map(_read_way, value.get("reached_by", ()))),  # histories of before do not say
    )


def _read_way(value: Any) -> Way:
    """Histories of before say the port alone."""
    address, port = ("", value) if isinstance(value, int) else value
    return str(address), int(port)


def write_known(known: Known) -> dict[str, Any]:
    """One finding with its times."""
    times = {
        name: getattr(known, name) for name in ("first", "since", "seen", "gone", "not_before")
    }
    written = {name: time.isoformat() if time else None for name, time in times.items()}
    return {"finding": write_finding(known.finding), **written}


def write_acceptance(accepted: Acceptance) -> dict[str, Any]:
    """One acceptance."""
    return {
        "key": list(accepted.key),
        "who": accepted.who,
        "why": accepted.why,
        "until": accepted.until.isoformat(),
        "at": accepted.at.isoformat(),
    }


def read_acceptance(value: Any) -> Acceptance:
    """Raises:
    KeyError, TypeError, ValueError: it is none.
    """
    check, host, port = value["key"]
    return Acceptance(
        (str(check), str(host), int(port)),
        str(value["who"]),
        str(value["why"]),
        date.fromisoformat(value["until"]),
        datetime.fromisoformat(value["at"]),
    )


def write_made(made: Made) -> dict[str, Any]:
    """One audit that was made."""
    return {
        "at": made.at.isoformat(),
        "authorised_by": made.authorised_by,
        "addresses": made.addresses,
        "findings": made.findings,
        "networks": list(made.looked.networks),
        "ports": [list(each) for each in made.looked.ports],
        "only": list(made.looked.only),
        "skipped": [list(each) for each in made.looked.skipped],
        "answered": None if made.looked.answered is None else list(made.looked.answered),
        "unclear": _write_hosts(made.looked.unclear),
        "outside": _write_hosts(made.looked.outside),
        "settled": _write_hosts(made.looked.settled),
        "refused": _write_hosts(made.looked.refused),
        "names": [list(each) for each in made.looked.names],
        "resolved": _write_hosts(made.looked.resolved),
        "missed": _write_hosts(made.looked.missed),
    }


def read_made(value: Any) -> Made:
    """Raises:
    KeyError, TypeError, ValueError: it is none.
    """
    answered = value.get("answered")  # histories of before do not say
    looked = Looked(
        tuple(map(str, value["networks"])),
        tuple((int(low), int(high)) for low, high in value["ports"]),
        tuple(map(str, value["only"])),
        tuple((str(check), str(host)) for check, host in value["skipped"]),
        None if answered is None else tuple(map(str, answered)),
        unclear=_read_hosts(value.get("unclear", ())),
        outside=_read_hosts(value.get("outside", ())),
        settled=_read_hosts(value.get("settled", ())),
        refused=_read_hosts(value.get("refused", ())),
        names=tuple((str(host), str(name)) for host, name in value.get("names", ())),
        resolved=_read_hosts(value.get("resolved", ())),
        missed=_read_hosts(value.get("missed", ())),
    )
    return Made(
        datetime.fromisoformat(value["at"]),
        str(value["authorised_by"]),
        int(value["addresses"]),
        int(value["findings"]),
        looked,
    )


def _write_hosts(hosts: Hosts) -> list[Any]:
    return [[host, [list(each) for each in ranges]] for host, ranges in hosts]


def _read_hosts(value: Any) -> Hosts:
    return tuple(
        (str(host), tuple((int(low), int(high)) for low, high in ranges)) for host, ranges in value
    )


def unreadable() -> FormatError:
    """What a ledger that is none is answered with."""
    return FormatError(
        N_("the history of the audits cannot be read"),
        hint=N_("it was written by a newer Serment, or changed: run `serment doctor`"),
    )


def _read_known(value: Any) -> Known:
    times = {name: value[name] for name in ("first", "since", "seen", "gone", "not_before")}
    read = {name: datetime.fromisoformat(text) if text else None for name, text in times.items()}
    if read["first"] is None or read["since"] is None or read["seen"] is None:
        raise ValueError
    return Known(
        read_finding(value["finding"]),
        read["first"],
        read["since"],
        read["seen"],
        read["gone"],
        read["not_before"],
    )
