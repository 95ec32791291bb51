"""Flushes are shared, a full or failing disk loses nothing that was confirmed."""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.packing import append

from serment.adapters import system
from serment.adapters.packs import LocalPacks
from serment.adapters.packs.group import EARLY, Group
from serment.adapters.packs.past_cache import page_memory
from serment.core.crypto.entropy import new_id, random_bytes
from serment.errors import NoSpace, Unavailable
from serment.ports import Place

FULL = NoSpace("full")


def put(packs: LocalPacks, size: int = 100, *, one_by_one: bool = False) -> Place:
    data = random_bytes(size)
    digest = hashlib.sha256(data).digest()
    return append(packs, new_id(), "e" * 32, data, digest, b"", b"", one_by_one=one_by_one)


def in_thread(work: object) -> object:
    """What the callable returns, or the exception it raises, in a thread of its own."""
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(work())
        except NoSpace as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert outcome, "the thread did not end"
    return outcome[0]


def test_waiting_threads_share_one_flush(tmp_path: Path) -> None:
    """While one flush is under way, all that is written meanwhile waits for the next one."""
    packs = LocalPacks(tmp_path)
    together = threading.Barrier(8)

    def work() -> None:
        for _ in range(25):
            put(packs, 20_000)
            together.wait()
            packs.sync()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(packs.records())) == 200
    assert packs.flushes <= 100
    packs.close()


def test_nothing_new_means_no_flush(tmp_path: Path) -> None:
    packs = LocalPacks(tmp_path)
    put(packs)
    packs.sync()
    packs.sync()
    assert packs.flushes == 1
    packs.close()


def test_the_disk_begins_with_what_waits_when_more_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with what is flushed at once anyway, not twice, and not for a few bytes."""
    begun: list[tuple[int, int]] = []
    monkeypatch.setattr(
        system, "start_writing_out", lambda _file, offset, size: begun.append((offset, size))
    )
    group, large = Group(tmp_path), bytes(EARLY)
    for _ in range(3):
        group.append(large)
        group.sync()
    assert begun == []
    for data in (b"few", large, b"few", b"few", large, b"few"):
        group.append(data)
    start = 3 * EARLY
    assert begun == [(start, 3 + EARLY), (start + 3 + EARLY, 6 + EARLY)]
    group.close()


def test_sync_waits_for_what_was_reserved_before_and_is_not_yet_written(tmp_path: Path) -> None:
    group = Group(tmp_path)
    early = group._reserve(10)
    group.append(b"0123456789")
    waiting = threading.Thread(target=group.sync)
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    assert group.flushes == 0
    system.write_at(early.pack.file.descriptor, [b"abcdefghij"], early.offset)
    assert group._written(early, 10)
    waiting.join(30)
    assert not waiting.is_alive()
    assert early.pack.file.path.read_bytes() == b"abcdefghij0123456789"
    group.close()


def test_sync_does_not_wait_for_what_was_reserved_later(tmp_path: Path) -> None:
    group = Group(tmp_path)
    early = group._reserve(10)
    waiting = threading.Thread(target=group.sync)
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    late = group._reserve(10)
    system.write_at(early.pack.file.descriptor, [b"0123456789"], early.offset)
    group._written(early, 10)
    waiting.join(30)
    assert not waiting.is_alive()
    group._written(late, 10)
    group.close()


def test_a_failed_write_is_cut_and_its_place_used_again(tmp_path: Path) -> None:
    group = Group(tmp_path)
    name, _ = group.append(b"first")
    slot = group._reserve(100)
    system.write_at(slot.pack.file.descriptor, [b"part"], slot.offset)
    group._failed(slot, FULL)
    assert group.append(b"second") == (name, 5)
    group.sync()
    assert slot.pack.file.path.read_bytes() == b"firstsecond"
    group.close()


def test_a_record_written_behind_a_failed_one_is_never_confirmed(tmp_path: Path) -> None:
    """Its append had returned; its bytes were cut with the failed write before it: sync says so."""
    group = Group(tmp_path)
    group.append(b"kept")
    group.sync()
    slot = group._reserve(100)

    def other() -> None:
        group.append(b"behind")
        group._failed(slot, FULL)
        group.sync()

    assert isinstance(in_thread(other), NoSpace)
    assert slot.pack.file.path.read_bytes() == b"kept"
    with pytest.raises(NoSpace):
        group.sync()
    group.append(b"later")
    group.sync()
    assert slot.pack.file.path.read_bytes() == b"keptlater"
    group.close()


def test_a_thread_that_began_later_is_not_told_of_earlier_losses(tmp_path: Path) -> None:
    group = Group(tmp_path)
    slot = group._reserve(100)
    in_thread(lambda: group.append(b"behind"))
    group._failed(slot, FULL)

    def newcomer() -> str:
        group.append(b"new")
        group.sync()
        return "confirmed"

    assert in_thread(newcomer) == "confirmed"
    with pytest.raises(NoSpace):
        group.close()


def test_a_write_in_flight_behind_a_failed_one_is_written_again(tmp_path: Path) -> None:
    group = Group(tmp_path)
    failing, behind = group._reserve(10), group._reserve(10)
    system.write_at(behind.pack.file.descriptor, [b"0123456789"], behind.offset)
    group._failed(failing, FULL)
    assert not group._written(behind, 10)
    assert failing.pack.file.path.read_bytes() == b""
    group.append(b"0123456789")
    group.sync()
    assert failing.pack.file.path.read_bytes() == b"0123456789"
    group.close()


def test_nothing_is_confirmed_while_a_failed_place_is_not_yet_cut(tmp_path: Path) -> None:
    group = Group(tmp_path)
    failing = group._reserve(10)
    appended, outcome = threading.Event(), []

    def other() -> None:
        group.append(b"behind")
        appended.set()
        try:
            group.sync()
        except NoSpace as error:
            outcome.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    appended.wait(30)
    in_flight = group._reserve(10)
    group._failed(failing, FULL)
    thread.join(0.2)
    assert thread.is_alive()
    assert not group._written(in_flight, 10)
    thread.join(30)
    assert len(outcome) == 1
    with pytest.raises(NoSpace):
        group.close()


def broken_disk(descriptor: int) -> None:
    """Every later write and flush of that file fails, whatever the file system."""
    reading, writing = os.pipe()
    os.dup2(reading, descriptor)
    os.close(reading)
    os.close(writing)


def test_a_failed_flush_confirms_nothing_and_leaves_the_pack_for_good(tmp_path: Path) -> None:
    packs = LocalPacks(tmp_path)
    confirmed = put(packs)
    packs.sync()
    lost = put(packs)
    assert packs._group._current is not None
    broken_disk(packs._group._current.file.descriptor)
    with pytest.raises(Unavailable):
        packs.sync()
    later = put(packs)
    packs.sync()
    assert later.pack != lost.pack
    assert packs.verify(confirmed)
    assert packs.verify(later)
    packs.close()
    assert [p.stem for p in tmp_path.rglob("*.open")] == [lost.pack]
    assert LocalPacks(tmp_path).recover() == []


def test_a_write_to_a_failing_disk_is_refused(tmp_path: Path) -> None:
    packs = LocalPacks(tmp_path)
    put(packs)
    assert packs._group._current is not None
    broken_disk(packs._group._current.file.descriptor)
    with pytest.raises(Unavailable):
        put(packs)
    later = put(packs)
    with pytest.raises(Unavailable):
        packs.sync()
    put(packs)
    packs.sync()
    assert packs.verify(later)
    packs.close()


LIMITED = """
import hashlib, resource, sys, threading
from pathlib import Path
from serment.adapters.packs import LocalPacks
from serment.core.crypto.entropy import new_id, random_bytes
from serment.errors import NoSpace

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

packs, confirmed, refused = LocalPacks(Path(sys.argv[1])), [], []

def store(count):
    room = packs.room(sys.argv[2] == "True")
    for _ in range(count):
        data = random_bytes(5000)
        try:
            room.clear()
            room.extend(len(data))[:] = data
            place = room.keep(new_id(), "e" * 32, hashlib.sha256(data).digest(), b"i", b"c")
            packs.sync()
        except NoSpace:
            refused.append(1)
        else:
            confirmed.append(place)

def all_at_once(count):
    threads = [threading.Thread(target=store, args=(count,)) for _ in range(6)]
    [t.start() for t in threads]
    [t.join() for t in threads]

limit(200_000)  # the disk is full once the pack has that many bytes
all_at_once(20)
large = packs.large(new_id(), "e" * 32)
try:
    for _ in range(100):
        large.write(random_bytes(5000))
    large_refused = False
except NoSpace:
    large_refused = True
before = len(confirmed), len(refused)
limit(resource.RLIM_INFINITY)
all_at_once(5)
known = [record.place for record in packs.records()]
print(
    before[0], before[1], large_refused, len(confirmed), len(refused), len(packs.names()),
    all(place in known and packs.verify(place) for place in confirmed),
    all(packs.check(name) == [] for name in packs.names()),
)
packs.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on file sizes there")
@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_full_disk_refuses_keeps_what_was_confirmed_and_resumes(
    tmp_path: Path, one_by_one: bool
) -> None:
    command = [sys.executable, "-c", LIMITED, str(tmp_path), str(one_by_one)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    kept, refused, large, in_the_end, still, packs, whole, sound = done.stdout.split()
    assert int(kept) + int(refused) == 120
    assert 18 <= int(kept) <= 24
    assert large == whole == sound == "True"
    assert int(in_the_end) == int(kept) + 30
    assert (still, packs) == (refused, "1")
    assert LocalPacks(tmp_path).recover() == []


@pytest.mark.parametrize("one_by_one", [False, True])
def test_only_what_is_synced_one_by_one_goes_past_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_by_one: bool
) -> None:
    """Where the disk of the tests can do that."""
    used, write = [], system.write_at
    monkeypatch.setattr(
        system, "write_at", lambda file, data, at: used.append(file) or write(file, data, at)
    )
    packs = LocalPacks(tmp_path)
    place = put(packs, 10_000, one_by_one=one_by_one)
    packs.sync()
    pack = packs._group._current
    assert pack is not None
    past_cache = one_by_one and pack.past_cache is not None
    assert used == [pack.past_cache if past_cache else pack.file.descriptor]
    assert packs.verify(place)
    packs.close()


def test_a_disk_that_cannot_be_written_past_the_cache_is_written_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "O_DIRECT", raising=False)
    packs = LocalPacks(tmp_path)
    places = [put(packs, size, one_by_one=True) for size in (10, 5000)]
    packs.sync()
    assert packs._group._current is not None
    assert packs._group._current.past_cache is None
    assert all(packs.verify(place) for place in places)
    packs.close()


@pytest.mark.parametrize("reason", [errno.EINVAL, errno.EIO, errno.EOPNOTSUPP])
@pytest.mark.parametrize("after", [0, 4096])
def test_what_fails_past_the_cache_is_written_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: int, after: int
) -> None:
    """The flush tells whether it is on the disk."""
    packs, write = LocalPacks(tmp_path), system.write_at
    put(packs)
    pack = packs._group._current
    assert pack is not None
    pack.past_cache = pack.past_cache or os.dup(pack.file.descriptor)

    def fail(file: int, data: list[memoryview], at: int) -> None:
        if file == pack.past_cache:
            write(file, [data[0][:after]], at)
            raise OSError(reason, "failed")
        write(file, data, at)

    monkeypatch.setattr(system, "write_at", fail)
    places = [put(packs, 9000, one_by_one=True) for _ in range(2)]
    packs.sync()
    assert all(packs.verify(place) for place in places)
    assert packs.check(places[0].pack) == []
    packs.close()


def test_a_full_disk_is_not_tried_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packs, tried = LocalPacks(tmp_path), []
    kept = put(packs)
    pack = packs._group._current
    assert pack is not None
    pack.past_cache = pack.past_cache or os.dup(pack.file.descriptor)

    def full(file: int, data: list[memoryview], at: int) -> None:
        tried.append(file)
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(system, "write_at", full)
        with pytest.raises(NoSpace):
            put(packs, one_by_one=True)
    assert tried == [pack.past_cache]
    later = put(packs, one_by_one=True)
    packs.sync()
    assert packs.verify(kept)
    assert packs.verify(later)
    packs.close()


def test_some_past_the_cache_and_some_through_it_in_one_pack(tmp_path: Path) -> None:
    packs = LocalPacks(tmp_path)
    places: list[Place] = []

    def work(one_by_one: bool) -> None:
        for size in range(1, 60_000, 3000):
            places.append(put(packs, size, one_by_one=one_by_one))
            packs.sync()

    threads = [threading.Thread(target=work, args=(n % 2 == 0,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(places) == 80
    assert all(packs.verify(place) for place in places)
    packs.close()
    assert all(LocalPacks(tmp_path).verify(place) for place in places)


def test_no_memory_is_told_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, "none left")

    monkeypatch.setattr(mmap, "mmap", none)
    with pytest.raises(MemoryError):
        page_memory(4096)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at open files as Linux shows them")
def test_descriptors_are_given_back(tmp_path: Path) -> None:
    def still_open() -> list[str]:
        links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        return [at for at in map(os.path.realpath, links) if at.startswith(f"{tmp_path}/")]

    packs = LocalPacks(tmp_path, limit=10_000)
    for _ in range(5):
        put(packs, 9000, one_by_one=True)
        packs.sync()
    assert len(still_open()) >= 2
    packs.close()
    assert still_open() == []
