"""A filter of system calls for children that read strangers' bytes (Linux, seccomp(2)).

What is not on a child's list fails, and what is, only with the arguments named there. A list of what
is allowed, not of what is forbidden: kernels keep getting new calls, and each of them would be open.
Calls that are newer than the lists fail as on a kernel that lacks them (ENOSYS), so that a C library
falls back to the old ones: pthreads then begin with clone, whose flags can be looked at, and not with
clone3, whose cannot. The others fail with EPERM. Numbers: Linux unistd.h of x86-64 and arm64.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import platform
import struct
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_MACHINES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column, AUDIT_ARCH
_NEWER: Final = 424  # from here on numbers are those of all machines: calls since Linux 5.1

_LOAD, _AND, _EQUAL, _AT_LEAST, _GIVE = 0x20, 0x54, 0x15, 0x35, 0x06  # BPF_LD|W|ABS, ... BPF_RET|K
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO

_PROT_EXEC = 4
_STREAM_OR_DATAGRAM = (1, 2)
_IPV4_OR_IPV6 = (2, 10)
_THREAD = 0x00010100  # CLONE_THREAD | CLONE_VM
_NAMESPACES = 0x7E020080  # CLONE_NEW*
_FIONBIO = 0x5421


@dataclass(frozen=True, slots=True)
class Only:
    """An argument (0 to 5) of which these bits have one of these values."""

    argument: int
    values: tuple[int, ...]
    bits: int = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Call:
    """One that is allowed. `numbers`: by column of `_MACHINES`; None = that machine has it not."""

    name: str
    numbers: tuple[int | None, int | None]
    only: tuple[Only, ...] = ()


_NO_CODE = (Only(2, (0,), _PROT_EXEC),)

# What a child asks of the kernel once everything is imported.
ALONE: Final = (
    Call("read", (0, 63)),
    Call("write", (1, 64)),
    Call("close", (3, 57)),
    Call("fstat", (5, 80)),
    Call("lseek", (8, 62)),
    Call("mmap", (9, 222), _NO_CODE),
    Call("mprotect", (10, 226), _NO_CODE),
    Call("munmap", (11, 215)),
    Call("brk", (12, 214)),
    Call("mremap", (25, 216)),
    Call("madvise", (28, 233)),
    Call("rt_sigaction", (13, 134)),
    Call("rt_sigprocmask", (14, 135)),
    Call("rt_sigreturn", (15, 139)),
    Call("sigaltstack", (131, 132)),
    Call("restart_syscall", (219, 128)),
    Call("setitimer", (38, 103)),
    Call("clock_gettime", (228, 113)),
    Call("getrandom", (318, 278)),
    Call("getpid", (39, 172)),
    Call("gettid", (186, 178)),
    Call("futex", (202, 98)),
    Call("sched_yield", (24, 124)),
    Call("exit", (60, 93)),
    Call("exit_group", (231, 94)),
)
# What one asks beside that connects to others, and has threads: it takes no connection.
CONNECTING: Final = (
    Call("recvfrom", (45, 207)),
    Call("sendto", (44, 206)),
    Call("poll", (7, None)),
    Call("ppoll", (271, 73)),
    Call("epoll_wait", (232, None)),
    Call("epoll_pwait", (281, 22)),
    Call("epoll_pwait2", (441, 441)),
    Call("epoll_ctl", (233, 21)),
    Call("epoll_create1", (291, 20)),
    Call("select", (23, None)),
    Call("pselect6", (270, 72)),
    Call("recvmsg", (47, 212)),
    Call("sendmsg", (46, 211)),
    Call("socket", (41, 198), (Only(0, _IPV4_OR_IPV6), Only(1, _STREAM_OR_DATAGRAM, 0xF))),
    Call("bind", (49, 200)),  # what is sent to a group leaves by one network
    Call("connect", (42, 203)),
    Call("shutdown", (48, 210)),
    Call("getsockopt", (55, 209)),
    Call("setsockopt", (54, 208)),
    Call("getsockname", (51, 204)),
    Call("getpeername", (52, 205)),
    Call("ioctl", (16, 29), (Only(1, (_FIONBIO,)),)),
    Call("clone", (56, 220), (Only(0, (_THREAD,), _THREAD | _NAMESPACES),)),
    Call("set_robust_list", (273, 99)),
    Call("rseq", (334, 293)),
    Call("sched_getaffinity", (204, 123)),
    Call("membarrier", (324, 283)),
    Call("clock_nanosleep", (230, 115)),
    Call("nanosleep", (35, 101)),
    Call("clock_getres", (229, 114)),
    Call("gettimeofday", (96, 169)),
    Call("time", (201, None)),
    Call("readv", (19, 65)),
    Call("writev", (20, 66)),
)


def restrict(calls: Iterable[Call]) -> bool:
    """Leave this thread, and those it begins, these calls only; whether that holds."""
    known = _MACHINES.get(platform.machine())
    if known is None or not sys.platform.startswith("linux") or struct.calcsize("P") != 8:
        return False  # a program of 32 bits calls by other numbers, also on such a machine
    column, architecture = known
    program = b"".join(struct.pack("=HBBI", *step) for step in _filter(calls, column, architecture))
    code = ctypes.create_string_buffer(program, len(program))
    prog = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    with contextlib.suppress(AttributeError, OSError):
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        if prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
            return bool(prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, prog, 0, 0) == 0)
    return False


Step = tuple[int, int, int, int]  # code, steps to skip if so, if not, operand


def _filter(calls: Iterable[Call], column: int, architecture: int) -> Iterator[Step]:
    """Classic BPF over struct seccomp_data: the number at offset 0, the machine at 4, the lower half
    of an argument at 16, 24 ... on these machines."""
    yield _LOAD, 0, 0, 4
    yield _EQUAL, 1, 0, architecture
    yield _GIVE, 0, 0, _REFUSE | errno.EPERM
    yield _LOAD, 0, 0, 0
    for call in calls:
        number = call.numbers[column]
        if number is not None:
            steps = [*_arguments(call), (_GIVE, 0, 0, _ALLOW)]
            yield _EQUAL, 0, len(steps), number
            yield from steps
    yield _AT_LEAST, 0, 1, _NEWER
    yield _GIVE, 0, 0, _REFUSE | errno.ENOSYS
    yield _GIVE, 0, 0, _REFUSE | errno.EPERM


def _arguments(call: Call) -> Iterator[Step]:
    """Refuse unless each argument is one of those named."""
    for only in call.only:
        yield _LOAD, 0, 0, 16 + 8 * only.argument
        yield _AND, 0, 0, only.bits
        for at, value in enumerate(only.values):
            yield _EQUAL, len(only.values) - at, 0, value
        yield _GIVE, 0, 0, _REFUSE | errno.EPERM
