"""The report that is handed on: what the page and the paper say, where they are written, what they bear."""

from __future__ import annotations

import base64
import io
import json
import re
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest
from pypdf import PdfReader
from tests.unit.entrypoints import test_scan
from tests.unit.entrypoints.test_scan import BY, VAULT, Meanwhile
from tests.unit.exposure.sights import BAD, HOST, NOW, OPEN_FIND, scan, service

from serment.adapters.documents.typesetting import Typst
from serment.core.exposure.checking import View
from serment.core.exposure.findings import Outside, Place, Severity
from serment.core.exposure.outside import Looked, Sight, join
from serment.core.exposure.products import parse_flaws
from serment.core.exposure.registry import judge
from serment.core.exposure.report import Report
from serment.core.exposure.scope import Proof
from serment.core.exposure.seen import Gateway, Http, Mapping, Scan, Service
from serment.core.exposure.words import place_said
from serment.entrypoints.local.server import BODY_LIMIT
from serment.entrypoints.reports import handout
from serment.entrypoints.reports.handout import LABELS
from serment.entrypoints.reports.head import About, spans
from serment.entrypoints.reports.page import page
from serment.entrypoints.reports.paper import paper

FLAWS = parse_flaws(
    files("serment.core.exposure").joinpath("products.toml").read_text(encoding="utf-8")
)
HOSTILE = '<script>alert(1)</script>#panic("x")\x1b[31m\u202e*b*'
ABOUT = About("Cabinet du Dr Exemple", ("192.168.1.0/24",), FLAWS, version="1.2.3")


class Commands(test_scan.Commands):
    """With a typesetter; a request is no larger than the local socket lets through."""

    def typesetter(self) -> Typst:
        return Typst()

    def ask(self, vault: Path, request: object) -> object:
        assert len(json.dumps(dict(request.options))) < BODY_LIMIT  # type: ignore[attr-defined]
        return super().ask(vault, request)  # type: ignore[arg-type]


def commands(*names: str) -> Commands:
    return Commands([each for name in names for each in BAD[name][0].services])


def audited(seen: Scan, **more: object) -> Report:
    findings, skipped = judge(View(seen, FLAWS))
    by = {"authorised_by": "Dr Camille Exemple", "addresses": 254, **more}
    return Report(NOW, 47.3, seen, tuple(findings), tuple(skipped), **by)  # type: ignore[arg-type]


def everything() -> Report:
    """Every finding there is, each on a machine of its own."""
    services: list[Service] = []
    for number, (seen, _) in enumerate(BAD.values()):
        for each in seen.services:
            host = each.place.host if ":" in each.place.host else f"192.168.1.{number + 20}"
            services.append(replace(each, place=replace(each.place, host=host)))
    return audited(scan(*services, dmz=True, outside_by=("questions",)))


def many(count: int) -> Report:
    report = everything()
    stated = report.findings
    found = (
        replace(stated[n % len(stated)], place=Place(f"10.0.{n // 250}.{n % 250}", 80, ""))
        for n in range(count)
    )
    return replace(
        report, findings=tuple(sorted(found, key=lambda each: list(Severity).index(each.severity)))
    )


class Text(HTMLParser):
    """What a page says, the addresses it names, and the elements it has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.policy = ""
        self.style = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.addresses += [
            value or "" for name, value in attrs if name in ("src", "href", "action")
        ]
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "style" and not self.style:
            self.style = data
        else:
            self.words.append(data)

    @property
    def said(self) -> str:
        return re.sub(r"[ \n]+", " ", " ".join(self.words))  # no-break spaces stay


def read(report: Report, lang: str = "en", about: About = ABOUT) -> Text:
    return Text(page(report, about, lang).decode())


def on_paper(pdf: bytes) -> str:
    pages = (each.extract_text() for each in PdfReader(io.BytesIO(pdf)).pages)
    return " ".join(" ".join(pages).split())


def test_files_are_written_for_their_owner_and_replace_nothing_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at, on = tmp_path / "a.html", tmp_path / "b.PDF"
    words = ("network", HOST, *BY, "--report", str(at), "--report", str(on))
    assert commands("X01").run(*words, "--practice", "Cabinet Lefèvre") == 1
    assert "Report written: " in capsys.readouterr().err
    for path in (at, on):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "Cabinet Lefèvre" in at.read_text("utf-8")
    assert on.read_bytes().startswith(b"%PDF")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.html", "b.PDF"]
    before = at.read_bytes()
    again = commands("X17")
    assert again.run(*words) == 9
    assert not again.network.orders  # refused before the first packet
    assert at.read_bytes() == before
    assert commands("X17").run(*words, "--force") == 1
    assert at.read_bytes() != before


def test_an_ending_that_tells_no_form_is_refused_before_the_audit(tmp_path: Path) -> None:
    asked = commands("X01")
    assert asked.run("network", HOST, *BY, "--report", str(tmp_path / "report.doc")) == 2
    assert asked.run("network", HOST, *BY, "--report", str(tmp_path / "no" / "a.html")) == 10
    assert asked.network.orders == []


@pytest.mark.parametrize("option", ["--report", "--sarif"])
def test_an_audit_whose_file_cannot_be_written_is_still_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """Its folder was there when the audit began, and went while it was made."""
    folder = tmp_path / "key"

    def audited(*more: str) -> int:
        folder.mkdir()
        asked = commands("X01")
        asked.network = Meanwhile(asked.network.services, then=folder.rmdir)
        return asked.run("network", HOST, *BY, option, str(folder / "a.html"), *more)

    assert audited("--json") == 10
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert [each["id"] for each in told["findings"]] == ["X01", "X06"]
    assert told["error"]["kind"] == "unavailable"
    assert audited() == 10
    said = capsys.readouterr()
    assert "Critical  X01" in said.out
    assert "cannot be written" in said.err


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    (tmp_path / "a.html").symlink_to(other)
    (tmp_path / "b.html.part").symlink_to(other)
    assert commands("X01").run("network", HOST, *BY, "--report", str(tmp_path / "a.html")) == 9
    assert commands("X01").run("network", HOST, *BY, "--report", str(tmp_path / "b.html")) == 1
    assert not other.exists()


def test_the_history_makes_the_same_report(tmp_path: Path) -> None:
    asked = commands("X01", "X22")
    now, kept = tmp_path / "now.html", tmp_path / "kept.html"
    assert asked.run("history", *VAULT, "--report", str(kept)) == 8
    asked.run("network", HOST, *BY, *VAULT, "--report", str(now))
    asked.clock.advance(86400)
    assert asked.run("history", *VAULT, "--report", str(kept)) == 0
    assert re.sub(r">\d+ s<", "><", kept.read_text()) == re.sub(r">\d+ s<", "><", now.read_text())
    assert "Open since 22\xa0November 2026" in kept.read_text()
    assert asked.run("history", *VAULT, "--report", str(kept)) == 9
    assert asked.run("history", *VAULT, "--report", str(kept), "--force") == 0
    asked.run("history", *VAULT, "--report", str(tmp_path / "kept.pdf"))
    assert "192.168.1.20:11112" in on_paper((tmp_path / "kept.pdf").read_bytes())


def test_seventeen_hundred_findings_are_kept_and_written(tmp_path: Path) -> None:
    services = [
        replace(each, place=Place(f"10.0.{n // 200}.{n % 200 + 1}", 8080, "http"))
        for n in range(1700)
        for each in BAD["X20"][0].services
    ]
    asked = Commands(services)
    words = ("10.0.0.0/20", "--large", *BY, *VAULT)
    path = tmp_path / "all.html"
    assert asked.run("network", *words, "--report", str(path)) == 1
    assert asked.run("history", *VAULT, "--json") == 0
    said = Text(path.read_text()).said
    assert said.count("Medical records exchange") < 60
    for n in range(1700):
        assert f"10.0.{n // 200}.{n % 200 + 1}:8080" in said


def test_a_page_brings_its_own_policy_and_asks_nobody() -> None:
    html = page(everything(), ABOUT, "fr").decode()
    text = Text(html)
    assert not text.addresses
    assert not {"script", "link", "img", "iframe", "form", "object"} & set(text.tags)
    digest = base64.b64encode(sha256(text.style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in text.policy
    assert text.policy.startswith("default-src 'none'; ")
    assert " style=" not in html
    assert "http://" not in text.said + text.style
    assert "url(" not in text.style


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_everything_is_said_on_the_page_and_on_paper(lang: str) -> None:
    report = everything()
    words = read(report, lang).said
    sheet = on_paper(paper(Typst(), report, ABOUT, lang))
    say = handout.saying(lang)
    for finding in report.findings:
        for message in (finding.title, finding.remedy):
            assert say(message, {}) in words
        assert place_said(finding.place) in sheet.replace(" ", "")
        assert say(finding.evidence, finding.values) in words
        assert finding.id in sheet
        assert all(each in words for each in finding.cves)
    assert ("lue le" if lang == "fr" else "read on") in words
    unused = {"none", "all_checked", "more", "severity", "finding", "place", "since", "where"}
    for name in set(LABELS) - unused:
        assert say(LABELS[name], {}) in words, name
    assert "Dr Camille Exemple" in words
    assert "(192.168.1.0-255)" in words


def test_without_a_look_from_outside_it_never_says_closed() -> None:
    text = read(audited(scan(service("dicom", 11112, OPEN_FIND)))).said
    assert "View from outside not checked from outside" in text
    assert "Nobody looked from outside" in text
    assert "closed" not in text.replace("What to close", "").replace("close its port", "")


def test_the_helper_outside_and_the_proof_are_named() -> None:
    seen = join(
        scan(service("dicom", 11112, OPEN_FIND), swept=True),
        [Sight("203.0.113.9", 11112, True)],
        "peer",
    )
    looked = Looked("Paris", "203.0.113.9", sights=(Sight("203.0.113.9", 11112, True),))
    proof = Proof("203.0.113.9", 4430, "Paris", NOW)
    text = read(audited(seen, proved=("203.0.113.9",), proofs=(proof,), looked=looked)).said
    assert "a helper outside that dialled back; Paris tried 1 ports of 203.0.113.9" in text
    assert "203.0.113.9: our own listener on port 4430 gave a fresh token to Paris" in text
    assert "Open to the whole Internet: 192.168.1.20." in text
    assert "within 72 hours" in text
    assert "Reached from outside" in text


def test_the_summary_counts_patients_once() -> None:
    two = [
        service("dicom", 11112, OPEN_FIND),
        service("dicom", 104, OPEN_FIND),
        service("dicom", 104, OPEN_FIND, host="192.168.1.21"),
    ]
    text = read(audited(scan(*two))).said
    assert "can read the data of at least 50 patients (192.168.1.20, 192.168.1.21)." in text


def test_a_quiet_practice_reads_so() -> None:
    text = read(
        audited(scan(service("http", 80, Http())), authorised_by="", addresses=1), "fr"
    ).said
    assert "Rien à signaler parmi ce qui a été vérifié." in text
    assert "Personne n’a regardé de l’extérieur" in text
    assert "personne\xa0: cette machine seulement" in text
    assert "1 adresse (" in text
    assert "Votre box ouvre ce service à tout Internet\u202f?" in text


def test_since_when_and_who_answers_for_it() -> None:
    report = audited(scan(service("dicom", 11112, OPEN_FIND)))
    key = report.findings[0].key
    accepted = {"who": "Dr B", "until": "2026-12-31", "why": "moves in March"}
    about = replace(ABOUT, since={key: NOW - timedelta(days=30)}, accepted={key: accepted})
    text = read(report, about=about).said
    assert "Open since 23\xa0October 2026" in text
    assert "Accepted by Dr B until 31\xa0December 2026: moves in March" in text


def test_what_a_peer_calls_itself_is_only_text() -> None:
    hostile = service("dicom", 11112, OPEN_FIND, product=HOSTILE, version="1.0")
    box = service("http", 80, Http(application="box"), host="192.168.1.1", product=HOSTILE)
    report = replace(audited(scan(hostile, box)), authorised_by=HOSTILE)
    about = replace(ABOUT, practice=HOSTILE, networks=(HOSTILE,))
    html = page(report, about, "en").decode()
    assert "<script" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html
    sheet = on_paper(paper(Typst(), report, about, "en"))
    assert '#panic("x")' in sheet
    assert "<script>alert(1)</script>" in sheet.replace(" ", "")


def test_far_too_many_findings_are_counted() -> None:
    some = many(handout.CARDS + handout.ROWS + 7)
    data = handout.handout(some, ABOUT, "en")
    assert (len(data["cards"]), len(data["rows"])) == (handout.CARDS, handout.ROWS)
    assert data["unlisted"] == "7 more are not written here."
    assert len(data["first"]) <= 40
    assert all(len(each["places"]) < 400 for each in data["first"])


def test_what_outside_said_stands_on_each_card() -> None:
    report = everything()
    outsides = [*Outside]
    turned = tuple(replace(each, outside=outsides[n % 4]) for n, each in enumerate(report.findings))
    data = handout.handout(replace(report, findings=turned), ABOUT, "en")
    assert {each["outside"] for each in data["cards"]} == {
        "Reached from outside",
        "Not checked from outside",
        "Tried from outside: closed",
        "Shared address, not checked",
    }


def test_what_was_looked_at_is_named_as_people_do() -> None:
    assert spans(["192.168.1.1/32", "192.168.1.2/31", "10.0.0.7/32"]) == [
        "10.0.0.7",
        "192.168.1.1-3",
    ]
    assert spans(["10.0.0.0/22", "fd00::1/128", "fd00::2/128"]) == [
        "10.0.0.0-10.0.3.255",
        "fd00::1-fd00::2",
    ]
    assert spans([HOSTILE]) == [HOSTILE]


def test_a_forwarding_to_what_can_be_read_may_be_a_breach() -> None:
    led = Gateway((Mapping(104, HOST, 11112, "TCP"),))
    seen = scan(service("dicom", 11112, OPEN_FIND), service("igd", 80, led, host="192.168.1.1"))
    text = read(audited(seen)).said
    assert "Open to the whole Internet: 192.168.1.20." in text
    assert "within 72 hours" in text
    assert "within 72 hours" not in read(audited(scan(service("dicom", 11112, OPEN_FIND)))).said


def test_times_are_the_readers() -> None:
    report = replace(everything(), at=datetime(2026, 11, 1, 12, 0, tzinfo=UTC))
    assert "1er\xa0novembre 2026" in read(report, "fr").said
