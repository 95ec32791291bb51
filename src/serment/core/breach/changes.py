"""What entries tell of keys, with numbers for ids: by the million, so that it is read off their bytes.

An entry as Serment writes it (`Entry.encode`) is read by one pattern; one that looks in any way
otherwise is read as JSON (`core.journal.keystate`), with the same result.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import NamedTuple

from serment.core.breach.groups import NOBODY, Groups
from serment.core.breach.numbering import Ids, Numbering, raw_id
from serment.core.breach.reach import Holder
from serment.core.journal.keystate import WrapName, wraps_text, wraps_told
from serment.core.journal.rows import DELETED, MADE
from serment.core.records.vault import WrapKind
from serment.errors import N_, FormatError

SEED, IDENTITY = WrapKind.ENVELOPE_SEED.value, WrapKind.ENVELOPE_IDENTITY.value
PATIENT, COMPARTMENT = WrapKind.PATIENT_IDENTITY.value, WrapKind.PATIENT_CLINICAL.value
TOPS = frozenset({WrapKind.MEMBER_SEED.value, WrapKind.CIRCLE_SEED.value})
SUBJECTS = {SEED: "envelope", IDENTITY: "envelope", PATIENT: "patient", COMPARTMENT: "compartment"}
ABOVE = ("patient:", "compartment:")
NO_PARENT = -1

# Wraps of one subject, one after the other: one for a parent, or all for whoever holds keys himself.
_RUN = re.compile(
    rb'(\[("(?:envelope-(?:seed|identity)","envelope|patient-(?:identity","patient|clinical",'
    rb'"compartment)):)([0-9a-f]{32})",(?:"(?:patient|compartment):([0-9a-f]{32})",0\]|'
    rb'((?:"[^"\\]*",[0-9]+\],\[\2\3",)*"[^"\\]*",[0-9]+\])),?)'
)
_ENVELOPE, _DIGITS, _SHORT, _SHAPES = b'","envelope:', 32, 4096, 1000
_MADE, _DELETED = f'"{MADE}":['.encode(), f'"{DELETED}":['.encode()

Run = tuple[str, int, int, int]  # kind, number of the subject, of its parent, group of its holders


class Told(NamedTuple):
    """The wraps that one entry tells of; those of members' and circles' seeds by their names."""

    made: list[Run]
    deleted: list[Run]
    tops_made: list[WrapName]
    tops_deleted: list[WrapName]


class ChangeReader:
    """Reads entries; ids and groups get their numbers here."""

    def __init__(self, ids: Ids, groups: Groups) -> None:
        self._groups = groups
        self._numbered: dict[str, tuple[Numbering, Numbering | None]] = {
            SEED: (ids.envelopes, ids.compartments),
            IDENTITY: (ids.envelopes, ids.patients),
            PATIENT: (ids.patients, None),
            COMPARTMENT: (ids.compartments, None),
        }
        self._written = {
            f'"{kind}","{subject}:'.encode(): (kind, *self._numbered[kind])
            for kind, subject in SUBJECTS.items()
        }
        self._holders: dict[bytes, int] = {}  # as written, without the subject's id
        self._shapes: dict[bytes, list[tuple[str, int]]] = {}  # of all that was made, likewise

    def read(self, body: bytes) -> Told | None:
        """What the bytes of an entry tell; None when it is nothing.

        Raises:
            FormatError: it cannot be read.
        """
        text = wraps_text(body)
        if text is None:
            return None
        return self._of_one(text) or self._usual(text) or self._any(text)

    def _of_one(self, text: bytes) -> Told | None:
        """What is told of one envelope alone, as so often before of another."""
        at = text.find(_ENVELOPE) + len(_ENVELOPE)
        subject = text[at : at + _DIGITS]
        shape = text.replace(subject, b"\0") if len(text) < _SHORT else b""
        runs = self._shapes.get(shape)
        if runs is None:
            return None
        number = self._numbered[SEED][0].written(subject)
        return Told([(kind, number, NO_PARENT, group) for kind, group in runs], [], [], [])

    def _usual(self, text: bytes) -> Told | None:
        """None when any of it is not written as usual."""
        lists = _two_lists(text)
        if lists is None:
            return None
        made, deleted = map(self._runs, lists)
        if made is None or deleted is None:
            return None
        self._keep_shape(text, made, deleted)
        return Told(made, deleted, [], [])

    def _keep_shape(self, text: bytes, made: list[Run], deleted: list[Run]) -> None:
        subjects = {(SUBJECTS[kind], number, parent) for kind, number, parent, _ in made}
        if deleted or len(text) >= _SHORT or len(self._shapes) >= _SHAPES or len(subjects) != 1:
            return
        ((what, _, parent),) = subjects
        if what == "envelope" and parent == NO_PARENT:
            at = text.find(_ENVELOPE) + len(_ENVELOPE)
            shape = text.replace(text[at : at + _DIGITS], b"\0")
            self._shapes[shape] = [(kind, group) for kind, _, _, group in made]

    def _any(self, text: bytes) -> Told:
        made_names, deleted_names = wraps_told(text)
        return Told(
            self._plainly(made_names),
            self._plainly(deleted_names),
            [name for name in made_names if name.kind in TOPS],
            [name for name in deleted_names if name.kind in TOPS],
        )

    def _runs(self, text: bytes) -> list[Run] | None:
        """None when any of it is not written as usual."""
        found = _RUN.findall(text)
        if sum([len(one[0]) for one in found]) != len(text):
            return None
        runs: list[Run] = []
        for _, names, subject, parent, written in found:
            kind, numbers, parents = self._written[names]
            if not parent:
                shape = written.replace(subject, b"\0")
                group = self._holders.get(shape) or self._group(shape, written, subject)
                if not group:
                    return None
                runs.append((kind, numbers.written(subject), NO_PARENT, group))
            elif parents is not None:
                runs.append((kind, numbers.written(subject), parents.written(parent), NOBODY))
            else:
                return None
        return runs

    def _group(self, shape: bytes, written: bytes, subject: bytes) -> int:
        """The holders in the rest of a run; NOBODY where a parent is among them."""
        wraps = json.loads(b'[["","",' + written + b"]")
        if any(w[2].startswith(ABOVE) or subject.decode() in w[2] for w in wraps):
            return NOBODY
        group = self._holders[shape] = self._groups.of([Holder(w[2], w[3]) for w in wraps])
        return group

    def _plainly(self, names: Iterable[WrapName]) -> list[Run]:
        return [self._run(name) for name in names if name.kind in SUBJECTS]

    def _run(self, name: WrapName) -> Run:
        numbers, parents = self._numbered[name.kind]
        number = numbers.of(_raw(name.subject))
        if parents is not None and name.recipient.startswith(ABOVE):
            return name.kind, number, parents.of(_raw(name.recipient)), NOBODY
        group = self._groups.of([Holder(name.recipient, name.epoch)])
        return name.kind, number, NO_PARENT, group


def _raw(name: str) -> bytes:
    raw = raw_id(name.partition(":")[2])
    if raw is None:
        raise FormatError(
            N_("an entry of the journal tells of keys in a way that cannot be read"),
            hint=N_("run `serment journal verify`; a newer Serment may have written it"),
        )
    return raw


def _two_lists(text: bytes) -> tuple[bytes, bytes] | None:
    """What stands in the lists of made and of deleted wraps."""
    head, found, made = text.partition(_MADE)
    deleted = head.removesuffix(b",") if found else text
    if found and not made.endswith(b"]"):
        return None
    if not deleted:
        return made[:-1], b""
    if not (deleted.startswith(_DELETED) and deleted.endswith(b"]")):
        return None
    return made[:-1], deleted[len(_DELETED) : -1]
