"""The pages' practice over a vault in memory: real reception, real keys, pictures rendered here."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.practices import PASSWORD, World, memory_world

from serment.adapters.documents.typesetting import Typst
from serment.adapters.memory.clock import MemoryClock
from serment.adapters.memory.network import MemoryNetwork
from serment.adapters.memory.packs import MemoryPacks
from serment.adapters.memory.store import MemoryStore
from serment.app.protect import members
from serment.core.crypto.keys import new_key
from serment.core.dicom.fictional import (
    FictionalStudy,
    Place,
    ct_slice,
    pdf_document,
    text_report,
    ultrasound,
)
from serment.core.dicom.pixels import render_frame
from serment.core.records.vault import Role
from serment.entrypoints.desk.auditor import Auditor
from serment.entrypoints.desk.desk import Desk
from serment.entrypoints.intake.aclient import AsyncIntakeClient
from serment.entrypoints.web.practice import WebPractice
from serment.entrypoints.web.practice.exposure import Exposure
from serment.entrypoints.web.views import Peer

HERE = Peer("127.0.0.1:50000", "127.0.0.1:8443", True)
AFAR = Peer("192.0.2.7:50000", "192.0.2.1:8443", True)
SENTENCE = "Nodule imaginaire de 7 mm du segment fictif."
LETTER = "Courrier fictif au médecin traitant"
US_TITLE = "Échographie de l'aine fictive"
CT_TITLE = "Coupes fines imaginaires"


@dataclass
class Machine:
    """Surroundings that a test sets."""

    shares: int = 0
    receives: bool = True

    def shares_here(self) -> int:
        return self.shares

    def receiving(self) -> bool:
        return self.receives

    def free_bytes(self) -> int:
        return 10**9

    def vault_bytes(self) -> int:
        return 0

    def decoder_lacks(self) -> list[str]:
        return []

    def talker_lacks(self) -> list[str]:
        return []

    def damaged_files(self) -> list[tuple[str, datetime]]:
        return []

    def loose_files(self) -> list[str]:
        return []


@dataclass
class Decoder:
    """Renders in this process, and counts."""

    rendered: int = 0

    def render(
        self,
        part10: bytes,
        frame: int,
        *,
        size: int | None,
        window: tuple[float, float] | None,
        image_type: str,
    ) -> bytes:
        self.rendered += 1
        return render_frame(part10, frame, size, window, image_type)


@dataclass
class Pages:
    """A practice and the pages' view of it."""

    world: World
    socket: Path
    studies: dict[str, FictionalStudy] = field(default_factory=dict)
    machine: Machine = field(default_factory=Machine)
    decoder: Decoder = field(default_factory=Decoder)
    network: MemoryNetwork = field(default_factory=MemoryNetwork)
    auditor: Auditor = field(init=False)
    web: WebPractice = field(init=False)
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        world, key = self.world, new_key()
        self.desk = Desk(world.practice, world.reads, world.searches, self.machine, lambda: key)
        self.auditor = Auditor(world.house, self.desk.held_key, self.network)
        self.web = WebPractice(
            self.desk,
            self.decoder,
            AsyncIntakeClient(self.socket),
            "127.0.0.1:11112",
            Exposure(self.auditor, tuple, Typst()),
        )

    def sign_in(self, login: str, code: str = "", peer: Peer = HERE) -> str:
        return self.web.sign_in(login, PASSWORD, code, peer)


def staffed() -> World:
    """A practice with a doctor, one of another circle, a secretary and a DPO."""
    world = memory_world()
    world.add("docteur", Role.DOCTOR)
    world.add("chirurgien", Role.DOCTOR, care="chirurgie")
    with world.signed_in("docteur") as session:
        members.admit(world.house, session.member, session.ring, "chirurgien")
    world.add("secretaire", Role.SECRETARY, by="docteur")
    world.add("dpo", Role.DPO)
    return world


def twin(world: World) -> World:
    """The same practice again, to be changed by one test: founding it anew would derive a key
    from a password ten times."""
    kept, store = world.house.store, MemoryStore()
    store._tables = {kind: dict(rows) for kind, rows in kept._tables.items()}
    store._log, store._frontier = list(kept._log), kept._frontier.copy()
    clock = MemoryClock(world.house.clock.now())
    house = dataclasses.replace(
        world.house, store=store, packs=MemoryPacks(), clock=clock, lock=threading.RLock()
    )
    return World(house, world.founded)


def full_study(of: FictionalStudy) -> list[bytes]:
    """Two CT slices, an ultrasound loop, a report and a letter, one series each."""
    return [
        ct_slice(of, Place(1, 1, CT_TITLE), 2),
        ct_slice(of, Place(1, 2, CT_TITLE), 2),
        ultrasound(of, Place(2, 1, US_TITLE), frames=3),
        text_report(of, Place(3, 1, "Rapport"), (("findings", (SENTENCE,)),)),
        pdf_document(of, Place(4, 1, LETTER), LETTER, ["Bonjour."]),
    ]


def everything_in(value: object) -> str:
    """All texts of a view, whatever it hides from its own printing."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return "\n".join(everything_in(getattr(value, f.name)) for f in fields)
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, Mapping):
        return "\n".join(everything_in([k, v]) for k, v in value.items())
    if hasattr(value, "reveal"):
        return everything_in(value.reveal())
    if isinstance(value, Iterable):
        return "\n".join(everything_in(each) for each in value)
    return str(value)


def facts(home: Any) -> dict[str, str]:
    """State of each fact, by name."""
    return {fact.name.value: fact.state.value for fact in home.facts}
