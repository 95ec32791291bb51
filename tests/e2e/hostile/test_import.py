"""`serment import` of archives and discs made to harm: refused member by member, nothing elsewhere."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from tests.e2e.hostile.bombs import DEFLATED, deflated, described, odd_meta, part10
from tests.e2e.hostile.conftest import House, files
from tests.unit.dicom.test_dicomdir import directory

GOOD = part10(described("2.25.41", "2.25.40", "2.25.42"), "2.25.41")
NAMES = (
    "../../escaped.dcm",
    "/tmp/escaped.dcm",
    "C:\\escaped.dcm",
    "a/../../escaped.dcm",
    "x" * 300,
)


def archive(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members:
            file.writestr(name, data)
    return packed.getvalue()


def test_archives_made_to_harm(house: House, tmp_path: Path) -> None:
    """Names that climb, an archive in an archive, bombs that zip and deflate make, odd files."""
    bomb = part10(b"\x09\0\x10\0UN\0\0" + (1 << 28).to_bytes(4, "little") + bytes(1 << 28))
    members = [(name, GOOD) for name in NAMES]
    members += [("nested.dcm", archive(("in.dcm", GOOD))), ("bomb.dcm", bomb)]
    members += [("deflated.dcm", part10(deflated(), syntax=DEFLATED))]
    members += [(f"odd-{number}.dcm", data) for number, data in enumerate(odd_meta())]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "set.zip").write_bytes(archive(*members))
    before = files(house)
    done = house.clinic.vault.json("import", folder / "set.zip", code=1)
    reasons = {one["path"].rpartition("!")[2]: one["reason"] for one in done["refused"]}
    assert {"nested.dcm", "bomb.dcm", "deflated.dcm"} <= set(reasons)
    assert "archive inside" in reasons["nested.dcm"]
    assert not set(NAMES) & set(reasons)  # a name is a label and nothing else
    assert files(house) == before
    assert list(tmp_path.rglob("*")) == [folder, folder / "set.zip"]
    assert not Path("/tmp/escaped.dcm").exists()


def test_a_dicomdir_that_names_what_is_outside(house: House, tmp_path: Path) -> None:
    (tmp_path / "disc").mkdir()
    (tmp_path / "SECRET").write_bytes(GOOD)
    climbing = (b"..\\SECRET", b"..", b"\\etc\\passwd", b"C:\\SECRET", b"A\0\\..\\SECRET")
    (tmp_path / "disc" / "DICOMDIR").write_bytes(directory(*climbing))
    done = house.clinic.vault.json("import", tmp_path / "disc" / "DICOMDIR", code=1)
    assert done["imported"] == 0
    (refused,) = done["refused"]
    assert "outside" in refused["reason"]
