"""An object is sealed while it comes: however its bytes are cut, the same is stored, or nothing."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.practices import patient, study

from serment.adapters.memory.packs import MemoryPacks
from serment.app.protect import incoming
from serment.app.protect.arrivals import Arrival
from serment.app.protect.incoming import FIRST_LOOK, WHOLE, Incoming, SealedFile
from serment.app.protect.sealing import SealingEnvelope
from serment.core.crypto.age import AgeWriter, HybridIdentity, HybridRecipient, open_bytes
from serment.core.crypto.age.buffers import Reused
from serment.core.crypto.age.stream import CHUNK
from serment.core.crypto.entropy import new_id
from serment.core.crypto.keys import new_key, new_seed, public_key
from serment.core.dicom.fictional import Place
from serment.core.dicom.fictional.people import header, part10
from serment.errors import FormatError, NoSpace
from serment.ports import Place as PackPlace
from serment.ports import Receipt

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


class Desk:
    """What an object on its way needs of a reception; `known`: whether its envelope is open."""

    study: str | None = None

    def __init__(self, packs: MemoryPacks | None = None, known: bool = True) -> None:
        self.packs = packs or MemoryPacks()
        self.known, self.begun = known, 0
        seed = new_seed()
        self.identity = HybridIdentity(seed)
        recipient = HybridRecipient(public_key(seed))
        self.envelope = SealingEnvelope(new_id(), new_id(), recipient, new_key(), new_key())
        self.places: list[PackPlace] = []
        self._head, self._sealed = Reused(1000), self.packs.room()

    def join(self, arrival: Arrival) -> SealedFile | None:
        return self.begin(arrival) if self.known else None

    def begin(self, arrival: Arrival) -> SealedFile:
        self.begun += 1
        age = AgeWriter([self.envelope.recipient])
        return SealedFile(self.packs, self.envelope, age, self._sealed)

    def keep(self, arrival: Arrival, file: SealedFile) -> Receipt:
        self.places.append(file.place(file.digest(), b"identity", b"clinical"))
        return arrival.receipt(file.object_id)

    def start(self) -> Incoming:
        return Incoming(self, self._head)

    def send(self, data: bytes, *cuts: int) -> None:
        """One object, cut at these offsets."""
        stream, at = self.start(), 0
        for cut in (*sorted(cuts), len(data)):
            stream.write(memoryview(data)[at:cut])
            at = cut
        stream.finish()

    def stored(self) -> list[bytes]:
        """What can be opened of all that was kept."""
        files = [self.packs.read(p.pack, p.offset, p.size) for p in self.places]
        assert [hashlib.sha256(file).digest() for file in files] == [p.sha256 for p in self.places]
        assert len(list(self.packs.records())) == len(self.places)
        return [open_bytes(file, self.identity) for file in files]


def image(size: int, comment: int = 0) -> bytes:
    """A DICOM file of exactly that many (even) bytes, with a comment in its header."""
    dataset = header(study(patient()), Place(1, 1), SECONDARY_CAPTURE, "OT")
    dataset.add_new(0x00204000, "UT", "c" * comment)
    dataset.add_new(0x7FE00010, "OB", b"")
    missing = size - len(part10(dataset))
    dataset[0x7FE00010].value = hashlib.shake_128(b"pixels").digest(missing)
    data = part10(dataset)
    assert len(data) == size
    return data


EDGES = [
    *(n * CHUNK + d for n in (1, 2, 3, 8) for d in (-2, 0, 2)),
    *(FIRST_LOOK + d for d in (-2, 0, 2)),
    4000,
]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(EDGES), st.lists(st.integers(0, 8 * CHUNK), max_size=8), st.booleans())
def test_any_cut_stores_the_same(size: int, cuts: list[int], known: bool) -> None:
    desk, data = Desk(known=known), image(size)
    for _ in range(2):
        desk.send(data, *(cut for cut in cuts if cut <= size))
    assert desk.stored() == [data, data]


@pytest.mark.parametrize("size", [WHOLE - 2, WHOLE, WHOLE + 2, WHOLE + 3 * CHUNK])
@pytest.mark.parametrize("known", [True, False])
def test_beyond_4_mib_it_has_a_pack_of_its_own(size: int, known: bool) -> None:
    desk, small, large = Desk(known=known), image(5000), image(size)
    step = 100_001
    desk.send(small)
    desk.send(large, *range(step, size, step))
    desk.send(small)
    assert desk.stored() == [small, large, small]
    first, second, third = (place.pack for place in desk.places)
    assert first == third
    assert (second != first) == (size > WHOLE)


def test_sealing_begins_as_soon_as_the_header_is_there() -> None:
    desk, data = Desk(), image(8 * CHUNK)
    stream = desk.start()
    stream.write(data[: FIRST_LOOK - 1])
    assert desk.begun == 0
    stream.write(data[FIRST_LOOK - 1 : FIRST_LOOK])
    assert desk.begun == 1


@pytest.mark.parametrize("comment", [FIRST_LOOK, 6 * FIRST_LOOK, 20 * FIRST_LOOK])
def test_a_header_longer_than_the_first_look_is_waited_for(comment: int) -> None:
    desk, data = Desk(), image(comment + 300_000, comment)
    stream, step = desk.start(), 10_000
    for at in range(0, len(data), step):
        stream.write(data[at : at + step])
        assert not desk.begun or at + step >= comment
    stream.finish()
    assert desk.begun == 1
    assert desk.stored() == [data]


def test_a_header_without_end_is_read_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    find = incoming.find_arrival
    monkeypatch.setattr(
        incoming, "find_arrival", lambda head, study: looks.append(len(head)) or find(head, study)
    )
    desk, data = Desk(), image(3_500_000, 3_300_000)
    stream = desk.start()
    for at in range(0, 3_300_000, 50_000):
        stream.write(data[at : at + 50_000])
    assert len(looks) <= 4
    assert sum(looks) < 2 * 3_300_000


def test_an_envelope_is_made_only_for_what_is_whole_or_long() -> None:
    desk = Desk(known=False)
    stream, data = desk.start(), image(WHOLE + 100_000)
    stream.write(data[: WHOLE - 1])
    assert desk.begun == 0
    stream.write(data[WHOLE - 1 :])
    assert desk.begun == 1


@pytest.mark.parametrize("size", [5000, 8 * CHUNK, WHOLE + CHUNK])
@pytest.mark.parametrize("known", [True, False])
def test_given_up_at_any_point_it_leaves_nothing(size: int, known: bool) -> None:
    desk, data = Desk(known=known), image(size)
    for end in range(0, size + 1, size // 7):
        stream = desk.start()
        for at in range(0, end, CHUNK):
            stream.write(data[at : min(at + CHUNK, end)])
        stream.abort()
        stream.abort()
    assert desk.packs.names() == []
    desk.send(data)
    assert desk.stored() == [data]


@pytest.mark.parametrize("size", [5000, 8 * CHUNK, WHOLE + CHUNK])
def test_a_full_disk_keeps_nothing_of_it_and_the_next_may_come(size: int) -> None:
    desk, data = Desk(MemoryPacks(capacity=size)), image(size)
    stream = desk.start()
    with pytest.raises(NoSpace):
        _all(stream, data)
    stream.abort()
    assert list(desk.packs.records()) == []
    desk.packs.capacity = None
    desk.send(data)
    assert desk.stored() == [data]


def test_giving_up_what_has_ended_harms_nobody() -> None:
    desk, data = Desk(), image(8 * CHUNK)
    finished, given_up = desk.start(), desk.start()
    _all(finished, data)
    given_up.abort()
    following = desk.start()
    following.write(data[: 4 * CHUNK])
    finished.abort()
    given_up.abort()
    following.write(data[4 * CHUNK :])
    finished.abort()
    following.finish()
    assert desk.stored() == [data, data]


def test_what_is_no_dicom_is_refused_early() -> None:
    with pytest.raises(FormatError):
        Desk().start().write(bytes(FIRST_LOOK))


def test_an_object_that_ends_within_its_header_is_refused() -> None:
    desk, data = Desk(), image(300_000, 200_000)
    for end in (150_000, 60_000, 200, 0):
        stream = desk.start()
        with pytest.raises(FormatError):
            _all(stream, data[:end])
        stream.abort()
    assert desk.begun == 0


def _all(stream: Incoming, data: bytes) -> None:
    for at in range(0, len(data), CHUNK):
        stream.write(data[at : at + CHUNK])
    stream.finish()
