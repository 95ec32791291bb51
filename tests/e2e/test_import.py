"""`serment import` of a real DICOMDIR set."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from tests.e2e.serving import Vault, new_vault

SET = Path(str(get_testdata_file("DICOMDIR", download=False))).parent
FOLDERS = ("77654033", "98892001", "98892003")


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return new_vault(tmp_path_factory.mktemp("import"))


@pytest.fixture(scope="module")
def disc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disc as pydicom ships it, with one file more than its DICOMDIR names and one less."""
    disc = tmp_path_factory.mktemp("disc")
    shutil.copy(SET / "DICOMDIR", disc)
    for folder in FOLDERS:
        shutil.copytree(SET / folder, disc / folder)
    first = next(disc.rglob("6154"))
    shutil.copy(first, first.with_name("UNNAMED"))
    first.unlink()
    return disc


def test_a_real_set_comes_in_as_its_dicomdir_says(vault: Vault, disc: Path) -> None:
    named = [disc.joinpath(*parts) for parts in file_ids(disc / "DICOMDIR")]
    there = [path for path in named if path.exists()]
    summary = vault.json("import", disc / "DICOMDIR", code=1)
    assert len(there) == len(named) - 1 == 30
    assert (summary["imported"], summary["duplicates"], summary["conflicts"]) == (30, 0, 0)
    (refused,) = summary["refused"]
    assert refused["path"].endswith("6154")
    assert "not there" in refused["reason"]
    files = [dcmread(path, stop_before_pixels=True) for path in there]
    listed = vault.json("search", "", "--as", "docteur")
    assert {row["StudyInstanceUID"] for row in listed} == {f.StudyInstanceUID for f in files}
    assert {row["PatientID"] for row in listed} == {f.PatientID for f in files}


def file_ids(path: Path) -> list[list[str]]:
    records = dcmread(path).DirectoryRecordSequence
    return [list(r.ReferencedFileID) for r in records if "ReferencedFileID" in r]
