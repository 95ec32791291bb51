"""Checks the whole log of a vault, and writes it out so that others can.

The rules are `core.journal.verify`; this reads the rows past them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from serment.core.journal.checkpoints import origin
from serment.core.journal.lines import header_line, parse_lines, render_checkpoint, render_row
from serment.core.journal.verify import Verdict, verify
from serment.ports import Store


def verify_journal(store: Store, vault: str, public_key: bytes, kept: str | None = None) -> Verdict:
    """Check every entry written so far, in one pass and bounded memory.

    Raises:
        FormatError: what was given as kept is no checkpoint.
    """
    # In this order: what is written meanwhile is then in no checkpoint that is looked at.
    checkpoints = store.checkpoints()
    tree = store.journal_tree()
    rows = store.journal(0, tree.size)
    return verify(rows, checkpoints, public_key, origin(vault), kept, tree)


def export_lines(store: Store, vault: str, public_key: bytes) -> Iterator[str]:
    """The log as JSON Lines (`core.journal.lines`): header, checkpoints, then every entry."""
    checkpoints = store.checkpoints()
    size = store.journal_size()
    yield header_line(origin(vault), public_key, size)
    yield from map(render_checkpoint, checkpoints)
    yield from map(render_row, store.journal(0, size))


def verify_lines(
    untrusted_lines: Iterable[str], vault: str, public_key: bytes, kept: str | None = None
) -> Verdict:
    """Check an exported log the same way, without the vault.

    Raises:
        FormatError: the lines are no exported log.
    """
    checkpoints, rows = parse_lines(untrusted_lines)
    return verify(rows, checkpoints, public_key, origin(vault), kept)
