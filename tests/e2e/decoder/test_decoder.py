"""The decoder with real children: right pictures, and hostile input stays in the child."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from io import BytesIO

import psutil
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from serment.adapters.decoder.pool import DecoderPool
from serment.adapters.decoder.process import CHILD, Limits
from serment.core.dicom.fictional import FictionalPatient, FictionalStudy, Place, ct_slice
from serment.core.dicom.fictional.people import header, part10
from serment.core.dicom.pixels import render_frame
from serment.errors import FormatError, NotFound, Unavailable, UsageError
from serment.ports import Decoder

PATIENT = FictionalPatient("FICTIF^Personne", "19700101", "O", "FIC-0", "0", "", "")
STUDY = FictionalStudy(PATIENT, "20240203", "101500", "ACC-DECODER", "Essai", "")
SLICE = ct_slice(STUDY, Place(1, 1), 2)
GALLERY = (
    "MR_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_implicit.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "JPEG2000.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_rgb_rle_2frame.dcm",
    "image_dfl.dcm",
    "examples_palette.dcm",
    "examples_ybr_color.dcm",
)


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool() as opened:
        yield opened


def children() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if CHILD in each.cmdline()]


def show(decoder: Decoder, data: bytes, frame: int = 1, image_type: str = "png") -> bytes:
    return decoder.render(data, frame, size=None, window=None, image_type=image_type)


def still_works(decoder: Decoder) -> None:
    assert show(decoder, SLICE) == render_frame(SLICE, 1, None, None, "png")


@pytest.mark.parametrize("name", GALLERY)
def test_the_child_gives_the_picture_that_the_core_gives(pool: DecoderPool, name: str) -> None:
    data = files("pydicom").joinpath("data", "test_files", name).read_bytes()
    assert show(pool, data) == render_frame(data, 1, None, None, "png")


def test_size_window_and_type_reach_the_child(pool: DecoderPool) -> None:
    small = pool.render(SLICE, 1, size=64, window=(40, 350), image_type="jpeg")
    assert small == render_frame(SLICE, 1, 64, (40, 350), "jpeg")
    assert Image.open(BytesIO(small)).size == (64, 64)


def test_refusals_keep_their_kind_and_words(pool: DecoderPool) -> None:
    with pytest.raises(NotFound):
        show(pool, SLICE, frame=7)
    with pytest.raises(UsageError):
        show(pool, SLICE, image_type="image/gif")
    with pytest.raises(FormatError, match="DICM"):
        show(pool, b"not DICOM at all" * 20)
    still_works(pool)


def _native(rows: int, columns: int, frames: int = 1) -> bytes:
    dataset = dcmread(BytesIO(SLICE))
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = rows, columns, frames
    return part10(dataset, ExplicitVRLittleEndian)


def _jpeg_2000(rows: int, columns: int) -> bytes:
    """A codestream that announces other dimensions than it was made with, as its header does."""
    out = BytesIO()
    Image.new("L", (64, 64), 9).save(out, "JPEG2000", no_jp2=True)
    stream = bytearray(out.getvalue())
    size = stream.index(b"\xff\x51") + 6  # SIZ marker: Xsiz and Ysiz (ISO/IEC 15444-1 A.5.1)
    stream[size : size + 8] = columns.to_bytes(4, "big") + rows.to_bytes(4, "big")
    tile = size + 16
    stream[tile : tile + 8] = columns.to_bytes(4, "big") + rows.to_bytes(4, "big")
    dataset = header(STUDY, Place(2, 1), "1.2.840.10008.5.1.4.1.1.7", "OT")
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = encapsulate([bytes(stream)])
    dataset["PixelData"].is_undefined_length = True
    return part10(dataset, JPEG2000Lossless)


def _deflated_bomb() -> bytes:
    """256 MiB of one private element in 260 kB."""
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.SOPInstanceUID = "2.25.1"
    opening = part10(dataset, "1.2.840.10008.1.2.1.99")
    meta_end = 132 + 12 + int.from_bytes(opening[140:144], "little")
    deflater = zlib.compressobj(wbits=-15)
    element = deflater.compress(b"\x09\x00\x10\x00UN\x00\x00" + (1 << 28).to_bytes(4, "little"))
    zeros = b"".join(deflater.compress(bytes(1 << 20)) for _ in range(256))
    return opening[:meta_end] + element + zeros + deflater.flush()


@pytest.mark.parametrize(
    "bomb",
    [
        _native(65535, 65535),
        _jpeg_2000(60000, 60000),
        _jpeg_2000(16000, 16000),
        SLICE[:3000],
        SLICE[:132] + os.urandom(5000),
    ],
    ids=["dimensions", "codestream", "large codestream", "cut", "noise"],
)
def test_bombs_and_damage_are_refused(pool: DecoderPool, bomb: bytes) -> None:
    with pytest.raises(FormatError):
        show(pool, bomb)
    still_works(pool)


def _rle(*segments: int, data: bytes = bytes(64)) -> bytes:
    """RLE whose header says these offsets (PS3.5 G.5)."""
    head = [len(segments), *segments, *[0] * 15][:16]
    frame = b"".join((number & 0xFFFFFFFF).to_bytes(4, "little") for number in head) + data
    dataset = dcmread(BytesIO(SLICE))
    dataset.Rows = dataset.Columns = 8
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True
    return part10(dataset, RLELossless)


def _palette(entries: int, table: int) -> bytes:
    """A picture in colours of a palette that says `entries` and has `table` bytes."""
    dataset = dcmread(BytesIO(SLICE))
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    dataset.Rows = dataset.Columns = 16
    dataset.PixelData = b"\xff" * 512
    for number in (1, 2, 3):
        dataset.add_new(0x00281100 + number, "US", [entries, 0, 16])
        dataset.add_new(0x00281200 + number, "OW", bytes(table))
    return part10(dataset, ExplicitVRLittleEndian)


def _as_jpeg_2000(stream: bytes) -> bytes:
    """Something else than its transfer syntax says, where the codestream is expected."""
    dataset = dcmread(BytesIO(_jpeg_2000(64, 64)))
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].is_undefined_length = True
    return part10(dataset, JPEG2000Lossless)


HOSTILE = {  # after CVE-2026-5441 to 5445 and what image libraries fell for before
    "RLE beyond its frame": _rle(64, 0xFFFFFFF0),
    "RLE backwards": _rle(64, 0),
    "RLE of runs without end": _rle(64, 70, data=b"\x7f" + bytes(5) + b"\x80" * 64),
    "RLE with too many segments": _rle(*[64] * 15),
    "a palette shorter than it says": _palette(65535, 16),
    "a palette of nothing": _palette(0, 0),
    "a PAM picture": _as_jpeg_2000(b"P7\nWIDTH 99999\nHEIGHT 99999\nDEPTH 4\nMAXVAL 255\nENDHDR\n"),
    "a page": _as_jpeg_2000(b"<html>" * 50),
    "a TIFF picture": _as_jpeg_2000(b"II*\0\x08\0\0\0" + b"\xff" * 300),
    "a JPEG that ends at once": _as_jpeg_2000(b"\xff\xd8\xff\xd9"),
}


@pytest.mark.parametrize("picture", HOSTILE.values(), ids=HOSTILE)
def test_hostile_pixels_are_refused_or_shown_and_harm_nobody(
    pool: DecoderPool, picture: bytes
) -> None:
    """Whatever the libraries make of it: a picture of bounded size or one of our refusals."""
    before = psutil.Process().memory_info().rss
    try:
        shown = show(pool, picture)
    except FormatError:
        pass
    else:
        assert Image.open(BytesIO(shown)).size <= (64, 64)
    assert psutil.Process().memory_info().rss - before < 1 << 26
    still_works(pool)


def test_frames_that_are_only_announced_are_refused(pool: DecoderPool) -> None:
    with pytest.raises((FormatError, NotFound)):
        show(pool, _native(512, 512, frames=2**31 - 1), frame=2**30)
    still_works(pool)


def test_a_deflate_bomb_is_refused(pool: DecoderPool) -> None:
    before = psutil.Process().memory_info().rss
    bomb = _deflated_bomb()
    with pytest.raises(FormatError):
        show(pool, bomb)
    assert psutil.Process().memory_info().rss - before < 1 << 28
    still_works(pool)


def test_what_is_too_large_is_not_even_sent() -> None:
    with DecoderPool(Limits(input_bytes=1000)) as tiny, pytest.raises(FormatError, match="1000"):
        show(tiny, SLICE)


def test_a_killed_child_is_replaced() -> None:
    with DecoderPool() as own:
        before = {each.pid for each in children()}
        still_works(own)
        (first,) = [each for each in children() if each.pid not in before]
        first.kill()
        first.wait()
        still_works(own)


def test_a_child_that_takes_too_long_is_killed_and_the_parent_goes_on() -> None:
    with DecoderPool(Limits(seconds=0.0005)) as hasty:
        for _ in range(2):
            with pytest.raises(FormatError, match="within the limits"):
                show(hasty, _native(512, 512))


def test_a_child_that_cannot_start_is_said() -> None:
    with DecoderPool(Limits(start_seconds=0.001)) as never, pytest.raises(Unavailable):
        show(never, SLICE)


def test_a_child_without_memory_refuses_and_says_so() -> None:
    with (
        DecoderPool(Limits(memory_bytes=1 << 27)) as poor,
        pytest.raises((FormatError, Unavailable)),
    ):
        show(poor, _jpeg_2000(4000, 4000))


def test_children_are_replaced_after_their_jobs_and_ended_at_close() -> None:
    before = {each.pid for each in children()}
    with DecoderPool(Limits(jobs=2)) as own:
        for _ in range(3):
            still_works(own)
        during = {each.pid for each in children()} - before
        assert len(during) == 1
    assert {each.pid for each in children()} <= before
    with pytest.raises(Unavailable):
        show(own, SLICE)


def test_many_threads_share_few_children(pool: DecoderPool) -> None:
    expected = {frame: render_frame(SLICE, 1, 50 + frame, None, "png") for frame in range(8)}

    def ask(number: int) -> bool:
        wanted = number % 8
        picture = pool.render(SLICE, 1, size=50 + wanted, window=None, image_type="png")
        return picture == expected[wanted]

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(48)))


def test_the_child_gets_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERMENT_SECRET_OF_A_TEST", "must not be seen")
    before = {each.pid for each in children()}
    with DecoderPool() as own:
        still_works(own)
        (child,) = [each for each in children() if each.pid not in before]
        try:
            environment = child.environ()
        except psutil.AccessDenied:  # not dumpable: not even its owner may read it
            environment = {}
        assert "SERMENT_SECRET_OF_A_TEST" not in environment
