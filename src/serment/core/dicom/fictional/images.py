"""Images of fictional patients as DICOM objects: CT, MR, ultrasound, radiograph, and re-headed test files."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from serment.core.dicom.fictional import phantoms
from serment.core.dicom.fictional.people import (
    FictionalStudy,
    Place,
    code,
    header,
    part10,
    uid,
)


def ct_slice(study: FictionalStudy, place: Place, of: int) -> bytes:
    """Slice `place.number` of `of`: 512 x 512, 16 bits allocated, about 526 kB."""
    dataset = header(study, place, CTImageStorage, "CT")
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.AcquisitionNumber = 1
    dataset.KVP = "120"
    _volume(dataset, study, place, thickness=5.0, spacing=0.7)
    dataset.RescaleIntercept = "-1024"
    dataset.RescaleSlope = "1"
    dataset.RescaleType = "HU"
    dataset.WindowCenter = "40"
    dataset.WindowWidth = "400"
    level = place.number / (of + 1)
    _pixels(dataset, phantoms.chest_ct(_label(study, place), level), stored=12)
    return part10(dataset)


def mr_slice(study: FictionalStudy, place: Place, of: int) -> bytes:
    """Slice `place.number` of `of`: 256 x 256, implicit VR."""
    dataset = header(study, place, MRImageStorage, "MR")
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    dataset.ScanningSequence = "SE"
    dataset.SequenceVariant = "NONE"
    dataset.ScanOptions = ""
    dataset.MRAcquisitionType = "2D"
    dataset.EchoTime = "12"
    dataset.RepetitionTime = "500"
    dataset.EchoTrainLength = "1"
    _volume(dataset, study, place, thickness=4.0, spacing=0.9)
    dataset.WindowCenter = "700"
    dataset.WindowWidth = "1400"
    level = place.number / (of + 1)
    _pixels(dataset, phantoms.head_mr(_label(study, place), level), stored=12)
    return part10(dataset, ImplicitVRLittleEndian)


def radiograph(study: FictionalStudy, place: Place) -> bytes:
    """A digital radiograph for presentation: 1024 x 1024, 14 bits stored."""
    dataset = header(study, place, DigitalXRayImageStorageForPresentation, "DX")
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.ViewPosition = "PA"
    dataset.PatientOrientation = ["L", "F"]
    dataset.ImageLaterality = "U"
    dataset.AnatomicRegionSequence = [code("51185008", "SCT", "Thorax")]
    dataset.ViewCodeSequence = [code("272479007", "SCT", "postero-anterior")]
    dataset.ViewCodeSequence[0].ViewModifierCodeSequence = []
    dataset.AcquisitionContextSequence = []
    dataset.DetectorType = ""
    dataset.PositionerType = ""
    dataset.ImagerPixelSpacing = ["0.4", "0.4"]
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = -1
    dataset.RescaleIntercept = "0"
    dataset.RescaleSlope = "1"
    dataset.RescaleType = "US"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.LossyImageCompression = "00"
    dataset.BurnedInAnnotation = "NO"
    dataset.WindowCenter = "6000"
    dataset.WindowWidth = "12000"
    _pixels(dataset, phantoms.chest_radiograph(_label(study, place)), stored=14)
    return part10(dataset)


def ultrasound(study: FictionalStudy, place: Place, frames: int = 1, colour: bool = False) -> bytes:
    """A sector scan of 640 x 480; a loop when `frames` > 1, RGB when `colour`."""
    many = frames > 1
    kind = UltrasoundMultiFrameImageStorage if many else UltrasoundImageStorage
    dataset = header(study, place, kind, "US")
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.PatientOrientation = ""
    dataset.LossyImageCompression = "00"
    label = _label(study, place)
    draw = phantoms.doppler if colour else phantoms.fan
    loop = np.stack([draw(label, frame) for frame in range(frames)])
    if many:
        dataset.NumberOfFrames = frames
        dataset.FrameTime = "40"
        dataset.FrameIncrementPointer = 0x00181063
    _pixels(dataset, loop if many else loop[0], stored=8, colour=colour)
    return part10(dataset)


def rehead(source: bytes, study: FictionalStudy, place: Place, modality: str = "") -> bytes:
    """The pixels of a DICOM file, untouched and in its transfer syntax, under a fictional header.

    Only the image description (group 0028) and the pixel data are taken over.
    """
    given = dcmread(BytesIO(source), force=True)
    kind = given.get("SOPClassUID") or SecondaryCaptureImageStorage
    dataset = header(study, place, kind, modality or given.get("Modality") or "OT")
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.PatientOrientation = ""
    dataset.update(given.group_dataset(0x0028))
    if given.get("FrameTime"):
        dataset.FrameTime = given.FrameTime
    dataset["PixelData"] = given["PixelData"]
    return part10(dataset, given.file_meta.get("TransferSyntaxUID", ExplicitVRLittleEndian))


def _label(study: FictionalStudy, place: Place) -> str:
    return f"{study.accession}/{place.series}/{place.number}"


def _volume(
    dataset: Dataset, study: FictionalStudy, place: Place, thickness: float, spacing: float
) -> None:
    """Frame of reference and image plane modules (DICOM PS3.3 C.7.4.1, C.7.6.2)."""
    depth = f"{-thickness * place.number:.1f}"
    dataset.FrameOfReferenceUID = uid("frame-of-reference", study.accession)
    dataset.PositionReferenceIndicator = ""
    dataset.PatientPosition = "HFS"
    dataset.SliceThickness = f"{thickness}"
    dataset.PixelSpacing = [f"{spacing}", f"{spacing}"]
    dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    dataset.ImagePositionPatient = ["-179.2", "-179.2", depth]
    dataset.SliceLocation = depth


def _pixels(
    dataset: Dataset,
    plane: NDArray[np.uint8] | NDArray[np.uint16],
    stored: int,
    colour: bool = False,
) -> None:
    """Image pixel module (DICOM PS3.3 C.7.6.3) for native little endian samples."""
    shape = plane.shape[:-1] if colour else plane.shape
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.Rows, dataset.Columns = shape[-2], shape[-1]
    dataset.BitsAllocated = 8 * plane.itemsize
    dataset.BitsStored = stored
    dataset.HighBit = stored - 1
    dataset.PixelRepresentation = 0
    raw = plane.astype(plane.dtype.newbyteorder("<"), copy=False).tobytes()
    dataset.add_new(0x7FE00010, "OB" if plane.itemsize == 1 else "OW", raw + b"\0" * (len(raw) % 2))
