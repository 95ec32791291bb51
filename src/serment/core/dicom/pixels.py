"""Shows one frame as a PNG or JPEG picture; runs only where no key is: in the decoder child.

It decides how grey values become brightness (DICOM PS3.3 C.11.1 and C.11.2) and refuses what is
too large before anything is decoded. The decoders are pydicom's, with numpy, Pillow and GDCM.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from struct import error as StructError  # noqa: N812 - the module's only exception
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID

from serment.core.dicom import codestream
from serment.core.dicom.excerpt import STREAM_AT, excerpt
from serment.core.dicom.headers import split
from serment.core.dicom.part10 import read_meta
from serment.core.dicom.walker import walk
from serment.errors import N_, FormatError, UsageError

Window: TypeAlias = tuple[float, float]  # center and width, in rescaled units
Brightness: TypeAlias = Callable[[NDArray[Any]], NDArray[np.uint8]]

MAX_SIZE: Final = 16384  # pixels of the longer side that can be asked for
PERCENTILES: Final = (0.5, 99.5)  # shown from black to white when no window is given
_SAMPLED: Final = 1 << 18  # pixels looked at for them

_TYPES: Final = {
    "png": "PNG",
    "image/png": "PNG",
    "jpeg": "JPEG",
    "jpg": "JPEG",
    "image/jpeg": "JPEG",
}
# GDCM ends the whole process on some damaged JPEG streams; Pillow raises, and reads these too.
_SAFER: Final = frozenset({"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"})
# What pydicom, numpy, Pillow and GDCM raise on damaged input; anything else is a bug of ours.
_DECODING: Final = (
    *(ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError, OSError),
    *(NotImplementedError, MemoryError, EOFError, SyntaxError, SystemError, StructError),
    Image.DecompressionBombError,
)


def render_frame(
    part10: bytes,
    frame: int,
    size: int | None = None,
    window: Window | None = None,
    image_type: str = "png",
) -> bytes:
    """Return a picture of frame number `frame`, counted from 1.

    Args:
        part10: a DICOM file, or an excerpt of one (then frame 1).
        size: pixels the longer side has at most; smaller pictures stay as they are.
        window: center and width that replace those of the object.
        image_type: png or jpeg, also as a media type.

    Raises:
        NotFound: there is no such frame. UsageError: unknown image type or impossible size.
        FormatError: there is no picture, or it cannot be decoded.
    """
    kind = _TYPES.get(image_type.lower())
    if kind is None or (size is not None and not 1 <= size <= MAX_SIZE):
        raise UsageError(N_("a picture is PNG or JPEG, and 1 to {limit} pixels"), limit=MAX_SIZE)
    small = _excerpt(part10, frame)
    with _decoding():
        shown = _to_eight_bits(_decoded(small), window)
        picture = Image.fromarray(shown)
        if size is not None and max(picture.size) > size:
            picture.thumbnail((size, size), Image.Resampling.BILINEAR)
        out = BytesIO()
        if kind == "PNG":
            picture.save(out, "PNG", compress_level=1)
        else:
            picture.save(out, "JPEG", quality=90)
        return out.getvalue()


@contextmanager
def _decoding() -> Iterator[None]:
    """Turn whatever a decoder raises into one clear error; its warnings help nobody here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except _DECODING as failure:
        raise FormatError(
            N_("the picture cannot be decoded ({reason})"),
            hint=N_("fetch the object itself and open it in a viewer"),
            reason=type(failure).__name__,
        ) from None


def _excerpt(part10: bytes, frame: int) -> bytes:
    meta = read_meta(part10)
    header = walk(memoryview(part10)[meta.dataset_offset :], meta.transfer_syntax)
    _identity, clinical = split(header, meta)
    clinical["size"] = len(part10)
    return excerpt(lambda offset, size: part10[offset : offset + size], clinical, frame)


def _decoded(small: bytes) -> tuple[Dataset, NDArray[Any]]:
    dataset = dcmread(BytesIO(small))
    _check_decodable(dataset.file_meta.TransferSyntaxUID)
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        announced = codestream.dimensions(dataset.PixelData[STREAM_AT:])
        expected = dataset.Rows, dataset.Columns, dataset.get("SamplesPerPixel", 1)
        if announced is not None and announced != expected:
            raise FormatError(N_("the compressed picture has other dimensions than its header"))
    plugin = "pillow" if dataset.file_meta.TransferSyntaxUID in _SAFER else ""
    return dataset, pixel_array(dataset, index=0, decoding_plugin=plugin)


def _check_decodable(syntax: UID) -> None:
    try:
        available = get_decoder(syntax).is_available
    except NotImplementedError:
        available = False
    if not available:
        raise FormatError(
            N_("pictures compressed as {syntax} cannot be shown"),
            hint=N_("fetch the object itself and open it in a viewer"),
            syntax=syntax.name,
        )


def _to_eight_bits(
    decoded: tuple[Dataset, NDArray[Any]], window: Window | None
) -> NDArray[np.uint8]:
    dataset, pixels = decoded
    photometric = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
    if photometric == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
        return _colour(pixels, pixels.dtype.itemsize * 8)
    if pixels.ndim == 3:
        return _colour(pixels, int(dataset.BitsStored))
    grey = _grey(dataset, pixels, window)
    return 255 - grey if photometric == "MONOCHROME1" else grey


def _colour(pixels: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError("not three colours")
    return (pixels >> (bits - 8)).astype(np.uint8) if bits > 8 else pixels.astype(np.uint8)


def _grey(dataset: Dataset, pixels: NDArray[Any], window: Window | None) -> NDArray[np.uint8]:
    """Return the brightness of each pixel; of 16 bits, worked out once for each value there is."""
    brightness = _brightness(dataset, pixels, window)
    if pixels.dtype.kind not in "iu" or pixels.dtype.itemsize > 2:
        return brightness(pixels)
    low, high = int(pixels.min()), int(pixels.max())
    table = brightness(np.arange(low, high + 1).astype(pixels.dtype))
    return np.take(table, pixels.astype(np.int32) - low)


def _brightness(dataset: Dataset, pixels: NDArray[Any], window: Window | None) -> Brightness:
    """Return what turns stored values into 0 to 255: window, VOI table, or all there is."""
    rescale = _rescaling(dataset)
    window = window or _own_window(dataset)
    if window is not None and np.isfinite(window).all() and window[1] > 0:
        chosen, function = window, str(dataset.get("VOILUTFunction", "LINEAR"))
        return lambda values: _windowed(rescale(values), chosen, function)
    if dataset.get("VOILUTSequence"):
        white = np.float32(255 / (2 ** int(dataset.VOILUTSequence[0].LUTDescriptor[2]) - 1))
        return lambda values: _bytes(
            apply_voi_lut(rescale(values).astype(np.int64), dataset).astype(np.float32) * white
        )
    low, high = _range(rescale(_sample(pixels, dataset)))
    scale = np.float32(255 / (high - low) if high > low else 1)
    return lambda values: _bytes((rescale(values) - np.float32(low)) * scale)


def _rescaling(dataset: Dataset) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
    """Return what turns stored values into those windows are given in (PS3.3 C.11.1)."""
    if "ModalityLUTSequence" in dataset:
        return lambda values: apply_modality_lut(values, dataset).astype(np.float32)
    slope = np.float32(_first(dataset, "RescaleSlope", 1.0))
    intercept = np.float32(_first(dataset, "RescaleIntercept", 0.0))
    return lambda values: values.astype(np.float32) * slope + intercept


def _sample(pixels: NDArray[Any], dataset: Dataset) -> NDArray[Any]:
    """Return some of the pixels, evenly, without padding unless there is nothing else."""
    seen = pixels.reshape(-1)[:: max(pixels.size // _SAMPLED, 1)]
    padding = dataset.get("PixelPaddingValue")
    kept = seen[seen != padding] if isinstance(padding, int) else seen
    return kept if kept.size else seen


def _range(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return what is black and what is white when no window says it."""
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = np.percentile(values, PERCENTILES)
    return (low, high) if high > low else (float(values.min()), float(values.max()))


def _first(dataset: Dataset, keyword: str, default: float) -> float:
    """Return a number of the data set, the first of several, or the default when it is none."""
    value = dataset.get(keyword)
    if value is None or isinstance(value, str):
        return default
    values = value if isinstance(value, (list, tuple)) or hasattr(value, "__iter__") else [value]
    number = next((float(one) for one in values), default)
    return number if np.isfinite(number) else default


def _own_window(dataset: Dataset) -> Window | None:
    width = _first(dataset, "WindowWidth", 0.0)
    if width <= 0 or "WindowCenter" not in dataset:
        return None
    return _first(dataset, "WindowCenter", 0.0), width


def _windowed(values: NDArray[np.float32], window: Window, function: str) -> NDArray[np.uint8]:
    """Return the values through a window (DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    center, width = (np.float32(part) for part in window)
    if function == "SIGMOID":
        steps = np.clip(np.float32(-4) * (values - center) / width, -60, 60)
        return _bytes(np.float32(255) / (np.float32(1) + np.exp(steps)))
    if function == "LINEAR_EXACT":
        return _bytes(((values - center) / width + np.float32(0.5)) * np.float32(255))
    if width <= 1:
        return np.where(values > center - np.float32(0.5), 255, 0).astype(np.uint8)
    position = (values - (center - np.float32(0.5))) / (width - np.float32(1)) + np.float32(0.5)
    return _bytes(position * np.float32(255))


def _bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    whole: NDArray[np.uint8] = np.nan_to_num(np.clip(np.rint(values), 0, 255)).astype(np.uint8)
    return whole
