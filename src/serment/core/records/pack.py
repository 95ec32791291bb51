"""The bytes of a pack: how one record is laid out, built and parsed; files are the adapters'.

A record is head, age file, identity header, clinical header, trailer. All numbers are big endian.
The trailer's digest tells a whole record from a torn or damaged one; it is no proof against
somebody who writes packs: that is the work of the age file and of the sealed headers. A void is a
head without a record: it fills up what lies between a record and the next block, and covers bytes
of which nothing whole was left.

Source: docs/format.md, "Packs".
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from serment.errors import N_, FormatError, Remark

VERSION = 1
LARGE = 1  # flag: the record is alone in its pack and goes to the end of the file
VOID = 2  # flag: nothing here up to the total length

HEAD_MAGIC = b"SermentR"
END_MAGIC = b"RtnemreS"
HEAD = struct.Struct(">8sHHI16s16sQQ")  # magic, version, flags, 0, object, envelope, total, age
TRAILER = struct.Struct(">QII32s32s8s")  # age, identity, clinical, SHA-256, digest, magic
HEAD_SIZE = HEAD.size  # 64
TRAILER_SIZE = TRAILER.size  # 88
_SEARCH = 1024 * 1024  # bytes read at a time, in search of a head or for a digest
BLOCK = 4096  # every record of a shared pack starts at a multiple of it
_COVERED = 48  # bytes of the trailer that the digest covers: sizes and SHA-256

ID_SIZE = 16
SHA256_SIZE = 32
MAX_AGE = 8 * 1024 * 1024  # of an age file in a shared pack; objects up to 4 MiB go there
MAX_HEADER = 1024 * 1024  # of each sealed header

Buffer = bytes | bytearray | memoryview
ReadAt = Callable[[int, int], bytes]
"""`read(offset, size)` gives the bytes at that offset; fewer when the file ends before."""


@dataclass(frozen=True, slots=True)
class Head:
    """The fixed start of a record. `total` and `age_size` are 0 in a large one."""

    object_id: str
    envelope_id: str
    total: int
    age_size: int
    large: bool
    void: bool


@dataclass(frozen=True, slots=True)
class Trailer:
    """The fixed end of a record; sizes in bytes."""

    age_size: int
    identity_size: int
    clinical_size: int
    sha256: bytes
    digest: bytes

    @property
    def total(self) -> int:
        """The size of the whole record."""
        return HEAD_SIZE + self.age_size + self.identity_size + self.clinical_size + TRAILER_SIZE


@dataclass(frozen=True, slots=True)
class ParsedRecord:
    """A whole record: where it starts and ends, where its age file is, its two sealed headers."""

    object_id: str
    envelope_id: str
    start: int
    age_offset: int
    age_size: int
    sha256: bytes
    identity_header: bytes
    clinical_header: bytes
    end: int


def build_head(object_id: str, envelope_id: str, age_size: int, headers_size: int) -> bytes:
    """Return the 64 bytes that start a record of a shared pack.

    Raises:
        FormatError: an id is not 32 hexadecimal digits, or a size is beyond its limit.
    """
    if age_size > MAX_AGE:
        raise FormatError(
            N_("an object of {size} bytes does not go into a shared pack"), size=age_size
        )
    total = HEAD_SIZE + age_size + headers_size + TRAILER_SIZE
    ids = _id_bytes(object_id), _id_bytes(envelope_id)
    return HEAD.pack(HEAD_MAGIC, VERSION, 0, 0, *ids, total, age_size)


def build_large_head(object_id: str, envelope_id: str) -> bytes:
    """Return the 64 bytes that start a pack of one large object, whose size is not yet known."""
    ids = _id_bytes(object_id), _id_bytes(envelope_id)
    return HEAD.pack(HEAD_MAGIC, VERSION, LARGE, 0, *ids, 0, 0)


def build_void(size: int) -> bytes:
    """Return the 64 bytes that make `size` bytes (at least 64), these included, hold nothing."""
    return HEAD.pack(HEAD_MAGIC, VERSION, VOID, 0, bytes(16), bytes(16), size, 0)


def build_filling(end: int) -> bytes:
    """Return the void that fills a pack up from `end`, where a record ends, to the next block."""
    missing = -end % BLOCK
    if not missing:
        return b""
    missing += BLOCK if missing < HEAD_SIZE else 0
    return build_void(missing) + bytes(missing - HEAD_SIZE)


def build_around(
    object_id: str, envelope_id: str, age_size: int, sha256: bytes, identity: bytes, clinical: bytes
) -> tuple[bytes, bytes]:
    """Return what stands in front of an age file and what stands behind it, both headers included.

    Raises:
        FormatError: as `build_head` and `build_trailer`.
    """
    check_headers(identity, clinical)
    head = build_head(object_id, envelope_id, age_size, len(identity) + len(clinical))
    return head, identity + clinical + build_trailer(head, age_size, sha256, identity, clinical)


def build_trailer(
    head: bytes, age_size: int, sha256: bytes, identity_header: bytes, clinical_header: bytes
) -> bytes:
    """Return the 88 bytes that end the record which starts with `head`.

    Raises:
        FormatError: a header is beyond its limit, or `sha256` is not 32 bytes.
    """
    check_headers(identity_header, clinical_header)
    if len(sha256) != SHA256_SIZE:
        raise FormatError(N_("a SHA-256 has 32 bytes, not {size}"), size=len(sha256))
    sizes = struct.pack(">QII", age_size, len(identity_header), len(clinical_header))
    digest = _digest(head, sizes + sha256, identity_header, clinical_header)
    return sizes + sha256 + digest + END_MAGIC


def check_headers(identity_header: bytes, clinical_header: bytes) -> None:
    """Raise `FormatError` when a sealed header is beyond its limit."""
    for header in (identity_header, clinical_header):
        if len(header) > MAX_HEADER:
            raise FormatError(N_("a sealed header of {size} bytes is too long"), size=len(header))


def parse_head(data: bytes) -> Head:
    """Parse the start of a record.

    Raises:
        FormatError: not the head of a record, of a newer version, or with impossible sizes.
    """
    if len(data) != HEAD_SIZE:
        raise FormatError(N_("the record is cut in its head"))
    magic, version, flags, zero, object_id, envelope_id, total, age_size = HEAD.unpack(data)
    if magic != HEAD_MAGIC:
        raise FormatError(N_("no record starts here"))
    if version != VERSION or flags not in (0, LARGE, VOID):
        raise FormatError(
            N_("a record of version {version} with flags {flags}: this program knows version 1"),
            hint=N_("install the newer Serment"),
            version=version,
            flags=flags,
        )
    if zero or not _possible(total, age_size, flags):
        raise FormatError(N_("the head of the record has impossible sizes"))
    large, void = flags == LARGE, flags == VOID
    return Head(object_id.hex(), envelope_id.hex(), total, age_size, large, void)


def _possible(total: int, age_size: int, flags: int) -> bool:
    if flags == LARGE:
        return total == 0 and age_size == 0
    if flags == VOID:
        return total >= HEAD_SIZE and age_size == 0
    headers = total - HEAD_SIZE - age_size - TRAILER_SIZE
    return age_size <= MAX_AGE and 0 <= headers <= 2 * MAX_HEADER


def parse_trailer(data: bytes) -> Trailer:
    """Parse the end of a record.

    Raises:
        FormatError: not the trailer of a record, or with impossible sizes.
    """
    if len(data) != TRAILER_SIZE:
        raise FormatError(N_("the record is cut in its trailer"))
    age_size, identity_size, clinical_size, sha256, digest, magic = TRAILER.unpack(data)
    if magic != END_MAGIC:
        raise FormatError(N_("the record has no trailer"))
    if identity_size > MAX_HEADER or clinical_size > MAX_HEADER:
        raise FormatError(N_("the trailer of the record has impossible sizes"))
    return Trailer(age_size, identity_size, clinical_size, sha256, digest)


def parse_record(read: ReadAt, start: int, end: int) -> ParsedRecord:
    """Parse the record at `start` of a pack of `end` bytes, without reading its age file.

    Reads at most the head and, in a second call, both headers and the trailer (2 MiB).

    Raises:
        FormatError: no whole record is there: torn, damaged, or of a newer version.
    """
    raw_head = read(start, HEAD_SIZE)
    head = parse_head(raw_head)
    if head.void:
        raise FormatError(N_("a void is no record"))
    if head.large:
        tail, stop = _tail_of_large(read, start, end), end
    else:
        stop = start + head.total
        tail_size = head.total - HEAD_SIZE - head.age_size
        tail = read(stop - tail_size, tail_size) if stop <= end else b""
    trailer = parse_trailer(tail[-TRAILER_SIZE:])
    if start + trailer.total != stop or (not head.large and trailer.age_size != head.age_size):
        raise FormatError(N_("the head and the trailer of the record disagree"))
    split = trailer.identity_size
    identity, clinical = tail[:split], tail[split : split + trailer.clinical_size]
    if _digest(raw_head, tail[-TRAILER_SIZE:][:_COVERED], identity, clinical) != trailer.digest:
        raise FormatError(N_("the digest of the record is not that of its headers"))
    return ParsedRecord(
        head.object_id,
        head.envelope_id,
        start,
        start + HEAD_SIZE,
        trailer.age_size,
        trailer.sha256,
        identity,
        clinical,
        stop,
    )


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes of a pack that are no whole record and no void: torn, damaged, or foreign."""

    start: int
    end: int


def unfinished(pack: str, size: int) -> Remark:
    """What is said of a pack that was deleted, as it held no whole record."""
    return Remark(N_("pack {pack}: unfinished, deleted ({size} bytes)"), pack=pack, size=size)


def no_record(gap: Gap) -> Remark:
    """What is said of a gap that nobody may cut away."""
    found = N_("bytes {start} to {end} hold no whole record")
    return Remark(found, start=gap.start, end=gap.end)


def scan(
    read: ReadAt, end: int, whole: Callable[[ParsedRecord], bool] = lambda record: True
) -> Iterator[ParsedRecord | Gap]:
    """Every record of a pack of `end` bytes in order, and the gaps between and after them.

    `whole` may look further than the digest does, at the age file. After a gap the search goes on
    at the next head that starts a whole record, so that damage hides nothing but itself. A void has
    no digest: one in which an item starts is a gap, but for a record whose age file is not its own,
    which is what recovery covers. Where no item follows a void, its size may be what is wrong: the
    search begins within it, and a gap too short for a void of its own begins where it does.
    """

    def own(record: ParsedRecord) -> bool:
        return has_its_digest(read, record)

    at, void = 0, -1  # `void`: where the one begins that ends at `at`
    while at < end:
        stop, record = _item(read, at, end, whole)
        if record is not None:
            yield record
        elif stop and _next_item(read, at + HEAD_SIZE - 1, stop, end, own) == stop:
            at, void = stop, at
            continue
        else:
            doubted = void >= 0 and not stop  # the void before: it may be too long, or too short
            stop = _next_item(read, at - len(HEAD_MAGIC) if doubted else at, end, end, whole)
            too_short = stop < end and stop - at < HEAD_SIZE
            yield Gap(void if doubted and too_short else at, stop)
        at, void = stop, -1


def has_its_digest(read: ReadAt, record: ParsedRecord) -> bool:
    """Whether the age file has the SHA-256 that the trailer says."""
    return digest_of(read, record.age_offset, record.age_size) == record.sha256


def digest_of(read: ReadAt, offset: int, size: int) -> bytes:
    """SHA-256 of a range, read 1 MiB at a time; of fewer bytes where the pack ends before."""
    digest, stop = hashlib.sha256(), offset + size
    while offset < stop:
        chunk = read(offset, min(_SEARCH, stop - offset))
        if not chunk:
            break
        digest.update(chunk)
        offset += len(chunk)
    return digest.digest()


def _item(
    read: ReadAt, at: int, end: int, whole: Callable[[ParsedRecord], bool]
) -> tuple[int, ParsedRecord | None]:
    """Where the item at `at` ends (0: there is none), and the record unless it is a void."""
    try:
        head = parse_head(read(at, HEAD_SIZE))
        if head.void:
            return (at + head.total, None) if at + head.total <= end else (0, None)
        record = parse_record(read, at, end)
    except FormatError:
        return 0, None
    return (record.end, record) if whole(record) else (0, None)


def _next_item(
    read: ReadAt, at: int, until: int, end: int, whole: Callable[[ParsedRecord], bool]
) -> int:
    """Where the next whole item after `at` and before `until` starts, or `until`."""
    position, overlap = at + 1, len(HEAD_MAGIC) - 1
    while position < until:
        chunk = read(position, min(_SEARCH, until - position))
        found = chunk.find(HEAD_MAGIC)
        while found >= 0:
            if _item(read, position + found, end, whole)[0]:
                return position + found
            found = chunk.find(HEAD_MAGIC, found + 1)
        if len(chunk) <= overlap:
            break
        position += len(chunk) - overlap
    return until


def _tail_of_large(read: ReadAt, start: int, end: int) -> bytes:
    """The headers and the trailer of a record that goes to the end of its pack."""
    if start != 0:
        raise FormatError(N_("a large record is not alone in its pack"))
    if end < HEAD_SIZE + TRAILER_SIZE:
        raise FormatError(N_("the record is cut in its trailer"))
    trailer = parse_trailer(read(end - TRAILER_SIZE, TRAILER_SIZE))
    if trailer.total != end:
        raise FormatError(N_("the head and the trailer of the record disagree"))
    size = trailer.identity_size + trailer.clinical_size + TRAILER_SIZE
    return read(end - size, size)


def _digest(head: bytes, covered: bytes, identity: bytes, clinical: bytes) -> bytes:
    return hashlib.sha256(b"".join((head, covered, identity, clinical))).digest()


def _id_bytes(value: str) -> bytes:
    try:
        raw = bytes.fromhex(value)
    except ValueError:
        raw = b""
    if len(raw) != ID_SIZE or raw.hex() != value:
        raise FormatError(N_("an id has 32 hexadecimal digits"))
    return raw
