"""`serment doctor --restore-keys` is killed at each step that changes a file's name or opens a database.

What a database replaced has every wrap that was deleted since, and the radius of a breach knows of it
from the journal only: no vault that opens has such a file beside it without an entry that says so.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.faults.test_damaged_files import files
from tests.e2e.faults.test_every_column import noticed
from tests.e2e.oath.aftermath import silent
from tests.e2e.oath.premises import Premises
from tests.e2e.oath.test_damage import Kept, look

from serment.adapters.sqlite.store import SqliteStore
from serment.bootstrap.doctor import examine_vault
from serment.core.journal.copies import FORGOTTEN, RESTORED
from serment.core.journal.log import entry_of
from serment.errors import IntegrityError

DOCTOR = """
import contextlib, os, signal, sys
from pathlib import Path
from serment.bootstrap.doctor import examine_vault

class Silent:
    def total(self, count): pass
    def step(self, count=1): pass

steps, left = ("os.rename", "os.remove", "sqlite3.connect"), int(sys.argv[2])

def hook(event, args):
    global left
    if event in steps:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
examine_vault(Path(sys.argv[1]), False, True, lambda label: contextlib.nullcontext(Silent()))
"""


@pytest.fixture(scope="module")
def whole(founded: Premises, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Copied just now, then its database's header was destroyed."""
    kept = Kept(founded.copy(tmp_path_factory.mktemp("restored")))
    kept.fill()
    with kept.premises.desk() as desk:
        desk.house.store.copy_keys()
    path = kept.premises.root / "vault.sqlite3"
    path.write_bytes(b"damaged " * 12 + path.read_bytes()[96:])
    return kept


def killed(whole: Kept, folder: Path) -> Iterator[Kept]:
    """The vault after each moment at which the doctor was killed, the last time it was not."""
    for steps in range(100):
        kept = whole.copy(folder / str(steps))
        line = [sys.executable, "-c", DOCTOR, str(kept.premises.root), str(steps)]
        code = subprocess.run(line, check=False).returncode
        assert code in (0, -signal.SIGKILL)
        yield kept
        if code == 0:
            return
    pytest.fail("it takes more steps than this test kills at")


def told(kept: Kept) -> list[str] | None:
    """What the journal tells of replaced databases; None: the database does not open."""
    root = kept.premises.root
    try:
        store = SqliteStore(root / "vault.sqlite3", root / "keys.copy")
    except IntegrityError:
        return None
    with closing(store):
        entries = [entry for row in store.journal() if (entry := entry_of(row)) is not None]
    what = [str(entry.details.get("what")) for entry in entries]
    return [each for each in what if each in (RESTORED, FORGOTTEN)]


def test_no_replaced_database_lies_there_untold(whole: Kept, tmp_path: Path) -> None:
    between = 0
    for kept in killed(whole, tmp_path):
        opened = told(kept)
        assert opened in (None, [RESTORED])
        between += opened is None and bool(files(kept))
        if opened is None:
            examine_vault(kept.premises.root, False, True, silent)
            assert told(kept) == [RESTORED]
        assert "vault.sqlite3.damaged" in files(kept)
        assert not [*kept.premises.root.glob("*.new*")]
    assert between  # it was also killed where the vault has no database at all
    examine_vault(kept.premises.root, False, False, silent, forget=True)
    assert noticed(kept) == []
    assert look(kept).whole == set(kept.sent)


def test_what_was_deleted_without_an_entry_does_not_count_for_ever(
    whole: Kept, tmp_path: Path
) -> None:
    """By somebody's hand, by an erasure, or by a doctor who was killed before he said so."""
    kept = whole.copy(tmp_path)
    examine_vault(kept.premises.root, False, True, silent)
    for name in files(kept):
        (kept.premises.root / name).unlink()
    assert told(kept) == [RESTORED]
    examine_vault(kept.premises.root, False, False, silent, forget=True)
    assert told(kept) == [RESTORED, FORGOTTEN]
