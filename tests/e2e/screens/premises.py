"""The demonstration's practice on a real server: what every test of this folder walks through.

Everything arrives as in a practice: over DICOM associations and STOW-RS, while nobody is signed in.
Two care circles, one of each kind of member, and a kit that was forgotten on this machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.serving import PASSWORD, Server, Vault, serving

from serment.bootstrap.init import make_vault
from serment.bootstrap.world import RealWorld
from serment.core.masked import Masked
from serment.entrypoints.demo.sending import send_associations, send_stow
from serment.entrypoints.demo.studies import PlannedStudy, practice
from serment.entrypoints.desk.request import Request

SCANNER, ECHO = "SCANNER1", "ECHO1"
PEOPLE = (
    ("docteur", "doctor", "admin"),
    ("secretaire", "secretary", "docteur"),
    ("dpo", "dpo", "admin"),
)
DEVICES = (
    ("Scanner", SCANNER, "care"),
    ("Échographe", ECHO, "cardio"),
    ("Passerelle STOW", "STOW1", "care"),
)
CARDIAC, LATE = 9, 18  # studies that another circle receives; that are sent while a list is open

__all__ = ["CARDIAC", "ECHO", "LATE", "PASSWORD", "SCANNER", "Premises", "premises"]


@dataclass
class Premises:
    """The vault, its server, and the studies of `demo.plan` as files."""

    vault: Vault
    server: Server
    token: str
    folder: Path
    studies: tuple[PlannedStudy, ...]

    @property
    def url(self) -> str:
        return self.server.web

    def send(self, number: int, *, by: str = SCANNER) -> int:
        """Send one study over DICOM; how many objects were acknowledged."""
        return send_associations(self.server.dicom, by, self.files(number))

    def send_stow(self, number: int) -> int:
        return send_stow(self.url, self.server.authority, self.token, self.files(number))

    def files(self, number: int) -> list[Path]:
        target = self.folder / str(number)
        target.mkdir(parents=True, exist_ok=True)
        paths = []
        for position, data in enumerate(self.studies[number].files()):
            path = target / f"{position:03}.dcm"
            path.write_bytes(data)
            paths.append(path)
        return paths


@contextmanager
def premises(folder: Path) -> Iterator[Premises]:
    """A founded practice that has received everything but the study `LATE`."""
    vault, token = _founded(folder)
    with serving(vault) as server:
        made = Premises(vault, server, token, folder / "sent", practice())
        for number in range(len(made.studies)):
            if number == CARDIAC:
                made.send(number, by=ECHO)
            elif number != LATE:
                (made.send_stow if number % 2 else made.send)(number)
        yield made


def _founded(folder: Path) -> tuple[Vault, str]:
    """The vault with its members and devices, without a process for each command; a token."""
    vault = Vault(folder / "vault", folder / "kit", {"SERMENT_VAULT": str(folder / "vault")})
    password, before = Masked(PASSWORD), os.umask(0o077)
    try:
        make_vault(vault.root, "Cabinet fictif", "admin", password, vault.kit, "fr")
    finally:
        os.umask(before)

    def ask(command: str, by: str, **options: object) -> dict[str, object]:
        request = Request(command, options, by, password, password)
        answer: dict[str, object] = RealWorld().ask(vault.root, request)
        return answer

    for login, role, by in PEOPLE:
        ask("member add", by, login=login, roles=[role])
    ask("member add", "admin", login="cardiologue", roles=["doctor"], circle="cardio")
    ask("member admit", "docteur", login="cardiologue")
    tokens = [
        ask("device add", "admin", name=name, ae=ae, address="127.0.0.1", circle=circle)["token"]
        for name, ae, circle in DEVICES
    ]
    return vault, str(tokens[-1])
