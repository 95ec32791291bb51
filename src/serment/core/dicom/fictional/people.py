"""What a fictional patient and study are, and the administrative header they give a data set.

Every data set says that its patient is fictional (Patient Comments, Institution Name).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

INS_DEMONSTRATION = "1.2.250.1.213.1.4.11"  # assigning authority of demonstration INS (ANS OIDs)
MARK = "PATIENT FICTIF - DONNEES DE DEMONSTRATION"
_NAMESPACE = uuid.UUID("5e27e9c4-0a5d-5f0a-9d4e-6f1f6b0c1d2e")


@dataclass(frozen=True, slots=True)
class FictionalPatient:
    """An invented person. `name` is a DICOM PN, `birth_date` is YYYYMMDD, `ins` has 15 digits."""

    name: str
    birth_date: str
    sex: str
    patient_id: str
    ins: str
    address: str
    phone: str
    charset: str = "ISO_IR 100"


@dataclass(frozen=True, slots=True)
class FictionalStudy:
    """One examination of one fictional patient; `date` is YYYYMMDD, `time` HHMMSS."""

    patient: FictionalPatient
    date: str
    time: str
    accession: str
    description: str
    physician: str
    body_part: str = ""

    @property
    def uid(self) -> str:
        return uid("study", self.accession)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object stands in its study: series and instance number, both from 1."""

    series: int
    number: int
    description: str = ""

    def series_uid(self, study: FictionalStudy) -> str:
        return uid("series", study.accession, str(self.series))

    def instance_uid(self, study: FictionalStudy) -> str:
        return uid("instance", study.accession, str(self.series), str(self.number))


def uid(*labels: str) -> str:
    """The UID these labels always give: 2.25 and a name-based UUID (DICOM PS3.5 B.2)."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, '/'.join(labels)).int}"


def header(study: FictionalStudy, place: Place, sop_class: str, modality: str) -> Dataset:
    """Patient, study, series, equipment and SOP common modules (DICOM PS3.3 C.7, C.12)."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = study.patient.charset
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = place.instance_uid(study)
    _patient(dataset, study.patient)
    dataset.StudyInstanceUID = study.uid
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = study.date
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = study.time
    dataset.AccessionNumber = study.accession
    dataset.StudyID = "1"
    dataset.ReferringPhysicianName = study.physician
    dataset.StudyDescription = study.description
    dataset.Modality = modality
    dataset.SeriesInstanceUID = place.series_uid(study)
    dataset.SeriesNumber = place.series
    dataset.InstanceNumber = place.number
    dataset.SeriesDescription = place.description or study.description
    dataset.Manufacturer = "Serment"
    dataset.ManufacturerModelName = "Generateur fictif"
    dataset.InstitutionName = "Cabinet fictif"
    if study.body_part:
        dataset.BodyPartExamined = study.body_part
    return dataset


def _patient(dataset: Dataset, patient: FictionalPatient) -> None:
    other = Dataset()
    other.PatientID = patient.ins
    other.TypeOfPatientID = "TEXT"
    qualifiers = Dataset()
    qualifiers.UniversalEntityID = INS_DEMONSTRATION
    qualifiers.UniversalEntityIDType = "ISO"
    other.IssuerOfPatientIDQualifiersSequence = [qualifiers]
    dataset.PatientName = patient.name
    dataset.PatientID = patient.patient_id
    dataset.IssuerOfPatientID = "CABINET-FICTIF"
    dataset.PatientBirthDate = patient.birth_date
    dataset.PatientSex = patient.sex
    dataset.OtherPatientIDsSequence = [other]
    dataset.PatientAddress = patient.address
    dataset.PatientTelephoneNumbers = patient.phone
    dataset.PatientComments = MARK


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """One coded entry (DICOM PS3.3 table 8.8-1)."""
    entry = Dataset()
    entry.CodeValue = value
    entry.CodingSchemeDesignator = scheme
    entry.CodeMeaning = meaning
    return entry


def part10(dataset: Dataset, transfer_syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The data set as a DICOM file (PS3.10), encoded as its transfer syntax says."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(transfer_syntax)
    meta.ImplementationClassUID = UID(uid("implementation"))
    meta.ImplementationVersionName = "SERMENT_DEMO"
    dataset.file_meta = meta
    out = BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()
