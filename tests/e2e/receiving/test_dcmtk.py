"""DCMTK's own clients, as modalities use them, against our C-ECHO and C-STORE provider."""

from __future__ import annotations

import functools
import io
import os
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom import Dataset, dcmread

from serment.adapters.memory.receiver import MemoryReceiver
from serment.core.dicom.uids import STORAGE_CLASSES
from serment.errors import NoSpace

pytestmark = pytest.mark.real("dcmtk")

Tool = Callable[[str], str]

# How storescu is told to propose each transfer syntax.
OPTIONS = {
    "1.2.840.10008.1.2": "-xi",
    "1.2.840.10008.1.2.1": "-xe",
    "1.2.840.10008.1.2.2": "-xb",
    "1.2.840.10008.1.2.1.99": "-xd",
    "1.2.840.10008.1.2.4.50": "-xy",
    "1.2.840.10008.1.2.4.51": "-xx",
    "1.2.840.10008.1.2.4.70": "-xs",
    "1.2.840.10008.1.2.4.80": "-xt",
    "1.2.840.10008.1.2.4.81": "-xu",
    "1.2.840.10008.1.2.4.90": "-xv",
    "1.2.840.10008.1.2.4.91": "-xw",
    "1.2.840.10008.1.2.5": "-xr",
}


def run(*command: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
        env={**os.environ, **(env or {})},
    )


def address(running: Any) -> tuple[str, str]:
    return running.address[0], str(running.address[1])


@functools.cache
def samples() -> dict[str, list[Path]]:
    """pydicom's test files that are whole objects, by transfer syntax."""
    found: dict[str, list[Path]] = {}
    folder = Path(pydicom.__file__).parent / "data"
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                whole = dcmread(path)
                str(whole)  # some are broken on purpose: what pydicom cannot print is no sample
        except Exception:  # noqa: BLE001, S112
            continue
        syntax = str(whole.file_meta.get("TransferSyntaxUID", ""))
        meta = (
            whole.file_meta.get("MediaStorageSOPClassUID"),
            whole.file_meta.get("MediaStorageSOPInstanceUID"),
        )
        if whole.get("SOPClassUID") in STORAGE_CLASSES and meta == (
            whole.SOPClassUID,
            whole.get("SOPInstanceUID"),
        ):
            found.setdefault(syntax, []).append(path)
    return found


def read(data: bytes) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(io.BytesIO(data))


def fingerprint(data: Dataset) -> tuple[object, ...]:
    """What DCMTK leaves as it is when it writes a data set again."""
    return data.SOPInstanceUID, data.get("PatientName"), data.get("Rows"), data.get("PixelData")


def test_echoscu(serve: Any, tool: Tool) -> None:
    done = run(tool("echoscu"), "-v", *address(serve()))
    assert done.returncode == 0, done.stderr
    assert "Received Echo Response (Success)" in done.stdout + done.stderr


def test_an_unknown_caller_reads_the_reason(serve: Any, made: Any, tool: Tool) -> None:
    running = serve(MemoryReceiver([made.device()]))
    done = run(tool("echoscu"), "-aet", "STRANGER", *address(running))
    assert done.returncode != 0
    assert "Calling AE Title Not Recognized" in done.stdout + done.stderr
    assert run(tool("echoscu"), "-aet", "CT1", "-aec", "SERMENT", *address(running)).returncode == 0
    wrong = run(tool("echoscu"), "-aet", "CT1", "-aec", "PACS", *address(running))
    assert "Called AE Title Not Recognized" in wrong.stdout + wrong.stderr


@pytest.mark.parametrize("syntax", OPTIONS)
def test_storescu_sends_every_transfer_syntax(serve: Any, tool: Tool, syntax: str) -> None:
    files = samples()[syntax]
    running = serve()
    done = run(tool("storescu"), "-v", "-nh", OPTIONS[syntax], *address(running), *map(str, files))
    # DCMTK itself cannot read some of the oddest; whatever it did send was stored, as it is.
    sent = (done.stdout + done.stderr).count("Sending Store Request")
    assert sent >= max(1, 3 * len(files) // 4), done.stderr
    kept = [read(k.data) for k in running.receiver.kept]
    assert len(kept) == sent
    assert {str(k.file_meta.TransferSyntaxUID) for k in kept} == {syntax}
    originals = [fingerprint(read(path.read_bytes())) for path in files]
    assert all(fingerprint(k) in originals for k in kept)
    assert running.receiver.refusals == []
    assert [r.interrupted for r in running.receiver.receptions] == [False]


def test_several_storescu_at_once_with_many_files(serve: Any, tool: Tool, tmp_path: Path) -> None:
    [original] = [p for p in samples()["1.2.840.10008.1.2.1"] if p.name == "CT_small.dcm"]
    whole = read(original.read_bytes())
    files = []
    for number in range(1, 51):
        whole.SOPInstanceUID = whole.file_meta.MediaStorageSOPInstanceUID = f"2.25.{number}"
        files.append(str(tmp_path / f"{number}.dcm"))
        whole.save_as(files[-1])
    running = serve()
    senders = [
        subprocess.Popen(
            [tool("storescu"), "-xe", "--repeat", "3", *address(running), *files],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(4)
    ]
    assert [sender.wait(120) for sender in senders] == [0] * 4
    assert len(running.receiver.receptions) == 4
    assert not any(r.interrupted for r in running.receiver.receptions)
    for reception in running.receiver.receptions:
        assert len({kept.data for kept in reception.kept}) == len(files)
        assert reception.steps == ["store", "sync"] * len(files) * 3 + ["close"]


def test_storescu_abort_interrupts(serve: Any, tool: Tool, eventually: Any) -> None:
    running = serve()
    file = str(samples()["1.2.840.10008.1.2.1"][0])
    run(tool("storescu"), "-xe", "--abort", *address(running), file)
    eventually(lambda: bool(running.receiver.receptions and running.receiver.receptions[0].closed))
    [reception] = running.receiver.receptions
    assert reception.interrupted
    assert len(reception.kept) == 1


def test_storescu_sees_the_status_of_a_refusal(serve: Any, tool: Tool) -> None:
    running = serve(MemoryReceiver(refusal=NoSpace("the disk that holds the vault is full")))
    file = str(samples()["1.2.840.10008.1.2.1"][0])
    done = run(tool("storescu"), "-v", "-xe", *address(running), file)
    assert "OutOfResources" in (done.stdout + done.stderr).replace(" ", "")


def test_identity_and_small_units_are_taken(serve: Any, tool: Tool) -> None:
    running = serve()
    file = str(samples()["1.2.840.10008.1.2.1"][0])
    done = run(
        tool("storescu"),
        *("-xe", "-usr", "dupont", "-pwd", "secret", "-pdu", "4096", "--max-send-pdu", "4096"),
        *address(running),
        file,
        env={"TCP_NODELAY": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert len(running.receiver.kept) == 1
