"""`serment demo`: a fictional practice receives while locked, opens, and is searched by a thief.

Everything is what a practice would use: a real vault, the real server, real DICOM associations
and STOW-RS requests. Only the patients are invented.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serment.adapters.files.walk import walk
from serment.adapters.system import SystemClock, make_private_folder, write_private
from serment.app.prove.bytesearch import search_bytes
from serment.app.prove.forms import Planted
from serment.bootstrap.addresses import parse_address
from serment.bootstrap.folder import open_folder
from serment.bootstrap.init import make_vault
from serment.bootstrap.serve import Addresses, Server
from serment.bootstrap.stopping import when_told_to_stop
from serment.core.masked import Masked
from serment.entrypoints.cli.output import Output
from serment.entrypoints.cli.world import World
from serment.entrypoints.demo.sending import send_associations, send_stow
from serment.entrypoints.demo.studies import PlannedStudy, manifest, practice
from serment.entrypoints.desk.request import Request
from serment.errors import N_
from serment.ports import ProgressFactory

PASSWORD = "Tilleul-Phare-47-Grenade"
ADMINISTRATOR = "admin"
PEOPLE = (
    ("docteur", ["doctor"], ADMINISTRATOR),
    ("secretaire", ["secretary"], "docteur"),
    ("dpo", ["dpo"], ADMINISTRATOR),
)
AE_TITLE = "SCANNER1"


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent and acknowledged, and a plain copy of it."""

    received: int
    plain: Path


def demo(options: dict[str, Any], output: Output, progress: ProgressFactory, world: World) -> int:
    """Run it all; with `once` leave at the end, else serve until Ctrl-C."""
    clock = SystemClock()
    began = clock.monotonic()
    with _places(options.get("vault")) as (vault, work):
        planted = [Planted(**entry) for entry in manifest()]
        if options.get("manifest"):
            _write_manifest(Path(options["manifest"]))
        _found_practice(vault, work, output, world)
        addresses = Addresses(parse_address(options["dicom"]), parse_address(options["web"]))
        server = Server(vault, addresses)
        facts = server.start()
        try:
            sent = _send(vault, work, facts, world, progress)
            locked = _search(vault, planted, progress, N_("Searching the locked vault"))
            patients = _open(vault, world)
            _welcome(output, sent.received, patients, facts, vault)
            clear = max(locked, _search(vault, planted, progress, N_("Searching the open vault")))
            plain = _search(sent.plain, planted, progress, N_("Searching a plain copy"))
            result = {
                "received": sent.received,
                "patients": patients,
                "planted": len(planted),
                "found_in_clear": clear,
                "found_in_plain_copy": plain,
                "searched_bytes": _size(vault),
                "seconds": round(clock.monotonic() - began, 2),
            }
            _report(output, result, facts)
            if not options["once"]:
                stopping = threading.Event()
                when_told_to_stop(stopping.set)
                output.line(N_("Serves until Ctrl-C"))
                server.watch(stopping)
        finally:
            server.stop()
    return 0


@contextmanager
def _places(chosen: str | None) -> Iterator[tuple[Path, Path]]:
    """The vault's folder (kept when the user named one) and a working folder (never kept)."""
    work = Path(tempfile.mkdtemp(prefix="serment-demo-"))
    try:
        yield (Path(chosen) if chosen else work / "vault"), work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_manifest(path: Path) -> None:
    lines = [json.dumps(entry, ensure_ascii=False) for entry in manifest()]
    write_private(path.resolve(), ("\n".join(lines) + "\n").encode())


def _found_practice(vault: Path, work: Path, output: Output, world: World) -> None:
    password = Masked(PASSWORD)
    name = output.text(N_("Fictional imaging practice"))
    make_vault(vault, name, ADMINISTRATOR, password, work / "kit", output.lang)
    # The kit of a demo is worth nothing; leaving it beside the vault would make the home page
    # say, rightly, that a thief reads everything.
    shutil.rmtree(work / "kit")
    for login, roles, by in PEOPLE:
        options = {"login": login, "roles": roles}
        world.ask(vault, Request("member add", options, by, password, password))


def _add_device(vault: Path, world: World, name: str, ae: str) -> str:
    options = {"name": name, "ae": ae, "address": "127.0.0.1"}
    request = Request("device add", options, ADMINISTRATOR, Masked(PASSWORD))
    return str(world.ask(vault, request)["token"])


def _send(
    vault: Path, work: Path, facts: dict[str, Any], world: World, progress: ProgressFactory
) -> Sent:
    """Half of the studies over DICOM, half over STOW-RS, all while the practice is locked."""
    plain = work / "plain"
    make_private_folder(plain)
    _add_device(vault, world, "Scanner", AE_TITLE)
    token = _add_device(vault, world, "Passerelle STOW", "STOW1")
    studies = practice()
    with progress(N_("Sending studies to the locked practice")) as bar:
        bar.total(len(studies))
        received = 0
        for number, study in enumerate(studies):
            files = _written(plain / str(number), study)
            if number % 2:
                received += send_stow(facts["web"], facts["ca"], token, files)
            else:
                received += send_associations(facts["dicom"], AE_TITLE, files)
            bar.step()
    return Sent(received, plain)


def _written(folder: Path, study: PlannedStudy) -> list[Path]:
    make_private_folder(folder)
    paths = []
    for number, data in enumerate(study.files()):
        path = folder / f"{number:04}.dcm"
        path.write_bytes(data)
        paths.append(path)
    return paths


def _open(vault: Path, world: World) -> int:
    """The doctor opens the practice; arrivals are filed; how many patients there are."""
    world.ask(vault, Request("unlock", {}, "docteur", Masked(PASSWORD)))
    return int(world.ask(vault, Request("status", {}))["patients"])


def _search(folder: Path, planted: list[Planted], progress: ProgressFactory, label: str) -> int:
    with progress(label):
        return len(search_bytes(planted, walk(folder)).found)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _welcome(
    output: Output, received: int, patients: int, facts: dict[str, Any], vault: Path
) -> None:
    """Said as soon as somebody can come in; the search for the thief goes on meanwhile."""
    output.line(
        N_("{received} images and reports received while locked, {patients} patients filed"),
        received=received,
        patients=patients,
    )
    output.line(
        N_("Open {web} in a browser (accept the practice's own certificate)"), web=facts["web"]
    )
    logins = ", ".join([ADMINISTRATOR, *(login for login, _, _ in PEOPLE)])
    output.line(
        N_("Fictional accounts: {logins}; password of all: {password}"),
        logins=logins,
        password=PASSWORD,
    )
    output.line(N_("Vault: {folder}"), folder=str(open_folder(vault).root))


def _report(output: Output, result: dict[str, Any], facts: dict[str, Any]) -> None:
    output.value({**result, "web": facts["web"], "dicom": facts["dicom"]})
    output.line(
        N_("A thief with the disk finds {found} of {planted} identifiers in {megabytes} MB;"),
        found=result["found_in_clear"],
        planted=result["planted"],
        megabytes=result["searched_bytes"] // 1_000_000,
    )
    output.line(
        N_("the same search finds {found} of {planted} in a plain copy of what was sent."),
        found=result["found_in_plain_copy"],
        planted=result["planted"],
    )
