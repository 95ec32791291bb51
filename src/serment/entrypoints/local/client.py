"""Asks a running server over its local socket; the same answers and errors as without one."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serment import errors
from serment.entrypoints.desk.request import Request
from serment.errors import N_, SermentError, Unavailable
from serment.ports import Progress

CHUNK = 1024 * 1024
LINES = "application/x-ndjson"
CONNECT_SECONDS = 5.0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(CONNECT_SECONDS)
        self.sock.connect(str(self._path))
        self.sock.settimeout(None)


def is_running(path: Path) -> bool:
    """Whether a server answers on this socket."""
    if not hasattr(socket, "AF_UNIX") or not path.exists():
        return False
    connection = _UnixConnection(path)
    try:
        connection.connect()
    except OSError:
        return False
    connection.close()
    return True


def ask(path: Path, request: Request) -> Any:
    """The server's answer: a JSON value, or an iterator of bytes.

    Raises:
        SermentError: of the class the server raised.
        Unavailable: it does not answer.
    """
    connection = _UnixConnection(path)
    headers = {"Content-Type": "application/json", "Accept": LINES if request.progress else "*/*"}
    try:
        connection.request("POST", "/run", _body(request), headers)
        response = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(
            N_("the server does not answer"), hint=N_("look at its last log lines")
        ) from error
    if response.status == 200 and response.getheader("content-type") == "application/octet-stream":
        return _stream(connection, response)
    try:
        said = _said(response, request.progress)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Unavailable(N_("the server stopped in the middle of its answer")) from error
    finally:
        connection.close()
    if "error" in said:
        raise revive(said)
    return said["answer"]


def _said(response: http.client.HTTPResponse, progress: Progress | None) -> dict[str, Any]:
    """The answer; what comes before it says how far the work is."""
    done = 0
    for line in response:
        said: dict[str, Any] = json.loads(line)
        if "done" not in said:
            return said
        if progress is not None:
            progress.total(said["total"])
            progress.step(said["done"] - done)
        done = said["done"]
    raise ValueError("no answer")


def _body(request: Request) -> bytes:
    return json.dumps(
        {
            "command": request.command,
            "options": dict(request.options),
            "login": request.login,
            "password": request.password.reveal() if request.password else None,
            "new_password": request.new_password.reveal() if request.new_password else None,
        }
    ).encode()


def _stream(connection: _UnixConnection, response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while chunk := response.read(CHUNK):
            yield chunk
    except http.client.IncompleteRead as error:
        raise Unavailable(N_("the server stopped in the middle of its answer")) from error
    finally:
        connection.close()


def revive(said: dict[str, Any]) -> SermentError:
    """The error a server reported, as the class it was."""
    kind = getattr(errors, str(said.get("error")), SermentError)
    if not (isinstance(kind, type) and issubclass(kind, SermentError)):
        kind = SermentError
    values = {str(k): v for k, v in dict(said.get("values", {})).items()}
    return kind(str(said.get("message")), hint=str(said.get("hint", "")), **values)
