"""A checkpoint: the size and root of the log, signed, for keeping in the vault and elsewhere.

Only says how it is written and read; when one is made is decided in `app.watch.checkpoints`.

Source: C2SP tlog-checkpoint and signed-note; the origin is "serment/" and the vault's id.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from serment.core.crypto.canonical import canonical_base64
from serment.core.crypto.secret import Seed
from serment.core.crypto.signing import open_note, sign_note
from serment.errors import N_, FormatError, IntegrityError

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
ROOT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """That the first `size` entries have this root."""

    size: int
    root: bytes


def origin(vault: str) -> str:
    """The log's own name: first line of every checkpoint and name of its key."""
    return f"serment/{vault}"


def sign_checkpoint(checkpoint: Checkpoint, log: str, seed: Seed) -> str:
    """The signed note, ready to be kept; `log` is the origin."""
    root = base64.b64encode(checkpoint.root).decode()
    return sign_note(f"{log}\n{checkpoint.size}\n{root}\n", log, seed)


def open_checkpoint(note: str, log: str, public: bytes) -> Checkpoint:
    """Read a checkpoint of that log signed by that key.

    Raises:
        FormatError: it is no checkpoint.
        IntegrityError: it is of another log, or not signed by that key.
    """
    lines = open_note(note, log, public).split("\n")
    if len(lines) < 4 or not _NUMBER.fullmatch(lines[1]):
        raise _not_a_checkpoint()
    if lines[0] != log:
        raise IntegrityError(
            N_("this checkpoint is of another journal"),
            hint=N_("take the one that was kept for this vault"),
        )
    return Checkpoint(int(lines[1]), _root(lines[2]))


def _root(encoded: str) -> bytes:
    try:
        root = canonical_base64(encoded.encode("ascii"))
    except ValueError as error:
        raise _not_a_checkpoint() from error
    if len(root) != ROOT_BYTES:
        raise _not_a_checkpoint()
    return root


def _not_a_checkpoint() -> FormatError:
    return FormatError(
        N_("this is not a checkpoint of a journal"), hint=N_("keep the whole file, unchanged")
    )
