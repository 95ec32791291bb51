"""Machines that mean no good, audited together as a practice would: bounded in memory, told as what
they are, and nothing of what they say harms who reads the report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.network.hostile import KINDS
from tests.lan.lan import Lan
from tests.lan.parts import Machine, Part, Planted, Seen
from tests.lan.programs import keys

PART = Part(7)
HOSTILE = Path(__file__).parents[1] / "e2e" / "network" / "hostile.py"
PAGES = Path(__file__).with_name("pages.py")
EVIL_NAME = "\x1b[31m<script>" + "x" * 40
SPEAKING = {"evil_banner": 21, "evil_ssh": 22, "evil_page": 80, "evil_certificate": 443}
PORT = 5678
ACCEPTED = ("X02", "X03", "X06")  # it did accept that offer
STATED = {
    "endless_association": ACCEPTED,
    "silent_after_accept": ACCEPTED,
    "evil_banner": ("X14",),
}
MARKUP = "<script>alert"


def kind_of(name: str) -> Planted:
    def build(machine: Machine) -> None:
        port = SPEAKING.get(name, PORT)
        given = {name: (machine.host, port)}
        machine.python(port, HOSTILE, json.dumps(given))

    return Planted(name, {SPEAKING.get(name, PORT): STATED.get(name, ())}, build, (), {}, False)


PART.machines.update({name: kind_of(name) for name in KINDS})


@PART.machine({443: ()})
def evil_certificate(machine: Machine) -> None:
    cert, key = keys(machine, EVIL_NAME)
    page = {"/": {"body": "<title>Cabinet</title>"}}
    site = {"host": machine.host, "port": 443, "pages": page}
    given = [{**site, "certificate": str(cert), "key": str(key)}]
    machine.python(443, PAGES, machine.write("site.json", json.dumps(given)))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "report.html"


@pytest.fixture(scope="module")
def seen(lan: Lan, report: Path) -> Iterator[Seen]:
    options = ("--report", str(report), "--sarif", str(report.with_suffix(".sarif")))
    part = Part(PART.number, options, PART.machines)
    with lan.audited(part) as found:
        yield found


@pytest.fixture(scope="module")
def shown(lan: Lan, seen: Seen) -> str:
    hosts = [seen.hosts[name] for name in SPEAKING]
    ports = ",".join(map(str, SPEAKING.values()))
    return lan.shown("scan", "network", *hosts, "--ports", ports, "--authorised-by", "Dr Fictif")


@pytest.mark.parametrize("name", PART.machines)
def test_nothing_is_made_up(seen: Seen, name: str) -> None:
    seen.check(name)


def test_memory_stays_bounded(seen: Seen) -> None:
    assert seen.peak_kib < 150 * 1024


def test_nobody_is_led_astray(seen: Seen) -> None:
    assert seen.service("elsewhere", PORT)["protocol"] == "http"
    assert seen.service("redirect_loop", PORT)["protocol"] == "http"


@pytest.mark.parametrize(
    ("name", "protocol"),
    [("evil_banner", "ftp"), ("evil_page", "http"), ("evil_certificate", "http")],
)
def test_who_speaks_strangely_is_told(seen: Seen, name: str, protocol: str) -> None:
    assert seen.service(name, SPEAKING[name])["protocol"] == protocol


def test_a_terminal_is_not_led_by_what_they_say(shown: str) -> None:
    assert "ftp" in shown.lower()
    assert not set(shown) & {"\x1b", "\x07", "\x9b", "\u202e"}


def test_a_report_holds_no_markup_of_theirs(seen: Seen, report: Path) -> None:
    text = report.read_text()
    assert seen.hosts["evil_page"] in text
    assert MARKUP not in text
    assert not set(text) & {"\x1b", "\x07", "\x9b", "\u202e"}


def test_json_and_sarif_hold_no_escape_sequence(seen: Seen, report: Path) -> None:
    for said in (seen.said, json.loads(report.with_suffix(".sarif").read_text())):
        text = json.dumps(said, ensure_ascii=False)
        assert "\\u001b" not in text
        assert not set(text) & {"\x07", "\x9b", "\u202e"}
