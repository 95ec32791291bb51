"""What a process did to its files and what it answered, in order, as strace(1) saw it.

Reads the output of `strace -f -y -xx`; knows the calls by which Python and SQLite change files. What
a crash would have left of them is `disk`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

CALLS = (
    "openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,"
    "copy_file_range,sendfile,fsync,fdatasync,sync_file_range,sync,syncfs,msync,"
    "rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,mkdir,mkdirat,rmdir,"
    "lseek,sendto,sendmsg"
)
OPTIONS = [
    "-f",
    "-qq",
    "-y",
    "-xx",
    "-s",
    str(1 << 24),
    "-e",
    "signal=none",
    "-e",
    f"trace={CALLS}",
]

_LINE = re.compile(r"(\d+) +(.*)", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)", re.DOTALL)
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)", re.DOTALL)
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FILE = re.compile(r"(\d+|AT_FDCWD)<([^>]*)>")
_BUFFERS = re.compile(r'"[^"]*"|\[.*\]')
_UNFINISHED = " <unfinished ...>"
_ON_NAMES = re.compile(r"open(at)?|creat|truncate|(rename|unlink|link|mkdir)(at2?)?|symlink|rmdir")
_File = tuple[str, str]  # descriptor, path


@dataclass(frozen=True, slots=True)
class Event:
    """One call that succeeded. `begun` and `ended` are places in the order of everything: what
    ended before something began was over by then."""

    begun: int
    ended: int
    call: str
    path: str  # of the file, or of the descriptor: for a connection "socket:[...]" or the like
    data: bytes = b""
    offset: int = 0  # of the data; for `truncate` the new size
    other: str = ""  # `rename`: the new name


class Unknown(ValueError):
    """A call that changes the files that are watched, in a way this reader does not know."""


def read(trace: Path, folder: Path) -> list[Event]:
    """The events under that folder, and everything written to a socket or pipe, in the order in which
    it began."""
    reader = _Reader(str(folder))
    events = [event for line in _calls(trace) for event in reader.events(*line)]
    return sorted(events, key=lambda event: event.begun)


def _calls(trace: Path) -> Iterator[tuple[int, int, str]]:
    """(where it began, where it ended, the whole call)."""
    begun: dict[str, tuple[int, str]] = {}
    with trace.open(encoding="ascii") as lines:
        for number, line in enumerate(lines):
            match = _LINE.match(line.rstrip("\n"))
            if match is None:
                continue
            process, text = match.groups()
            resumed = _RESUMED.match(text)
            if text.endswith(_UNFINISHED):
                begun[process] = (number, text.removesuffix(_UNFINISHED))
            elif resumed:
                start, first = begun.pop(process)
                yield start, number, first + resumed[1]
            else:
                yield number, number, text


class _Reader:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._places: dict[tuple[str, str], int] = {}  # where descriptors go on writing

    def events(self, begun: int, ended: int, text: str) -> Iterator[Event]:
        match = _CALL.match(text)
        if match is None or int(match[3]) < 0:
            return
        event = partial(Event, begun, ended)
        call, arguments, result = match[1], match[2], int(match[3])
        file = _file(arguments)
        if call in ("sendto", "sendmsg") or (call == "write" and not file[1].startswith("/")):
            yield event("send", file[1], _written(arguments, result))
        elif _ON_NAMES.fullmatch(call):
            names = [_plain(found).decode() for found in _TEXT.findall(arguments)]
            if self._ours(names[0]):
                yield from self._on_names(event, call, names, text)
        elif self._ours(file[1]):
            yield from self._on_a_file(event, call, arguments, result, file)

    def _on_names(
        self, event: Callable[..., Event], call: str, names: list[str], text: str
    ) -> Iterator[Event]:
        if call in ("openat", "open", "creat"):
            self._places[_file(text.rpartition(" = ")[2])] = 0
            if "O_CREAT" in text:
                yield event("create", names[0])
            if "O_TRUNC" in text:
                yield event("truncate", names[0])
        elif call.startswith("rename"):
            yield event("rename", names[0], other=names[1])
        elif call in ("mkdir", "mkdirat", "unlink", "unlinkat"):
            yield event(call.removesuffix("at"), names[0])
        else:
            raise Unknown(call)

    def _on_a_file(
        self, event: Callable[..., Event], call: str, arguments: str, result: int, file: _File
    ) -> Iterator[Event]:
        if call == "lseek":
            self._places[file] = result
        elif call in ("fsync", "fdatasync"):
            yield event("sync", file[1])
        elif call == "ftruncate":
            yield event("truncate", file[1], offset=int(arguments.rpartition(", ")[2]))
        elif call in ("pwrite64", "pwritev", "pwritev2"):
            offset = int(_BUFFERS.sub("", arguments).split(", ")[3])
            yield event("write", file[1], _written(arguments, result), offset)
        elif call in ("write", "writev"):
            offset = self._places.get(file, 0)
            self._places[file] = offset + result
            yield event("write", file[1], _written(arguments, result), offset)
        else:
            raise Unknown(call)

    def _ours(self, path: str) -> bool:
        return path == self._folder or path.startswith(self._folder + "/")


def _file(text: str) -> _File:
    """(descriptor, path) of the first descriptor; a deleted file keeps its name."""
    match = _FILE.match(text)
    if match is None:
        return "", ""
    path = match[2]
    return match[1], _plain(path).decode() if path.startswith("\\x") else path


def _written(arguments: str, result: int) -> bytes:
    """What was written: the texts of all buffers, as far as the call took them."""
    return b"".join(map(_plain, _TEXT.findall(arguments)))[:result]


def _plain(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))
