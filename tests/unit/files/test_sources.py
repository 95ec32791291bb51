"""What may be imported: no way out of a DICOMDIR set, and the member that was looked at is read."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

from serment.adapters.files import sources
from serment.adapters.files.sources import Found, Refused, find_sources
from serment.core.dicom.dicomdir import Directory

PART10 = bytes(128) + b"DICM"


def test_a_linked_folder_of_a_set_does_not_lead_outside(tmp_path: Path, monkeypatch) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "set"
    for each in (secret, folder, folder / "REAL"):
        each.mkdir()
    (secret / "A").write_bytes(PART10)
    (folder / "REAL" / "A").write_bytes(PART10)
    (folder / "LINK").symlink_to(secret)
    (folder / "DICOMDIR").write_bytes(b"a set")
    named = Directory((("REAL", "A"), ("LINK", "A")), 0)
    monkeypatch.setattr(sources.dicomdir, "read", lambda _: named)
    found = list(find_sources([folder / "DICOMDIR"]))
    assert [type(one) for one in found] == [Found, Refused]


def test_each_of_two_members_with_one_name_is_read_as_itself(tmp_path: Path) -> None:
    path = tmp_path / "twice.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        for end in (b"first", b"second"):
            archive.writestr("same.dcm", PART10 + end)
    found = [one for one in find_sources([path]) if isinstance(one, Found)]
    assert [b"".join(one.chunks())[132:] for one in found] == [b"first", b"second"]
