"""Where an audit could not look it does not reassure: services it did not understand, an address that is
shared, and the history's answer, which has the form of the audit's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.entrypoints.test_scan import BY, VAULT, english  # noqa: F401 (each test's language)
from tests.unit.entrypoints.test_scan_report import Commands, Text, commands, on_paper
from tests.unit.exposure.sights import HOST, service

from serment.core.exposure.written import read_finding, write_finding

PEER = ("--peer", "colleague")
DIALLED = "a helper outside that dialled back"
SHARED = "shared address, not checked"
CARRIER = "100.64.0.9"  # RFC 6598


def test_a_service_that_was_not_understood_is_named_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, paper = tmp_path / "a.html", tmp_path / "a.pdf"
    asked = Commands([service("unknown", 4242), service("silent", 7000)])
    words = ("network", HOST, *BY, "--report", str(page), "--report", str(paper))
    assert asked.run(*words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"  {HOST}:4242  spoke, was not understood" in lines
    assert f"  {HOST}:7000  said nothing" in lines
    for said in (Text(page.read_text()).said, on_paper(paper.read_bytes())):
        said = " ".join(said.split())
        assert f"{HOST}:4242" in said
        assert "spoke, was not understood" in said
        assert "said nothing" in said
        assert "Not understood" in said
        assert f"{HOST}: Nothing to report" not in said
    assert f"{HOST}: Not understood" in Text(page.read_text()).said
    assert ">Not understood</text>" in page.read_text()
    assert ">Nothing to report</text>" not in page.read_text()


def test_nobody_looked_at_an_address_that_is_shared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, page = commands("X01"), tmp_path / "a.html"
    asked.helpers.address = CARRIER
    assert asked.run("network", HOST, *BY, *PEER, *VAULT, "--json") == 1
    outside = json.loads(capsys.readouterr().out)["outside"]
    assert (outside["by"], outside["said"], outside["peer"]["shared"]) == ([], SHARED, True)
    asked.run("network", HOST, *BY, *PEER)
    said = capsys.readouterr().out
    assert f"View from outside: {SHARED}" in said
    assert DIALLED not in said
    assert asked.run("history", *VAULT, "--report", str(page)) == 0
    assert f"View from outside {SHARED}" in Text(page.read_text()).said
    assert DIALLED not in page.read_text()


def test_the_history_counts_as_the_audit_does(capsys: pytest.CaptureFixture[str]) -> None:
    asked = commands("X01")
    asked.run("network", HOST, *BY, *VAULT, "--json")
    stated = json.loads(capsys.readouterr().out)["findings"]
    asked.run("history", *VAULT, "--json")
    kept = json.loads(capsys.readouterr().out)["findings"]
    assert stated[0]["readable"] == {"count": 50, "capped": True, "unit": "patients"}
    times = {"first", "since", "seen", "gone", "not_before"}
    assert [{k: v for k, v in each.items() if k not in times} for each in kept] == stated
    assert times <= set(kept[0])


def test_what_was_kept_before_is_read() -> None:
    kept = {
        "id": "X01", "host": HOST, "port": 104, "proto": "dicom", "severity": "high",
        "confidence": "confirmed", "title": "t", "remedy": "r", "evidence": "e", "values": {},
        "readable": [4, False, "patients"], "outside": "not_checked", "cves": [],
    }  # fmt: skip
    found = read_finding(kept)
    assert found.readable is not None
    assert (found.readable.count, found.readable.capped) == (4, False)
    assert read_finding(write_finding(found)) == found


def test_what_was_open_before_and_not_seen_again_keeps_a_report_from_reading_well(
    tmp_path: Path,
) -> None:
    page, paper = tmp_path / "a.html", tmp_path / "a.pdf"
    asked, host = commands("X18"), "127.0.0.9"
    files = ("--report", str(page), "--report", str(paper))
    assert asked.run("network", host, *BY, *VAULT) == 1
    asked.network.off = frozenset({host})
    assert asked.run("network", host, *BY, *VAULT, *files) == 1
    for said in (Text(page.read_text()).said, on_paper(paper.read_bytes())):
        said = " ".join(said.split())
        assert "neither seen again nor found closed: 1. Look again when" in said
        assert "Nothing to report among" not in said
        assert "nothing answers at that address now: it stays open" in said
    assert '"brief brief-warn"' in page.read_text()
