"""The bench's figures: ratios point the right way, goals are judged, gaps stay gaps."""

from __future__ import annotations

import json
from pathlib import Path


def _figures() -> object:
    from bench.figures import Case, Figures

    figures = Figures()
    rate, delay = Case("rate", "1/s"), Case("delay", "ms", more_is_better=False)
    for value in (100.0, 300.0, 200.0):
        figures.add(rate, "Serment", value)
    for value in (50.0, 40.0, 60.0):
        figures.add(rate, "peer", value)
    figures.add(delay, "Serment", 4.0)
    figures.add(delay, "peer", 8.0)
    figures.add(Case("alone", "MB", more_is_better=False), "Serment", 120.0)
    figures.add(Case("missing", "1/s"), "peer", 9.0)
    return figures


def test_rows_follow_the_contract() -> None:
    from bench.figures import Figures, Goal, table

    figures = _figures()
    assert isinstance(figures, Figures)
    goals = [
        Goal("rate", "peer", 5),
        Goal("delay", "", 3),
        Goal("alone", "", 150),
        Goal("missing", "peer", 1),
    ]
    rows = {(row["case"], row["peer_name"]): row for row in figures.rows(goals)}
    rate = rows["rate", "peer"]
    assert (rate["serment"], rate["peer"], rate["ratio"]) == (200, 50, 4)
    assert rate["met"] is False
    assert rate["spread"] == {"Serment": [100, 300], "peer": [40, 60]}
    assert (rate["runs"], rate["unit"], rate["goal"]) == (3, "1/s", 5)
    assert rows["delay", "peer"]["ratio"] == 2
    assert rows["delay", ""]["met"] is False
    assert rows["alone", ""]["met"] is True
    assert rows["missing", "peer"]["met"] is None
    assert rows["missing", "peer"]["serment"] is None
    json.dumps(list(rows.values()))
    shown = table(list(rows.values()))
    assert shown.count("**missed**") == 2
    assert "| missing (1/s) | – | 9 | peer |" in shown


def test_every_goal_names_a_case_that_is_measured() -> None:
    from bench import measures
    from bench.figures import Case

    names = {case.name for case in vars(measures).values() if isinstance(case, Case)}
    assert {goal.case for goal in measures.GOALS} <= names
    assert len({(goal.case, goal.peer) for goal in measures.GOALS}) == len(measures.GOALS)


def test_the_bare_loop_writes_every_byte(tmp_path: Path) -> None:
    from bench import bare, samples

    slices = samples.small_studies(tmp_path / "small", 5)
    assert bare.append_and_sync(tmp_path / "out", slices, threads=2) > 0
    written = sum(path.stat().st_size for path in (tmp_path / "out").iterdir())
    assert written == sum(each.path.stat().st_size for each in slices)
    assert bare.flush_ms(tmp_path, times=3) > 0
