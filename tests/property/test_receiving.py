"""Readers of the receiving side: total on any bytes, and blind to how the bytes were cut."""

from __future__ import annotations

import importlib.util
import struct
import sys
from pathlib import Path
from types import ModuleType

from hypothesis import given
from hypothesis import strategies as st

from serment.core.dicom import dimse, pdu
from serment.core.dicom.multipart import MultipartReader, PartData, PartEnd, PartStart


def target(name: str) -> ModuleType:
    path = Path(__file__).parent.parent / "fuzz" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"fuzz_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


PDU, MULTIPART = target("pdu"), target("multipart")

uids = st.from_regex(r"[12](\.(0|[1-9][0-9]{0,4})){1,8}", fullmatch=True)
short = st.binary(max_size=200)


def item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(value)) + value


contexts = st.builds(
    lambda number, abstract, transfer: item(
        0x20,
        bytes([number, 0, 0, 0])
        + item(0x30, abstract.encode())
        + b"".join(item(0x40, name.encode()) for name in transfer),
    ),
    st.integers(0, 255),
    uids,
    st.lists(uids, max_size=4),
)
user = st.lists(st.builds(item, st.integers(0x50, 0x59), short), max_size=6).map(
    lambda items: item(0x50, b"".join(items))
)
requests = st.builds(
    lambda fixed, items: fixed + b"".join(items),
    st.binary(min_size=68, max_size=68),
    st.lists(st.one_of(contexts, user, st.builds(item, st.integers(0, 255), short)), max_size=8),
)


@given(st.one_of(st.binary(max_size=500), requests))
def test_any_bytes_are_a_request_or_a_format_error(data: bytes) -> None:
    PDU.fuzz_one(data)


@given(requests, st.data())
def test_a_damaged_request_is_a_format_error_at_worst(data: bytes, draw: st.DataObject) -> None:
    position = draw.draw(st.integers(0, len(data) - 1))
    PDU.fuzz_one(data[:position])
    PDU.fuzz_one(
        data[:position] + draw.draw(st.binary(min_size=1, max_size=4)) + data[position + 1 :]
    )


@given(st.lists(st.tuples(st.integers(0, 0x1100), st.binary(max_size=30)), max_size=12))
def test_any_elements_are_a_command_or_a_format_error(elements: list[tuple[int, bytes]]) -> None:
    PDU.fuzz_one(b"".join(struct.pack("<HHI", 0, n, len(v)) + v for n, v in elements))


@given(st.binary(max_size=600), st.integers(0, 300))
def test_a_command_cut_into_units_is_the_same_command(command: bytes, max_length: int) -> None:
    max_length = 0 if max_length < 7 else max_length
    units = pdu.build_command(9, command, max_length)
    found, position, last = b"", 0, not command
    while position < len(units):
        kind, length = pdu.HEADER.unpack_from(units, position)
        size, number, control = pdu.FRAGMENT.unpack_from(units, position + 6)
        assert (kind, number, control & pdu.COMMAND) == (pdu.PduType.DATA, 9, 1)
        assert size == length - 4
        assert not max_length or length <= max_length
        assert not last
        last = bool(control & pdu.LAST)
        found += units[position + 12 : position + 6 + length]
        position += 6 + length
    assert last
    assert found == command


@given(st.text(max_size=200))
def test_a_comment_is_always_short_plain_ascii(text: str) -> None:
    comment = dimse.comment_of(text)
    assert len(comment) <= 64
    assert comment.isascii()
    assert comment.isprintable()
    assert "\\" not in comment


hard = st.lists(
    st.one_of(
        st.sampled_from(
            [b"\r\n", b"--", b"--b", b"\r\n--b", b"\r\n--b\r\n", b"\r", b"\n", b"-", b": "]
        ),
        st.binary(max_size=20),
    ),
    max_size=20,
).map(b"".join)


@given(hard)
def test_any_body_is_read_or_refused_whatever_its_chunks(body: bytes) -> None:
    MULTIPART.fuzz_one(body)
    MULTIPART.fuzz_one(b"--b\r\n\r\n" + body + b"\r\n--b--")


@given(st.lists(hard, max_size=5), st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_parts_come_out_as_they_went_in(contents: list[bytes], cuts: list[int]) -> None:
    boundary = b"never-in-a-part"
    body = b"".join(
        b"--" + boundary + b"\r\nContent-Type: application/dicom\r\n\r\n" + c + b"\r\n"
        for c in contents
    )
    body += b"--" + boundary + b"--\r\n"
    reader = MultipartReader(boundary)
    found: list[bytes] = []
    turn = 0
    while body:
        cut = cuts[turn % len(cuts)]
        chunk, body, turn = body[:cut], body[cut:], turn + 1
        for event in reader.feed(chunk):
            if isinstance(event, PartStart):
                found.append(b"")
            elif isinstance(event, PartData):
                found[-1] += bytes(event.data)
            else:
                assert isinstance(event, PartEnd)
    reader.finish()
    assert found == contents
