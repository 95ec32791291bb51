"""Which UIDs are accepted, and what kind of object each class stands for."""

from __future__ import annotations

import pytest
from pydicom import uid as pydicom_uid
from pynetdicom import AllStoragePresentationContexts

from serment.core.dicom import uids


def test_every_class_and_syntax_pydicom_knows() -> None:
    assert set(pydicom_uid.AllTransferSyntaxes) <= uids.TRANSFER_SYNTAXES
    for context in AllStoragePresentationContexts:
        assert uids.is_storage_class(str(context.abstract_syntax))
    assert "1.2.840.10008.5.1.4.1.1.66.4" in uids.STORAGE_CLASSES


@pytest.mark.parametrize(
    "other",
    [
        "1.2.840.10008.1.1",  # verification
        "1.2.840.10008.1.20.1",  # storage commitment
        "1.2.840.10008.1.3.10",  # media storage directory
        "1.2.840.10008.5.1.4.1.2.2.1",  # study root find
        "1.2.840.10008.5.1.4.31",  # worklist
        "",
    ],
)
def test_other_classes_are_not_stored(other: str) -> None:
    assert not uids.is_storage_class(other)


@pytest.mark.parametrize(
    ("sop_class", "kind"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", "image"),
        ("1.2.840.10008.5.1.4.1.1.88.33", "report"),
        ("1.2.840.10008.5.1.4.1.1.88.59", "report"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "document"),
        ("1.2.3", "image"),
    ],
)
def test_kinds(sop_class: str, kind: str) -> None:
    assert uids.kind_of(sop_class) == kind


@pytest.mark.parametrize("good", ["1.2", "2.25.0", "1.2.840.10008.1.2", "1.02.3", "1." + "1" * 62])
def test_uids(good: str) -> None:
    assert uids.is_uid(good)


@pytest.mark.parametrize(
    "bad", ["", "1", ".1", "1.", "1..2", "1.a", "1.2\n", "1." + "1" * 63, "١.٢"]
)
def test_no_uids(bad: str) -> None:
    assert not uids.is_uid(bad)


def test_a_new_uid_comes_from_a_random_id() -> None:
    made = uids.new_uid("ff" * 16)
    assert made == f"2.25.{2**128 - 1}"
    assert uids.is_uid(made)
