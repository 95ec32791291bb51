"""Makes the pack vectors: `python tests/vectors/packs/make.py`. The same bytes on every run.

`expected.json` says of each file which records it holds, which bytes hold none, and for what is
wrong with its first record the exact message. Written without the code under test but for
constants of the format, so that a change of the format shows. Kept for ever.
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

HERE = Path(__file__).parent
ENVELOPE = bytes.fromhex("e0" * 16)


def noise(size: int, label: str) -> bytes:
    """Bytes that stand for an age file or a sealed header."""
    return hashlib.shake_256(label.encode()).digest(size)


def head(object_id: bytes, total: int, age: int, flags: int = 0, version: int = 1) -> bytes:
    return struct.pack(
        ">8sHHI16s16sQQ", b"SermentR", version, flags, 0, object_id, ENVELOPE, total, age
    )


def trailer(start: bytes, age: bytes, identity: bytes, clinical: bytes) -> bytes:
    sizes = struct.pack(">QII", len(age), len(identity), len(clinical))
    covered = sizes + hashlib.sha256(age).digest()
    digest = hashlib.sha256(start + covered + identity + clinical).digest()
    return covered + digest + b"RtnemreS"


def record(number: int, age_size: int, identity: int, clinical: int, **more: int) -> bytes:
    age = noise(age_size, f"age {number}")
    headers = noise(identity, f"identity {number}"), noise(clinical, f"clinical {number}")
    total = 64 + age_size + identity + clinical + 88
    start = head(bytes([number]) * 16, total, age_size, **more)
    return start + age + b"".join(headers) + trailer(start, age, *headers)


def large(number: int, age_size: int) -> bytes:
    age = noise(age_size, f"age {number}")
    headers = noise(20, f"identity {number}"), noise(30, f"clinical {number}")
    start = head(bytes([number]) * 16, 0, 0, flags=1)
    return start + age + b"".join(headers) + trailer(start, age, *headers)


def void(size: int) -> bytes:
    start = struct.pack(">8sHHI16s16sQQ", b"SermentR", 1, 2, 0, bytes(16), bytes(16), size, 0)
    return start + bytes(size - 64)


def changed(data: bytes, position: int, value: bytes) -> bytes:
    return data[:position] + value + data[position + len(value) :]


def known(data: bytes, start: int, number: int, age: int, identity: int, clinical: int) -> dict:
    """What a reader must say of a record at `start`."""
    at = start + 64
    return {
        "object_id": bytes([number]).hex() * 16,
        "envelope_id": ENVELOPE.hex(),
        "start": start,
        "age_offset": at,
        "age_size": age,
        "sha256": hashlib.sha256(data[at : at + age]).hexdigest(),
        "identity_header": data[at + age : at + age + identity].hex(),
        "clinical_header": data[at + age + identity : at + age + identity + clinical].hex(),
        "end": start + 64 + age + identity + clinical + 88,
    }


def vectors() -> dict[str, tuple[bytes, dict]]:
    made: dict[str, tuple[bytes, dict]] = {}

    def good(name: str, data: bytes, *records: tuple[int, int, int, int, int], **more: object):
        made[name] = data, {"records": [known(data, *r) for r in records], "gaps": [], **more}

    def bad(name: str, data: bytes, error: str, *records: tuple[int, int, int, int, int], **more):
        gaps = {"gaps": [[0, len(data)]], **more}
        made[name] = data, {"error": error, "records": [known(data, *r) for r in records], **gaps}

    one, two = record(1, 200, 60, 90), record(2, 0, 0, 0)
    good("empty", b"")
    good("no-age-no-headers", two, (0, 2, 0, 0, 0))
    good("one-byte", record(3, 1, 1, 1), (0, 3, 1, 1, 1))
    good("one", one, (0, 1, 200, 60, 90))
    good(
        "three",
        one + two + record(3, 50, 10, 10),
        (0, 1, 200, 60, 90),
        (502, 2, 0, 0, 0),
        (654, 3, 50, 10, 10),
    )
    good("large", large(4, 300), (0, 4, 300, 20, 30))
    good("void-between", one + void(200) + two, (0, 1, 200, 60, 90), (702, 2, 0, 0, 0))
    first = one + void(4096 - len(one))
    good("filled", first + two + void(4096 - len(two)), (0, 1, 200, 60, 90), (4096, 2, 0, 0, 0))
    for name, size in (
        ("void-too-long-by-a-record", 4096 - len(one) + len(two)),
        ("void-too-long-by-a-byte", 4096 - len(one) + 1),
        ("void-too-short", 4096 - len(one) - 55),
    ):
        wrong = changed(first, len(one) + 48, struct.pack(">Q", size)) + two + void(200)
        around = (0, 1, 200, 60, 90), (4096, 2, 0, 0, 0)
        made[name] = wrong, {"records": [known(wrong, *r) for r in around], "gaps": [[502, 4096]]}
    good("void-alone", void(64), error="a void is no record")

    bad("head-cut", one[:63], "the record is cut in its head")
    bad("magic", changed(one, 0, b"s"), "no record starts here")
    newer = "a record of version {} with flags {}: this program knows version 1"
    bad("newer-version", record(1, 9, 9, 9, version=2), newer.format(2, 0))
    bad("unknown-flag", record(1, 9, 9, 9, flags=4), newer.format(1, 4))
    bad("two-flags", record(1, 9, 9, 9, flags=3), newer.format(1, 3))
    sizes = "the head of the record has impossible sizes"
    bad("reserved-not-zero", changed(one, 12, b"\0\0\0\1"), sizes)
    bad("total-too-small", changed(one, 48, struct.pack(">Q", 151)), sizes)
    bad("age-too-large", changed(one, 56, struct.pack(">Q", 2**40)), sizes)
    bad("headers-too-large", changed(one, 48, struct.pack(">Q", 2**22)), sizes)
    bad("large-with-a-size", changed(large(4, 300), 48, struct.pack(">Q", 502)), sizes)
    bad("void-too-small", changed(void(64), 48, struct.pack(">Q", 63)), sizes)
    bad("void-with-age", changed(void(64), 56, struct.pack(">Q", 1)), sizes)
    bad("trailer-cut", one[:-1], "the record is cut in its trailer")
    bad("only-a-head", one[:64], "the record is cut in its trailer")
    bad("void-cut", void(200)[:-1], "a void is no record")
    bad("end-magic", changed(one, len(one) - 1, b"s"), "the record has no trailer")
    bad("torn-age", changed(one, 300, bytes(202)), "the record has no trailer")
    bad(
        "trailer-header-sizes",
        changed(one, len(one) - 80, struct.pack(">I", 2**21)),
        "the trailer of the record has impossible sizes",
    )
    differ = "the head and the trailer of the record disagree"
    bad("trailer-other-age", changed(one, len(one) - 88, struct.pack(">Q", 201)), differ)
    bad("trailer-other-split", changed(one, len(one) - 80, struct.pack(">I", 61)), differ)
    digest = "the digest of the record is not that of its headers"
    bad("identity-header-changed", changed(one, 264, b"\0"), digest)
    bad("clinical-header-changed", changed(one, 413, b"\0"), digest)
    bad("object-id-changed", changed(one, 16, b"\0"), digest)
    bad("sha256-changed", changed(one, len(one) - 72, b"\0"), digest)
    bad("digest-changed", changed(one, len(one) - 40, b"\0"), digest)
    bad("large-cut", large(4, 300)[:-1], "the record has no trailer")
    bad("large-longer", large(4, 300) + b"\0", "the record has no trailer")
    bad("large-head-only", large(4, 0)[:64], "the record is cut in its trailer")
    bad("large-age-changed-length", large(4, 300)[:100] + large(4, 300)[101:], differ)
    moved = one + large(4, 300)
    made["large-not-alone"] = (
        moved,
        {"records": [known(moved, 0, 1, 200, 60, 90)], "gaps": [[502, len(moved)]]},
    )
    torn = one + record(5, 400, 5, 5)[:300]
    made["torn-tail"] = torn, {"records": [known(torn, 0, 1, 200, 60, 90)], "gaps": [[502, 802]]}
    hole = bytes(302) + two
    made["hole-first"] = (
        hole,
        {
            "error": "no record starts here",
            "records": [known(hole, 302, 2, 0, 0, 0)],
            "gaps": [[0, 302]],
        },
    )
    return made


def main() -> None:
    expected = {}
    for name, (data, facts) in sorted(vectors().items()):
        (HERE / f"{name}.pack").write_bytes(data)
        expected[name] = {"size": len(data), **facts}
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
