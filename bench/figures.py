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


@dataclass(frozen=True)
class Case:
    """One thing that is measured. Of rates more is better, of times and sizes less."""

    name: str
    unit: str
    more_is_better: bool = True


@dataclass(frozen=True)
class Goal:
    """What Serment should reach: a ratio to a peer, or a figure of its own (peer "")."""

    case: str
    peer: str
    value: float


@dataclass
class Figures:
    """Every measured value, by case and subject, in the order in which they came."""

    cases: dict[str, Case] = field(default_factory=dict)
    values: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    absent: dict[str, str] = field(default_factory=dict)  # subject: why it was not measured

    def add(self, case: Case, subject: str, value: float) -> None:
        self.cases[case.name] = case
        self.values[case.name, subject].append(value)

    def median(self, case: str, subject: str) -> float | None:
        values = self.values.get((case, subject))
        return statistics.median(values) if values else None

    def peers(self, case: str) -> list[str]:
        return [who for name, who in self.values if name == case and who != SERMENT]

    def rows(self, goals: Iterable[Goal]) -> list[dict[str, Any]]:
        """One row for each case and peer, as the contract for scripts says."""
        wanted = {(goal.case, goal.peer): goal.value for goal in goals}
        rows = []
        for case in self.cases.values():
            peers = self.peers(case.name)
            own_goal = wanted.get((case.name, ""))
            if own_goal is not None or not peers:
                rows.append(self._row(case, "", own_goal))
            rows += [self._row(case, peer, wanted.get((case.name, peer))) for peer in peers]
        return rows

    def _row(self, case: Case, peer: str, goal: float | None) -> dict[str, Any]:
        own, other = self.median(case.name, SERMENT), self.median(case.name, peer)
        ratio = None
        if own and other:
            ratio = round(own / other if case.more_is_better else other / own, 3)
        return {
            "case": case.name,
            "serment": _rounded(own),
            "peer": _rounded(other),
            "peer_name": peer,
            "ratio": ratio,
            "goal": goal,
            "met": _met(case, own, ratio, goal, alone=not peer),
            "unit": case.unit,
            "runs": len(self.values.get((case.name, peer or SERMENT), ())),
            "spread": {
                who: [_rounded(min(values)), _rounded(max(values))]
                for who in (SERMENT, peer)
                if (values := self.values.get((case.name, who)))
            },
        }


def _met(
    case: Case, own: float | None, ratio: float | None, goal: float | None, *, alone: bool
) -> bool | None:
    """Whether the goal is reached; None where there is no goal or nothing to compare."""
    if goal is None:
        return None
    if not alone:
        return None if ratio is None else ratio >= goal
    if own is None:
        return None
    return own >= goal if case.more_is_better else own <= goal


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows for people, as Markdown."""
    lines = [
        "| case | Serment | peer | | ratio | goal | |",
        "|---|---:|---:|---|---:|---:|---|",
    ]
    for row in rows:
        met = {True: "met", False: "**missed**", None: ""}[row["met"]]
        ours, theirs = _shown(row["serment"]), _shown(row["peer"])
        unit = row["unit"]
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        goal = "" if row["goal"] is None else f"{row['goal']:g}"
        lines.append(
            f"| {row['case']} ({unit}) | {ours} | {theirs} | {row['peer_name']} "
            f"| {ratio} | {goal} | {met} |"
        )
    return "\n".join(lines)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}".replace(",", " ")
