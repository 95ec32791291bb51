"""`serment import` of more files than one request takes, and of some that it cannot bring to an end."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from serment.adapters.memory.receiver import MemoryReceiver, MemoryReception
from serment.bootstrap import importing
from serment.bootstrap.folder import Folder, create
from serment.bootstrap.importing import bring
from serment.core.crypto.entropy import new_id
from serment.core.dicom.part10 import build_meta
from serment.entrypoints.cli.world import ImportOrder
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
class Bar:
    """Counts what a person would see."""

    steps: int = 0

    def total(self, count: int) -> None:
        self.expected = count

    def step(self, count: int = 1) -> None:
        self.steps += count


Bring = Callable[[MemoryReceiver], tuple[dict[str, Any], Bar]]


@pytest.fixture
def brought(tmp_path: Path, made: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bring]:
    """Import `FILES` files through a server whose requests end after `AT_ONCE`."""
    monkeypatch.setattr(importing, "PER_REQUEST", AT_ONCE)
    folder = create(tmp_path / "vault", new_id())
    files = tmp_path / "files"
    files.mkdir()
    for number in range(FILES):
        meta = build_meta(made.CT, f"2.25.{number + 1}", made.EXPLICIT)
        (files / f"{number}.dcm").write_bytes(meta + made.data_set(f"2.25.{number + 1}"))
    bar = Bar()

    @contextmanager
    def progress(label: str) -> Iterator[Bar]:
        yield bar

    def run(receiver: MemoryReceiver) -> tuple[dict[str, Any], Bar]:
        with serving(folder, receiver):
            order = ImportOrder((files,), None, None, None, None)
            return bring(folder.root, order, progress, None), bar  # type: ignore[arg-type]

    yield run


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


def test_more_files_than_one_request_takes_go_in_several(brought: Bring) -> None:
    receiver = MemoryReceiver()
    answer, bar = brought(receiver)
    assert (answer["imported"], answer["refused"]) == (FILES, [])
    assert "error" not in answer
    assert (bar.steps, bar.expected) == (FILES, FILES)
    assert [len(each.kept) for each in receiver.receptions] == [3, 3, 1]


def test_what_fails_on_the_way_leaves_the_summary_of_what_came_before(brought: Bring) -> None:
    answer, _ = brought(FullAfterOne())
    assert (answer["imported"], answer["unanswered"]) == (AT_ONCE, FILES - AT_ONCE)
    assert isinstance(answer["error"], NoSpace)


def test_what_fails_at_once_is_an_error_like_any_other(brought: Bring) -> None:
    receiver = FullAfterOne()
    receiver.open(Source("import", None, None, "", ""))
    with pytest.raises(NoSpace):
        brought(receiver)
