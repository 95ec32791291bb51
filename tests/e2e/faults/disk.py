"""What is left of files when the power goes: only what was synced, and anything of the rest.

A write, a new name or a length is safe once a sync of that file, or of the folder of the name, has
returned that began after it had ended. Of what is not safe a disk may keep nothing, all, or any
sectors of any writes; names it keeps in the order in which they were made, as file systems with a
log do. Shared memory (`-shm`) is never on a disk.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.faults.trace import Event

SECTOR = 512  # bytes that a disk writes whole or not at all
MEMORY = "-shm"


@dataclass
class File:
    """The contents under one name, or under none any more."""

    safe: bytearray = field(default_factory=bytearray)
    loose: list[Event] = field(default_factory=list)  # not safe yet, in order
    version: int = 0  # of what is safe

    def sync(self, begun: int) -> None:
        done = [event for event in self.loose if event.ended < begun]
        for event in done:
            apply(self.safe, event)
        self.loose = [event for event in self.loose if event.ended >= begun]
        self.version += bool(done)


def apply(content: bytearray, event: Event) -> None:
    if event.call == "truncate":
        content.extend(bytes(max(0, event.offset - len(content))))
        del content[event.offset :]
        return
    content.extend(bytes(max(0, event.offset - len(content))))
    content[event.offset : event.offset + len(event.data)] = event.data


@dataclass(frozen=True)
class Naming:
    """A name that comes or goes; `file` is None for a folder."""

    path: str
    file: File | None
    comes: bool
    ended: int
    old: str = ""  # of a file that was renamed: the name that goes in the same step

    def apply(self, names: dict[str, File | None]) -> None:
        names.pop(self.old, None)
        if self.comes:
            names[self.path] = self.file
        else:
            names.pop(self.path, None)


Image = dict[str, bytes | None]  # path -> content; None: a folder


class Disk:
    """The folder `root`, of which `before` is a copy as it was when the recording began, all of it
    safe; and what happens to it."""

    def __init__(self, root: Path, before: Path) -> None:
        self._root = str(root)
        self._names: dict[str, File | None] = {str(root): None}
        for path in sorted(before.rglob("*")):
            file = File(bytearray(path.read_bytes())) if path.is_file() else None
            self._names[str(root / path.relative_to(before))] = file
        self._safe_names = dict(self._names)
        self._loose_names: list[Naming] = []
        self._gone: dict[str, File | None] = {}  # files without a name that may still be open

    def step(self, event: Event) -> None:
        """What `event` does; a sync is to be told when it has ended, all else when it begins."""
        if event.path.endswith(MEMORY):
            return
        match event.call:
            case "create":
                if event.path not in self._names:
                    self._name(Naming(event.path, File(), True, event.ended))
            case "mkdir":
                self._name(Naming(event.path, None, True, event.ended))
            case "unlink":
                self._gone[event.path] = self._names.get(event.path)
                self._name(Naming(event.path, None, False, event.ended))
            case "rename":
                file = self._names[event.path]
                self._name(Naming(event.other, file, True, event.ended, event.path))
            case "sync":
                self._sync(event)
            case "write" | "truncate":
                file = self._file(event.path)
                if file is not None:
                    file.loose.append(event)

    def _file(self, path: str) -> File | None:
        if path.endswith(" (deleted)"):
            return self._gone.get(path.removesuffix(" (deleted)"))
        return self._names.get(path) or self._gone.get(path)

    def _name(self, naming: Naming) -> None:
        naming.apply(self._names)
        self._loose_names.append(naming)

    def _sync(self, event: Event) -> None:
        if event.path in self._names and self._names[event.path] is None:
            self._sync_folder(event)
        elif (file := self._file(event.path)) is not None:
            file.sync(event.begun)

    def _sync_folder(self, event: Event) -> None:
        left = []
        for naming in self._loose_names:
            if _folder_of(naming.path) == event.path and naming.ended < event.begun:
                naming.apply(self._safe_names)
            else:
                left.append(naming)
        self._loose_names = left

    # What a disk may hold now

    def state(self) -> tuple[object, ...]:
        """The same for two moments at which `dropped` gives the same."""
        files = ((p, id(f), f.version if f else 0) for p, f in self._safe_names.items())
        return tuple(sorted(files))

    def dropped(self) -> Image:
        """Only what is safe."""
        return self._image(self._safe_names, lambda file: bytes(file.safe))

    def kept(self) -> Image:
        """Everything: what the system's memory holds, as after a kill."""

        def content(file: File) -> bytes:
            whole = bytearray(file.safe)
            for event in file.loose:
                apply(whole, event)
            return bytes(whole)

        return self._image(self._names, content)

    def torn(self, luck: random.Random) -> Image:
        """Some of what is not safe: the first of the names, any sectors of any writes."""
        names = dict(self._safe_names)
        for naming in self._loose_names[: luck.randint(0, len(self._loose_names))]:
            naming.apply(names)
        share = luck.random()

        def content(file: File) -> bytes:
            whole = bytearray(file.safe)
            for event in file.loose:
                for piece in _pieces(event):
                    if luck.random() < share:
                        apply(whole, piece)
            return bytes(whole)

        return self._image(names, content)

    @property
    def loose(self) -> int:
        """How much is not safe."""
        files = {id(f): len(f.loose) for f in self._names.values() if f}
        return sum(files.values()) + len(self._loose_names)

    def _image(self, names: dict[str, File | None], content: Callable[[File], bytes]) -> Image:
        found: Image = {}
        for path in sorted(names):
            inside = _folder_of(path)
            if path == self._root or found.get(inside, b"") is None:
                file = names[path]
                found[path] = None if file is None else content(file)
        return {os.path.relpath(path, self._root): each for path, each in found.items()}


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def _pieces(event: Event) -> Iterator[Event]:
    """A write in the sectors it touches."""
    if event.call == "truncate":
        yield event
        return
    start, end = event.offset, event.offset + len(event.data)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        data = event.data[start - event.offset : stop - event.offset]
        yield Event(event.begun, event.ended, "write", event.path, data, start)
        start = stop


def in_order(events: Iterable[Event]) -> list[tuple[int, Event]]:
    """Each event with the moment at which it counts: a sync once it has returned, everything else
    from its beginning on."""
    moments = [(e.ended if e.call == "sync" else e.begun, e) for e in events]
    return sorted(moments, key=lambda moment: (moment[0], moment[1].begun))


MEMORY_FOLDER = Path("/dev/shm")


@contextmanager
def room() -> Iterator[Path]:
    """A new folder to build images in: in memory where the system has such a place, since what they
    stand for has happened already and nobody has to wait for a real disk."""
    where = MEMORY_FOLDER if os.access(MEMORY_FOLDER, os.W_OK) else None
    with TemporaryDirectory(prefix="images-", dir=where) as name:
        yield Path(name) / "image"


def write(image: Image, folder: Path) -> None:
    """Make the folder as the image says, private as a vault is."""
    for name, content in image.items():
        path = folder / name
        if content is None:
            path.mkdir(mode=0o700, exist_ok=True)
        else:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.write(descriptor, content)
            finally:
                os.close(descriptor)
