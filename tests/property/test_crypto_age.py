"""For any bytes: what is sealed opens, anywhere; what is not an age file is refused, quickly."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from tests.sealing import seal_bytes

from serment.core.crypto import keys
from serment.core.crypto.age import (
    AgeReader,
    AgeWriter,
    HybridIdentity,
    HybridRecipient,
    X25519Identity,
    header,
    open_bytes,
)
from serment.errors import AccessDenied, FormatError, IntegrityError

SEED = keys.new_seed()
IDENTITY, RECIPIENT = HybridIdentity(SEED), HybridRecipient(keys.public_key(SEED))
CLASSIC = X25519Identity(keys.new_seed())
REFUSED = (FormatError, IntegrityError, AccessDenied)
SEALED = bytes(seal_bytes(b"abc" * 30_000, RECIPIENT))

sizes = st.integers(0, 300_000)


def plain_of(size: int) -> bytes:
    return b"".join(i.to_bytes(4, "big") for i in range(size // 4 + 1))[:size]


@given(sizes, st.lists(st.tuples(sizes, sizes), max_size=5))
def test_any_range_of_any_file(size, ranges):
    plain = plain_of(size)
    file = seal_bytes(plain, RECIPIENT)
    reader = AgeReader(lambda at, count: file[at : at + count], len(file), [IDENTITY])
    for start, length in ranges:
        assert reader.read(start, length) == plain[start : start + length]
        assert b"".join(reader.stream(start, start + length)) == plain[start : start + length]
    assert reader.read(0, size) == plain


@given(st.lists(sizes, max_size=6))
@example([65536])
@example([65536, 65536, 0, 1])
def test_any_cutting_into_pieces_gives_one_file(pieces):
    plain = plain_of(sum(pieces))
    writer = AgeWriter([RECIPIENT])
    file, at = writer.header(), 0
    for piece in pieces:
        file += writer.update(plain[at : at + piece])
        at += piece
    assert open_bytes(file + writer.finish(), IDENTITY) == plain


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_no_changed_byte_goes_unnoticed(at, change):
    changed = bytearray(SEALED)
    changed[at] ^= change
    try:
        open_bytes(changed, IDENTITY)
    except REFUSED:
        return
    raise AssertionError(f"byte {at} can be changed")


lines = [b"age-encryption.org/v1\n", b"-> X25519 " + b"A" * 43 + b"\n", b"\n--- ", b"--- "]
pieces = [b"-> ", b"X25519", b"mlkem768x25519", b" ", b"\n", b"\r", b"=", b"\xff"]
runs = [b"A" * size for size in (43, 64, 1494)]
tokens = st.sampled_from([*lines, *pieces, *runs])


@given(st.lists(tokens | st.binary(max_size=80), max_size=30).map(b"".join))
@example(
    b"age-encryption.org/v1\n-> X25519 " + b"A" * 43 + b"\n" + b"A" * 43 + b"\n--- " + b"A" * 43
)
@example(b"age-encryption.org/v1\n--- " + b"A" * 43 + b"\n")
def test_any_bytes_are_refused_with_our_errors_only(untrusted):
    for file in (untrusted, b"age-encryption.org/v1\n" + untrusted):
        for identity in (IDENTITY, CLASSIC):
            try:
                open_bytes(file, identity)
            except REFUSED:
                continue
            raise AssertionError("opened without having been sealed")


arguments = st.binary(min_size=1, max_size=30).map(lambda raw: raw.hex().encode())
stanzas = st.builds(
    header.Stanza, arguments, st.lists(arguments, max_size=4).map(tuple), st.binary(max_size=200)
)


@given(st.lists(stanzas, min_size=1, max_size=10), st.binary(min_size=16, max_size=16), st.binary())
def test_any_header_comes_back(made, file_key, payload):
    rendered = header.render(made, file_key)
    parsed = header.parse(rendered + payload)
    assert (parsed.stanzas, parsed.size) == (tuple(made), len(rendered))
    parsed.check(file_key)
