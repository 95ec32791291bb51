"""An FTP client for strangers' servers: signs in as anonymous, lists, and takes nothing.

Data connections go to the server's own address, whatever address its PASV answer names: nobody
is led elsewhere. Nothing of a peer gets into a command that could end its line.
Source: RFC 959, RFC 1635 (anonymous), RFC 2228 and 4217 (TLS), RFC 2428 (EPSV), RFC 3659 (MLSD).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from serment.adapters.network.line import Cut, Gone
from serment.adapters.network.probing import Call
from serment.adapters.network.shares.walk import Entry, Refused
from serment.core.masked import Masked

PASS_SECONDS: Final = 8.0  # servers let a wrong password wait for some seconds
_LINE: Final = 2048  # bytes
_LINES: Final = 200  # of one answer
_DATA: Final = 256 * 1024  # bytes of one folder
_NAME: Final = 1000
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\xff]")
_CODE: Final = re.compile(rb"([1-6]\d\d)([ -]|$)")
_PASV: Final = re.compile(r"(?<!\d)(?:\d{1,3},){4}(\d{1,3}),(\d{1,3})")
_EPSV: Final = re.compile(r"\((.)\1\1(\d{1,5})\1\)")
_UNIX: Final = re.compile(
    r"([bcdlps-])[-rwxsStT]{9}\S?\s+\d+\s+(?:\S+\s+){1,2}?\d+\s+\S+\s+\S+\s+[\d:]{4,5}\s(.+)"
)
_MAY_CREATE: Final = re.compile(  # permissions "c" and "m" of a folder (RFC 3659 section 7.5.5)
    rb"^(?=[^ \r\n]{0,300}type=c?dir;)[^ \r\n]{0,300}perm=[a-z]{0,20}[cm]",
    re.IGNORECASE | re.MULTILINE,
)
_DOS: Final = re.compile(r"[\d./-]{8,10}\s+\d\d?:\d\d(?:\s?[AaPp][Mm])?\s+(<DIR>|[\d.,]+)\s+(.+)")


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; `text` is what stands after the code, lines joined by line feeds."""

    code: int
    text: str = ""

    @property
    def is_good(self) -> bool:
        return 100 <= self.code < 400


class Session:
    """One control connection; `Gone` and the like as the line's."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.line = call.line()
        self.private = False  # the data connections are in TLS as well
        self._machine = self._extended = True  # MLSD and EPSV are not yet refused
        self.writable = False  # as a listing announces it
        self.greeting = self.reply()

    def reply(self) -> Reply:
        """The next answer. `Gone` when it is not one of FTP, `Cut` when it has no end."""
        first = self.line.until(b"\n", _LINE).rstrip()
        found = _CODE.match(first)
        if found is None:
            raise Gone
        said = [first[4:]]
        if found[2] == b"-":
            last = found[1] + b" "
            while not (more := self.line.until(b"\n", _LINE).rstrip()).startswith(last):
                if more == found[1] or len(said) >= _LINES:
                    break
                said.append(more)
            if len(said) >= _LINES:
                raise Cut
        return Reply(int(found[1]), b"\n".join(said).decode("utf-8", "replace"))

    def ask(self, command: str, *words: str) -> Reply:
        """One command and its answer."""
        text = " ".join((command, *words))
        if _CONTROL.search(text):
            raise Refused  # a name with line breaks or escape sequences is not sent back
        self.line.send(text.encode("utf-8", "surrogateescape") + b"\r\n")
        return self.reply()

    def password(self, word: str) -> Reply:
        """`PASS`, with patience."""
        budget = self.call.budget
        before, budget.patience = budget.patience, PASS_SECONDS
        try:
            return self.ask("PASS", word)
        finally:
            budget.patience = before

    def secure(self) -> None:
        """Speak TLS on this connection and on those for data (RFC 4217)."""
        self.line.start_tls()
        self.protect()

    def protect(self) -> None:
        """Have the data connections in TLS as well."""
        self.ask("PBSZ", "0")
        self.private = self.ask("PROT", "P").is_good

    def base(self) -> str:
        """The folder that signing in led to."""
        said = self.ask("PWD")
        found = re.match(r'\s*"([^"\n]{1,1000})"', said.text)
        return found[1] if said.code == 257 and found else "/"

    def show(self, folder: str) -> Iterator[Entry[str]]:
        """What is in a folder. `Refused` when it is not shown."""
        if not self.ask("CWD", folder).is_good:
            raise Refused
        way = folder.rstrip("/")
        for kind, name in self._listing():
            yield Entry(Masked(name), f"{way}/{name}" if kind == "d" else None)

    def _listing(self) -> list[tuple[str, str]]:
        if self._machine:
            try:
                said = self._data("MLSD")
                self.writable = self.writable or bool(_MAY_CREATE.search(said))
                return parse_machine(said)
            except Refused:
                self._machine = False
        return parse_list(self._data("LIST"))

    def _data(self, command: str) -> bytes:
        """What comes over a data connection; it is closed by whoever has said all."""
        with self.call.beside(self._passive()) as data:
            if not self.ask(command).is_good:
                raise Refused
            if self.private:
                data.start_tls(after=self.line)
            said = data.rest(_DATA)
        self.reply()  # 226, or that it was cut short
        return said

    def _passive(self) -> int:
        """The port of a data connection; the address that PASV names is not looked at."""
        said = self.ask("EPSV") if self._extended else Reply(0)
        if said.code == 229 and (found := _EPSV.search(said.text)):
            return int(found[2])
        self._extended = False
        said = self.ask("PASV")
        if said.code != 227 or not (found := _PASV.search(said.text)):
            raise Refused
        return int(found[1]) * 256 + int(found[2])


def parse_machine(data: bytes) -> list[tuple[str, str]]:
    """Kinds ("d" or "-") and names of a MLSD listing (RFC 3659 section 7)."""
    found = []
    for line in _lines(data):
        facts, space, name = line.partition(" ")
        kinds = [each[5:] for each in facts.lower().split(";") if each.startswith("type=")]
        if space and kinds and kinds[0] in ("dir", "file"):
            found.append(("d" if kinds[0] == "dir" else "-", name))
    return found


def parse_list(data: bytes) -> list[tuple[str, str]]:
    """Kinds and names of a LIST answer as Unix or Windows write it; other lines are left out."""
    found = []
    for line in _lines(data):
        if unix := _UNIX.fullmatch(line):
            kind, name = unix[1], unix[2]
            found.append((kind, name.partition(" -> ")[0] if kind == "l" else name))
        elif dos := _DOS.fullmatch(line):
            found.append(("d" if dos[1] == "<DIR>" else "-", dos[2]))
    return found


def _lines(data: bytes) -> Iterator[str]:
    whole = data.decode("utf-8", "surrogateescape")
    return (each.rstrip("\r") for each in whole.split("\n") if 0 < len(each) <= _NAME)
