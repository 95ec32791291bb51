"""Which examinations the fictional practice made, of whom: a table, no logic."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Make(Enum):
    """How the objects of a series come to be."""

    CT = auto()
    MR = auto()
    US = auto()
    LOOP = auto()  # one colour ultrasound of so many frames
    DX = auto()
    FILES = auto()  # pixels of these test files of pydicom under a fictional header
    REPORT = auto()
    LETTER = auto()


@dataclass(frozen=True, slots=True)
class Series:
    """`count` images (frames of a LOOP), or the test files named."""

    make: Make
    count: int = 1
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Examination:
    """`patient` counts from 0 in `people.patients()`; `slip` is a mistyped birth date."""

    patient: int
    description: str
    body_part: str
    series: tuple[Series, ...]
    slip: str = ""


def _files(*names: str) -> Series:
    return Series(Make.FILES, names=names)


_REPORT, _LETTER, _DX = Series(Make.REPORT), Series(Make.LETTER), Series(Make.DX)


def _ct(count: int) -> Series:
    return Series(Make.CT, count)


def _mr(count: int) -> Series:
    return Series(Make.MR, count)


def _us(count: int) -> Series:
    return Series(Make.US, count)


PLAN: tuple[Examination, ...] = (
    Examination(0, "TDM thoracique", "CHEST", (_ct(16), _REPORT)),
    Examination(0, "Radiographie du thorax", "CHEST", (_DX,)),
    Examination(1, "TDM thoracique", "CHEST", (_ct(12), _REPORT, _LETTER)),
    Examination(2, "Échographie-Doppler", "NECK", (_us(2), Series(Make.LOOP, 8), _REPORT)),
    Examination(3, "IRM cérébrale", "HEAD", (_mr(10), _REPORT)),
    Examination(4, "Échographie abdominale", "ABDOMEN", (_us(3), _files("examples_ybr_color.dcm"))),
    Examination(
        4, "IRM cérébrale", "HEAD", (_files("MR_small_RLE.dcm", "MR_small_jp2klossless.dcm"),)
    ),
    Examination(5, "Radiographie du thorax", "CHEST", (_DX, _REPORT)),
    Examination(6, "TDM thoracique", "CHEST", (_ct(8), _files("693_J2KI.dcm"), _REPORT)),
    Examination(
        7,
        "Échographie cardiaque",
        "HEART",
        (_files("examples_jpeg2k.dcm", "examples_rgb_color.dcm"),),
    ),
    Examination(8, "IRM cérébrale", "HEAD", (_mr(8), _files("MR_small_jpeg_ls_lossless.dcm"))),
    Examination(8, "Radiographie du thorax", "CHEST", (_DX,), slip="19500512"),
    Examination(
        9, "Échographie pelvienne", "PELVIS", (_files("examples_palette.dcm"), _us(1), _LETTER)
    ),
    Examination(10, "Scintigraphie osseuse", "", (_files("JPEG2000.dcm"), _REPORT)),
    Examination(
        11, "Photographies", "SKIN", (_files("SC_rgb_jpeg_gdcm.dcm", "SC_rgb_rle_2frame.dcm"),)
    ),
    Examination(
        11, "IRM cérébrale", "HEAD", (_files("MR_small_bigendian.dcm", "examples_overlay.dcm"),)
    ),
    Examination(12, "Radiographie du thorax", "CHEST", (_DX, _REPORT)),
    Examination(13, "Photographies", "SKIN", (_files("image_dfl.dcm", "SC_rgb_jpeg_dcmtk.dcm"),)),
    Examination(13, "TDM thoracique", "CHEST", (_ct(6), _REPORT, _LETTER)),
)
