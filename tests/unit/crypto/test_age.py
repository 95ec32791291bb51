"""age files: whole and as a stream, read anywhere, and nothing released that was not sealed."""

from __future__ import annotations

import pytest
from tests.sealing import seal_bytes

from serment.core.crypto import keys
from serment.core.crypto.age import (
    AgeReader,
    AgeWriter,
    HybridIdentity,
    HybridRecipient,
    X25519Identity,
    X25519Recipient,
    header,
    open_bytes,
    stream,
)
from serment.core.crypto.secret import Seed
from serment.errors import AccessDenied, FormatError, IntegrityError, UsageError

SEED = keys.new_seed()
IDENTITY = HybridIdentity(SEED)
RECIPIENT = HybridRecipient(keys.public_key(SEED))
CLASSIC = X25519Identity(keys.new_seed())
CHUNK = stream.CHUNK
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, 5 * CHUNK, 5 * CHUNK + 77]


def plain_of(size: int) -> bytes:
    """Bytes in which every 4-byte word differs, so that a chunk at the wrong place shows."""
    return b"".join(i.to_bytes(4, "big") for i in range(size // 4 + 1))[:size]


def reader_of(file: bytes | bytearray, *identities) -> AgeReader:
    view = memoryview(file)
    return AgeReader(lambda at, size: view[at : at + size], len(file), identities or (IDENTITY,))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_what_is_sealed_opens(size, kind):
    plain = plain_of(size)
    file = seal_bytes(kind(plain), RECIPIENT)
    assert open_bytes(file, IDENTITY) == plain
    assert reader_of(file).plain_size == size
    assert b"".join(reader_of(file).stream()) == plain


def test_sizes_are_the_documented_ones():
    head = len(seal_bytes(b"", RECIPIENT)) - 16
    # version, stanza line with 1494 base64 characters, body of 43, MAC line, payload nonce
    assert head == 22 + 3 + 14 + 1 + 1494 + 1 + 44 + 48 + 16 == 1643
    for size, chunks in ((0, 1), (1, 1), (CHUNK, 1), (CHUNK + 1, 2), (5 * CHUNK, 5)):
        assert len(seal_bytes(bytes(size), RECIPIENT)) == head + size + 16 * chunks
        assert stream.sealed_size(size) == size + 16 * chunks


def test_no_two_files_are_alike():
    files = {bytes(seal_bytes(b"same", RECIPIENT)) for _ in range(5)}
    assert len({file[200:300] for file in files}) == len({file[-20:] for file in files}) == 5


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("step", [1000, CHUNK, CHUNK + 1, 10 * CHUNK])
def test_a_stream_gives_the_same_file_as_a_whole(size, step):
    plain = plain_of(size)
    writer = AgeWriter([RECIPIENT, CLASSIC.recipient()])
    sealed = [writer.header()]
    sealed += [writer.update(plain[i : i + step]) for i in range(0, size, step)]
    sealed += [writer.update(b""), writer.finish()]
    file = b"".join(sealed)
    assert open_bytes(file, IDENTITY) == open_bytes(file, CLASSIC) == plain
    assert len(file) == len(writer.header()) + stream.sealed_size(size)
    assert all(len(piece) <= step + 2 * CHUNK for piece in sealed[1:])


def test_a_finished_stream_takes_nothing_more():
    writer = AgeWriter([RECIPIENT])
    writer.update(b"x")
    writer.finish()
    with pytest.raises(UsageError, match="finished"):
        writer.update(b"y")
    with pytest.raises(UsageError, match="finished"):
        writer.finish()


def test_a_file_is_sealed_to_somebody():
    with pytest.raises(UsageError):
        AgeWriter([])


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 5 * CHUNK + 77])
def test_any_range_can_be_read(size):
    plain = plain_of(size)
    whole = reader_of(seal_bytes(plain, RECIPIENT))
    edges = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, size - 1, size, size + 5]
    for start in edges:
        for length in (0, 1, CHUNK - 1, CHUNK, CHUNK + 2, 4 * CHUNK, size + 9):
            if start < 0:
                continue
            expected = plain[start : start + length]
            assert whole.read(start, length) == expected
            assert b"".join(whole.stream(start, start + length)) == expected
    assert b"".join(whole.stream(7)) == plain[7:]
    assert list(whole.stream(size)) == [] and whole.read(-5, 5) == b""


def test_a_range_reads_only_the_chunks_that_hold_it():
    file = seal_bytes(plain_of(100 * CHUNK), RECIPIENT)
    asked = []

    def read(at: int, size: int) -> bytes:
        asked.append((at, size))
        return bytes(file[at : at + size])

    whole = AgeReader(read, len(file), [IDENTITY])
    opening = sum(size for _, size in asked)
    assert opening <= 2048 + 16 + stream.SEALED_CHUNK
    asked.clear()
    assert whole.read(50 * CHUNK + 5, 10) == plain_of(100 * CHUNK)[50 * CHUNK + 5 :][:10]
    assert asked == [(len(file) - 50 * stream.SEALED_CHUNK, stream.SEALED_CHUNK)]
    asked.clear()
    assert sum(map(len, whole.stream())) == 100 * CHUNK
    assert max(size for _, size in asked) <= 4 * stream.SEALED_CHUNK


def test_what_was_opened_once_is_read_again_without_the_identity():
    plain = plain_of(3 * CHUNK + 5)
    file = seal_bytes(plain, RECIPIENT)
    opened = reader_of(file).opened
    again = AgeReader.again(lambda at, size: file[at : at + size], opened)
    assert again.plain_size == len(plain)
    assert again.read(0, len(plain)) == plain == b"".join(again.stream())
    # another file for the same recipient in its place is not authentic, whole or in part
    other = seal_bytes(plain, RECIPIENT)
    swapped = AgeReader.again(lambda at, size: other[at : at + size], opened)
    for offset in (0, CHUNK, 3 * CHUNK):
        with pytest.raises(IntegrityError):
            swapped.read(offset, 1)
    empty = seal_bytes(b"", RECIPIENT)
    nothing = reader_of(empty).opened
    assert AgeReader.again(lambda at, size: empty[at : at + size], nothing).read(0, 9) == b""


def test_identities_are_tried_in_order_and_a_stranger_is_denied():
    file = seal_bytes(b"x", RECIPIENT)
    stranger = HybridIdentity(keys.new_seed())
    assert reader_of(file, stranger, CLASSIC, IDENTITY).read(0, 9) == b"x"
    with pytest.raises(AccessDenied):
        reader_of(file, stranger, CLASSIC)
    with pytest.raises(AccessDenied):
        AgeReader(lambda at, size: file[at : at + size], len(file), [])


SEALED = bytes(seal_bytes(plain_of(2 * CHUNK + 100), RECIPIENT))
HEAD = SEALED.index(b"\n--- ") + 49


@pytest.mark.parametrize("at", [*range(0, HEAD, 61), HEAD - 1])
def test_a_changed_header_does_not_open(at):
    changed = SEALED[:at] + bytes([SEALED[at] ^ 1]) + SEALED[at + 1 :]
    with pytest.raises((FormatError, IntegrityError, AccessDenied)):
        open_bytes(changed, IDENTITY)


@pytest.mark.parametrize("at", [0, 15, 16, CHUNK, CHUNK + 31, CHUNK + 32, 2 * CHUNK + 147])
def test_a_changed_payload_is_not_authentic(at):
    at += HEAD
    changed = SEALED[:at] + bytes([SEALED[at] ^ 1]) + SEALED[at + 1 :]
    with pytest.raises(IntegrityError):
        open_bytes(changed, IDENTITY)


def test_chunks_cannot_be_reordered_dropped_repeated_or_added():
    start = HEAD + 16
    first, second = (
        SEALED[start + i * stream.SEALED_CHUNK :][: stream.SEALED_CHUNK] for i in (0, 1)
    )
    head, last = SEALED[:start], SEALED[start + 2 * stream.SEALED_CHUNK :]
    for payload in (
        second + first + last,
        first + last,
        first + first + last,
        first + second,
        first + second + last + last,
        first + second + second + last,
        last,
        b"",
    ):
        with pytest.raises(IntegrityError):
            open_bytes(head + payload, IDENTITY)


def test_every_truncation_is_noticed_before_anything_is_released():
    for size in [*range(HEAD), *range(HEAD, len(SEALED), 997), len(SEALED) - 1]:
        with pytest.raises((FormatError, IntegrityError)):
            reader_of(SEALED[:size])


def test_the_error_says_where():
    at = HEAD + 16 + stream.SEALED_CHUNK + 5
    changed = SEALED[:at] + bytes([SEALED[at] ^ 1]) + SEALED[at + 1 :]
    whole = reader_of(changed)
    assert whole.read(0, CHUNK) == plain_of(CHUNK)
    with pytest.raises(IntegrityError, match="fails authentication at chunk 2 of 3"):
        whole.read(0, CHUNK + 1)
    with pytest.raises(IntegrityError, match="chunk 2 of 3"):
        list(whole.stream())


def test_a_source_that_gives_too_little_is_an_integrity_error():
    whole = AgeReader(lambda at, size: SEALED[at : at + size], len(SEALED), [IDENTITY])
    whole._read = lambda at, size: SEALED[at : at + size - 1]
    with pytest.raises(IntegrityError, match="is cut"):
        whole.read(0, 1)


def test_a_header_is_never_read_beyond_its_bound():
    endless = b"age-encryption.org/v1\n-> X25519 " + b"a" * 1_000_000
    asked = []

    def read(at: int, size: int) -> bytes:
        asked.append(at + size)
        return endless[at : at + size]

    with pytest.raises(FormatError, match="does not end"):
        AgeReader(read, 10**15, [IDENTITY])
    assert max(asked) == header.MAX_HEADER


def test_forty_recipients_fit_into_a_header():
    recipients = [HybridRecipient(keys.public_key(keys.new_seed())) for _ in range(2)] * 19
    writer = AgeWriter([*recipients, RECIPIENT])
    assert open_bytes(writer.header() + writer.finish(), IDENTITY) == b""


@pytest.mark.parametrize(
    "body", [0, 1, 47, 48, 49, 96], ids=lambda size: f"{size} bytes"
)  # 48 bytes are exactly one line of 64 columns
def test_a_header_of_any_body_comes_back(body):
    stanzas = (
        header.Stanza(b"x", (b"y", b"!~"), bytes(range(body))),
        header.Stanza(b"z", (), b""),
    )
    rendered = header.render(stanzas, b"k" * 16)
    parsed = header.parse(rendered + b"payload")
    assert parsed.stanzas == stanzas and parsed.size == len(rendered)
    parsed.check(b"k" * 16)
    with pytest.raises(IntegrityError):
        parsed.check(b"K" * 16)


def test_lines_of_the_specification():
    """The identity and recipient lines printed in https://c2sp.org/age."""
    classic = X25519Identity.from_string(
        "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
    )
    line = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
    assert str(classic.recipient()) == line
    assert X25519Recipient.from_string(line).public == classic.recipient().public
    assert classic.to_string().endswith("ZGFPQ4EGAEX")
    hybrid = HybridIdentity.from_string(
        "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"
    )
    recipient = str(hybrid.recipient())
    assert recipient.startswith("age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87")
    assert recipient.endswith("9pyyzk3tlhl53k2ykx3qheyty7saeq0d3fzv49zc0k")


@pytest.mark.parametrize("size", [0, 31, 33, 1216])
def test_an_x25519_key_has_32_bytes(size):
    with pytest.raises(FormatError):
        X25519Recipient(bytes(size))


def test_nothing_is_sealed_to_an_x25519_point_of_low_order():
    with pytest.raises(FormatError):
        seal_bytes(b"x", X25519Recipient(bytes(32)))


def test_identities_do_not_print_their_secret():
    hybrid, classic = HybridIdentity(Seed(bytes(32))), X25519Identity(Seed(b"\x5a" * 32))
    for identity in (hybrid, classic):
        assert "SECRET" not in repr(identity) and "5a" * 8 not in repr(identity)
        assert "SECRET" not in str(identity) and "Z" not in str(identity)
