"""What `serment scan network` answers when the process that talks ended too early."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.entrypoints.test_scan import BY, VAULT, Commands, bad
from tests.unit.entrypoints.test_scan_report import Commands as FullCommands
from tests.unit.entrypoints.test_scan_report import Text
from tests.unit.exposure.sights import HOST

from serment.core.exposure.findings import Place
from serment.core.exposure.seen import Missed

MISSED = Missed((Place(HOST), Place(HOST, 8080)), ended=True)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "SERMENT_VAULT"):
        monkeypatch.delenv(name, raising=False)


def audited(commands: Commands, missed: Missed) -> int:
    commands.network.missed = missed
    return commands.run("network", HOST, *BY, "--json")


def test_findings_until_then_are_findings(capsys: pytest.CaptureFixture[str]) -> None:
    assert audited(bad("X01"), MISSED) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["findings"][0]["id"] == "X01"
    assert {"check": "", "host": f"{HOST}:8080"}.items() <= told["not_checked"][-1].items()


def test_nothing_found_until_then_is_no_good_news() -> None:
    assert audited(Commands(), MISSED) == 3


def test_a_line_that_was_dropped_leaves_the_audit_finished() -> None:
    assert audited(Commands(), Missed(dropped=1)) == 0


def test_nor_is_it_in_the_report_of_the_history(tmp_path: Path) -> None:
    commands, page = FullCommands(), tmp_path / "a.html"
    commands.network.missed = MISSED
    assert commands.run("network", HOST, *BY, *VAULT) == 3
    assert commands.run("history", *VAULT, "--report", str(page)) == 0
    assert "The audit ended too early" in Text(page.read_text()).said
    assert '"brief brief-warn"' in page.read_text()


def test_what_was_not_asked_any_more_is_not_told_as_switched_off(
    capsys: pytest.CaptureFixture[str],
) -> None:
    commands = bad("X18")
    assert commands.run("network", *BY, *VAULT, "127.0.0.9") == 1
    commands.network.services = ()
    commands.network.missed = Missed((Place("127.0.0.9"), Place("127.0.0.9", 5432)), ended=True)
    capsys.readouterr()
    assert commands.run("network", *BY, *VAULT, "127.0.0.9") == 1
    said = capsys.readouterr().out
    assert "nothing answers at that address" not in said
    assert "X18" in said
