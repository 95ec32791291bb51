"""What may be imported: no way out of a DICOMDIR set, and no archive that lies is believed."""

from __future__ import annotations

import random
import warnings
import zipfile
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from tests.unit.dicom.test_dicomdir import directory

from serment.adapters.files import sources
from serment.adapters.files.sources import CHUNK, SMALL, Found, Refused, find_sources
from serment.errors import FormatError

PART10 = bytes(128) + b"DICM"
CENTRAL, LOCAL = b"PK\x01\x02", b"PK\x03\x04"
# offsets in a central directory entry (APPNOTE 4.3.12); its local header has them 2 bytes earlier
FLAGS, PACKED_SIZE, SIZE = 8, 20, 24

# Folders and DICOMDIR sets


def test_a_real_set_is_what_its_dicomdir_names() -> None:
    path = Path(str(get_testdata_file("DICOMDIR", download=False)))
    found = list(find_sources([path]))
    assert len(found) == 31
    assert all(isinstance(one, Found) and not one.is_pdf for one in found)


def test_a_linked_folder_of_a_set_does_not_lead_outside(tmp_path: Path) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "set"
    for each in (secret, folder, folder / "REAL"):
        each.mkdir()
    (secret / "A").write_bytes(PART10)
    (folder / "REAL" / "A").write_bytes(PART10)
    (folder / "LINK").symlink_to(secret)
    (folder / "DICOMDIR").write_bytes(directory(b"REAL\\A", b"LINK\\A", b"..\\secret\\A"))
    found = list(find_sources([folder / "DICOMDIR"]))
    assert [type(one) for one in found] == [Refused, Found, Refused]
    assert [one.label for one in found] == [
        str(folder / "DICOMDIR"),  # names a file outside
        str(folder / "REAL" / "A"),
        str(folder / "LINK" / "A"),
    ]


# Archives


def archive(folder: Path, *members: bytes, method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "set.zip"
    with zipfile.ZipFile(path, "w", method) as packed:
        for number, data in enumerate(members):
            packed.writestr(f"{number}.dcm", data)
    return path


def lie(path: Path, at: int, value: int, size: int, local: bool = False) -> None:
    """Change a field of the first member in the central directory; in its own header too."""
    data = bytearray(path.read_bytes())
    starts = [data.index(CENTRAL) + at] + ([data.index(LOCAL) + at - 2] if local else [])
    for start in starts:
        data[start : start + size] = value.to_bytes(size, "little")
    path.write_bytes(data)


def refusal(path: Path) -> str:
    """Why its only member is refused, when it is looked at or when it is read."""
    (one,) = find_sources([path])
    if isinstance(one, Refused):
        return one.reason
    with pytest.raises(FormatError) as refused:
        for chunk in one.chunks():
            assert len(chunk) <= CHUNK
    return str(refused.value)


def test_each_of_two_members_with_one_name_is_read_as_itself(tmp_path: Path) -> None:
    path = tmp_path / "twice.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        for end in (b"first", b"second"):
            archive.writestr("same.dcm", PART10 + end)
    found = [one for one in find_sources([path]) if isinstance(one, Found)]
    assert [b"".join(one.chunks())[132:] for one in found] == [b"first", b"second"]


def test_a_member_that_grows_beyond_what_is_credible_is_given_up(tmp_path: Path) -> None:
    assert "credible" in refusal(archive(tmp_path, PART10 + bytes(3 * SMALL)))


def test_a_small_one_may_grow_and_a_large_one_that_does_not_is_read(tmp_path: Path) -> None:
    noise = PART10 + random.Random(1).randbytes(SMALL + CHUNK)
    path = archive(tmp_path, PART10 + bytes(SMALL - 200), noise)
    sizes = [sum(map(len, one.chunks())) for one in find_sources([path]) if isinstance(one, Found)]
    assert sizes == [SMALL - 68, len(noise)]


def test_no_member_is_longer_than_an_object_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MAX_MEMBER_BYTES", 2 * CHUNK)
    noise = random.Random(1).randbytes(2 * CHUNK)
    assert "credible" in refusal(archive(tmp_path, PART10 + noise))


def test_an_archive_of_too_many_members_is_refused_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MAX_MEMBERS", 3)
    assert len(list(find_sources([archive(tmp_path, *[PART10] * 3)]))) == 3
    (refused,) = find_sources([archive(tmp_path, *[PART10] * 4)])
    assert isinstance(refused, Refused)
    assert "too many members" in refused.reason


def test_a_password_is_not_guessed(tmp_path: Path) -> None:
    path = archive(tmp_path, PART10)
    lie(path, FLAGS, 1, 2, local=True)
    assert "password" in refusal(path)


@pytest.mark.parametrize("at", [60, 140, 300, 3000, 100_000])
def test_a_damaged_member_is_refused_and_the_next_one_read(tmp_path: Path, at: int) -> None:
    text = bytes(random.Random(1).choices(b"abcdefgh", k=CHUNK))
    path = archive(tmp_path, PART10 + text, PART10 + b"whole")
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)
    damaged, whole = find_sources([path])
    assert isinstance(damaged, Found | Refused)
    if isinstance(damaged, Found):
        with pytest.raises(FormatError, match="damaged"):
            list(damaged.chunks())
    assert isinstance(whole, Found)
    assert b"".join(whole.chunks()) == PART10 + b"whole"


@pytest.mark.parametrize("size", [133, 200])
def test_a_member_longer_than_its_archive_says_is_refused(tmp_path: Path, size: int) -> None:
    path = archive(tmp_path, PART10 + b"text " * 100)
    lie(path, SIZE, size, 4)
    assert refusal(path) == sources.DAMAGED


def test_a_packed_size_that_lies_buys_no_room(tmp_path: Path) -> None:
    """A bomb that says it was large when packed."""
    path = archive(tmp_path, PART10 + bytes(3 * SMALL))
    lie(path, PACKED_SIZE, 0x7000_0000, 4)
    assert refusal(path)


def test_a_method_without_bounds_is_not_read(tmp_path: Path) -> None:
    path = archive(tmp_path, PART10, method=zipfile.ZIP_LZMA)
    assert "compressed in a way" in refusal(path)


@pytest.mark.parametrize("cut", [4, 60, -1, -30])
def test_a_cut_archive_is_damaged(tmp_path: Path, cut: int) -> None:
    path = archive(tmp_path, PART10)
    path.write_bytes(path.read_bytes()[:cut])
    assert "damaged" in refusal(path)
