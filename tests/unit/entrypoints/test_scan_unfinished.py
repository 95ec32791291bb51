"""What `serment scan network` answers when the process that talks ended too early."""

from __future__ import annotations

import json

import pytest
from tests.unit.entrypoints.test_scan import BY, Commands, bad
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
