"""Memory that both ends of the intake socket see, so that a body crosses without being copied
through the socket.

The sender makes it and fills one slot after the other; the receiver maps it read-only, and copies
what it looks at, since the other end could still write. No file has it, though a system that swaps
may write its pages to the swap space, as those of any process. Each end lets go of it with the
connection. Leaves to others: which slot is full and which is free again (`lane`, `requests`).
"""

from __future__ import annotations

import io
import mmap
import os
import socket
import sys
from typing import Final

from serment.errors import N_, FormatError

SLOTS: Final = 5
SLOT: Final = 256 * 1024  # bytes
_SIZE: Final = SLOTS * SLOT

if sys.platform == "linux":
    import fcntl

    def make() -> Memory | None:
        """Fresh memory that nobody can make smaller any more."""
        flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
        file = io.FileIO(os.memfd_create("serment-intake", flags), "r+")
        file.truncate(_SIZE)
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
        return Memory(file)

    def _keeps_its_size(descriptor: int) -> bool:
        """Memory that shrinks would end the process that reads what is gone."""
        return bool(fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK)

else:

    def make() -> Memory | None:
        """None: bodies go through the socket."""
        return None

    def _keeps_its_size(descriptor: int) -> bool:
        return False


class Memory:
    """The sender's view, until he closes it."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._map = mmap.mmap(file.fileno(), _SIZE)
        self._view = memoryview(self._map)

    def give(self, connection: socket.socket, line: bytes) -> int:
        """Send some of the first line, and with it the memory; how much of the line."""
        with self._file:
            return socket.send_fds(connection, [line], [self._file.fileno()])

    def room(self, slot: int, start: int) -> memoryview:
        """What follows the first `start` bytes of a slot."""
        return self._view[slot * SLOT + start : (slot + 1) * SLOT]

    @property
    def closed(self) -> bool:
        return self._map.closed

    def close(self) -> None:
        """Nothing of it is left in this process, whoever still knows it. For use when nobody has
        a `room` in hand."""
        self._file.close()
        self._view.release()
        self._map.close()


class Arriving(io.RawIOBase):
    """What comes on a connection, and the memory that came with its first bytes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._begun = False
        self.memory: memoryview | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As the socket's `recv_into`.

        Raises:
            FormatError: the memory that came is none of ours.
        """
        if self._begun:
            return self._connection.recv_into(buffer)
        self._begun = True
        data, files, _, _ = socket.recv_fds(self._connection, len(buffer), 1)
        buffer[: len(data)] = data
        if files:
            self.memory = _mapped(files[0])
        return len(data)


def _mapped(descriptor: int) -> memoryview:
    """`SLOTS` slots, to be read."""
    try:
        if not _keeps_its_size(descriptor) or os.fstat(descriptor).st_size != _SIZE:
            raise _foreign()
        return memoryview(mmap.mmap(descriptor, _SIZE, prot=mmap.PROT_READ))
    except (OSError, ValueError) as error:
        raise _foreign() from error
    finally:
        os.close(descriptor)


def _foreign() -> FormatError:
    return FormatError(N_("this is not a request or an answer of the intake"))
