"""Whatever form an identifier takes, wherever it lies, the byte search finds it; and only it."""

from __future__ import annotations

import gzip
import io
import json
import random
import unicodedata
import zipfile
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from serment.app.prove.bytesearch import Outcome, Search
from serment.app.prove.forms import Planted

# The forms are spelt out here once more, without the code under test.


def bare(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda text: text.encode(),
    "latin-1": lambda text: text.encode("latin-1"),
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "nfd": lambda text: unicodedata.normalize("NFD", text).encode(),
}
LETTERS: dict[str, Callable[[str], str]] = {
    "as is": str,
    "upper": str.upper,
    "lower": str.lower,
    "bare": bare,
    "bare upper": lambda text: bare(text).upper(),
    "bare lower": lambda text: bare(text).lower(),
}
NAMES: dict[str, Callable[[str], str]] = {
    "as is": str,
    "spaced": lambda name: name.replace("^", " "),
    "reversed": lambda name: " ".join(reversed(name.split("^"))),
    "reversed ^": lambda name: "^".join(reversed(name.split("^"))),
    "comma": lambda name: name.replace("^", ", "),
    "half bare": lambda name: f"{bare(name.split('^')[0]).upper()}^{name.split('^')[1]}",
}
DATES: dict[str, Callable[[str], str]] = {
    "compact": str,
    "iso": lambda date: f"{date[:4]}-{date[4:6]}-{date[6:]}",
    "french": lambda date: f"{date[6:]}/{date[4:6]}/{date[:4]}",
}


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one", b"filler " * 40)
        archive.writestr("two", data)
    return out.getvalue()


def in_dicom(data: bytes) -> bytes:
    syntax = b"\x02\x00\x10\x00UI\x16\x001.2.840.10008.1.2.1.99"
    deflater = zlib.compressobj(wbits=-15)
    body = deflater.compress(data) + deflater.flush()
    length = b"\x02\x00\x00\x00UL\x04\x00" + len(syntax).to_bytes(4, "little")
    return bytes(128) + b"DICM" + length + syntax + body


WRAPPINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "base64 +0": lambda data: b64encode(data),
    "base64 +1": lambda data: b64encode(b"x" + data + b"yz"),
    "base64 +2": lambda data: b64encode(b"xy" + data + b"z"),
    "base64 url": lambda data: urlsafe_b64encode(b"x" + data),
    "zlib": lambda data: zlib.compress(b"before " + data + b" after"),
    "zlib fast": lambda data: zlib.compress(data, 1),
    "zlib stored": lambda data: zlib.compress(data, 0),
    "gzip": gzip.compress,
    "zip": zipped,
    "deflated DICOM": in_dicom,
    "zlib in gzip": lambda data: gzip.compress(b"head" + zlib.compress(data)),
}
NOT_IN_BASE64 = {"utf-16-be", "nfd"}  # forms that nobody asks for inside base64

word = st.text("abcdefghijklmnoprstuvwyzàâçéèêëîïôùûüñ", min_size=5, max_size=12)
names = st.builds(lambda family, given: f"{family.upper()}^{given.title()}", word, word)
dates = st.dates(min_value=__import__("datetime").date(1920, 1, 1)).map(
    lambda date: f"{date:%Y%m%d}"
)
dates = dates.filter(lambda date: date < "2099")
numbers = st.integers(min_value=10**30, max_value=2**127)
uids = numbers.map(lambda number: f"2.25.{number}")
sentences = st.lists(word, min_size=3, max_size=12).map(" ".join)
planted_values = st.one_of(
    names.map(lambda value: ("name", value)),
    dates.map(lambda value: ("birth-date", value)),
    uids.map(lambda value: ("instance-uid", value)),
    sentences.map(lambda value: ("sentence", value)),
)


def spelled(draw: st.DrawFn, kind: str, value: str) -> bytes | None:
    if kind == "name":
        value = NAMES[draw(st.sampled_from(sorted(NAMES)))](value)
    if kind == "birth-date":
        value = DATES[draw(st.sampled_from(sorted(DATES)))](value)
    letters = draw(st.sampled_from(sorted(LETTERS)))
    encoding = draw(st.sampled_from(sorted(ENCODINGS)))
    wrapping = draw(st.sampled_from(sorted(WRAPPINGS)))
    if wrapping.startswith("base64") and (
        encoding in NOT_IN_BASE64 or "," in value or letters not in ("as is", "bare upper")
    ):
        return None
    return WRAPPINGS[wrapping](ENCODINGS[encoding](LETTERS[letters](value)))


@st.composite
def plantings(draw: st.DrawFn) -> tuple[Planted, bytes, int, int, int]:
    """(planted, its bytes in some form, how much noise before, chunk size, seed)."""
    kind, value = draw(planted_values)
    written = spelled(draw, kind, value)
    if written is None:
        written = value.encode()
    before = draw(st.integers(0, 6000))
    return Planted(kind, value), written, before, draw(st.integers(1, 4000)), draw(st.integers(0))


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[begin : begin + size] for begin in range(0, len(data), size))


def look(planted: list[Planted], data: bytes, size: int = 1 << 20) -> Outcome:
    return Search(planted, block_bytes=2048).run([("noise", chunks(data, size))])


@given(plantings())
@settings(max_examples=400)
def test_any_form_at_any_place_is_found(planting: tuple[Planted, bytes, int, int, int]) -> None:
    planted, written, before, size, seed = planting
    noise = random.Random(seed)
    data = noise.randbytes(before) + written + noise.randbytes(noise.randrange(3000))
    assert 0 in look([planted], data, size).found


@given(plantings(), st.integers(0, 255))
def test_the_place_is_where_it_was_put(
    planting: tuple[Planted, bytes, int, int, int], seed: int
) -> None:
    planted, _, before, size, _ = planting
    data = random.Random(seed).randbytes(before) + planted.value.encode() + bytes(50)
    places = look([planted], data, size).found[0]
    assert before in {place.offset for place in places}
    assert {place.source for place in places} == {"noise"}


@given(st.lists(planted_values, min_size=1, max_size=5), st.integers(0))
@settings(max_examples=50)
def test_noise_holds_nothing(values: list[tuple[str, str]], seed: int) -> None:
    planted = [Planted(*value) for value in values]
    assert look(planted, random.Random(seed).randbytes(100_000)).found == {}


@given(planted_values, st.data())
def test_one_changed_character_is_not_the_identifier(
    value: tuple[str, str], data: st.DataObject
) -> None:
    kind, text = value
    at = data.draw(st.integers(0, len(text) - 1))
    other = "7" if text[at] == "1" else "1" if text[at].isdigit() else "q"
    changed = text[:at] + other + text[at + 1 :]
    outcome = look([Planted(kind, text)], b"<<" + changed.encode() + b">>")
    assert outcome.found == {}


@given(names)
def test_escapes_of_logs_and_urls(name: str) -> None:
    spaced = name.replace("^", " ")
    for written in (
        quote(name),
        quote(name.upper()),
        quote(spaced),
        quote_plus(spaced),
        json.dumps(name),
        name.encode().hex(),
    ):
        assert 0 in look([Planted("name", name)], b"GET /?q=" + written.encode() + b" 200").found
