"""What becomes of an audit: kept in the vault's history, held against a baseline, written as SARIF.

Decides too whether there is anything to report: what is new against a baseline, and what nobody has
accepted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from serment import __version__
from serment.app.find.history import made_of
from serment.app.find.network import Prepared
from serment.core.exposure.coverage import Key
from serment.core.exposure.findings import NotChecked
from serment.core.exposure.packed import pack
from serment.core.exposure.report import Report, Say
from serment.core.exposure.sarif import as_sarif
from serment.core.exposure.sighting import sighting
from serment.core.exposure.written import read_ledger, write_finding, write_made
from serment.core.exposure.written_sighting import write_sighting
from serment.entrypoints.cli import asking
from serment.entrypoints.cli.files import put
from serment.entrypoints.cli.world import Context
from serment.entrypoints.desk.request import Request
from serment.errors import SermentError


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known beside the audit itself. `baseline` None: none was given."""

    baseline: frozenset[Key] | None = None
    new: frozenset[Key] = frozenset()
    since: Mapping[Key, datetime] | None = None  # None: no vault
    gone: tuple[dict[str, Any], ...] = ()
    unseen: Mapping[Key, NotChecked] = field(default_factory=dict)  # open, and not seen this time
    accepted: Mapping[Key, dict[str, Any]] | None = None
    failed: SermentError | None = None  # it could not be kept, or a file of it not written
    practice: str = ""  # whose vault it is

    def is_new(self, key: Key) -> bool:
        """Against the baseline where there is one, else against the vault's history."""
        return key not in self.baseline if self.baseline is not None else key in self.new

    def reports(self, key: Key) -> bool:
        """Whether it makes the exit code 1."""
        if self.accepted and key in self.accepted:
            return False
        return self.baseline is None or key not in self.baseline

    def as_json(self) -> dict[str, Any]:
        """The key "history" of the answer; empty without a vault and a baseline."""
        said: dict[str, Any] = {}
        if self.since is not None:
            said["open_since"] = [
                {"id": key[0], "host": key[1], "port": key[2], "since": since}
                for key, since in self.since.items()
            ]
            said["gone"] = list(self.gone)
            said["unseen"] = [{"id": key[0], "host": key[1], "port": key[2]} for key in self.unseen]
            said["accepted"] = list((self.accepted or {}).values())
        return said


def keep(
    context: Context, prepared: Prepared, report: Report, against: frozenset[Key] | None
) -> Kept:
    """Add the audit to the vault's history when a vault is named. An audit that cannot be kept is
    still shown."""
    if not has_vault(context):
        return Kept(against)
    seen = sighting(report.scan, report.not_checked, report.proved, report.seconds)
    left = {
        "findings": [write_finding(each) for each in report.findings],
        "made": write_made(made_of(prepared, report)),
        "seen": write_sighting(seen),
    }
    try:
        options = {"audit": pack(left)}
        told = context.world.ask(asking.vault(context), Request("scan keep", options))
    except SermentError as error:
        return Kept(against, failed=error)
    known = [*told["new"], *told["still"]]
    return Kept(
        against,
        frozenset(_key(each["finding"]) for each in told["new"]),
        {_key(each["finding"]): datetime.fromisoformat(each["since"]) for each in known},
        tuple(_gone(each) for each in told["gone"]),
        {_tuple(each["key"]): _unseen(each) for each in told["unseen"]},
        {_tuple(each["key"]): each for each in told["accepted"]},
        practice=told["practice"],
    )


def write_sarif(path: Path, report: Report, say: Say, language: str) -> None:
    """Write the audit as SARIF; an existing file is replaced, as a build's report is."""
    document = as_sarif(report, say, __version__, language)
    put(path, [json.dumps(document, ensure_ascii=False, indent=1).encode()], "", replace=True)


def last_authorised(context: Context) -> str:
    """Who answered for the last audit of this vault; empty before the first, and without a vault."""
    if not has_vault(context):
        return ""
    scans = context.world.ask(asking.vault(context), Request("scan history", {}))["scans"]
    return next((each["authorised_by"] for each in reversed(scans) if each["authorised_by"]), "")


def reached_before(context: Context) -> tuple[int, ...]:
    """The ports outside by which what is open was reached; none without a vault."""
    if not has_vault(context):
        return ()
    told = context.world.ask(asking.vault(context), Request("scan ledger", {}))
    return read_ledger(told["ledger"]).reached_by


def has_vault(context: Context) -> bool:
    """Whether a vault was named."""
    return bool(context.chosen_vault or context.environment.get("SERMENT_VAULT"))


def _gone(known: dict[str, Any]) -> dict[str, Any]:
    finding = known["finding"]
    return {**{name: finding[name] for name in ("id", "host", "port")}, "since": known["since"]}


def _unseen(told: dict[str, Any]) -> NotChecked:
    check, host, _ = _tuple(told["key"])
    return NotChecked(check, host, str(told["reason"]), dict(told["values"]))


def _key(finding: dict[str, Any]) -> Key:
    return str(finding["id"]), str(finding["host"]), int(finding["port"])


def _tuple(key: list[Any]) -> Key:
    return str(key[0]), str(key[1]), int(key[2])
