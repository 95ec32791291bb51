"""Makes a vault: its folder, what founding gives, and the recovery kit as text and PDF files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serment.adapters.documents.kit import render_kit_share
from serment.adapters.documents.typesetting import Typst
from serment.adapters.system import (
    SystemClock,
    VaultLock,
    make_private_folder,
    private_umask,
    write_new,
    write_private,
)
from serment.app.protect.founding import Founded, found
from serment.bootstrap.folder import Folder, check_kit_folder, create
from serment.bootstrap.house import close_house, open_house, signing
from serment.core.crypto.entropy import new_id
from serment.core.journal.caller import on_this_machine
from serment.core.journal.entries import Entry, EventKind
from serment.core.masked import Masked
from serment.core.records.vault import Setting
from serment.entrypoints.language import say
from serment.errors import N_

SHARE = "serment-share-{number}-of-3"
TEXT = N_(
    "Serment, recovery kit, share {number} of 3\n"
    "Practice: {practice}\nVault: {vault}\nMade on: {day}\n"
    "Recovery key: {fingerprint}\n\n{words}\n\n"
    "Any two of the three shares open everything. Print them, keep each in another place,\n"
    "never in the vault nor on this machine, then delete these files.\n"
    "To use them: serment recover SHARE SHARE -o DIR\n"
)


@dataclass(frozen=True, slots=True)
class Made:
    """What `serment init` answers."""

    vault: str
    folder: Path
    kit: Path
    shares: tuple[Path, ...]
    recovery_words: tuple[str, ...]

    def answer(self) -> dict[str, Any]:
        return {
            "vault": self.vault,
            "folder": str(self.folder),
            "kit": str(self.kit),
            "shares": [str(path) for path in self.shares],
            "recovery_words": list(self.recovery_words),
        }


def make_vault(
    root: Path,
    practice: str,
    login: str,
    password: Masked[str],
    kit: Path,
    language: str,
    names: tuple[str, ...] = (),
) -> Made:
    """A new vault in `root` and its kit in `kit`; nothing stays when something fails.

    Raises:
        Conflict: the folder is not empty, or the kit's holds shares already.
        UsageError: the kit lies inside the vault, or login or password cannot be used.
    """
    private_umask()
    kit = check_kit_folder(kit, root)
    folder = create(root, new_id())
    try:
        with VaultLock(folder.root):
            founded = _found(folder, practice, login, password, kit, names)
        shares = _write_kit(kit, folder, practice, founded, language)
    except BaseException:
        shutil.rmtree(folder.root, ignore_errors=True)
        raise
    return Made(folder.vault, folder.root, kit, shares, founded.recovery_words)


def _found(
    folder: Folder,
    practice: str,
    login: str,
    password: Masked[str],
    kit: Path,
    names: tuple[str, ...],
) -> Founded:
    house = open_house(folder)
    try:
        with signing(folder, house.store, house.clock, founding=True), on_this_machine():
            founded = found(
                folder.vault, practice, house.store, house.clock, login, password, names
            )
            write_private(folder.journal_key, founded.journal_key.reveal())
            write_private(folder.authority, founded.authority)
            write_private(folder.certificate, founded.certificate)
            write_private(folder.certificate_key, founded.certificate_key)
            entry = Entry(EventKind.KIT_MADE, house.clock.now(), "local", {})
            with house.store.change(entry) as tx:
                tx.put(Setting("kit-folder", str(kit).encode()))
        house.store.copy_keys()
    finally:
        close_house(house)
    return founded


def _write_kit(
    kit: Path, folder: Folder, practice: str, founded: Founded, language: str
) -> tuple[Path, ...]:
    """The text files of the shares; each has a PDF beside it. Of a kit that cannot be written whole
    nothing stays."""
    is_new = not kit.is_dir()
    if is_new:  # one that exists is somebody's own: its permissions stay
        make_private_folder(kit)
    written: list[Path] = []
    try:
        for path, data in _files(kit, folder, practice, founded, language):
            write_new(path, data)
            written.append(path)
    except BaseException:
        _take_back(written, kit if is_new else None)
        raise
    return tuple(written[::2])


def _take_back(written: list[Path], folder: Path | None) -> None:
    """Delete the shares of a vault that never was: a second try would find them in its way."""
    with suppress(OSError):
        for path in written:
            path.unlink(missing_ok=True)
        if folder is not None:
            folder.rmdir()


def _files(
    kit: Path, folder: Folder, practice: str, founded: Founded, language: str
) -> Iterator[tuple[Path, bytes]]:
    """Of each share its text, then its PDF."""
    at = SystemClock().now().astimezone()
    for number, words in enumerate(founded.shares, 1):
        path = kit / (SHARE.format(number=number) + ".txt")
        text = say(
            TEXT,
            language,
            number=number,
            practice=practice,
            vault=folder.vault,
            day=at.date(),
            fingerprint=" ".join(founded.recovery_words),
            words=_in_lines(words),
        )
        yield path, text.encode()
        pdf = render_kit_share(
            Typst(),
            language=language,
            practice=practice,
            vault=folder.vault,
            at=at,
            number=number,
            words=words.split(),
            fingerprint=founded.recovery_words,
        )
        yield path.with_suffix(".pdf"), pdf


def _in_lines(words: str) -> str:
    listed = words.split()
    return "\n".join(" ".join(listed[i : i + 6]) for i in range(0, len(listed), 6))
