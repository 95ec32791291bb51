"""A writer dies at any moment: what was acknowledged is there, what was not is cut away."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.packing import append

from serment.adapters.packs import LocalPacks
from serment.core.crypto.entropy import new_id, random_bytes
from serment.core.records.pack import BLOCK, HEAD_SIZE, TRAILER_SIZE
from serment.errors import NoSpace
from serment.ports import PackRecord, Place

ENVELOPE = "e" * 32
IDENTITY, CLINICAL = b"identity header", b"clinical header"
AROUND = HEAD_SIZE + len(IDENTITY) + len(CLINICAL) + TRAILER_SIZE


def put(packs: LocalPacks, size: int) -> Place:
    data = random_bytes(size)
    digest = hashlib.sha256(data).digest()
    return append(packs, new_id(), ENVELOPE, data, digest, IDENTITY, CLINICAL)


def left_behind(packs: LocalPacks, folder: Path, target: Path) -> LocalPacks:
    """What another process finds when this one has died: the same files, locked by nobody."""
    packs.sync()
    shutil.copytree(folder, target)
    return LocalPacks(target)


def only_file(packs: LocalPacks, folder: Path) -> Path:
    (name,) = packs.names()
    return folder / name[:2] / f"{name}.pack"


def placed(records: list[PackRecord]) -> list[Place]:
    return [record.place for record in records]


def end_of(place: Place) -> int:
    """Where its record ends, and the void behind it begins."""
    return place.offset + place.size + AROUND - HEAD_SIZE


def marks(folder: Path) -> list[Path]:
    return list(folder.rglob("*.open"))


def test_cut_at_every_byte_of_the_last_record(tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    packs = LocalPacks(folder)
    kept, last = [put(packs, 40), put(packs, 0)], put(packs, 30)
    start, end = last.offset - HEAD_SIZE, last.offset + last.size + AROUND - HEAD_SIZE
    packs.sync()
    for cut in range(start, end):
        target = tmp_path / "cut"
        again = left_behind(packs, folder, target)
        path = only_file(again, target)
        os.truncate(path, cut)
        repairs = again.recover()
        assert len(repairs) == (0 if cut == start else 1)
        assert path.stat().st_size == start
        assert placed(list(again.records())) == kept
        assert again.recover() == []
        assert marks(target) == []
        shutil.rmtree(target)
    packs.close()


def test_nothing_is_cut_from_a_whole_pack(tmp_path: Path) -> None:
    packs = LocalPacks(tmp_path / "packs")
    kept = [put(packs, 100), put(packs, 200)]
    again = left_behind(packs, tmp_path / "packs", tmp_path / "again")
    assert again.recover() == []
    assert placed(list(again.records())) == kept
    packs.close()


def test_the_void_behind_the_last_record_is_not_needed(tmp_path: Path) -> None:
    """It fills the pack up to the next block; torn or cut, it takes no record with it."""
    packs = LocalPacks(tmp_path / "packs")
    kept = [put(packs, 10), put(packs, 20)]
    end = end_of(kept[1])
    packs.sync()
    assert only_file(packs, tmp_path / "packs").stat().st_size % BLOCK == 0
    for cut in (end, end + 1, end + HEAD_SIZE, end + HEAD_SIZE + 1, end + 1000):
        again = left_behind(packs, tmp_path / "packs", tmp_path / "again")
        path = only_file(again, tmp_path / "again")
        os.truncate(path, cut)
        again.recover()
        assert path.stat().st_size == end
        assert placed(list(again.records())) == kept
        assert again.check(kept[0].pack) == []
        shutil.rmtree(tmp_path / "again")
    packs.close()


def test_every_byte_of_the_last_record_is_needed(tmp_path: Path) -> None:
    """A page that the disk had not stored yet reads as zeros: the record is not whole."""
    packs = LocalPacks(tmp_path / "packs")
    kept, last = put(packs, 10), put(packs, 20)
    packs.sync()
    whole = only_file(packs, tmp_path / "packs").read_bytes()
    for position in range(last.offset - HEAD_SIZE, last.offset + last.size + AROUND - HEAD_SIZE):
        changed = bytearray(whole)
        changed[position] ^= 0x5A
        again = left_behind(packs, tmp_path / "packs", tmp_path / "again")
        only_file(again, tmp_path / "again").write_bytes(changed)
        again.recover()
        assert placed(list(again.records())) == [kept], position
        shutil.rmtree(tmp_path / "again")
    packs.close()


def test_a_hole_before_whole_records_becomes_a_void(tmp_path: Path) -> None:
    """The disk stored later pages first. Nobody was told that anything behind the hole was kept,
    and yet nothing whole is thrown away."""
    packs = LocalPacks(tmp_path / "packs")
    first, hole, last = put(packs, 500), put(packs, 600), put(packs, 700)
    again = left_behind(packs, tmp_path / "packs", tmp_path / "again")
    path = only_file(again, tmp_path / "again")
    data = bytearray(path.read_bytes())
    data[hole.offset - HEAD_SIZE : hole.offset + hole.size] = bytes(HEAD_SIZE + hole.size)
    path.write_bytes(data)
    assert again.check(hole.pack) != []
    assert placed(list(again.records())) == [first, last]
    repairs = again.recover()
    assert len(repairs) == 1
    assert "voided" in repairs[0]
    assert again.check(hole.pack) == []
    assert placed(list(again.records())) == [first, last]
    assert again.verify(last)
    packs.close()


def test_a_hole_and_a_torn_tail(tmp_path: Path) -> None:
    packs = LocalPacks(tmp_path / "packs")
    hole, kept, torn = put(packs, 300), put(packs, 300), put(packs, 300)
    again = left_behind(packs, tmp_path / "packs", tmp_path / "again")
    path = only_file(again, tmp_path / "again")
    data = bytearray(path.read_bytes())
    data[hole.offset : hole.offset + 10] = bytes(10)
    path.write_bytes(data[: torn.offset + torn.size - 5])
    assert len(again.recover()) == 2
    assert placed(list(again.records())) == [kept]
    assert path.stat().st_size == torn.offset - HEAD_SIZE
    packs.close()


def test_a_void_that_lost_the_end_of_its_size_takes_no_record_with_it(tmp_path: Path) -> None:
    """The disk kept one sector of its head and not the next one: it is some bytes too short, and
    what is left between it and the next record has no room for a void of its own."""
    packs = LocalPacks(tmp_path / "packs")
    size = (457 - AROUND) % 512 + 512  # the sector ends before the last byte of the void's size
    kept = [put(packs, each) for each in (300, size, 800, 900)]
    again = left_behind(packs, tmp_path / "packs", tmp_path / "again")
    path = only_file(again, tmp_path / "again")
    data, end = bytearray(path.read_bytes()), end_of(kept[1])
    sector = -(-end // 512) * 512
    assert sector == end + 55
    data[sector : sector + 512] = bytes(512)
    path.write_bytes(data)
    assert placed(list(again.records())) == kept
    assert len(again.check(path.stem)) == 1
    assert len(again.recover()) == 1
    assert placed(list(again.records())) == kept
    assert again.check(path.stem) == []
    packs.close()


def test_what_only_looks_like_records_in_a_hole_is_not_found_again(tmp_path: Path) -> None:
    """Their heads and trailers are whole, their age files are not: no row may be made of them."""
    packs = LocalPacks(tmp_path / "packs")
    first, *torn, last = [put(packs, 600) for _ in range(5)]
    again = left_behind(packs, tmp_path / "packs", tmp_path / "again")
    path = only_file(again, tmp_path / "again")
    data = bytearray(path.read_bytes())
    for place in torn:
        data[place.offset : place.offset + 100] = bytes(100)
        data[end_of(place) : end_of(place) + HEAD_SIZE] = bytes(HEAD_SIZE)  # nor the void behind it
    path.write_bytes(data)
    assert placed(list(again.records())) == [first, *torn, last]
    assert len(again.recover()) == 1
    assert placed(list(again.records())) == [first, last]
    assert again.check(path.stem) == []
    packs.close()


def test_a_pack_with_nothing_whole_is_deleted(tmp_path: Path) -> None:
    packs = LocalPacks(tmp_path / "packs")
    put(packs, 100)
    again = left_behind(packs, tmp_path / "packs", tmp_path / "again")
    os.truncate(only_file(again, tmp_path / "again"), 70)
    assert len(again.recover()) == 1
    assert again.names() == []
    packs.close()


def test_an_unfinished_large_pack_is_deleted_a_finished_one_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    packs = LocalPacks(folder)
    finished = packs.large(new_id(), ENVELOPE)
    finished.write(random_bytes(10_000))
    place = finished.finish(IDENTITY, CLINICAL)
    unfinished = packs.large(new_id(), ENVELOPE)
    unfinished.write(random_bytes(10_000))
    shutil.copytree(folder, tmp_path / "again")
    again = LocalPacks(tmp_path / "again")
    assert len(again.names()) == 2
    assert len(again.recover()) == 1
    assert again.names() == [place.pack]
    assert again.verify(place)
    unfinished.abort()
    packs.close()


def test_a_large_pack_cut_at_any_byte_of_its_end_is_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    packs = LocalPacks(folder)
    large = packs.large(new_id(), ENVELOPE)
    large.write(random_bytes(500))
    large.finish(IDENTITY, CLINICAL)
    size = only_file(packs, folder).stat().st_size
    for cut in range(size - TRAILER_SIZE - 40, size):
        shutil.copytree(folder, tmp_path / "again")
        again = LocalPacks(tmp_path / "again")
        os.truncate(only_file(again, tmp_path / "again"), cut)
        assert len(again.recover()) == 1, cut
        assert again.names() == []
        shutil.rmtree(tmp_path / "again")
    packs.close()


def test_what_a_living_process_writes_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    packs = LocalPacks(folder)
    place = put(packs, 100)
    large = packs.large(new_id(), ENVELOPE)
    large.write(b"under way")
    other = LocalPacks(folder)
    assert other.recover() == []
    assert packs.verify(place)
    large.write(b" and finished")
    assert packs.verify(large.finish(IDENTITY, CLINICAL))
    packs.close()


def test_a_record_under_way_is_no_damage(tmp_path: Path) -> None:
    packs = LocalPacks(tmp_path)
    kept = put(packs, 100)
    slot = packs._group._reserve(500)
    later = put(packs, 100)
    other = LocalPacks(tmp_path)
    assert other.check(kept.pack) == []
    assert placed(list(other.records())) == [kept, later]
    packs._group._failed(slot, NoSpace("full"))
    with pytest.raises(NoSpace):
        packs.close()
    assert other.check(kept.pack) == []
    assert placed(list(other.records())) == [kept]


def test_damage_in_a_closed_pack_is_reported_and_never_cut(tmp_path: Path) -> None:
    packs = LocalPacks(tmp_path / "packs")
    first, hurt, last = put(packs, 50), put(packs, 50), put(packs, 50)
    packs.close()
    path = only_file(packs, tmp_path / "packs")
    data = bytearray(path.read_bytes())
    data[hurt.offset - HEAD_SIZE] ^= 1
    path.write_bytes(data)
    assert packs.recover() == []
    assert path.read_bytes() == data
    assert placed(list(packs.records())) == [first, last]
    assert len(packs.check(path.stem)) == 1


def test_a_mark_without_its_pack_is_forgotten(tmp_path: Path) -> None:
    packs = LocalPacks(tmp_path / "packs")
    folder = tmp_path / "packs" / "ab"
    folder.mkdir()
    (folder / ("ab" * 16 + ".open")).touch()
    assert packs.recover() == []
    assert marks(tmp_path) == []


def test_other_files_among_the_packs_are_left_alone(tmp_path: Path) -> None:
    packs = LocalPacks(tmp_path / "packs")
    put(packs, 10)
    (tmp_path / "packs" / "notes.txt").write_text("mine")
    (tmp_path / "packs" / "00").mkdir(exist_ok=True)
    (tmp_path / "packs" / "00" / "README.pack").write_text("mine")
    assert len(packs.names()) == 1
    packs.close()


KILLED = """
import hashlib, sys, threading
from pathlib import Path
from serment.adapters.packs import LocalPacks
from serment.core.crypto.entropy import new_id, random_bytes

packs, out = LocalPacks(Path(sys.argv[1]), limit=300_000), threading.Lock()

def work():
    room = packs.room(sys.argv[2] == "True")
    while True:
        data = random_bytes(20_000)
        room.clear()
        room.extend(len(data))[:] = data
        place = room.keep(new_id(), "e" * 32, hashlib.sha256(data).digest(), b"i", b"c")
        packs.sync()
        with out:
            print(f'["{place.pack}", {place.offset}, {place.size}, "{place.sha256.hex()}"]', flush=True)

for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
threading.Event().wait()
"""


@pytest.mark.parametrize("acknowledged", [1, 30, 100])
@pytest.mark.parametrize("one_by_one", [False, True])
def test_killed_at_work_everything_acknowledged_is_there(
    tmp_path: Path, acknowledged: int, one_by_one: bool
) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path / "packs"), str(one_by_one)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(acknowledged)]
        child.send_signal(signal.SIGKILL)
        lines += [line for line in child.stdout if line.endswith("]\n")]
    assert marks(tmp_path) != []
    packs = LocalPacks(tmp_path / "packs")
    packs.recover()
    assert marks(tmp_path) == []
    known = placed(list(packs.records()))
    for line in lines:
        pack, offset, size, sha256 = json.loads(line)
        place = Place(pack, offset, size, bytes.fromhex(sha256))
        assert place in known
        assert packs.verify(place)
    assert all(packs.verify(place) for place in known)
    assert all(packs.check(name) == [] for name in packs.names())
