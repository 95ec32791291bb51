"""A service of which nothing can be said is never good news: it is named where nothing else was found."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.exposure.sights import GOOD_TLS, HOST, NOW, OPEN_TLS, WELL_KEPT, scan, service

from serment.core.exposure.checking import View
from serment.core.exposure.picture import Way, picture_of, summed, told
from serment.core.exposure.registry import judge
from serment.core.exposure.report import Report, Say, as_json
from serment.core.exposure.sarif import as_sarif
from serment.core.exposure.seen import Answer, Database, Dicom, Files, Http, Scan, Service
from serment.core.exposure.unclear import BUSY, CUT, NAMED, SILENT, SPOKE, why_unclear


def say(message: str, values: object) -> str:
    return message.format(**dict(values))  # type: ignore[call-overload]


def audited(*services: Service) -> Report:
    seen = scan(*services)
    findings, skipped = judge(View(seen, ()), {"X06"})
    return Report(NOW, 1.0, seen, tuple(findings), tuple(skipped))


def left(report: Report) -> list[dict[str, str]]:
    speak: Say = say
    return as_json(report, speak)["not_checked"]  # type: ignore[no-any-return]


SPOKEN = service("unknown", 9999)
MUTE = service("silent", 7000, host="2001:db8::7")
PAGE = service("http", 80, Http(), host="192.168.1.9")


def test_each_service_that_was_not_understood_is_one_line() -> None:
    cut = replace(PAGE, cut=True)
    assert left(audited(SPOKEN, MUTE, cut)) == [
        {"check": "", "host": f"{HOST}:9999", "reason": SPOKE},
        {"check": "", "host": "[2001:db8::7]:7000", "reason": SILENT},
        {"check": "", "host": "192.168.1.9:80", "reason": CUT},
    ]
    assert left(audited(PAGE)) == []


def test_silence_that_was_cut_said_nothing() -> None:
    assert why_unclear(replace(MUTE, cut=True)) == SILENT
    assert why_unclear(replace(SPOKEN, cut=True)) == SPOKE


def test_nothing_is_left_to_ask_behind_tls_that_wants_a_certificate() -> None:
    assert why_unclear(service("tls", 2762, tls=OPEN_TLS)) == SPOKE
    assert why_unclear(service("tls", 2762, tls=GOOD_TLS)) == ""


def test_who_is_busy_says_so_once() -> None:
    busy = service("http", 81, Http(status=503))
    assert left(audited(busy)) == [{"check": "", "host": f"{HOST}:81", "reason": BUSY}]
    assert why_unclear(replace(busy, facts=Http(status=499))) == ""
    for facts, check in ((Database(Answer.NOTHING), "X18"), (Dicom(studies=Answer.NOTHING), "X01")):
        lines = judge(View(scan(service("redis", 6379, facts))), [check])[1]
        assert [each.check for each in lines] == [check]  # its own words are enough


def test_well_kept_services_are_clear() -> None:
    named = [each for each in WELL_KEPT if each.protocol not in ("unknown", "silent")]
    assert [each for each in named if why_unclear(each)] == []
    exported = Files(Answer.NOTHING, shares=1)  # X15 states it
    assert why_unclear(service("nfs", 2049, exported)) == ""


def test_many_are_counted_in_one_line() -> None:
    mute = [service("silent", 7000 + each) for each in range(NAMED + 1)]
    assert len(left(audited(*mute[:-1]))) == NAMED
    assert left(audited(SPOKEN, *mute)) == [
        {"check": "", "host": f"{HOST}:9999", "reason": SPOKE},
        {"check": "", "host": "", "reason": f"services that said nothing: {NAMED + 1}"},
    ]


def test_sarif_says_so_too() -> None:
    (run,) = as_sarif(audited(SPOKEN), say, "1", "en")["runs"]
    (noted,) = run["invocations"][0]["toolExecutionNotifications"]
    assert noted["descriptor"]["id"] == "service"
    assert noted["message"]["text"] == f"{HOST}:9999: {SPOKE}"


def test_in_the_picture_it_is_not_what_there_is_nothing_to_report_of() -> None:
    other = service("http", 8080, Http())  # of the same machine, understood
    drawn = picture_of(audited(SPOKEN, other, PAGE))
    assert [each.hosts for each in drawn.unclear] == [(HOST,)]
    assert [each.hosts for each in drawn.quiet] == [("192.168.1.9",)]
    lines = [each for each in told(drawn, say) if HOST in each]
    assert [each.endswith("Not understood") for each in lines] == [True]
    assert summed(drawn, say).endswith("Nothing to report: 1. Not understood: 1.")


def test_a_box_that_was_not_understood_says_so() -> None:
    page = service("http", 80, Http(application="box"), host="192.168.1.1")
    silent = service("silent", 5000, host="192.168.1.1")
    assert picture_of(audited(page, silent)).box.way is Way.UNCLEAR
    assert picture_of(audited(page)).box.way is Way.QUIET


def test_an_empty_network_has_none() -> None:
    assert picture_of(Report(NOW, 1.0, Scan(), (), ())).unclear == ()
