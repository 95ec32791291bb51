"""Any bytes can be read as a pack: whole records come out, everything else is a gap."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from serment.core.records.pack import (
    Gap,
    ParsedRecord,
    build_head,
    build_large_head,
    build_trailer,
    build_void,
    parse_head,
    parse_record,
    parse_trailer,
    scan,
)
from serment.errors import FormatError

IDS = st.binary(min_size=16, max_size=16).map(bytes.hex)
HEADERS = st.binary(max_size=40)


def record(object_id: str, envelope_id: str, age: bytes, identity: bytes, clinical: bytes) -> bytes:
    digest = hashlib.sha256(age).digest()
    head = build_head(object_id, envelope_id, len(age), len(identity) + len(clinical))
    trailer = build_trailer(head, len(age), digest, identity, clinical)
    return head + age + identity + clinical + trailer


def large(object_id: str, envelope_id: str, age: bytes, identity: bytes, clinical: bytes) -> bytes:
    head = build_large_head(object_id, envelope_id)
    trailer = build_trailer(head, len(age), hashlib.sha256(age).digest(), identity, clinical)
    return head + age + identity + clinical + trailer


RECORDS = st.builds(record, IDS, IDS, st.binary(max_size=60), HEADERS, HEADERS)
PIECES = st.one_of(
    RECORDS,
    st.integers(64, 200).map(lambda size: build_void(size) + bytes(size - 64)),
    st.binary(max_size=80),
    RECORDS.map(lambda data: data[: len(data) // 2]),
    st.builds(large, IDS, IDS, st.binary(max_size=60), HEADERS, HEADERS),
)


def scanned(data: bytes) -> list[ParsedRecord | Gap]:
    return list(scan(lambda offset, size: data[offset : offset + size], len(data)))


@given(st.lists(st.tuples(IDS, IDS, st.binary(max_size=60), HEADERS, HEADERS), max_size=5))
def test_what_is_built_is_parsed(parts: list[tuple[str, str, bytes, bytes, bytes]]) -> None:
    data = b"".join(record(*part) for part in parts)
    found = scanned(data)
    for part, one in zip(parts, found, strict=True):
        object_id, envelope_id, age, identity, clinical = part
        assert isinstance(one, ParsedRecord)
        assert (one.object_id, one.envelope_id) == (object_id, envelope_id)
        assert data[one.age_offset : one.age_offset + one.age_size] == age
        assert (one.identity_header, one.clinical_header) == (identity, clinical)
        assert one.sha256 == hashlib.sha256(age).digest()


@given(IDS, IDS, st.binary(max_size=200), HEADERS, HEADERS)
def test_what_is_built_large_is_parsed(
    object_id: str, envelope_id: str, age: bytes, identity: bytes, clinical: bytes
) -> None:
    (found,) = scanned(large(object_id, envelope_id, age, identity, clinical))
    assert isinstance(found, ParsedRecord)
    assert (found.age_offset, found.age_size) == (64, len(age))


@given(st.lists(PIECES, max_size=6), st.data())
def test_any_bytes_are_covered_once_and_nothing_fails(
    pieces: list[bytes], data: st.DataObject
) -> None:
    raw = bytearray(b"".join(pieces))
    if raw:
        for _ in range(data.draw(st.integers(0, 3))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    found = scanned(bytes(raw))
    end = 0
    for one in found:
        assert end <= one.start < one.end <= len(raw)
        end = one.end
    again = [one for one in found if isinstance(one, ParsedRecord)]
    for one in again:
        assert parse_record(lambda at, size: bytes(raw[at : at + size]), one.start, len(raw)) == one


@given(st.lists(RECORDS, min_size=1, max_size=4), st.binary(min_size=1, max_size=100))
def test_damage_before_hides_no_record(records: list[bytes], rubbish: bytes) -> None:
    whole = b"".join(records)
    found = scanned(rubbish + whole)
    kept = [one for one in found if isinstance(one, ParsedRecord)]
    assert [one.end - one.start for one in kept][-len(records) :] == [len(r) for r in records]


@given(st.one_of(st.binary(max_size=100), st.binary(min_size=64, max_size=64)))
def test_heads_and_trailers_of_anything(data: bytes) -> None:
    for parse in (parse_head, parse_trailer):
        try:
            parse(data)
        except FormatError:
            continue
