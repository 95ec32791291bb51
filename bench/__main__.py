"""`make bench`: Serment and its peers in turn, several times, as a table and as JSON.

make bench [JSON=FILE] [ARGS="--quick --only C-STORE"]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bench import audit, bare, measures, peers, samples, vault
from bench.clients import storescu
from bench.figures import SERMENT, Figures, table
from bench.measures import GOALS, Bench, Subject
from bench.peers import NODELAY

_BEGIN = time.monotonic()
HERE = Path(__file__).resolve().parent.parent


def main() -> int:
    options = _options()
    begin = time.monotonic()
    scratch = HERE / "var"
    scratch.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=scratch))
    try:
        report = _run(folder, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report["seconds"] = round(time.monotonic() - begin)
    print(f"\n{_heading(report)}\n\n{table(report['rows'])}\n")
    for what, why in report["absent"].items():
        print(f"not measured: {what}: {why}")
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", default=os.environ.get("JSON"), help="write the figures there")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--slices", type=int, default=300, help="CT slices of a C-STORE row")
    parser.add_argument("--studies", type=int, default=5000, help="studies searched")
    parser.add_argument("--opened", type=int, default=50_000, help="studies of an opening")
    parser.add_argument("--only", default="", help="cases that begin like this")
    parser.add_argument("--without", action="append", default=[], help="leave this subject out")
    parser.add_argument("--quick", action="store_true", help="one round, little data")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.slices, options.studies, options.opened = 1, 100, 300, 1000
    return options


def _run(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    figures = Figures()
    _say(f"making {options.slices} CT slices")
    *slices, first = samples.ct_slices(folder / "ct", options.slices + 1)
    subjects = [each for each in _subjects(folder, figures) if each.name not in options.without]
    bench = Bench(folder, subjects, figures, first, _say)
    figures.flushes["before"].append(bare.flush_ms(folder))
    for bench.turn in range(options.rounds):
        _say(f"round {bench.turn + 1} of {options.rounds}")
        _store(bench, slices, options.only)
    if _wanted(options.only, measures.LARGE.name):
        bench.large(samples.large_object(folder / "large.dcm", options.slices * 10_000_000 // 3))
        (folder / "large.dcm").unlink()
    if _wanted(options.only, "WADO-RS", "QIDO-RS"):
        _read(bench, slices, options)
    if _wanted(options.only, "scan"):
        _say("auditing a network")
        audit.scan(figures, folder, options.rounds)
    if _wanted(options.only, measures.OPENING.name):
        _say(f"filling a practice with {options.opened} studies")
        bench.opening(options.opened)
    return {
        "machine": bare.machine(),
        "date": datetime.now(UTC).date().isoformat(),
        "flush_ms": figures.flush_ms(),
        "opened_studies": options.opened,
        "rows": figures.rows((*GOALS, *audit.GOALS)),
        "absent": figures.absent,
    }


def _subjects(folder: Path, figures: Figures) -> list[Subject]:
    """Peers first and Serment between them, each started by its own command."""
    subjects = [
        Subject("Orthanc", peers.orthanc),
        Subject("storescp", peers.storescp, web=False),
        Subject("pynetdicom", peers.pynetdicom_storescp, web=False),
    ]
    try:
        template = vault.found(folder / "practice")
    except peers.Missing as missing:
        figures.absent[SERMENT] = str(missing)
        _say(f"not measured: {SERMENT} ({missing})")
        return subjects
    ours = Subject(
        SERMENT,
        partial(vault.serment, template),
        plain=partial(vault.serment_without_tls, template),
    )
    subjects.insert(1, ours)
    return subjects


def _store(bench: Bench, slices: list[samples.Sample], only: str) -> None:
    """The rows of receiving, subjects in turn within each."""
    no_switch: Mapping[str, str] = {}
    plan = (
        (measures.STOCK, slices[: max(50, len(slices) // 3)], 1, no_switch),
        (measures.ONE, slices, 1, NODELAY),
        (measures.FOUR, slices, 4, NODELAY),
    )
    for case, files, associations, switch in plan:
        if _wanted(only, case.name):
            bench.store(case, files, associations, switch)
    for case, together, tls in (
        (measures.STOW_10, 10, True),
        (measures.PLAIN_10, 10, False),
        (measures.STOW_50, 50, True),
        (measures.PLAIN_50, 50, False),
    ):
        if _wanted(only, case.name):
            bench.stow(case, slices, together, tls)


def _read(bench: Bench, slices: list[samples.Sample], options: argparse.Namespace) -> None:
    """Orthanc and Serment side by side, filled once, read in turn."""
    _say(f"making {options.studies} small studies")
    small = samples.small_studies(bench.folder / "small", options.studies)
    one_study = slices[: samples.SLICES_A_STUDY]
    readers = [each for each in bench.subjects if each.name in ("Orthanc", SERMENT)]
    with ExitStack() as stack:
        running = {}
        for subject in readers:
            with bench.attempt("reads", subject.name):
                folder = bench.folder / f"reads-{subject.name}"
                peer = stack.enter_context(subject.start(folder, NODELAY))
                _fill(peer, folder, [small, one_study])
                running[subject.name] = peer
        bench.read(running, one_study, options.rounds)


def _fill(peer: peers.Peer, folder: Path, groups: list[list[samples.Sample]]) -> None:
    """Send everything that reads and searches need, and open what must be opened."""
    begin = time.monotonic()
    for group in groups:
        storescu(peer, group, 1, NODELAY)
    _say(
        f"{peer.name} received {sum(map(len, groups))} objects in {time.monotonic() - begin:.0f} s"
    )
    begin = time.monotonic()
    if peer.name == SERMENT:
        vault.unlock(folder, peer)
    measures.wait_until_found(peer, groups[-1][0])
    _say(f"{peer.name} finds them after {time.monotonic() - begin:.0f} s")


def _wanted(only: str, *names: str) -> bool:
    """Whether `--only` asks for one of these cases (or does not choose)."""
    return any(name.startswith(only) or only.startswith(name) for name in names)


def _heading(report: Mapping[str, Any]) -> str:
    machine = json.dumps(report["machine"], ensure_ascii=False)
    return f"{report['date']}, {report['seconds']} s, flush {report['flush_ms']} ms, {machine}"


def _say(text: str) -> None:
    print(f"{time.monotonic() - _BEGIN:5.0f} s  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
