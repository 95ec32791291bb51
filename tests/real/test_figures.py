"""The bench's figures: ratios point the right way, goals are judged, gaps stay gaps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


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


def test_a_peer_that_a_goal_names_has_its_row_even_where_it_is_missing() -> None:
    from bench.figures import Case, Figures, Goal, table

    figures = Figures()
    figures.add(Case("rate", "1/s"), "Serment", 200.0)
    (row,) = figures.rows([Goal("rate", "peer", 5)])
    assert (row["peer_name"], row["peer"], row["ratio"], row["met"]) == ("peer", None, None, None)
    assert "not measured" in table([row])


@pytest.mark.parametrize(
    ("peer", "bare", "flush", "slow_only", "met", "by"),
    [
        (300.0, 1000.0, 0.2, False, True, "goal"),  # 0.67 of the peer
        (400.0, 230.0, 0.2, False, True, "bare loop"),  # 0.5 of it, but 0.87 of what is possible
        (400.0, 300.0, 0.2, False, False, ""),  # 0.67 of what is possible
        (400.0, 230.0, 4.0, True, True, "bare loop"),
        (400.0, 230.0, 0.2, True, False, ""),  # the disk is quick: it is no excuse
        (400.0, None, 4.0, True, False, ""),
    ],
)
def test_the_bare_loop_counts_where_it_is_the_lower_yardstick(
    peer: float, bare: float | None, flush: float, slow_only: bool, met: bool, by: str
) -> None:
    from bench.figures import BARE, Case, Figures, Goal, table

    figures, case = Figures(), Case("rate", "1/s")
    for subject, value in (("Serment", 200.0), ("peer", peer), (BARE, bare)):
        if value is not None:
            figures.add(case, subject, value)
    figures.flushes["rate"] += [flush]
    rows = figures.rows([Goal("rate", "peer", 0.6, 0.8, slow_only)])
    (row,) = [row for row in rows if row["peer_name"] == "peer"]
    assert (row["met"], row["met_by"], row["flush_ms"]) == (met, by, flush)
    assert ("of the bare loop" in table(rows)) is (by == "bare loop")
    for other in rows:
        assert other is row or other["met"] is None  # the loop itself is no goal


def test_every_subject_comes_first_in_turn(tmp_path: Path) -> None:
    from bench.figures import Figures
    from bench.measures import Bench, Subject
    from bench.peers import orthanc, storescp
    from bench.samples import Sample

    both = [Subject("A", orthanc), Subject("B", storescp)]
    bench = Bench(tmp_path, both, Figures(), Sample(tmp_path, "", "", ""), print)
    orders = []
    for bench.turn in range(3):
        orders.append("".join(subject.name for subject in bench.order()))
    assert orders == ["AB", "BA", "AB"]


def test_the_flush_of_a_case_is_its_own(tmp_path: Path) -> None:
    from bench.figures import Figures

    figures = Figures()
    assert figures.flush_ms() is None
    figures.flushes["a"] += [1.0, 3.0, 2.0]
    figures.flushes["b"] += [9.0]
    assert (figures.flush_ms("a"), figures.flush_ms("b"), figures.flush_ms()) == (2, 9, 2.5)


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


def test_the_large_object_is_one_that_can_be_read(tmp_path: Path) -> None:
    from bench import samples
    from pydicom import dcmread

    made = samples.large_object(tmp_path / "large.dcm", 3 << 20)
    dataset = dcmread(made.path)
    assert dataset.SOPInstanceUID == made.instance
    assert dataset.pixel_array.shape == (3, 1024, 1024)
    assert dataset.pixel_array[2, 5, 7] == 2


def test_an_opening_is_measured_from_scratch_and_from_the_snapshot(tmp_path: Path) -> None:
    from bench.figures import Figures
    from bench.measures import FIRST_OPENING, OPENING, Bench
    from bench.samples import Sample

    figures = Figures()
    Bench(tmp_path, [], figures, Sample(tmp_path, "", "", ""), print).opening(20)
    assert not figures.absent
    assert len(figures.values[FIRST_OPENING.name, "Serment"]) == 1
    assert len(figures.values[OPENING.name, "Serment"]) == 2
