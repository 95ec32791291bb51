"""Sockets to services are opened in one module of the network adapter, that which asks a whole wire who
is there in another; probes only get lines."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import serment.adapters.network as network

FOLDER = Path(network.__file__).parent
OPENING = {"socket", "create_connection", "socketpair", "connect", "connect_ex", "open_connection"}
OPENERS = {"asyncio", "http", "http.client", "urllib.request", "ftplib", "smtplib", "telnetlib"}


def opened(source: str) -> list[str]:
    """Calls that open a connection, and modules that open their own."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            on = node.func.value
            is_module = isinstance(on, ast.Name) and on.id == "socket"
            if node.func.attr in OPENING and (is_module or node.func.attr.startswith("connect")):
                found.append(node.func.attr)
        elif isinstance(node, ast.Import):
            found += [each.name for each in node.names if each.name in OPENERS]
        elif isinstance(node, ast.ImportFrom) and node.module in OPENERS:
            found.append(str(node.module))
    return found


@pytest.mark.usefixtures("no_collector")
def test_only_the_dialer_opens_sockets() -> None:
    found = {
        path.relative_to(FOLDER).as_posix(): opened(path.read_text(encoding="utf-8"))
        for path in FOLDER.rglob("*.py")
    }
    assert set(found.pop("dialer.py")) >= {"socket", "connect", "connect_ex"}
    assert found.pop("nodes.py") == ["socket"]  # one datagram to all; connects to nobody
    assert {name: calls for name, calls in found.items() if calls} == {}


@pytest.mark.parametrize(
    "line",
    ["socket.create_connection(('x', 1))", "a.connect(b)", "import ftplib", "socket.socket()"],
)
def test_the_search_finds_what_it_looks_for(line: str) -> None:
    assert opened(line)
