"""Takes from a child what it does not need: network, files, memory, other processes.

For the children that read strangers' bytes: the decoder, which needs nothing but its pipes
(`DECODING`), and the audit's, which connects and has threads (`TALKING`). Every step is tried and
reported, none is assumed: the child knows which hold (`confine` returns their names), so that
nothing is claimed that the system refused. On Linux a filter of system calls (`system_calls`)
closes what the limits leave open; elsewhere the limits alone remain, on Windows none.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import serment
from serment.adapters.system_calls import ALONE, CONNECTING, Call, restrict

_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000


@dataclass(frozen=True, slots=True)
class Work:
    """What a child's work needs: system calls, and whether descriptors and threads."""

    calls: tuple[Call, ...]
    connects: bool


DECODING: Final = Work(ALONE, connects=False)
TALKING: Final = Work(ALONE + CONNECTING, connects=True)


def environment() -> dict[str, str]:
    """A child's: nothing of the parent's environment but what Windows needs to start a program."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    return kept | {
        "PYTHONPATH": str(Path(serment.__file__).parent.parent),
        "PYTHONUTF8": "1",
        "PYTHON_JIT": "0",  # no new code is allowed
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
    }


def isolate() -> list[str]:
    """Before anything is imported: no network. What holds, by name."""
    if not sys.platform.startswith("linux"):
        return []
    libc = ctypes.CDLL(None, use_errno=True)
    alone = _CLONE_NEWNET | _CLONE_NEWIPC
    if _try(lambda: libc.unshare(_CLONE_NEWUSER | alone) == 0):
        return ["network"]
    return ["network"] if _try(lambda: libc.unshare(alone) == 0) else []


def confine(memory_bytes: int, cpu_seconds: int, work: Work = DECODING) -> list[str]:
    """After everything is imported, and before any thread is begun: bounds on what is left. What
    holds, by name.

    Args:
        memory_bytes: address space, programs and stacks of threads included.
        cpu_seconds: of the whole process; then the system ends it.
    """
    held = limit(memory_bytes, cpu_seconds, work)
    return [*held, "system calls"] if restrict(work.calls) else held


def limit(memory_bytes: int, cpu_seconds: int, work: Work = DECODING) -> list[str]:
    """The limits alone (setrlimit(2)). What holds, by name."""
    try:
        import resource
    except ImportError:  # Windows
        return []
    wanted = {
        "memory": (resource.RLIMIT_AS, memory_bytes),
        "processor": (resource.RLIMIT_CPU, cpu_seconds),
        "no core dump": (resource.RLIMIT_CORE, 0),
        "no file size": (resource.RLIMIT_FSIZE, 0),
    }
    if not work.connects:
        wanted["no new file"] = (resource.RLIMIT_NOFILE, 0)
        wanted["no new process"] = (resource.RLIMIT_NPROC, 0)  # root's own limit is none
    held = []
    for name, (kind, value) in wanted.items():
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (value, value))
            held.append(name)
    return held


def _try(step: Callable[[], bool]) -> bool:
    with contextlib.suppress(AttributeError, OSError):
        return step()
    return False
