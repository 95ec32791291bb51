"""A vault and its recovery kit are made whole, or nothing stays in the way of a second try."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.practices import memory_world

from serment.app.protect.founding import Founded
from serment.bootstrap.folder import Folder, create
from serment.bootstrap.house import alone
from serment.bootstrap.init import _write_kit, make_vault
from serment.core.masked import Masked
from serment.errors import NoSpace, NotFound, UsageError

GOOD = "Tilleul-Phare-47-Grenade"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no limit on file sizes there")


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """As a disk that is full once a file has that many bytes."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def founded() -> Founded:
    return memory_world().founded


@pytest.mark.parametrize("is_new", [True, False])
def test_of_a_kit_that_cannot_be_written_whole_nothing_stays(
    tmp_path: Path, founded: Founded, is_new: bool
) -> None:
    kit, folder = tmp_path / "kit", Folder(tmp_path / "vault", "5f" * 16)
    if not is_new:
        kit.mkdir()
        (kit / "mine.txt").write_text("somebody's own")
    with no_file_longer_than(4000), pytest.raises(NoSpace):  # the text fits, its PDF does not
        _write_kit(kit, folder, "Cabinet fictif", founded, "fr")
    assert kit.exists() is not is_new
    assert [path.name for path in tmp_path.rglob("*.*")] == ([] if is_new else ["mine.txt"])
    shares = _write_kit(kit, folder, "Cabinet fictif", founded, "fr")
    assert [path.name[-10:] for path in shares] == ["1-of-3.txt", "2-of-3.txt", "3-of-3.txt"]
    assert all(path.with_suffix(".pdf").read_bytes().startswith(b"%PDF") for path in shares)


def test_of_a_folder_that_cannot_be_made_nothing_stays(tmp_path: Path) -> None:
    with no_file_longer_than(10), pytest.raises(NoSpace):
        create(tmp_path / "vault", "5f" * 16)
    assert not (tmp_path / "vault").exists()
    assert create(tmp_path / "vault", "5f" * 16).packs.is_dir()


@pytest.mark.parametrize(("login", "password"), [("admin", "short"), ("Bad Login", GOOD)])
def test_what_cannot_be_used_is_said_and_leaves_nothing(
    tmp_path: Path, login: str, password: str
) -> None:
    where = tmp_path / "vault", "Cabinet fictif"
    with pytest.raises(UsageError):
        make_vault(*where, login, Masked(password), tmp_path / "kit", "fr")
    assert list(tmp_path.iterdir()) == []
    make_vault(*where, "admin", Masked(GOOD), tmp_path / "kit", "fr")


def test_a_vault_without_its_signing_key_says_what_went_wrong(tmp_path: Path) -> None:
    make_vault(tmp_path / "vault", "Cabinet fictif", "admin", Masked(GOOD), tmp_path / "kit", "fr")
    with alone(tmp_path / "vault") as (folder, _):
        folder.journal_key.unlink()
    with pytest.raises(NotFound), alone(tmp_path / "vault"):
        raise NotFound("what went wrong")
