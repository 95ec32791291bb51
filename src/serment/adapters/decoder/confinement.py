"""Takes from the decoder child what it does not need: network, files, memory, other processes.

Every step is tried and reported, none is assumed: the child says which hold (`confine` returns
their names), so that nothing is claimed that the system refused. On Linux a system call filter
closes what the limits leave open; elsewhere the limits alone remain, on Windows none.
"""

from __future__ import annotations

import contextlib
import ctypes
import platform
import struct
import sys
from collections.abc import Callable, Sequence

_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 4, 22, 38
_SECCOMP_MODE_FILTER = 2

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column, AUDIT_ARCH
# What decoding still asks of the kernel once everything is imported (Linux unistd.h).
_ALLOWED = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "setitimer": (38, 103),
    "clock_gettime": (228, 113),
    "getrandom": (318, 278),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_yield": (24, 124),
    "exit": (60, 93),
    "exit_group": (231, 94),
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


def confine(memory_bytes: int, cpu_seconds: int) -> list[str]:
    """After everything is imported: bounds on what is left. What holds, by name."""
    return [*_limits(memory_bytes, cpu_seconds), *_system_calls()]


def _limits(memory_bytes: int, cpu_seconds: int) -> list[str]:
    try:
        import resource
    except ImportError:  # Windows
        return []
    wanted = {
        "memory": (resource.RLIMIT_AS, memory_bytes),
        "processor": (resource.RLIMIT_CPU, cpu_seconds),
        "no core dump": (resource.RLIMIT_CORE, 0),
        "no file size": (resource.RLIMIT_FSIZE, 0),
        "no new file": (resource.RLIMIT_NOFILE, 0),
        "no new process": (resource.RLIMIT_NPROC, 0),  # root's own limit is none
    }
    held = []
    for name, (kind, value) in wanted.items():
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (value, value))
            held.append(name)
    return held


def _system_calls() -> list[str]:
    """Allow a short list of system calls; any other fails with EPERM (seccomp(2))."""
    known = _MACHINES.get(platform.machine())
    if known is None or not sys.platform.startswith("linux"):
        return []
    column, architecture = known
    program = _filter(architecture, [numbers[column] for numbers in _ALLOWED.values()])
    libc = ctypes.CDLL(None, use_errno=True)
    code = ctypes.create_string_buffer(program, len(program))
    prog = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    _try(lambda: libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
    done = _try(lambda: libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) and _try(
        lambda: libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, prog, 0, 0) == 0
    )
    return ["system calls"] if done else []


def _filter(architecture: int, allowed: Sequence[int]) -> bytes:
    """Classic BPF over struct seccomp_data: number at offset 0, architecture at offset 4."""
    load, equal, give = 0x20, 0x15, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
    allow, refuse = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | EPERM
    steps = [(load, 0, 0, 4), (equal, 0, len(allowed) + 1, architecture), (load, 0, 0, 0)]
    steps += [(equal, len(allowed) - at, 0, number) for at, number in enumerate(allowed)]
    steps += [(give, 0, 0, refuse), (give, 0, 0, allow)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def _try(step: Callable[[], bool]) -> bool:
    with contextlib.suppress(AttributeError, OSError):
        return step()
    return False
