"""A full disk: devices are told so, nothing acknowledged is lost, receiving resumes by itself."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.components import lacking
from tests.e2e.oath.aftermath import complaints, data_sets, receivers_of
from tests.e2e.oath.client import BASE, Client
from tests.e2e.oath.premises import Premises
from tests.e2e.oath.sender import OUT_OF_RESOURCES, SUCCESS, Association, Sender, digest, new_uid
from tests.e2e.oath.small_disk import Disk, run_in_a_namespace, small_disk
from tests.e2e.readable import check_nothing_readable
from tests.e2e.receiving.conftest import CT, EXPLICIT, data_set
from tests.e2e.serving import Server, serving

from serment.bootstrap.logs import logger
from serment.core.dicom.part10 import build_meta

MEGABYTE = 1 << 20
SIZE = 40 * MEGABYTE
FULL = 12  # exit code of NoSpace
PATIENCE_SECONDS = 90


@dataclass
class Scarce:
    """A running server whose vault is on a small disk, and what was acknowledged so far."""

    premises: Premises
    disk: Disk
    server: Server
    sender: Sender

    def send(self, pixels: int) -> int:
        self.sender.pixels = pixels
        with Association(int(self.server.dicom_port)) as peer:
            status = self.sender.one(peer)
            peer.release()
        return status

    def stow(self, pixels: int) -> tuple[int, dict[str, Any]]:
        """One instance over STOW-RS: the status and the answer."""
        uid = new_uid()
        data = data_set(uid, pixels=pixels)
        part10 = build_meta(CT, uid, EXPLICIT) + data
        body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + part10 + b"\r\n--b--\r\n"
        headers = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
        client = Client(self.server, self.premises.token)
        answer = client.send("POST", f"{BASE}/studies", body, headers)
        self.sender.sent[uid] = digest(data)
        if answer.status == 200:
            self.sender.acknowledged[uid] = digest(data)
        return answer.status, json.loads(answer.body)

    def until_full(self, pixels: int) -> None:
        """Send until the disk is full; every answer is success or A700, and A700 comes."""
        statuses = []
        while not statuses or statuses[-1] == SUCCESS:
            statuses.append(self.send(pixels))
            assert len(statuses) < 500
        assert statuses[-1] == OUT_OF_RESOURCES


@pytest.fixture
def scarce(founded: Premises, tmp_path: Path) -> Iterator[Scarce]:
    with small_disk(tmp_path / "disk", SIZE) as disk:
        founded.copy(disk.folder)
        (tmp_path / "vault").symlink_to(disk.folder / "vault")  # the log is on the large disk
        premises = founded.in_folder(tmp_path)
        with serving(premises.vault) as server:
            sender = Sender(lambda: int(server.dicom_port), 0)
            yield Scarce(premises, disk, server, sender)
            disk.empty()


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def check_nothing_lost(premises: Premises, sender: Sender) -> None:
    """Everything acknowledged is there and identical; nothing else is, half or whole, that was
    refused; the vault is sound; nothing of it can be read in its files."""
    found = data_sets(premises)
    assert {uid: [value] for uid, value in sender.acknowledged.items()} == found
    assert complaints(premises) == []
    assert premises.vault.json("journal", "verify")["ok"] is True
    check_nothing_readable(premises.root, [data_set(uid, pixels=3000) for uid in sender.sent])


def test_the_same_where_only_a_namespace_may_mount(tmp_path: Path) -> None:
    run_in_a_namespace(__file__, tmp_path)


def test_devices_are_told_and_receiving_resumes(scarce: Scarce) -> None:
    for _ in range(3):
        assert scarce.send(50_000) == SUCCESS
    before = receivers_of(scarce.server)
    scarce.disk.fill(leave=4 * MEGABYTE)
    scarce.until_full(300_000)
    scarce.disk.fill(leave=0)
    packs = {path.name for path in scarce.premises.root.rglob("*.pack")}
    # a small one, one that streams, and both over STOW-RS
    assert scarce.send(3000) == OUT_OF_RESOURCES
    assert scarce.send(6 * MEGABYTE) == OUT_OF_RESOURCES
    for pixels in (3000, 6 * MEGABYTE):
        status, answer = scarce.stow(pixels)
        if status == 409:  # each instance has its reason (PS3.18 table 10.5.3-1)
            reasons = {item["00081197"]["Value"][0] for item in answer["00081198"]["Value"]}
            assert reasons == {OUT_OF_RESOURCES}
        else:
            assert status == 507
            assert "full" in answer["error"]
            assert "free some space" in answer["hint"]
    assert {path.name for path in scarce.premises.root.rglob("*.pack")} <= packs
    # space comes back
    scarce.disk.empty()
    assert scarce.send(50_000) == SUCCESS
    assert scarce.send(6 * MEGABYTE) == SUCCESS
    assert scarce.stow(3000)[0] == 200
    assert receivers_of(scarce.server) == before  # it never fell
    _stop(scarce)
    check_nothing_lost(scarce.premises, scarce.sender)


def test_people_are_told_what_to_do(scarce: Scarce, tmp_path: Path) -> None:
    """Whatever must be journalled is refused with the next step; locking always works."""
    vault = scarce.premises.vault
    assert scarce.send(3000) == SUCCESS
    vault.json("unlock", "--as", "secretaire")
    vault.json("unlock", "--as", "docteur")
    scarce.disk.fill(leave=0)
    for lang, word in (("en", "full"), ("fr", "plein")):
        refused = vault.run("search", "", "--as", "docteur", code=FULL, lang=lang)
        assert word in refused.err
        assert len(refused.err.splitlines()) == 2
    assert "free some space" in vault.run("unlock", "--as", "docteur", code=FULL).err
    file = tmp_path / "one.dcm"
    uid = new_uid()
    file.write_bytes(build_meta(CT, uid, EXPLICIT) + data_set(uid))
    (refused,) = vault.json("import", file, code=1)["refused"]
    assert "full" in refused["reason"]
    assert vault.json("status")["locked"] is False
    vault.run("lock", code=None)
    assert vault.json("status")["locked"] is True
    scarce.disk.empty()
    assert len(vault.json("search", "", "--as", "docteur")) == 1


def test_a_receiver_that_falls_on_a_full_disk_comes_back_with_the_space(scarce: Scarce) -> None:
    assert scarce.send(3000) == SUCCESS
    scarce.disk.fill(leave=0)
    fallen = receivers_of(scarce.server)
    assert fallen
    os.kill(fallen[-1], signal.SIGKILL)
    wait_for(lambda: scarce.server.log.read_text().count("not restarted") >= 2)
    assert "full" in scarce.server.log.read_text()
    assert scarce.premises.vault.json("status")["receiving"] is False
    scarce.disk.empty()
    wait_for(lambda: bool(scarce.premises.vault.json("status")["receiving"]))
    assert scarce.send(3000) == SUCCESS
    _stop(scarce)
    check_nothing_lost(scarce.premises, scarce.sender)


def test_a_log_that_cannot_be_written_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full")
    if not full.exists():
        lacking("this system has no /dev/full")
    with pytest.raises(OSError, match="No space"), full.open("w", buffering=1) as stream:
        stream.write("line\n")  # what a logger meets
    with full.open("w", buffering=1) as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        logger("receiver").error("fault", type="OSError")
        monkeypatch.undo()
        with suppress(OSError):
            stream.close()


def _stop(scarce: Scarce) -> None:
    scarce.server.process.send_signal(signal.SIGINT)
    scarce.server.process.wait(PATIENCE_SECONDS)
