"""What somebody who has taken a child over would try; each attempt says its name when it succeeds.

The same attempts succeed in a child that is not confined: only then do their failures mean something.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_ATTEMPTS = """
import ctypes, mmap, os, resource, socket, subprocess, sys, threading
vault, free, layers, work = sys.argv[1], sys.argv[2], sys.argv[3].split(","), sys.argv[4]
from serment.adapters import confinement, system_calls
work = getattr(confinement, work)
libc = ctypes.CDLL(None, use_errno=True)
listening = socket.create_server(("127.0.0.1", 0))
address = listening.getsockname()
kept = os.open(free, os.O_RDWR | os.O_CREAT)
held = confinement.isolate() if "isolate" in layers else []
if "limits" in layers:
    held += confinement.limit(1 << 30, 60, work)
if "calls" in layers and system_calls.restrict(work.calls):
    held.append("system calls")
def attempt(name, act):
    try:
        act()
    except (OSError, MemoryError, RuntimeError, ValueError):
        return
    os.write(1, f"{name}\\n".encode())
def forked():
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)  # its end must be no news to one that lets itself be traced later
def called(name, *words):
    ctypes.set_errno(0)
    if getattr(libc, name)(*words) < 0:
        raise OSError(ctypes.get_errno(), name)
def connected():
    with socket.socket() as wire:
        wire.settimeout(2)
        wire.connect(address)
def listened():
    with socket.socket() as wire:
        wire.bind(("127.0.0.1", 0))
        wire.listen()
def told():
    with socket.socket(type=socket.SOCK_DGRAM) as own, socket.socket(type=socket.SOCK_DGRAM) as its:
        own.settimeout(2)
        own.bind(("0.0.0.0", 0))
        its.sendto(b"x", ("127.0.0.1", own.getsockname()[1]))
        own.recv(1)
def threaded():
    thread = threading.Thread(target=str)
    thread.start()
    thread.join()
attempt("a socket", socket.socket)
attempt("a connection", connected)
attempt("a datagram", lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", address))
attempt("a stranger's datagram", told)
attempt("a listener", listened)
attempt("a caller", lambda: (listening.settimeout(1), listening.accept()))
attempt("a local socket", lambda: socket.socket(socket.AF_UNIX))
attempt("a word to the kernel", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
attempt("a thread", threaded)
attempt("the vault's files", lambda: open(vault, "rb").read(1))
attempt("the list of files", lambda: os.listdir(os.path.dirname(vault)))
attempt("a new file", lambda: open(free + ".new", "w"))
attempt("more of an open file", lambda: os.pwrite(kept, b"x", 100))
attempt("another name", lambda: os.rename(free, free + ".other"))
attempt("the parent's memory", lambda: os.open(f"/proc/{os.getppid()}/mem", os.O_RDONLY))
attempt("a descriptor more", lambda: os.dup(1))
attempt("a process", forked)
attempt("a program", lambda: subprocess.run(["/bin/true"], check=True))
attempt("a signal", lambda: os.kill(os.getppid(), 0))
attempt("a debugger", lambda: called("ptrace", 0, 0, 0, 0))
attempt("memory", lambda: mmap.mmap(-1, 3 << 30))
attempt("code of its own", lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC))
attempt("looser limits", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
attempt("a higher priority", lambda: os.setpriority(os.PRIO_PROCESS, 0, -5))
os.write(1, ("held: " + ",".join(held) + "\\n").encode())
os._exit(0)
"""
CONNECTING = {"a socket", "a connection", "a datagram", "a stranger's datagram", "a thread"}
EVERYTHING = CONNECTING | {
    *("a listener", "a caller", "a local socket", "a word to the kernel"),
    *("the vault's files", "the list of files", "a new file", "more of an open file"),
    *("another name", "a descriptor more", "a process", "a program", "a signal", "a debugger"),
    *("memory", "code of its own", "looser limits"),
}


def attempts(folder: Path, *layers: str, work: str = "DECODING") -> tuple[set[str], list[str]]:
    """What succeeds under these layers of confinement, and which say that they hold."""
    (folder / "vault.sqlite3").write_bytes(b"SQLite format 3")
    words = [str(folder / "vault.sqlite3"), str(folder / "free"), ",".join(layers), work]
    done = subprocess.run(
        [sys.executable, "-c", _ATTEMPTS, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    *possible, last = done.stdout.splitlines()
    return set(possible), last.removeprefix("held: ").split(",")
