"""A running practice with a doctor, a secretary and a CT, and clients that speak DICOMweb to it."""

from __future__ import annotations

import contextlib
import functools
import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from pathlib import Path
from typing import Any

import pydicom
import requests
from dicomweb_client.api import DICOMwebClient
from pydicom import Dataset, dcmread
from tests.e2e.serving import Server, Vault, serving

from serment.core.dicom.uids import STORAGE_CLASSES

BOUNDARY = "limite-fictive"
RELATED = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
TIMEOUT = 120


def stow_body(objects: Sequence[bytes], media: str = "application/dicom") -> bytes:
    parts = (f"--{BOUNDARY}\r\nContent-Type: {media}\r\n\r\n".encode() + o for o in objects)
    return b"\r\n".join((*parts, f"--{BOUNDARY}--\r\n".encode()))


def parts_of(answer: requests.Response) -> list[tuple[str, bytes]]:
    """Media type and content of each part, as Python's own mail parser reads the message."""
    head = f"MIME-Version: 1.0\r\nContent-Type: {answer.headers['Content-Type']}\r\n\r\n"
    strict = compat32.clone(raise_on_defect=True)
    message = message_from_bytes(head.encode() + answer.content, policy=strict)
    assert message.get_content_type() == "multipart/related"
    found = []
    for part in message.get_payload():
        assert isinstance(part, Message)
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        found.append((str(part["Content-Type"]), payload))
    assert {kind.split(";")[0] for kind, _ in found} == {message.get_param("type")}
    return found


@dataclass
class Clinic:
    """The running server, and everybody's token."""

    vault: Vault
    server: Server
    device: str = ""
    doctor: str = ""
    secretary: str = ""
    sessions: dict[tuple[str, bool], requests.Session] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"{self.server.web}/dicom-web"

    def unlock(self, login: str) -> str:
        return str(self.vault.json("unlock", "--as", login, "--token")["token"])

    def session(self, token: str) -> requests.Session:
        """Plain HTTP with that token, over one kept connection."""
        session = self._session(token, plain=True)
        for name in ("Accept", "Accept-Encoding", "User-Agent"):
            session.headers[name] = None  # type: ignore[assignment]
        return session

    def client(self, token: str) -> DICOMwebClient:
        """The third-party client with its own default headers."""
        return DICOMwebClient(self.base, session=self._session(token, plain=False))

    def _session(self, token: str, plain: bool) -> requests.Session:
        if (token, plain) not in self.sessions:
            session = self.sessions[token, plain] = requests.Session()
            session.verify, session.trust_env = self.server.authority, False
            if token:
                session.headers["Authorization"] = f"Bearer {token}"
        return self.sessions[token, plain]

    def get(self, path: str, accept: str = "", token: str | None = None, **more: Any) -> Any:
        headers = {"Accept": accept} if accept else {}
        headers |= more.pop("headers", {})
        session = self.session(self.doctor if token is None else token)
        return session.get(self.base + path, headers=headers, timeout=TIMEOUT, **more)

    def post(
        self, body: Any, path: str = "/studies", token: str | None = None, **headers: str
    ) -> Any:
        """STOW-RS as it stands on the wire."""
        named = {"Content-Type": RELATED} | {k.replace("_", "-"): v for k, v in headers.items()}
        session = self.session(self.device if token is None else token)
        return session.post(self.base + path, data=body, headers=named, timeout=TIMEOUT)

    def store(self, *objects: bytes) -> None:
        """Store these as they are; all must be kept."""
        answer = self.post(stow_body(objects))
        assert answer.status_code == 200, answer.text

    def close(self) -> None:
        for session in self.sessions.values():
            session.close()
        self.sessions.clear()


@contextlib.contextmanager
def running(vault: Vault, helpers: int | None = None) -> Iterator[Clinic]:
    with serving(vault, helpers=helpers) as server:
        clinic = Clinic(vault, server)
        try:
            yield clinic
        finally:
            clinic.close()


@dataclass(frozen=True)
class Sample:
    """One of pydicom's test files that is a whole object."""

    path: Path
    data: bytes
    study: str
    series: str
    instance: str
    syntax: str

    def __repr__(self) -> str:
        return self.path.name

    @property
    def url(self) -> str:
        return f"/studies/{self.study}/series/{self.series}/instances/{self.instance}"

    def read(self) -> Dataset:
        return quietly(self.data)


def quietly(data: bytes) -> Dataset:
    """What pydicom reads, whatever it thinks of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(io.BytesIO(data))


@functools.cache
def samples() -> tuple[Sample, ...]:
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if data[128:132] != b"DICM":
            continue
        try:
            whole = quietly(data)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                str(whole)  # some are broken on purpose: what pydicom cannot print is no sample
        except Exception:  # noqa: BLE001, S112
            continue
        meta = whole.file_meta
        wanted = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
        uids = [str(whole.get(name) or "") for name in wanted]
        named = [str(meta.get(f"MediaStorage{name}") or "") for name in wanted[:2]]
        if not all(uids) or uids[0] not in STORAGE_CLASSES or named != uids[:2]:
            continue
        found.append(Sample(path, data, *uids[2:], uids[1], str(meta.TransferSyntaxUID)))
    return tuple(found)
