"""A founded vault on disk, made once and copied for every test, with who works in it.

Patients are fictional. The copy is a vault like any other: the command line, a server or this very
process opens it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.e2e.serving import PASSWORD, Vault
from tests.sealing import keep

from serment.adapters.packs.local import LocalPacks
from serment.adapters.sqlite.store import SqliteStore
from serment.adapters.system import SystemClock
from serment.app.house import House
from serment.app.protect.receiver import SealedReceiver, mend
from serment.bootstrap.folder import open_folder
from serment.bootstrap.init import make_vault
from serment.bootstrap.world import alone_desk
from serment.core.crypto.password import Cost, open_with_password, seal_with_password
from serment.core.journal.entries import Entry, EventKind
from serment.core.masked import Masked
from serment.core.records import contexts
from serment.core.records.vault import Wrap, WrapKind
from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.desk.request import Request
from serment.entrypoints.desk.table import answer
from serment.ports import Receipt, Source

AE_TITLE = "SCANNER1"
LEAST = Cost(memory_kib=8 * 1024, iterations=1, lanes=1)
SECRET = Masked(PASSWORD)
# login, roles, care circle, by whom, who admits when that one does not hold all of it
PEOPLE = (
    ("docteur", ("doctor",), "care", "admin", ""),
    ("chirurgien", ("doctor",), "chirurgie", "admin", "docteur"),
    ("secretaire", ("secretary",), "care", "docteur", ""),
    ("dpo", ("dpo",), "care", "admin", ""),
)


@dataclass(frozen=True)
class Premises:
    """A vault as the command line sees it, and the token of its STOW-RS device."""

    vault: Vault
    token: str

    @property
    def root(self) -> Path:
        return self.vault.root

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """The vault opened by this process, alone."""
        with alone_desk(self.root) as desk:
            yield desk

    def copy(self, folder: Path) -> Premises:
        """The same vault in another folder, as a backup of its files would give it."""
        shutil.copytree(self.root, folder / "vault", ignore=shutil.ignore_patterns("run"))
        shutil.copytree(self.vault.kit, folder / "kit")
        return self.in_folder(folder)

    def in_folder(self, folder: Path) -> Premises:
        """The copy that is in that folder already."""
        return _in(folder, self.token)

    def receive(
        self, objects: Iterable[bytes], circle: str = "care", pdf: tuple[bytes, str] | None = None
    ) -> list[Receipt]:
        """Seal these as one association would, with a receiver of its own; `pdf` is a document
        and the patient's id it belongs to."""
        folder = open_folder(self.root)
        store, packs = SqliteStore(folder.database, folder.key_copy), LocalPacks(folder.packs)
        try:
            mend(store, packs, SystemClock())
            receiver = SealedReceiver(folder.vault, store, packs, SystemClock(), _no_lock)
            source = Source("dicom", None, circle, "127.0.0.1:50000", "127.0.0.1:11112")
            reception = receiver.open(source)
            receipts = [keep(reception, data) for data in objects]
            if pdf is not None:
                receipts.append(reception.document([pdf[0]], pdf[1], "Courrier"))
            reception.sync()
            reception.close()
        finally:
            packs.close()
            store.close()
        return receipts


@contextmanager
def _no_lock() -> Iterator[None]:
    yield


def ask(desk: Desk, command: str, who: str | None = None, /, **options: Any) -> Any:
    """One request of the command line's table; what streams is read to its end."""
    result = answer(desk, Request(command, options, who, SECRET, SECRET))
    return b"".join(result) if isinstance(result, Iterator) else result


def found(folder: Path) -> Premises:
    """A practice with a doctor, a surgeon of another care circle, a secretary, a DPO, a scanner
    and a STOW-RS gateway."""
    root = folder / "vault"
    make_vault(root, "Cabinet fictif", "admin", SECRET, folder / "kit", "fr")
    with alone_desk(root) as desk:
        for login, roles, care, by, admitted_by in PEOPLE:
            ask(desk, "member add", by, login=login, roles=list(roles), circle=care)
            if admitted_by:
                ask(desk, "member admit", admitted_by, login=login)
        ask(desk, "device add", "admin", name="Scanner", ae=AE_TITLE, address="127.0.0.1")
        stow = ask(desk, "device add", "admin", name="STOW", ae="STOW1", address="127.0.0.1")
        _make_passwords_cheap(desk.house)
    return _in(folder, stow["token"])


def _make_passwords_cheap(house: House) -> None:
    """Seal every member's seed anew at the least cost the format allows: hundreds of sessions are
    opened in these tests, and what a guess costs is not what they are about."""
    with house.store.change(Entry(EventKind.REPAIRED, house.clock.now(), "test", {})) as tx:
        for wrap in tx.find(Wrap, kind=WrapKind.MEMBER_SEED):
            context = contexts.wrap(
                house.vault, wrap.kind, wrap.subject, wrap.recipient, wrap.epoch
            )
            seed = open_with_password(wrap.blob, SECRET, context)
            tx.put(replace(wrap, blob=seal_with_password(seed, SECRET, context, LEAST)))


def _in(folder: Path, token: str) -> Premises:
    password = folder / "password"
    password.write_text(PASSWORD)
    environment = {"SERMENT_VAULT": str(folder / "vault"), "SERMENT_PASSWORD_FILE": str(password)}
    return Premises(Vault(folder / "vault", folder / "kit", environment), token)
