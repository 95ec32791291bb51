"""The vault's folder: where each file is, what serment.toml says, who may look.

Everything is made 0700/0600, and a process that works on a vault leaves no core dump: it may hold
keys or patients' data. What the files hold is decided elsewhere (docs/format.md).
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from serment.adapters.system import (
    loose_permissions,
    make_private_folder,
    no_core_dumps,
    owned,
    private_umask,
    write_private,
)
from serment.core.records.vault import FORMAT_VERSION
from serment.errors import (
    N_,
    Conflict,
    FormatError,
    NotFound,
    SermentError,
    Unavailable,
    UsageError,
)

FLAGS: tuple[str, ...] = ()
FACTS_LIMIT = 64 * 1024  # characters of serment.toml
SOCKET_PATH_BYTES = 100  # sun_path holds 104 to 108 bytes


@dataclass(frozen=True, slots=True)
class Folder:
    """Paths of one vault."""

    root: Path
    vault: str

    @property
    def database(self) -> Path:
        return self.root / "vault.sqlite3"

    @property
    def packs(self) -> Path:
        return self.root / "packs"

    @property
    def key_copy(self) -> Path:
        return self.root / "keys.copy"

    @property
    def server(self) -> Path:
        """The server's own keys: journal signing, TLS. Nothing of a patient."""
        return self.root / "server"

    @property
    def journal_key(self) -> Path:
        return self.server / "journal.key"

    @property
    def authority(self) -> Path:
        return self.server / "authority.crt"

    @property
    def certificate(self) -> Path:
        return self.server / "tls.crt"

    @property
    def certificate_key(self) -> Path:
        return self.server / "tls.key"

    @property
    def held_key(self) -> Path:
        """Seals what must be written while locked and holds no patient data."""
        return self.server / "held.key"

    @property
    def run(self) -> Path:
        """Sockets of the running server; a short path elsewhere when this one is too long."""
        here = self.root / "run"
        if len(str(here / "intake.sock").encode()) <= SOCKET_PATH_BYTES:
            return here
        name = hashlib.sha256(str(self.root).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"serment-{name}"

    @property
    def intake_socket(self) -> Path:
        return self.run / "intake.sock"

    @property
    def local_socket(self) -> Path:
        return self.run / "local.sock"


def create(root: Path, vault: str) -> Folder:
    """A new empty folder for a vault; nothing stays of one that cannot be made.

    Raises:
        Conflict: there is something there already.
    """
    _keep_to_ourselves()
    root = root.resolve()
    if root.exists() and any(root.iterdir()):
        raise Conflict(
            N_("the folder {folder} is not empty"),
            hint=N_("choose a new folder for the vault"),
            folder=str(root),
        )
    folder = Folder(root, vault)
    lines = [f'vault = "{vault}"', f"format = {FORMAT_VERSION}", "flags = []", ""]
    try:
        for path in (root, folder.packs, folder.server, folder.run):
            make_private_folder(path)
        write_private(root / "serment.toml", "\n".join(lines).encode())
    except SermentError:
        shutil.rmtree(root, ignore_errors=True)
        raise
    return folder


def open_folder(root: Path) -> Folder:
    """The folder of an existing vault.

    Raises:
        NotFound: no vault there.
        FormatError: a vault of a newer format, or a damaged serment.toml.
    """
    _keep_to_ourselves()
    root = root.resolve()
    path = root / "serment.toml"
    if not path.is_file():
        raise NotFound(
            N_("there is no vault in {folder}"),
            hint=N_("name it with --vault or SERMENT_VAULT, or make one: `serment init DIR`"),
            folder=str(root),
        )
    try:
        with path.open(encoding="utf-8") as stream:
            facts = tomllib.loads(stream.read(FACTS_LIMIT))
        vault, version, flags = str(facts["vault"]), int(facts["format"]), list(facts["flags"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, UnicodeDecodeError) as error:
        raise FormatError(
            N_("serment.toml of this vault cannot be read"),
            hint=N_("restore it from a backup; it holds vault, format and flags"),
        ) from error
    if version > FORMAT_VERSION or any(flag not in FLAGS for flag in flags):
        raise FormatError(
            N_("this vault has format {found}, this program knows up to {known}"),
            hint=N_("install the newer Serment that wrote it; nothing was changed"),
            found=version,
            known=FORMAT_VERSION,
        )
    folder = Folder(root, vault)
    make_private_folder(folder.run)
    _check_ours(folder.run)
    return folder


def _check_ours(path: Path) -> None:
    """Sockets may live in a shared folder (see `Folder.run`): nobody else may have made it."""
    if path.is_symlink() or loose_permissions(path) or not owned(path):
        raise Unavailable(
            N_("the folder {path} for the server's sockets belongs to somebody else"),
            hint=N_("remove it, or move the vault to a shorter path"),
            path=str(path),
        )


def _keep_to_ourselves() -> None:
    """Whatever this process writes from now on, and what it has in memory."""
    private_umask()
    no_core_dumps()


def check_kit_folder(kit: Path, root: Path) -> Path:
    """A folder for the recovery kit that does not lie inside the vault it must survive, and holds
    no other vault's kit.

    Raises:
        UsageError: it lies inside the vault.
        Conflict: shares of a kit are there already.
    """
    kit, root = kit.resolve(), root.resolve()
    if kit == root or root in kit.parents:
        raise UsageError(
            N_("the recovery kit cannot be kept inside the vault"),
            hint=N_("choose a folder elsewhere, best on a USB stick: --kit DIR"),
        )
    if any(kit.glob("serment-share-*")):
        raise Conflict(
            N_("the folder {folder} holds shares of a recovery kit already"),
            hint=N_("they may open another vault: name a folder without shares with --kit DIR"),
            folder=str(kit),
        )
    return kit
