"""What stands on the picture of the practice: who is reached how, who is drawn, who is only counted."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

import pytest
from tests.unit.exposure.sights import BAD, HOST, NOW, OPEN_FIND, scan, service

from serment.core.exposure.checking import View
from serment.core.exposure.findings import Confidence, Finding, Outside, Place, Severity
from serment.core.exposure.machines import Forwarding, Machine, kind_of, machines_of
from serment.core.exposure.outside import Sight, join
from serment.core.exposure.picture import MOST, Picture, Way, picture, picture_of, told
from serment.core.exposure.products import parse_flaws
from serment.core.exposure.registry import CHECKS, judge
from serment.core.exposure.report import Report
from serment.core.exposure.seen import Answer, Files, Gateway, Http, Mapping, Scan
from serment.core.exposure.words import Kind

FLAWS = parse_flaws(
    files("serment.core.exposure").joinpath("products.toml").read_text(encoding="utf-8")
)


def say(message: str, values: object) -> str:
    return message.format(**dict(values))  # type: ignore[call-overload]


def audited(seen: Scan) -> Report:
    findings, skipped = judge(View(seen, FLAWS))
    return Report(NOW, 1.0, seen, tuple(findings), tuple(skipped))


def finding(host: str, severity: Severity, outside: Outside = Outside.NOT_CHECKED) -> Finding:
    check = CHECKS["X06"]
    place = Place(host, 104, "dicom")
    return Finding(
        "X06", place, severity, Confidence.CONFIRMED, check.title, check.remedy, "", outside=outside
    )


def ways(drawn: Picture) -> dict[str, Way]:
    return {each.machine.host: each.way for each in drawn.spots}


OPEN_NODE = scan(service("dicom", 11112, OPEN_FIND))
ASKED = replace(OPEN_NODE, swept=True, dmz=False, manual_rules=False)
BOX = service("igd", 5000, Gateway((Mapping(104, HOST, 11112, "TCP", "<b>x"),)), host="192.168.1.1")


@pytest.mark.parametrize(
    ("seen", "way", "internet"),
    [
        (OPEN_NODE, Way.UNKNOWN, Way.UNKNOWN),
        (replace(OPEN_NODE, services=(*OPEN_NODE.services, BOX)), Way.FORWARDED, Way.FORWARDED),
        (join(ASKED, [Sight("203.0.113.9", 11112, True)], "peer"), Way.OUTSIDE, Way.OUTSIDE),
        (join(ASKED, [Sight("203.0.113.9", 11112, False)], "peer"), Way.INSIDE, Way.INSIDE),
        (join(OPEN_NODE, [], "peer", shared=True), Way.UNKNOWN, Way.UNKNOWN),
    ],
    ids=["not checked", "forwarded", "reached", "closed", "shared"],
)
def test_how_a_machine_is_reached(seen: Scan, way: Way, internet: Way) -> None:
    drawn = picture_of(audited(seen))
    assert ways(drawn) == {HOST: way}
    assert drawn.outside is internet
    assert drawn.spots[0].is_open


def test_nothing_is_never_drawn_as_closed_when_nobody_looked() -> None:
    assert picture([]).outside is Way.UNKNOWN
    assert picture([], looked=True).outside is Way.INSIDE
    assert "not checked from outside" in told(picture([]), say)[0]


def test_dmz_mode_opens_the_box_though_nothing_was_reached() -> None:
    drawn = picture_of(audited(scan(service("http", 80, Http()), dmz=True)))
    assert (drawn.box.way, drawn.outside) == (Way.FORWARDED, Way.FORWARDED)
    assert drawn.box.findings[0].id == "X23"


def test_what_is_said_of_the_box_stands_at_the_box_that_was_seen() -> None:
    page = service("http", 80, Http(application="box"), host="192.168.1.1")
    drawn = picture_of(audited(scan(page, dmz=True)))
    assert drawn.box.machine.host == "192.168.1.1"
    assert "X23" in {each.id for each in drawn.box.findings}
    assert not drawn.spots


def test_a_forwarding_to_a_machine_that_is_off_is_still_drawn() -> None:
    drawn = picture([], [], [Forwarding(443, "192.168.1.77", 443)])
    assert ways(drawn) == {"192.168.1.77": Way.FORWARDED}
    assert drawn.outside_ports == (443,)


def test_a_remark_draws_no_red_line() -> None:
    drawn = picture([finding(HOST, Severity.LOW)])
    assert [each.is_open for each in drawn.spots] == [False]
    assert drawn.outside is Way.UNKNOWN


def test_many_machines_are_counted_not_lost() -> None:
    worst = [finding(f"10.0.0.{n}", Severity.HIGH) for n in range(40)]
    reached = finding("10.0.9.9", Severity.HIGH, Outside.CONFIRMED)
    quiet = [Machine(f"10.0.1.{n}", Kind.PRINTER) for n in range(200)]
    drawn = picture([*worst, reached], quiet)
    assert len(drawn.spots) == MOST
    assert drawn.spots[0].machine.host == "10.0.9.9"
    assert drawn.rest == ((Severity.HIGH, 41 - MOST),)
    assert [(each.kind, len(each.hosts)) for each in drawn.quiet] == [(Kind.PRINTER, 200)]
    assert len(told(drawn, say)) == 2 + MOST + 1 + 1


def test_a_machine_is_what_its_weightiest_service_tells() -> None:
    seen = scan(
        service("ssh", 22),
        service("smb", 445, Files(anonymous=Answer.YES)),
        service("http", 8042, Http(application="orthanc"), product="Orthanc\x1b[31m"),
        service("printer", 9100, host="192.168.1.9"),
    )
    printer, archive = machines_of(seen)
    assert (archive.kind, archive.product) == (Kind.ARCHIVE, "Orthanc[31m")
    assert printer.kind is Kind.PRINTER
    assert kind_of(service("smb", 445, Files(shares=2))) is Kind.SHARE


@pytest.mark.parametrize("name", BAD)
def test_every_finding_is_told(name: str) -> None:
    report = audited(BAD[name][0])
    sentences = " ".join(told(picture_of(report), say))
    assert name in {each.id for each in report.findings}
    for each in report.findings:
        assert each.title in sentences
