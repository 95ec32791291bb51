"""Opens a vault's ports: which adapter stands behind each."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from serment.adapters.memory.search import MemorySearchTable
from serment.adapters.packs.local import LocalPacks
from serment.adapters.sqlite.store import SqliteStore
from serment.adapters.system import SystemClock, VaultLock, write_new
from serment.app.house import House
from serment.app.protect.opening import Practice
from serment.app.watch.checkpoints import Checkpoints
from serment.app.watch.reads import Reads
from serment.app.watch.searches import Searches
from serment.bootstrap.folder import Folder, open_folder
from serment.bootstrap.surroundings import Machine
from serment.core.crypto.keys import new_key
from serment.core.crypto.secret import Key, Seed
from serment.core.crypto.selftest import self_test
from serment.core.journal.caller import on_this_machine
from serment.core.records.vault import Setting
from serment.entrypoints.desk.desk import Desk
from serment.errors import N_, Conflict, FormatError, IntegrityError, Unavailable
from serment.ports import Clock, Store

DERIVATIONS = 2  # at once: each takes 64 MiB and two processors' time


def open_house(folder: Folder) -> House:
    """The vault's ports, after the self-test of the cryptography."""
    self_test()
    store = SqliteStore(folder.database, folder.key_copy)
    practice = store.get(Setting, "practice")
    return House(
        folder.vault,
        practice.value.decode() if practice else "",
        store,
        LocalPacks(folder.packs),
        SystemClock(),
        MemorySearchTable,
        threading.RLock(),
        threading.BoundedSemaphore(DERIVATIONS),
    )


def make_desk(folder: Folder, house: House) -> Desk:
    """What the command line's requests work on."""
    clock, store = house.clock, house.store
    practice = Practice(house)
    return Desk(
        practice,
        Reads(store, clock, house.lock),
        Searches(store, clock, house.lock),
        Machine(folder, store),
        partial(held_key, folder),
    )


def held_key(folder: Folder) -> Key:
    """The key the server holds itself; made the first time it is needed."""
    if not folder.held_key.exists():
        with contextlib.suppress(Conflict):  # another process was faster
            write_new(folder.held_key, new_key().reveal())
    try:
        return Key(folder.held_key.read_bytes())
    except OSError as error:
        raise Unavailable(
            N_("the key of the history of audits cannot be read"),
            hint=N_("check server/held.key of the vault, or restore it from a backup"),
        ) from error


def close_house(house: House) -> None:
    house.packs.close()
    house.store.close()


@contextmanager
def alone(root: Path) -> Iterator[tuple[Folder, House]]:
    """A vault with nobody else at it: what a command does when no server runs.

    Raises:
        Conflict: a server, or another command, holds the vault.
    """
    folder = open_folder(root)
    with VaultLock(folder.root):
        house = open_house(folder)
        try:
            with signing(folder, house.store, house.clock), on_this_machine():
                yield folder, house
        finally:
            close_house(house)


@contextmanager
def signing(
    folder: Folder, store: Store, clock: Clock, *, founding: bool = False
) -> Iterator[None]:
    """Sign at the end what is written meanwhile, as the worker of a server does. A log that is no
    continuation of what was signed is left as it is: `journal verify` says so; so is one without
    a key, of a vault whose founding failed or whose folder was not copied whole."""
    found = store.journal_size()
    try:
        yield
    finally:
        with contextlib.suppress(IntegrityError, FormatError, FileNotFoundError):
            key = Seed(folder.journal_key.read_bytes())
            signer = Checkpoints(store, clock, key, folder.vault, found, founding=founding)
            signer.sign_if_changed()
