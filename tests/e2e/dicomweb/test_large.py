"""Hundreds of megabytes go in and come out while the memory of both processes stays flat."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil
import pytest
import requests
from tests.e2e.dicomweb.clinic import BOUNDARY, Clinic
from tests.practices import patient, study

from serment.core.dicom.fictional import Place, ct_slice

SIZE = 192 << 20  # bytes of pixels of the one large object
SPARE = 64 << 20  # bytes a process may need more than before: far less than what passes through it
BLOCK = bytes(range(256)) * 4096
COUNT = 300  # slices of 526 kB

LARGE, MANY = study(patient(801, "VASTE^Anna"), 1), study(patient(801, "VASTE^Anna"), 2)


def large_object() -> Iterator[bytes]:
    """A slice whose pixel data goes on and on."""
    small = ct_slice(LARGE, Place(1, 1), 1)
    head = small[: -512 * 512 * 2]
    assert head[-4:] == (512 * 512 * 2).to_bytes(4, "little")
    yield head[:-4] + SIZE.to_bytes(4, "little")
    yield from (BLOCK for _ in range(SIZE // len(BLOCK)))


def slices() -> Iterator[Iterable[bytes]]:
    """The same picture under many UIDs of the same length."""
    data = ct_slice(MANY, Place(1, 1), 1)
    uid = Place(1, 1).instance_uid(MANY).encode()
    assert data.count(uid) == 2
    for number in range(COUNT):
        yield [data.replace(uid, uid[:-4] + b"%04d" % number)]


def body(objects: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    for one in objects:
        yield f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        yield from one
        yield b"\r\n"
    yield f"--{BOUNDARY}--\r\n".encode()


def digest(pieces: Iterable[bytes]) -> tuple[int, str]:
    size, found = 0, hashlib.sha256()
    for piece in pieces:
        size += len(piece)
        found.update(piece)
    return size, found.hexdigest()


def peaks(clinic: Clinic) -> dict[str, int]:
    """The most memory the processes of the server have had so far (VmHWM), in bytes; of those that
    share a name together."""
    found: dict[str, int] = {}
    for child in psutil.Process(clinic.server.process.pid).children(recursive=True):
        name = next((word for word in child.cmdline() if word.startswith("_")), "")
        status = Path(f"/proc/{child.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        found[name] = found.get(name, 0) + int(line.split()[1]) * 1024
    return found


def test_hundreds_of_megabytes_in_flat_memory(clinic: Clinic) -> None:
    clinic.store(ct_slice(MANY, Place(2, 1), 1))
    assert clinic.get(f"/studies/{MANY.uid}").status_code == 200
    before = peaks(clinic)
    assert {"_web", "_receiver"} <= set(before)

    for objects in ([large_object()], slices()):
        assert clinic.post(body(objects)).status_code == 200

    place = Place(1, 1)
    url = f"/studies/{LARGE.uid}/series/{place.series_uid(LARGE)}"
    url += f"/instances/{place.instance_uid(LARGE)}"
    with clinic.get(url, "application/dicom", stream=True) as answer:
        assert answer.status_code == 200
        assert digest(answer.iter_content(1 << 20)) == digest(large_object())
    with clinic.get(f"{url}/bulkdata/7FE00010", stream=True) as answer:
        size, _ = digest(answer.iter_content(1 << 20))
        assert size == SIZE
    with clinic.get(f"/studies/{MANY.uid}", stream=True) as answer:
        size, _ = digest(answer.iter_content(1 << 20))
        assert size == int(answer.headers["Content-Length"]) > COUNT * 526_000

    after = peaks(clinic)
    for name in ("_web", "_receiver"):
        assert after[name] - before[name] < SPARE, (name, before, after)


def test_damage_never_looks_like_a_whole_answer(clinic: Clinic) -> None:
    """Found in the middle it breaks the answer off; a new session finds it before it answers."""
    damaged = study(patient(802, "ABÎMÉE^Anna"), 1)
    place = Place(1, 1)
    data = ct_slice(damaged, place, 1)
    pixels = 8 << 20
    head = data[: -512 * 512 * 2 - 4] + pixels.to_bytes(4, "little")
    packs = clinic.vault.root / "packs"
    before = set(packs.rglob("*"))
    clinic.store(head + bytes(pixels))
    pack = max(set(packs.rglob("*")) - before, key=lambda path: path.stat().st_size)
    url = f"/studies/{damaged.uid}/series/{place.series_uid(damaged)}"
    url += f"/instances/{place.instance_uid(damaged)}"
    session = clinic.session(clinic.doctor)
    fresh = clinic.unlock("docteur")
    assert session.get(clinic.base + url, timeout=60).status_code == 200
    with pack.open("r+b") as file:
        file.seek(5 << 20)
        byte = file.read(1)
        file.seek(5 << 20)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        session.get(clinic.base + url, timeout=60)
    answer = clinic.get(url, token=fresh)
    assert answer.status_code == 500
    assert "not the one that was sealed" in answer.json()["error"]
    assert damaged.uid not in answer.text
