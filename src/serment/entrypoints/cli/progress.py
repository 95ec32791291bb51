"""Shows a bar in the terminal for what lasts longer than a second; the web has its own board.

The bar goes to standard error, only on a terminal, and disappears when done: results are printed
by the command. `monotonic` is the clock port's, seconds that never go back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, TextIO

from serment.entrypoints.language import translator
from serment.ports import Progress, ProgressFactory

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

PATIENCE_SECONDS = 1.0
NARROW = 72  # columns


class TerminalProgress:
    """`serment.ports.Progress` on a terminal."""

    def __init__(self, label: str, err: TextIO, monotonic: Callable[[], float]) -> None:
        self._label = label
        self._err = err
        self._monotonic = monotonic
        self._started = monotonic()
        self._total: int | None = None
        self._done = 0
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def total(self, count: int) -> None:
        self._total = count
        self._show()

    def step(self, count: int = 1) -> None:
        self._done += count
        self._show()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _show(self) -> None:
        if self._bar is None and self._monotonic() - self._started >= PATIENCE_SECONDS:
            self._bar = make_bar(self._err, self._monotonic)
            self._task = self._bar.add_task(self._label, total=self._total)
            self._bar.start()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._done, total=self._total)


class Silent:
    """`serment.ports.Progress` for a file, a pipe or a program: nothing is shown."""

    def total(self, count: int) -> None:
        """Nobody is watching."""

    def step(self, count: int = 1) -> None:
        """Nobody is watching."""


class Stages:
    """One bar after the other, for work in several stages; `at` says which and how far it is."""

    def __init__(self, factory: ProgressFactory) -> None:
        self._factory = factory
        self._open = ExitStack()
        self._label = ""
        self._bar: Progress | None = None
        self._done = 0

    def at(self, label: str, done: int, total: int) -> None:
        """`label` is a message id; a new one closes the bar before."""
        if label != self._label or self._bar is None:
            self.close()
            self._label, self._done = label, 0
            self._bar = self._open.enter_context(self._factory(label))
        self._bar.total(total)
        if done > self._done:
            self._bar.step(done - self._done)
            self._done = done

    def close(self) -> None:
        self._open.close()
        self._bar = None


def make_bar(err: TextIO, monotonic: Callable[[], float]) -> Bar:
    """A rich bar with label, count and time left; a narrow terminal has no room for the bar itself.
    Imported only when shown."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column

    console = Console(file=err)
    narrow = console.width < NARROW
    cut = Column(no_wrap=True, overflow="ellipsis", ratio=1 if narrow else None)
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=cut),
        *([] if narrow else [BarColumn()]),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        TimeRemainingColumn(table_column=Column(no_wrap=True)),
        console=console,
        expand=narrow,
        transient=True,
        get_time=monotonic,
    )


@contextmanager
def terminal_progress(
    label: str, *, err: TextIO, monotonic: Callable[[], float], lang: str
) -> Iterator[TerminalProgress | Silent]:
    """A `serment.ports.Progress` for one piece of work; `label` is a message id."""
    if not err.isatty():
        yield Silent()
        return
    progress = TerminalProgress(translator(lang).gettext(label), err, monotonic)
    try:
        yield progress
    finally:
        progress.close()
