"""A device that sends without pause, reconnects when it must, and remembers what was acknowledged."""

from __future__ import annotations

import hashlib
import socket
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.e2e.oath.premises import AE_TITLE
from tests.e2e.receiving.conftest import Peer, data_set

SUCCESS = 0
OUT_OF_RESOURCES = 0xA700
RETRY_SECONDS = 0.05


def new_uid() -> str:
    return f"2.25.{uuid.uuid4().int}"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Sender:
    """Sends instances of `pixels` bytes to a port of this machine until told to stop."""

    port: Callable[[], int]
    pixels: int
    sent: dict[str, str] = field(default_factory=dict)  # UID -> SHA-256 of the data set
    acknowledged: dict[str, str] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)  # statuses other than success
    cut: int = 0  # connections that broke
    progress: threading.Event = field(default_factory=threading.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Sender:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(60)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with Association(self.port()) as peer:
                    while not self._stopping.is_set():
                        self.one(peer)
                    peer.release()
            except (OSError, AssertionError):  # the peer is gone, or went while we waited
                self.cut += 1
                self._stopping.wait(RETRY_SECONDS)

    def one(self, peer: Peer) -> int:
        """Send one more instance; the status answered."""
        uid = new_uid()
        data = data_set(uid, pixels=self.pixels)
        self.sent[uid] = digest(data)
        status = peer.store(data, instance=uid)
        if status == SUCCESS:
            self.acknowledged[uid] = self.sent[uid]
            self.progress.set()
        else:
            self.refused.append(status)
        return status


class Association:
    """An association with a CT context, closed hard at the end unless it was released."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __enter__(self) -> Peer:
        connection = socket.create_connection(("127.0.0.1", self._port), 5)
        connection.settimeout(30)
        self._peer = Peer(connection)
        try:
            self._peer.associate(calling=AE_TITLE.encode())
        except BaseException:
            connection.close()
            raise
        return self._peer

    def __exit__(self, *_: object) -> None:
        self._peer.socket.close()
