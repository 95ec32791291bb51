"""`serment doctor`: examines a vault, running or not, and restores the database from its copy."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from serment.adapters.sqlite import keycopy
from serment.adapters.sqlite.store import SqliteStore
from serment.adapters.system import SystemClock, VaultLock
from serment.app.copying import COPY_KEPT, renew
from serment.app.keep.health import examine
from serment.app.keep.objects import put_back
from serment.app.keep.returning import take_back
from serment.app.keep.rows import compare
from serment.app.protect.mending import mend
from serment.bootstrap.folder import Folder, open_folder
from serment.bootstrap.house import close_house, open_house, signing
from serment.bootstrap.surroundings import Machine
from serment.core.journal.caller import on_this_machine
from serment.core.journal.copies import FORGOTTEN, RESTORED
from serment.core.journal.entries import Entry, EventKind
from serment.entrypoints.local.client import is_running
from serment.errors import N_, Conflict, IntegrityError, Remark, SermentError
from serment.ports import ProgressFactory, Store


def examine_vault(
    root: Path,
    thorough: bool,
    restore: bool,
    progress: ProgressFactory,
    *,
    forget: bool = False,
) -> dict[str, Any]:
    """Look at everything; with no server running, mend what a restart would mend. `forget`: delete
    the damaged databases that restored ones replaced.

    Raises:
        Conflict: restoring or forgetting while somebody uses the vault; restoring while its
            database is sound; both at once.
    """
    folder = open_folder(root)
    running = is_running(folder.local_socket)
    repairs: list[Remark] = []
    if restore and forget:
        raise Conflict(
            N_("what a restored database replaces is not deleted at once"),
            hint=N_("restore, see that nothing is missing, then `serment doctor --forget-damaged`"),
        )
    if running and not (restore or forget):
        return _examine(root, thorough, progress, repairs, fix=False)
    with VaultLock(folder.root):
        if restore:
            _restore(folder)
            repairs.append(Remark(N_("the database was restored from keys.copy")))
        if forget:
            repairs += _forget(folder)
        return _examine(root, thorough, progress, repairs, fix=True)


def _restore(folder: Folder) -> None:
    """Put the copy in the place of a database that is lost or damaged, and say so in the journal:
    what was written since the copy was made is gone, a removed member may be back."""
    if _is_sound(folder):
        raise Conflict(
            N_(
                "the vault's database is sound: putting the older copy in its place would lose data"
            ),
            hint=N_("nothing was changed; see what `serment doctor` finds"),
        )
    keycopy.restore(folder.database, folder.key_copy, partial(_tell_restored, folder))


def _tell_restored(folder: Folder, fresh: Path) -> None:
    store = SqliteStore(fresh, folder.key_copy)
    try:
        _tell(folder, store, RESTORED, size=store.journal_size())
    finally:
        store.close()


def _forget(folder: Folder) -> list[Remark]:
    """Delete them, then say so, also where none is left: somebody else deleted them, or this stopped
    in between. Until it is said, the radius of a breach counts with them."""
    house = open_house(folder)
    try:
        dropped = [path.name for path in keycopy.drop_damaged(folder.database)]
        _tell(folder, house.store, FORGOTTEN, count=len(dropped))
    finally:
        close_house(house)
    return [Remark(N_("{file} was deleted"), file=name) for name in dropped]


def _tell(folder: Folder, store: Store, what: str, **details: int) -> None:
    clock = SystemClock()
    with signing(folder, store, clock), on_this_machine():
        store.record(Entry(EventKind.REPAIRED, clock.now(), "doctor", {"what": what, **details}))


def _is_sound(folder: Folder) -> bool:
    try:
        store = SqliteStore(folder.database, folder.key_copy)
    except IntegrityError:
        return False
    try:
        return not store.check()
    finally:
        store.close()


def _examine(
    root: Path, thorough: bool, progress: ProgressFactory, repairs: list[Remark], *, fix: bool
) -> dict[str, Any]:
    folder = open_folder(root)
    house = open_house(folder)
    try:
        compared = None
        if fix:
            if not repairs:  # of a copy that came back, mending makes the rows of objects first
                with suppress(SermentError):  # then it is done, and told of, later
                    compared = compare(house.store)
            # What a damaged row keeps from being mended, the findings tell.
            with (
                suppress(IntegrityError),
                signing(folder, house.store, house.clock),
                on_this_machine(),
            ):
                repairs += take_back(house, compared.odd if compared else ())
                repairs += mend(house.store, house.packs, house.clock)
                repairs += put_back(house)
        with progress(N_("Examining")) as bar:
            health = examine(
                house, Machine(folder, house.store), bar, thorough=thorough, compared=compared
            )
        if fix and health.renew_copy:
            with signing(folder, house.store, house.clock), on_this_machine():
                if renew(house.store, house.clock.now()) != COPY_KEPT:
                    repairs.append(Remark(N_("the second copy of the keys was written anew")))
    finally:
        close_house(house)
    findings = [
        {
            "grade": finding.grade.value,
            "message": finding.message,
            "hint": finding.hint,
            "values": finding.values,
        }
        for finding in health.findings
    ]
    return {
        "objects": health.objects,
        "packs": health.packs,
        "rows": health.rows,
        "repairs": repairs,
        "findings": findings,
        "ok": not findings,
        "running": not fix,
    }
