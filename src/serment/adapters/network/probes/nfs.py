"""NFS: who may mount what, and what is listed without privilege; port mappers beside it.

The exports are stated where NFS itself listens; at the port mapper only when that is not its usual
port, or not one of the order.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Final

from serment.adapters.network.line import Ended, Gone, Silent
from serment.adapters.network.probing import NONSENSE, Call, Heard, Probe
from serment.adapters.network.shares import nfs, rpc
from serment.adapters.network.shares.nfs import MOUNT, NFS
from serment.adapters.network.shares.noting import known, note, note_files
from serment.adapters.network.shares.walk import DEPTH, Refused, Tally, walk
from serment.core.exposure.seen import Answer, Files

PORT_MAPPER: Final = 111  # where it listens, by RFC 1833
USUAL: Final = 2049
LOOKED_INTO: Final = 8  # exports
_BEFORE: Final = 4  # folders above an export that NFS 4 shows


def talk(call: Call) -> Heard | None:
    """Ask whether NFS is spoken, in which version; then who may mount what."""
    client = rpc.Client(call.line())
    versions = (3, 3)
    try:
        client.ask(NFS, 3, 0)
    except rpc.Unavailable as unavailable:
        if unavailable.versions is None:
            return _other(call, client)
        versions = unavailable.versions
    call.understood()
    call.heard = Heard("nfs", version=str(max(versions)), facts=Files())
    if not _by_mount(call, _programs(call), call.place.port):
        with contextlib.suppress(rpc.Unavailable):
            _by_root(call)
    return call.heard


def _other(call: Call, client: rpc.Client) -> Heard | None:
    """Another program: a port mapper, or one that is only named as such."""
    call.understood()
    call.heard = Heard("rpc")
    try:
        programs = rpc.programs(client)
    except rpc.Unavailable:
        return call.heard
    call.heard = Heard("portmapper")
    ports = [each.port for each in programs if each.number == NFS]
    asked = call.order.only or {(call.place.host, port) for port in call.order.ports}
    if ports and not any(port == USUAL and (call.place.host, port) in asked for port in ports):
        call.heard = Heard("nfs", facts=Files())
        _by_mount(call, programs, ports[0])
    return call.heard


def _programs(call: Call) -> list[rpc.Program]:
    """What the host's port mapper knows; nothing where it has none."""
    call.close()
    with contextlib.suppress(rpc.Unavailable, Ended, *NONSENSE), call.beside(PORT_MAPPER) as line:
        return rpc.programs(rpc.Client(line))
    return []


def _by_mount(call: Call, programs: Iterable[rpc.Program], port: int) -> bool:
    """NFS 3: the mount daemon's list, then the folders. False where no such daemon answers."""
    daemons = {each.version: each.port for each in programs if each.number == MOUNT}
    version = 3 if 3 in daemons else max(daemons, default=0)
    call.close()
    try:
        with call.beside(daemons[version]) as line:
            listed = nfs.exports(rpc.Client(line), version)
    except (rpc.Unavailable, Gone, Silent, *NONSENSE):
        return False
    everybody = sum(each.to_everybody for each in listed)
    note(call, anonymous=Answer.NOTHING if everybody else Answer.REFUSED, shares=everybody)
    wanted = [each.path for each in listed if each.to_everybody or each.to_networks]
    if wanted and version == 3:
        with contextlib.suppress(rpc.Unavailable):
            _mount(call, daemons[version], wanted[:LOOKED_INTO], port)
    return True


def _mount(call: Call, daemon: int, paths: list[str], port: int) -> None:
    """Mount what is open to more than single machines, list it, and say that that is over where nobody
    else's mount can be meant."""
    handles: dict[str, bytes] = {}
    before = _in_use(call, daemon)
    with call.beside(daemon) as line:
        mount = rpc.Client(line)
        for path in paths:
            with contextlib.suppress(Refused, rpc.Unavailable):
                handles[path] = nfs.mounted(mount, path)
    if not handles:
        return
    try:
        with call.beside(port) as line:
            _count(call, nfs.Third(rpc.Client(line)), list(handles.values()))
    finally:
        if ours := [path for path in handles if before is not None and path not in before]:
            with call.beside(daemon) as line:
                mount = rpc.Client(line)
                for path in ours:
                    nfs.unmounted(mount, path)


def _in_use(call: Call, daemon: int) -> frozenset[str] | None:
    """What is mounted already; None when it is not told."""
    try:
        with call.beside(daemon) as line:
            return nfs.in_use(rpc.Client(line))
    except (rpc.Unavailable, Gone, Silent, *NONSENSE):
        return None


def _count(call: Call, folders: nfs.Third, handles: list[bytes]) -> None:
    tally, shown, announced = Tally(), 0, known(call).shares
    for handle in handles:
        with contextlib.suppress(rpc.Unavailable):
            writable = Answer.YES if folders.is_writable(handle) else known(call).writable
            for number, _ in enumerate(walk(handle, folders.show, tally)):
                shown += number == 0
                shares = max(shown, announced)
                note_files(call, tally, anonymous=Answer.YES, shares=shares, writable=writable)


def _by_root(call: Call) -> None:
    """NFS 4: what is below its first folder. Folders alone are no share: they lead to them."""
    tally, folders = Tally(), nfs.Fourth(rpc.Client(call.line()))
    note(call, anonymous=Answer.REFUSED)
    for _ in walk(b"", folders.show, tally, DEPTH + _BEFORE):
        if folders.files:
            note_files(call, tally, anonymous=Answer.YES, shares=1)


PROBE = Probe("nfs", talk, usual=frozenset({PORT_MAPPER, USUAL}))
