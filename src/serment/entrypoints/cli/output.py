"""Decides what a command writes: values on standard output, talk and errors on standard error.

Exit codes: 0 done and nothing to report, 1 findings, 2 usage, 3 could not finish; each error
class adds its own (`serment.errors`, listed in `docs/cli.md`). With `--json` standard output holds
exactly one JSON value, an error included. Which command computes what is left to the commands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any, TextIO

from serment.entrypoints.faults import unforeseen
from serment.entrypoints.language import advise, say, translator
from serment.errors import N_, SermentError

DONE = 0
FINDINGS = 1
UNFINISHED = 3  # and nothing was found until then: no good news either
USAGE = 2
FAILED = 3
INTERRUPTED = 130  # 128 + SIGINT, as shells expect


@dataclass(frozen=True, slots=True)
class Output:
    """Where one command speaks, in which language, for a person or for a program."""

    lang: str
    as_json: bool
    out: TextIO
    err: TextIO

    def text(self, message: str, /, **values: object) -> str:
        """A message in the reader's language."""
        return say(message, self.lang, **values)

    def value(self, value: object) -> None:
        """The command's result for a program: one line of JSON, only with `--json`."""
        if self.as_json:
            self._write(self.out, dumps(value))

    def line(self, message: str = "", /, **values: object) -> None:
        """A line of the result for a person (a message id), only without `--json`."""
        if not self.as_json:
            self._write(self.out, self.text(message, **values))

    def plain(self, text: str) -> None:
        """A line of the result that is already in the reader's words, only without `--json`."""
        if not self.as_json:
            self._write(self.out, text)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Rows under translated headings, only without `--json`; columns as wide as they need."""
        if self.as_json:
            return
        cells = [[self.text(heading) for heading in headings]]
        cells += [[_cell(value) for value in row] for row in rows]
        widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
        for row in cells:
            padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self._write(self.out, "  ".join(padded).rstrip())

    def note(self, message: str, /, **values: object) -> None:
        """Talk beside the result, on standard error in both forms."""
        self._write(self.err, self.text(message, **values))

    def error(self, error: SermentError) -> int:
        """Say what failed and the next step; return the exit code."""
        self.value({"error": self.described(error)})
        return self.talk_of(error)

    def described(self, error: SermentError) -> dict[str, str]:
        """An error in JSON."""
        message, hint = say(error, self.lang), advise(error, self.lang)
        return {"kind": error_kind(error), "message": message, "hint": hint}

    def talk_of(self, error: SermentError) -> int:
        """Say to a person what failed; return the exit code."""
        if not self.as_json:
            told = self.described(error)
            self._talk(translator(self.lang).gettext(N_("error")), told["message"])
            if told["hint"]:
                self._talk(translator(self.lang).gettext(N_("hint")), told["hint"])
        return error.exit_code

    def _talk(self, label: str, text: str) -> None:
        colon = "\u00a0: " if self.lang == "fr" else ": "
        self._write(self.err, f"serment: {label}{colon}{text}")

    def _write(self, stream: TextIO, text: str) -> None:
        stream.write(text + "\n")
        stream.flush()


def error_kind(error: SermentError) -> str:
    """The stable name of an error in JSON: `AccessDenied` is "access-denied"."""
    name = type(error).__name__
    return "".join("-" + c.lower() if c.isupper() else c for c in name).lstrip("-")


def dumps(value: object) -> str:
    """One line of JSON: times in ISO 8601, bytes in hexadecimal; a masked value is refused."""
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: object) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case Enum():
            return value.value
        case bytes() | bytearray():
            return value.hex()
        case PurePath():
            return str(value)
        case Mapping():
            return dict(value)
        case set() | frozenset():
            return sorted(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def run(output: Output, command: Callable[[], int | None]) -> int:
    """Run one command to its exit code: the only place where every exception is caught.

    An unforeseen exception shows its type and the place in our code, never its message, which
    might hold a patient's value.
    """
    try:
        return command() or DONE
    except SermentError as error:
        return output.error(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return DONE  # the reader has seen enough
    except Exception as error:  # noqa: BLE001 - the entry point's last line of defence
        return output.error(unforeseen(error))
