"""Group commit: many threads append to one pack at a time, and share the flushes they wait for.

`append` reserves its place under the lock and writes outside it; `sync` makes one thread the
leader, whose single flush serves all that was written before it, while the others wait.

Why a hole never precedes an acknowledged record: places are reserved in the order of tickets and
offsets, and a flush is only credited to a ticket once every place reserved before it has been
written. So when a record is acknowledged, it and all records before it in its pack are on disk;
what a crash left torn or empty lies behind, and nobody was told it was kept.

The same holds when a write fails (disk full): the pack is cut at the failed place, which has no
acknowledged record behind it. Records behind it whose `append` had already returned are lost, and
the next `sync` of every thread that could have written one raises instead of confirming.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from serment.adapters import system
from serment.adapters.packs import files
from serment.adapters.packs.past_cache import open_past_cache, write_past_cache
from serment.errors import SermentError

T = TypeVar("T")

PACK_LIMIT = 256 * 1024 * 1024
EARLY = 256 * 1024  # bytes that wait for a flush, from which on the disk begins before it is told


@dataclass(slots=True, eq=False)
class _Pack:
    """A pack under way. Offsets in bytes; everything here is guarded by the group's lock."""

    file: files.NewPack
    past_cache: int | None = None  # a second descriptor, where there can be one
    end: int = 0  # next place to reserve
    written: int = 0  # end of the highest record written
    synced: int = 0  # up to here on disk
    begun: int = 0  # up to here the disk was told to begin
    writing: set[int] = field(default_factory=set)  # offsets reserved and not yet written
    broken: int | None = None  # offset of the first write that failed
    failure: SermentError | None = None  # why it did
    dead: bool = False  # its disk failed: no use for it any more

    def fresh(self) -> bool:
        """Whether there is something to flush."""
        return self.written > self.synced

    def begin(self) -> tuple[int, int] | None:
        """Offset and size of what the disk should begin with, if there is enough of it."""
        start = max(self.synced, self.begun)
        if self.written - start < EARLY:
            return None
        self.begun = self.written
        return start, self.written - start


@dataclass(frozen=True, slots=True)
class _Slot:
    pack: _Pack
    offset: int
    ticket: int
    early: tuple[int, int] | None  # what was written before and nobody flushes yet


class Group:
    """The packs one process writes, with the tickets that order their appends."""

    def __init__(self, root: Path, limit: int = PACK_LIMIT) -> None:
        self._root, self._limit = root, limit
        self._state = threading.Condition(threading.Lock())
        self._current: _Pack | None = None
        self._closing: list[_Pack] = []  # full, or large: to be flushed, then closed
        self._ticket = 0  # the last one given
        self._synced = 0  # every ticket up to this one is on disk
        self._writing: set[int] = set()  # tickets given and not yet written
        self._flushing = False
        self._losses = 0
        self._loss: SermentError | None = None
        self._seen = threading.local()
        self.flushes = 0  # for measurements: how many times the disk was waited for

    def append(self, record: system.Buffer, one_by_one: bool = False) -> tuple[str, int]:
        """Write one record; the name of its pack and its offset in it.

        Args:
            one_by_one: `sync` follows at once: past the system's cache, where that can be.

        Raises:
            NoSpace, Unavailable: nothing of it was kept.
        """
        size = len(record)
        while True:
            slot = self._reserve(size, one_by_one)
            try:
                past_cache = slot.pack.past_cache if one_by_one else None
                if not write_past_cache(past_cache, record, slot.offset):
                    _through_cache(slot, record)
            except OSError as error:
                failure = system.disk_error(error)
                self._failed(slot, failure)
                raise failure from error
            if self._written(slot, size):
                return slot.pack.file.name, slot.offset

    def adopt(self, file: files.NewPack, size: int) -> None:
        """Take over a complete large pack: the next `sync` flushes and closes it."""
        with self._state:
            self._watch_losses()
            self._ticket += 1
            self._closing.append(_Pack(file, end=size, written=size))

    def sync(self) -> None:
        """Return once everything appended before the call is on disk.

        Raises:
            NoSpace, Unavailable: something appended and not yet synced was lost, maybe not by
                this thread; nothing appended since its last `sync` may be acknowledged.
        """
        with self._state:
            target = self._ticket
            while self._synced < target:
                if self._flushing:
                    self._state.wait()
                    continue
                self._flushing = True
                try:
                    self._flush(target)
                finally:
                    self._flushing = False
                    self._state.notify_all()
            self._report_losses()

    def close(self) -> None:
        """Flush and close every pack."""
        with self._state:
            if self._current is not None:
                self._closing.append(self._current)
                self._current = None
                self._ticket += 1
        self.sync()

    def _reserve(self, size: int, one_by_one: bool = False) -> _Slot:
        with self._state:
            self._watch_losses()
            while self._current is not None and self._current.broken is not None:
                self._state.wait()
            pack = self._current
            if pack is None or (pack.end and pack.end + size > self._limit):
                pack = self._next_pack()
            early = None if one_by_one or self._flushing else pack.begin()
            slot = _Slot(pack, pack.end, self._ticket + 1, early)
            self._ticket += 1
            pack.end += size
            pack.writing.add(slot.offset)
            self._writing.add(slot.ticket)
            return slot

    def _next_pack(self) -> _Pack:
        try:
            file = files.create(self._root)
        except OSError as error:
            raise system.disk_error(error) from error
        fresh = _Pack(file, open_past_cache(file.path))
        if self._current is not None:
            self._closing.append(self._current)
        self._current = fresh
        return fresh

    def _written(self, slot: _Slot, size: int) -> bool:
        """Note a write that succeeded; False when its place was cut meanwhile: write again."""
        with self._state:
            pack = slot.pack
            self._leave(slot)
            if pack.broken is not None and slot.offset >= pack.broken:
                self._settle(pack)
                return False
            pack.written = max(pack.written, slot.offset + size)
            self._settle(pack)
            return True

    def _failed(self, slot: _Slot, failure: SermentError) -> None:
        with self._state:
            pack = slot.pack
            self._leave(slot)
            pack.failure = failure
            pack.broken = slot.offset if pack.broken is None else min(pack.broken, slot.offset)
            self._settle(pack)

    def _leave(self, slot: _Slot) -> None:
        slot.pack.writing.discard(slot.offset)
        self._writing.discard(slot.ticket)
        self._state.notify_all()

    def _settle(self, pack: _Pack) -> None:
        """Cut a broken pack at its first failed place, once nobody writes to it any more."""
        if pack.broken is None or pack.writing:
            return
        if pack.written > pack.broken and pack.failure is not None:
            self._lose(pack.failure)
        if not pack.dead:
            try:
                os.ftruncate(pack.file.descriptor, pack.broken)
            except OSError:
                self._bury(pack)
        pack.end = pack.written = pack.begun = pack.broken
        pack.broken = None
        self._state.notify_all()

    def _bury(self, pack: _Pack) -> None:
        pack.dead = True
        if self._current is pack:
            self._current = None
            self._closing.append(pack)

    def _flush(self, target: int) -> None:
        """As the leader, flush all that was written when every ticket up to `target` was."""
        while self._unsettled(target):
            self._state.wait()
        upto = min(self._writing, default=self._ticket + 1) - 1
        marks = [(pack, pack.written) for pack in self._packs() if pack.fresh()]
        failures = self._outside(lambda: [_sync(pack) for pack, _ in marks])
        self.flushes += len(marks)
        for (pack, written), failure in zip(marks, failures, strict=True):
            if failure is None:
                pack.synced = max(pack.synced, written)
            else:
                self._flush_failed(pack, failure)
        if not any(failures):
            self._synced = max(self._synced, upto)
        self._retire()

    def _unsettled(self, target: int) -> bool:
        if any(ticket <= target for ticket in self._writing):
            return True
        return any(pack.broken is not None for pack in self._packs())

    def _packs(self) -> list[_Pack]:
        return self._closing + ([self._current] if self._current is not None else [])

    def _flush_failed(self, pack: _Pack, failure: OSError) -> None:
        """After a failed flush nobody knows what is on disk (fsync(2)): trust what was synced
        before, lose the rest, and never write to that pack again."""
        self._lose(system.disk_error(failure))
        self._bury(pack)
        pack.broken = pack.written = pack.synced
        self._settle(pack)

    def _retire(self) -> None:
        """Close the packs that are complete and on disk."""
        ready = [p for p in self._closing if not p.writing and not p.fresh()]
        self._closing = [p for p in self._closing if p not in ready]
        self._outside(lambda: _close(ready))

    def _outside(self, work: Callable[[], T]) -> T:
        """Do slow work without the lock, which this thread holds."""
        self._state.release()
        try:
            return work()
        finally:
            self._state.acquire()

    def _watch_losses(self) -> None:
        """From its first append on, a thread hears of every loss."""
        if not hasattr(self._seen, "losses"):
            self._seen.losses = self._losses

    def _lose(self, loss: SermentError) -> None:
        self._losses += 1
        self._loss = loss

    def _report_losses(self) -> None:
        seen = getattr(self._seen, "losses", 0)
        self._seen.losses = self._losses
        if seen != self._losses and self._loss is not None:
            raise type(self._loss)(self._loss.message, hint=self._loss.hint, **self._loss.values)


def _through_cache(slot: _Slot, record: system.Buffer) -> None:
    """Leave it to the system, which is told to begin with what waits."""
    if slot.early is not None:
        system.start_writing_out(slot.pack.file.descriptor, *slot.early)
    system.write_at(slot.pack.file.descriptor, [record], slot.offset)


def _sync(pack: _Pack) -> OSError | None:
    try:
        system.sync_file(pack.file.descriptor)
    except OSError as error:
        return error
    return None


def _close(packs: Sequence[_Pack]) -> None:
    for pack in packs:
        if pack.past_cache is not None:
            with contextlib.suppress(OSError):
                os.close(pack.past_cache)
        if pack.dead:
            files.abandon(pack.file)
        else:
            files.close(pack.file)
