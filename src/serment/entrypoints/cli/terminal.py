"""Shows what is stated in rows: colours and folded lines on a terminal, one plain line each elsewhere.

What a program reads through a pipe has no escape sequence and is never folded. Colours only repeat a
word; NO_COLOR and TERM=dumb turn them off. What is stated, and in which words, is the callers'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from serment.entrypoints.cli.output import Output

if TYPE_CHECKING:
    from rich.console import Console

WIDE: Final = 76  # columns from which what is stated stands beside its place
STYLES: Final[Mapping[str, str]] = {"bad": "bold red", "warn": "yellow", "good": "green"}


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is stated: how bad (`tone` of `STYLES`, or "soft"), what, where, and what to do.

    Every text is one printable line."""

    tone: str
    word: str
    name: str
    place: str
    text: str
    remedy: str


def show_rows(output: Output, rows: Iterable[Row]) -> None:
    """All of them, in the order given; nothing with `--json`."""
    if output.as_json:
        return
    if not output.out.isatty():
        for row in rows:
            output.plain(_line(row))
        return
    console = _console(output)
    for row in rows:
        _show(console, row)


def show_headline(output: Output, name: str, tone: str, word: str, text: str) -> None:
    """One line: what is looked at, how it is (coloured on a terminal), and its title."""
    if output.as_json or not output.out.isatty():
        output.plain(f"{name}  {word}  {text}")
        return
    from rich.text import Text

    style = STYLES.get(tone, "dim")
    _console(output).print(
        Text.assemble((f"{name}  ", "dim"), (word, style), (f"  {text}", "bold"))
    )


def _line(row: Row) -> str:
    parts = (f"{row.word:<9} {row.name}", row.place, row.text)
    line = "  ".join(filter(None, parts))
    return f"{line} > {row.remedy}" if row.remedy else line


def _console(output: Output) -> Console:
    from rich.console import Console

    return Console(file=output.out, highlight=False, markup=False, emoji=False)


def _show(console: Console, row: Row) -> None:
    """The word and the place, then the rest: beside them, or below where the terminal is narrow."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    style = STYLES.get(row.tone, "dim")
    said = Text.assemble((row.text, "bold"), f" → {row.remedy}" if row.remedy else "")
    head = Text.assemble((f"{row.word:<9} ", style), (row.name, "dim"), "  ", row.place)
    if console.width < WIDE:
        console.print(head)
        console.print(Padding(said, (0, 0, 0, 2)))
        return
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=min(40, max(34, len(head.plain))))
    grid.add_column(ratio=1)
    grid.add_row(head, said)
    console.print(grid)
