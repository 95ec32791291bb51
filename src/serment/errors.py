"""Every error Serment raises, each with its exit code and HTTP status.

A message says what failed, what was expected and what was found, with ids and never with a name,
an identifier or a key; the hint says the next step. Both are gettext message ids: the entry point
that shows them translates them, then fills in `values`. Exit codes are documented in
`docs/cli.md` and never reused: 0 done, 1 findings, 2 usage, 3 could not finish.
"""

from __future__ import annotations

from typing import ClassVar


def N_(message: str) -> str:  # noqa: N802 - the gettext name for "translate later"
    """Mark a message for translation without translating it here."""
    return message


class Remark(str):
    """A sentence about the vault: English as text, a gettext message id and its values for whoever
    shows it in another language.

    >>> Remark("pack {pack}: cut", pack="a1")
    'pack a1: cut'
    """

    __slots__ = ("message", "values")

    message: str
    values: dict[str, object]

    def __new__(cls, message: str, /, **values: object) -> Remark:
        remark = super().__new__(cls, message.format(**values))
        remark.message, remark.values = message, values
        return remark


class SermentError(Exception):
    """What Serment could not do, and what to do about it."""

    exit_code: ClassVar[int] = 3
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, /, *, hint: str = "", **values: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.values = values

    def __str__(self) -> str:
        return self.message.format(**self.values)

    @property
    def advice(self) -> str:
        """The next step, in English; empty when there is none."""
        return self.hint.format(**self.values)


class UsageError(SermentError):
    """The request itself is not well formed."""

    exit_code = 2
    http_status = 400


class AccessDenied(SermentError):
    """No key, no right, or wrong credentials; absent and denied look alike without rights."""

    exit_code = 4
    http_status = 403


class VaultLocked(SermentError):
    """Nobody entitled has opened the practice."""

    exit_code = 5
    http_status = 423


class IntegrityError(SermentError):
    """Something is not what was sealed: it was changed, damaged or swapped."""

    exit_code = 6
    http_status = 500


class FormatError(SermentError):
    """Bytes that are not what they claim to be, or of a version this program does not know."""

    exit_code = 7
    http_status = 400


class Mismatch(FormatError):
    """Two statements about the same object disagree (SOP Class or Instance UID, DICOM A900)."""

    exit_code = 13
    http_status = 409


class NotFound(SermentError):
    """There is no such thing, or none the caller may know of."""

    exit_code = 8
    http_status = 404


class Conflict(SermentError):
    """It exists already, or somebody else was faster."""

    exit_code = 9
    http_status = 409


class Unavailable(SermentError):
    """The world does not allow it now: port in use, disk full, server not running."""

    exit_code = 10
    http_status = 503


class Busy(SermentError):
    """Too many attempts; wait and try again."""

    exit_code = 11
    http_status = 429


class NoSpace(Unavailable):
    """The disk that holds the vault is full."""

    exit_code = 12
    http_status = 507
