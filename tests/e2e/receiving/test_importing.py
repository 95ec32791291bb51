"""`serment import` of more files than one request takes, and of some that it cannot bring to an end."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from serment.adapters.memory.receiver import MemoryReceiver, MemoryReception
from serment.adapters.sqlite.store import SqliteStore
from serment.adapters.system import SystemClock
from serment.bootstrap import importing as bootstrap
from serment.bootstrap.folder import Folder, create
from serment.bootstrap.world import RealWorld
from serment.core.crypto.entropy import new_id
from serment.core.dicom.part10 import build_meta
from serment.core.journal.entries import Entry, EventKind
from serment.core.records.vault import Circle, CircleKind
from serment.entrypoints.cli.app import main
from serment.entrypoints.intake.server import IntakeLimits, IntakeServer
from serment.errors import NoSpace
from serment.ports import Source

FILES = 7
AT_ONCE = 3


class FullAfterOne(MemoryReceiver):
    """Takes one reception and no more."""

    def open(self, source: Source) -> MemoryReception:
        if self.receptions:
            raise NoSpace("the disk is full", hint="free some space")
        return super().open(source)


@dataclass
class Import:
    """A vault with a care circle, a folder of `FILES` files, and what the command line says."""

    folder: Folder
    files: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, receiver: MemoryReceiver, *words: str) -> tuple[int, str, str]:
        """Exit code, standard output and errors of `serment import`."""
        with serving(self.folder, receiver):
            vault = ["--vault", str(self.folder.root), "--lang", "en"]
            code = main(RealWorld(), ["import", str(self.files), *vault, *words])
        return (code, *self.capsys.readouterr())


@pytest.fixture
def importing(
    tmp_path: Path,
    made: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Import:
    """Through a server whose requests end after `AT_ONCE` files."""
    monkeypatch.setattr(bootstrap, "PER_REQUEST", AT_ONCE)
    folder = create(tmp_path / "vault", new_id())
    with closing(SqliteStore(folder.database, folder.key_copy)) as store:
        now = SystemClock().now()
        with store.change(Entry(EventKind.VAULT_FOUNDED, now, "test")) as tx:
            tx.put(Circle("care", CircleKind.CARE, 1, b"public key", now))
    files = tmp_path / "files"
    files.mkdir()
    for number in range(FILES):
        meta = build_meta(made.CT, f"2.25.{number + 1}", made.EXPLICIT)
        (files / f"{number}.dcm").write_bytes(meta + made.data_set(f"2.25.{number + 1}"))
    return Import(folder, files, capsys)


@contextmanager
def serving(folder: Folder, receiver: MemoryReceiver) -> Iterator[None]:
    """What a running server shows: its local socket, and the receiver behind the intake's."""
    intake = IntakeServer(receiver, IntakeLimits(parts=AT_ONCE))
    intake.start(folder.intake_socket)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as local:
            local.bind(str(folder.local_socket))
            local.listen()
            yield
    finally:
        intake.stop()


def test_more_files_than_one_request_takes_go_in_several(importing: Import) -> None:
    receiver = MemoryReceiver()
    code, out, _ = importing.run(receiver, "--json")
    answer = json.loads(out)
    assert (code, answer["imported"], answer["refused"]) == (0, FILES, [])
    assert not {"error", "unanswered"} & answer.keys()
    assert [len(each.kept) for each in receiver.receptions] == [3, 3, 1]


def test_what_fails_on_the_way_leaves_the_summary_of_what_came_before(importing: Import) -> None:
    code, out, _ = importing.run(FullAfterOne(), "--json")
    answer = json.loads(out)
    assert (code, answer["imported"], answer["unanswered"]) == (12, AT_ONCE, FILES - AT_ONCE)
    told = {"kind": "no-space", "message": "the disk is full", "hint": "free some space"}
    assert answer["error"] == told


def test_a_person_is_told_both(importing: Import) -> None:
    code, out, errors = importing.run(FullAfterOne())
    assert code == 12
    assert out.splitlines()[0].startswith("Imported 3,")
    assert out.splitlines()[-1].endswith(": 4")
    assert errors.splitlines() == [
        "serment: error: the disk is full",
        "serment: hint: free some space",
    ]


def test_what_fails_at_once_is_an_error_like_any_other(importing: Import) -> None:
    receiver = FullAfterOne()
    receiver.open(Source("import", None, None, "", ""))
    code, out, _ = importing.run(receiver, "--json")
    assert (code, list(json.loads(out))) == (12, ["error"])
