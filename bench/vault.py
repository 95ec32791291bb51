"""Starts Serment as its users do, through its command line only (the contract of docs/cli.md)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.peers import CALLING, HOST, Missing, Peer, free_port

CALLED = "SERMENT"
DOCTOR = "docteur"
_PASSWORD = (
    "falaise orme brume sillon perle cadran glycine tilleul"  # of a vault that is thrown away
)


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "serment", *map(str, arguments)]


def _environment(folder: Path) -> dict[str, str]:
    secret = folder / "password"
    if not secret.exists():
        secret.write_text(_PASSWORD + "\n")
        secret.chmod(0o600)
    return {
        **os.environ,
        "SERMENT_PASSWORD_FILE": str(secret),
        "SERMENT_NEW_PASSWORD_FILE": str(secret),
    }


def _run(folder: Path, *arguments: object) -> dict[str, str]:
    done = subprocess.run(
        _command(*arguments, "--json"),
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise Missing(f"serment {arguments[0]} ended with {done.returncode}: {done.stdout!r}")
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def found(folder: Path) -> Path:
    """A practice with an administrator, a doctor and one device, to be copied for each run."""
    folder.mkdir(parents=True)
    vault = folder / "vault"
    kit = folder / "kit"
    _run(folder, "init", vault, "--practice", "Banc d'essai", "--admin", "admin", "--kit", kit)
    shutil.rmtree(kit)
    _run(folder, "member", "add", DOCTOR, "--role", "doctor", "--vault", vault)
    device = ("device", "add", "bench", "--ae", CALLING, "--called", CALLED, "--address", HOST)
    token = _run(folder, *device, "--vault", vault)["token"]
    (folder / "token").write_text(token)
    return folder


@contextmanager
def serment(
    template: Path, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Peer]:
    """Serment as delivered: TLS, sealed, journalled, durable; locked until `unlock`."""
    dicom, web = f"{HOST}:{free_port()}", f"{HOST}:{free_port()}"
    vault = folder / "vault"
    serve = _command("serve", "--dicom", dicom, "--web", web, "--vault", vault, "--json")
    with _running(template, folder, serve, environment) as peer:
        yield peer


@contextmanager
def serment_without_tls(
    template: Path, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Peer]:
    """The same without TLS, as nobody can have it (`bench.plain`)."""
    dicom, web = f"{HOST}:{free_port()}", f"{HOST}:{free_port()}"
    serve = [sys.executable, "-m", "bench.plain", str(folder / "vault"), dicom, web]
    with _running(template, folder, serve, environment) as peer:
        yield peer


@contextmanager
def _running(
    template: Path, folder: Path, serve: list[str], environment: Mapping[str, str] | None
) -> Iterator[Peer]:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(template / "vault", folder / "vault")
    with (folder / "output.log").open("wb") as log:
        process = subprocess.Popen(
            serve,
            env={**_environment(folder), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    assert process.stdout
    line = process.stdout.readline()
    ready = json.loads(line) if line else {}
    if not ready.get("ready"):
        process.terminate()
        process.wait()
        said = (folder / "output.log").read_text(errors="replace")[-1000:]
        raise Missing(f"serment serve: {line!r} {said}")
    port = int(ready["dicom"].rpartition(":")[2])
    peer = Peer("Serment", process, CALLED, port, ready["web"] + "/dicom-web", ready["ca"])
    peer.receives = "_receiver"
    token = (template / "token").read_text()
    peer.sending_headers = {"Authorization": "Bearer " + token}
    try:
        yield peer
    finally:
        peer.stop()


def unlock(folder: Path, peer: Peer) -> None:
    """Open the doctor's session: reads carry its token from now on."""
    answer = _run(folder, "unlock", "--as", DOCTOR, "--token", "--vault", folder / "vault")
    peer.headers = {"Authorization": "Bearer " + answer["token"]}
