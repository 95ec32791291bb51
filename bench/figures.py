"""The figures of a run: what was measured of whom, which goals they meet, as a table and as JSON.

Decides nothing about how they are measured. A ratio above 1 always means that Serment is better.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SERMENT = "Serment"
BARE = "bare append and sync"  # a loop that writes the same bytes, each synced before the next
SLOW_FLUSH_MS = 1.0  # from here on the disk, not the program, decides what one association reaches


@dataclass(frozen=True)
class Case:
    """One thing that is measured. Of rates more is better, of times and sizes less."""

    name: str
    unit: str
    more_is_better: bool = True


@dataclass(frozen=True)
class Goal:
    """What Serment should reach: a ratio to a peer, or a figure of its own (peer "").

    `bare`: the share of the bare loop that is enough instead; None: nothing else is. `slow_only`:
    only where one flush takes more than a millisecond.
    """

    case: str
    peer: str
    value: float
    bare: float | None = None
    slow_only: bool = False


@dataclass
class Figures:
    """Every measured value, by case and subject, in the order in which they came."""

    cases: dict[str, Case] = field(default_factory=dict)
    values: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    flushes: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # ms
    absent: dict[str, str] = field(default_factory=dict)  # what, of whom: why it was not measured

    def add(self, case: Case, subject: str, value: float) -> None:
        self.cases[case.name] = case
        self.values[case.name, subject].append(value)

    def median(self, case: str, subject: str) -> float | None:
        values = self.values.get((case, subject))
        return statistics.median(values) if values else None

    def flush_ms(self, case: str | None = None) -> float | None:
        """The median of what one flush took while that case, or any, was measured."""
        found = [
            ms for name, values in self.flushes.items() for ms in values if case in (None, name)
        ]
        return round(statistics.median(found), 3) if found else None

    def peers(self, case: str) -> list[str]:
        return [who for name, who in self.values if name == case and who != SERMENT]

    def rows(self, goals: Iterable[Goal]) -> list[dict[str, Any]]:
        """One row for each case and peer, as the contract for scripts says; a peer that a goal
        names has its row also where it was not measured."""
        wanted = {(goal.case, goal.peer): goal for goal in goals}
        rows = []
        for case in self.cases.values():
            measured = self.peers(case.name)
            named = [peer for name, peer in wanted if name == case.name]
            peers = [*measured, *(peer for peer in named if peer and peer not in measured)]
            if "" in named or not peers:
                peers.insert(0, "")
            rows += [self._row(case, peer, wanted.get((case.name, peer))) for peer in peers]
        return rows

    def _row(self, case: Case, peer: str, goal: Goal | None) -> dict[str, Any]:
        own, other = self.median(case.name, SERMENT), self.median(case.name, peer)
        ratio, bare = _ratio(case, own, other), _ratio(case, own, self.median(case.name, BARE))
        flush = self.flush_ms(case.name)
        return {
            "case": case.name,
            "serment": _rounded(own),
            "peer": _rounded(other),
            "peer_name": peer,
            "ratio": ratio,
            "goal": goal.value if goal else None,
            **_judged(case, own, ratio, bare, flush, goal),
            "unit": case.unit,
            "runs": len(self.values.get((case.name, peer or SERMENT), ())),
            "bare": bare,
            "flush_ms": flush,
            "spread": {
                who: [_rounded(min(values)), _rounded(max(values))]
                for who in (SERMENT, peer)
                if (values := self.values.get((case.name, who)))
            },
        }


def _ratio(case: Case, own: float | None, other: float | None) -> float | None:
    if not own or not other:
        return None
    return round(own / other if case.more_is_better else other / own, 3)


def _judged(
    case: Case,
    own: float | None,
    ratio: float | None,
    bare: float | None,
    flush_ms: float | None,
    goal: Goal | None,
) -> dict[str, Any]:
    """Whether the goal is reached, None where there is none or nothing to compare; and by what."""
    if goal is None or own is None or (goal.peer and ratio is None):
        return {"met": None, "met_by": ""}
    if goal.peer:
        assert ratio is not None
        reached = ratio >= goal.value
    else:
        reached = own >= goal.value if case.more_is_better else own <= goal.value
    if reached:
        return {"met": True, "met_by": "goal"}
    counts = not goal.slow_only or (flush_ms or 0) > SLOW_FLUSH_MS
    if goal.bare is not None and counts and bare is not None and bare >= goal.bare:
        return {"met": True, "met_by": "bare loop"}
    return {"met": False, "met_by": ""}


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows for people, as Markdown."""
    lines = [
        "| case | Serment | peer | | ratio | goal | |",
        "|---|---:|---:|---|---:|---:|---|",
    ]
    for row in rows:
        ours, theirs = _shown(row["serment"]), _shown(row["peer"]) if row["peer_name"] else ""
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        goal = "" if row["goal"] is None else f"{row['goal']:g}"
        lines.append(
            f"| {row['case']} ({row['unit']}) | {ours} | {theirs} | {row['peer_name']} "
            f"| {ratio} | {goal} | {_verdict(row)} |"
        )
    return "\n".join(lines)


def _verdict(row: Mapping[str, Any]) -> str:
    if row["met"] is None:
        return "" if row["goal"] is None else "not measured"
    if row["met_by"] == "bare loop":
        return f"met: {row['bare']:.2f} of the bare loop, a flush takes {row['flush_ms']:.2g} ms"
    return "met" if row["met"] else "**missed**"


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}" if value >= 10_000 else f"{value:,.4g}"
