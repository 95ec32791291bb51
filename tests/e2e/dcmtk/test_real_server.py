"""DCMTK's clients against a running practice, from before its first doctor to after it is locked.

What the doctor gets back is compared with what DCMTK's own provider receives from the same client,
bit for bit.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.dicomweb.clinic import Clinic, parts_of, running, samples, stow_body
from tests.e2e.serving import new_vault
from tests.practices import patient, report, study

from serment.core.dicom.part10 import read_meta

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
    "1.2.840.10008.1.2.4.90": "-xv",
    "1.2.840.10008.1.2.4.91": "-xw",
    "1.2.840.10008.1.2.5": "-xr",
}
ONE = study(patient(901, "SECRÈTE^Irène", "19611224"), 1)
QUICK = {**os.environ, "TCP_NODELAY": "1"}  # DCMTK's switch against waiting for late answers
QUERY = "SECRETE-INTROUVABLE"


def run(*command: str) -> tuple[int, str]:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
        env=QUICK,
    )
    return done.returncode, done.stdout + done.stderr


@dataclass
class Story:
    """What was seen, step by step."""

    echo: tuple[int, str] = (1, "")
    no_doctor: tuple[int, str] = (1, "")
    no_doctor_web: Any = None
    stranger: tuple[int, str] = (1, "")
    wrong_called: tuple[int, str] = (1, "")
    sent: int = 0  # data sets that DCMTK's own provider received
    expected: set[bytes] = field(default_factory=set)
    served: set[bytes] = field(default_factory=set)
    many: list[int] = field(default_factory=list)
    many_listed: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    log: str = ""
    journal: list[dict[str, Any]] = field(default_factory=list)


def data_set(file: bytes) -> bytes:
    """A file without preamble and file meta information, which each receiver writes anew."""
    return file[read_meta(file).dataset_offset :]


def by_syntax() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for sample in samples():
        found.setdefault(sample.syntax, []).append(str(sample.path))
    return found


@contextmanager
def dcmtk_provider(tool: Tool, folder: Path) -> Iterator[str]:
    """storescp, which writes what comes exactly as it comes; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    folder.mkdir()
    options = ("+xa", "-pm", "+B", "+uf", "-od", str(folder))
    process = subprocess.Popen(
        [tool("storescp"), *options, port],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=QUICK,
    )
    try:
        for _ in range(200):
            if run(tool("echoscu"), "127.0.0.1", port)[0] == 0:
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def send_to_both(tool: Tool, clinic: Clinic, folder: Path) -> set[bytes]:
    """All samples, one association a transfer syntax; the data sets that really were sent."""
    serment = clinic.server.dicom_port
    with dcmtk_provider(tool, folder) as port:
        for syntax, files in by_syntax().items():
            option = OPTIONS[syntax]
            for target, called in ((port, "ANY"), (serment, "SERMENT")):
                run(
                    *(tool("storescu"), "-nh", option, "-aet", "CT1", "-aec", called),
                    *("127.0.0.1", target, *files),
                )
    return {data_set(path.read_bytes()) for path in folder.iterdir()}


def send_many_at_once(tool: Tool, clinic: Clinic, folder: Path) -> list[int]:
    """Four associations at the same time, fifty objects each."""
    folder.mkdir()
    many = study(patient(902, "NOMBREUSE^Ida", "19500505"), 1)
    groups: list[list[str]] = [[], [], [], []]
    for number in range(200):
        path = folder / f"{number}.dcm"
        path.write_bytes(report(many, number + 1))
        groups[number % 4].append(str(path))
    where = ("127.0.0.1", clinic.server.dicom_port)
    senders = [
        subprocess.Popen(
            [tool("storescu"), "-xe", "-aet", "CT1", "-aec", "SERMENT", *where, *group],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=QUICK,
        )
        for group in groups
    ]
    return [sender.wait(120) for sender in senders]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, tool: Tool) -> Story:
    folder = tmp_path_factory.mktemp("dcmtk")
    vault = new_vault(folder, people=False)
    device = vault.json("device", "add", "Scanner", "--ae", "CT1", "--address", "127.0.0.1")
    told = Story()
    one = folder / "one.dcm"
    one.write_bytes(report(ONE))
    with running(vault) as clinic:
        clinic.device = device["token"]
        where = ("127.0.0.1", clinic.server.dicom_port)
        known = ("-aet", "CT1", "-aec", "SERMENT")
        told.echo = run(tool("echoscu"), "-v", *known, *where)
        told.no_doctor = run(tool("storescu"), "-d", "-xe", *known, *where, str(one))
        told.no_doctor_web = clinic.post(stow_body([report(ONE)]))
        told.stranger = run(tool("echoscu"), "-aet", "STRANGER", "-aec", "SERMENT", *where)
        told.wrong_called = run(tool("echoscu"), "-aet", "CT1", "-aec", "PACS", *where)

        vault.json("member", "add", "docteur", "--role", "doctor")
        vault.json("member", "add", "secretaire", "--role", "secretary", "--by", "docteur")
        told.expected = send_to_both(tool, clinic, folder / "dcmtk")
        told.many = send_many_at_once(tool, clinic, folder / "many")
        clinic.store(report(ONE))

        clinic.doctor, clinic.secretary = clinic.unlock("docteur"), clinic.unlock("secretaire")
        told.served = everything(clinic)
        many = clinic.get("/instances?PatientName=NOMBREUSE*&limit=1000").json()
        told.many_listed = len({one["00080018"]["Value"][0] for one in many})
        told.answers, told.reasons = as_everybody(clinic)
        vault.json("lock")
        told.answers["locked"] = clinic.get("/studies").status_code
        told.answers["locked object"] = clinic.get(f"/studies/{ONE.uid}").status_code
        told.answers["sent while locked"] = clinic.post(stow_body([report(ONE, 2)])).status_code
        clinic.doctor = clinic.unlock("docteur")
        told.answers["opened again"] = clinic.get(f"/studies/{ONE.uid}").status_code
        log = clinic.server.log
    told.log = log.read_text()
    told.journal = vault.json("journal", "list", "--last", "2000")
    return told


def everything(clinic: Clinic) -> set[bytes]:
    """The data sets of all that the doctor can fetch."""
    found = set()
    for one in clinic.get("/studies?limit=1000").json():
        answer = clinic.get(f"/studies/{one['0020000D']['Value'][0]}")
        assert answer.status_code == 200, answer.text
        found |= {data_set(part) for _, part in parts_of(answer)}
    return found


def as_everybody(clinic: Clinic) -> tuple[dict[str, int], dict[str, str]]:
    """The status that each token gets at each level, and the reasons given."""
    (one,) = clinic.get(f"/studies/{ONE.uid}/instances").json()
    series, instance = (one[tag]["Value"][0] for tag in ("0020000E", "00080018"))
    study_url = f"/studies/{ONE.uid}"
    instance_url = f"{study_url}/series/{series}/instances/{instance}"
    paths = {
        "studies": f"/studies?PatientName={QUERY}*&PatientID=SECRET-ID",
        "series": f"{study_url}/series",
        "instances": f"{study_url}/instances",
        "all instances": "/instances",
        "study": study_url,
        "instance": instance_url,
        "metadata": f"{instance_url}/metadata",
        "frames": f"{instance_url}/frames/1",
        "rendered": f"{instance_url}/rendered",
        "thumbnail": f"{study_url}/thumbnail",
        "bulkdata": f"{instance_url}/bulkdata/7FE00010",
        "unknown": "/studies/2.25.404",
    }
    tokens = {
        "secretary": clinic.secretary,
        "device": clinic.device,
        "nobody": "",
        "guess": "x" * 43,
    }
    statuses, reasons = {}, {}
    for who, token in tokens.items():
        for what, path in paths.items():
            answer = clinic.get(path, token=token)
            statuses[f"{who} {what}"] = answer.status_code
            if answer.status_code not in (200, 204):
                reasons[f"{who} {what}"] = answer.json()["error"]
                assert (answer.status_code == 401) == ("WWW-Authenticate" in answer.headers)
    statuses["secretary list"] = clinic.get("/studies", token=clinic.secretary).status_code
    for who, token in (("doctor", clinic.doctor), ("nobody", ""), ("guess", "x" * 43)):
        statuses[f"{who} sends"] = clinic.post(stow_body([report(ONE)]), token=token).status_code
    return statuses, reasons


def test_echo_is_answered_before_there_is_a_doctor(story: Story) -> None:
    code, said = story.echo
    assert code == 0, said
    assert "Received Echo Response (Success)" in said


def test_without_a_doctor_the_sender_reads_why(story: Story) -> None:
    _code, said = story.no_doctor
    assert "0x0124" in said or "NotAuthorized" in said.replace(" ", ""), said
    assert "no doctor yet" in said
    answer = story.no_doctor_web
    assert answer.status_code == 409
    assert "no doctor yet" in answer.headers["Warning"]
    (failed,) = answer.json()["00081198"]["Value"]
    assert failed["00081197"]["Value"] == [0x0124]


def test_strangers_are_refused_and_the_journal_says_why(story: Story) -> None:
    assert story.stranger[0] != 0
    assert "Calling AE Title Not Recognized" in story.stranger[1]
    assert story.wrong_called[0] != 0
    assert "Called AE Title Not Recognized" in story.wrong_called[1]
    refused = [entry["details"] for entry in story.journal if entry["kind"] == "refused"]
    reasons = {details["calling"]: str(details) for details in refused if details.get("calling")}
    assert "no device has this calling AE title" in reasons["STRANGER"]
    assert "the called AE title is not the one" in reasons["CT1"]


def test_all_that_dcmtk_sends_comes_back_as_it_was_sent(story: Story) -> None:
    assert len(story.expected) > 90
    assert story.expected <= story.served


def test_several_associations_at_once(story: Story) -> None:
    assert story.many == [0, 0, 0, 0]
    assert story.many_listed == 200


def test_each_token_opens_what_its_keys_open(story: Story) -> None:
    answers = story.answers
    assert answers["secretary studies"] == 204
    assert answers["secretary list"] == 200
    below = [name for name in answers if name.startswith("secretary ")]
    below = [name for name in below if name not in ("secretary studies", "secretary list")]
    assert len(below) == 11
    assert {answers[name] for name in below} == {403}
    assert {story.reasons[name] for name in below if "unknown" not in name} == {
        story.reasons["secretary unknown"],
        story.reasons["secretary series"],
    }
    assert "no key" in story.reasons["secretary unknown"]
    for who in ("device", "nobody", "guess"):
        statuses = {n: code for n, code in answers.items() if n.startswith(f"{who} ")}
        assert statuses.pop(f"{who} sends", 401) in (401, 403)  # 403: no page of ours sent it
        assert set(statuses.values()) == {401}, who
    assert answers["doctor sends"] == 401


def test_locking_ends_reading_and_not_receiving(story: Story) -> None:
    assert story.answers["locked"] == 401
    assert story.answers["locked object"] == 401
    assert story.answers["sent while locked"] == 200
    assert story.answers["opened again"] == 200


def test_neither_log_nor_journal_holds_a_query_or_a_name(story: Story) -> None:
    said = story.log + str(story.journal)
    for planted in (QUERY, "SECRET-ID", "SECRÈTE", "Irène", "FICTIF0901", ONE.uid, "NOMBREUSE"):
        assert planted not in said
    assert "Traceback" not in story.log
    assert story.journal
