"""What all tests share: no way out of this machine, and real components found or explained.

A test that talks to a real program says so: `@pytest.mark.real("dcmtk")`, and asks the fixture
`tool` for the path of a command. Where the component is missing the test is skipped with that
reason; with CI=true it fails, so that CI never passes by not running.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from tests.components import lacking

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(sys.prefix) / "bin"  # pynetdicom installs commands here that are named as dcmtk's
STOCK = os.pathsep.join(
    [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if Path(folder) != HERE]
    + ["/usr/sbin", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin")))]
)

# What each component must have, and how to get it.
COMPONENTS = {
    "dcmtk": ("storescu", "echoscu", "storescp", "dcmconv"),
    "orthanc": ("Orthanc", "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"),
    "age": ("age",),
    "strace": ("strace",),
    "chromium": ("chromium",),
    "nfs-ganesha": ("ganesha.nfsd", "rpcbind"),
    "nginx-dav": ("nginx", "/usr/lib/nginx/modules/ngx_http_dav_ext_module.so"),
    "node": ("node", str(ROOT / "tests/tools/node_modules")),
    "nginx": ("nginx",),
    "redis": ("redis-server",),
    "memcached": ("memcached",),
    "mariadb": ("mariadbd", "mariadb-install-db"),
    "postgresql": ("initdb", "postgres"),
    "samba": ("smbd", "smbpasswd"),
    "vsftpd": ("vsftpd",),
    "rsync": ("rsync",),
    "openssh": ("sshd", "ssh-keygen"),
    "telnetd": ("telnetd", "inetutils-inetd"),
    "vnc": ("Xtigervnc",),
    "xrdp": ("xrdp",),
    "snmpd": ("snmpd",),
    "nftables": ("nft",),
    "nmap": ("nmap",),
}

settings.register_profile(
    "steady",
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("steady")


def find(name: str) -> str | None:
    """The path of a stock command or file; .venv's own commands only where nothing else is."""
    if name.startswith("/"):
        return name if Path(name).exists() else None
    found = shutil.which(name, path=STOCK)
    if found is None and name in ("node", "npm"):
        found = shutil.which(name, path=str(HERE))
    return found


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("real"):
        for component in mark.args:
            absent = [name for name in COMPONENTS[component] if find(name) is None]
            if not absent:
                continue
            reason = f"{component} is not installed here (no {', '.join(absent)}): make components"
            lacking(reason)


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """`tool("storescu")` is the path of the stock command."""

    def path(name: str) -> str:
        found = find(name)
        if found is None:
            pytest.fail(f"{name} is not installed: mark the test with its component")
        return found

    return path


def _loopback(host: object) -> bool:
    if host is None or host in ("localhost", b"localhost", "", b""):
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        return ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _stay_here(event: str, args: tuple[Any, ...]) -> None:
    """Audit hook (PEP 578): connecting, sending or asking a name anywhere else is an error."""
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
        if not isinstance(address, tuple) or _loopback(address[0]):
            return
        raise PermissionError(f"tests stay on this machine: {event} to {address[0]}")
    if event == "socket.getaddrinfo" and not (_loopback(args[0]) or _is_address(args[0])):
        raise PermissionError(f"tests stay on this machine: looking up {args[0]}")


def _is_address(host: object) -> bool:
    try:
        ip_address(str(host))
    except ValueError:
        return False
    return True


sys.addaudithook(_stay_here)


@pytest.fixture
def no_collector() -> Iterator[None]:
    """No garbage collection while the test runs, for tests that read source with `ast`.

    Python 3.11 keeps one depth count for all of `ast.parse`. A finalizer that the collector runs in
    the middle of it, and that fails, has its traceback written with `ast.parse`, and the outer call
    ends with "AST constructor recursion depth mismatch".
    """
    gc.disable()
    yield
    gc.enable()
