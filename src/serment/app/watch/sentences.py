"""The journal in plain words: what an entry says, as a sentence and the values that fill it.

One table. Ids stay ids: who shows the sentence puts logins and, where his keys allow it, patients
in their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from serment.core.journal.entries import Entry, EventKind
from serment.core.records import names
from serment.errors import N_

UNSAID = "…"


class Sentence(NamedTuple):
    """`message` is a message id with the fields of `values`: actor, subject, count, what, reason.

    `what` and `reason` are message ids themselves, or plain words; `subject` is a name of
    `core.records.names` ("patient:…", "member:…") or a plain word.
    """

    message: str
    values: Mapping[str, object]

    def __str__(self) -> str:
        return self.message.format(**self.values)


# One, and many where there is something to count.
SENTENCES: Mapping[EventKind, tuple[str, str]] = {
    EventKind.VAULT_FOUNDED: (N_("The vault was founded"), ""),
    EventKind.SERVER_STARTED: (N_("The server started"), ""),
    EventKind.SERVER_STOPPED: (N_("The server stopped"), ""),
    EventKind.RECEPTION_OPENED: (N_("{actor} began to send"), ""),
    EventKind.RECEPTION_CLOSED: (
        N_("{actor} sent {count} object, sealed on arrival"),
        N_("{actor} sent {count} objects, sealed on arrival"),
    ),
    EventKind.RECEPTION_INTERRUPTED: (
        N_("{actor} was cut off after {count} object, which is kept"),
        N_("{actor} was cut off after {count} objects, which are kept"),
    ),
    EventKind.OPENED: (N_("{actor} opened a session: {what}"), ""),
    EventKind.LOCKED: (N_("{actor} locked: the keys left the memory"), ""),
    EventKind.FILED: (
        N_("{actor} filed an arrival with {subject}"),
        N_("{count} arrivals filed themselves in the session of {actor}"),
    ),
    EventKind.UNFILED: (N_("{actor} undid a filing with {subject}"), ""),
    EventKind.KEYS_MOVED: (
        N_("{actor} put {count} arrival under its patient's key"),
        N_("{actor} put {count} arrivals under their patient's key"),
    ),
    EventKind.KEYS_RENEWED: (
        N_("{count} key was given to those entitled now, in the session of {actor}"),
        N_("{count} keys were given to those entitled now, in the session of {actor}"),
    ),
    EventKind.REPEATS_FOUND: (
        N_("{count} repeated object was marked"),
        N_("{count} repeated objects were marked"),
    ),
    EventKind.READ: (
        N_("{actor} opened {what} of {subject}"),
        N_("{actor} opened {what} of {subject} ({count} objects)"),
    ),
    EventKind.SEARCHED: (
        N_("{actor} searched and was shown {count} file"),
        N_("{actor} searched and was shown {count} files"),
    ),
    EventKind.EXPORTED: (
        N_("{actor} took out {what} of {subject}"),
        N_("{actor} took out {what} of {subject}: {count} in all"),
    ),
    EventKind.REFUSED: (
        N_("{actor} was refused: {reason}"),
        N_("{actor} was refused {count} times: {reason}"),
    ),
    EventKind.LOGIN_FAILED: (
        N_("A sign-in as {subject} failed"),
        N_("{count} sign-ins as {subject} failed"),
    ),
    EventKind.MEMBER_ADDED: (N_("{actor} added the member {subject}"), ""),
    EventKind.MEMBER_ADMITTED: (N_("{actor} admitted {subject} after comparing the words"), ""),
    EventKind.MEMBER_REMOVED: (N_("{actor} removed {subject}: the keys are deleted"), ""),
    EventKind.MEMBER_RESCUED: (N_("{subject} got a new password by the recovery kit"), ""),
    EventKind.MEMBER_PASSWORD: (N_("{actor} changed the password; the old one opens nothing"), ""),
    EventKind.SECOND_FACTOR_CHANGED: (N_("{actor} changed a second factor"), ""),
    EventKind.CIRCLE_MADE: (N_("{actor} made a new key for the circle {subject}"), ""),
    EventKind.CIRCLE_STOPPED: (
        N_("The circle {subject} stopped receiving: its public key was changed"),
        "",
    ),
    EventKind.CIRCLE_RESUMED: (
        N_("The circle {subject} receives again: its public key is the right one"),
        "",
    ),
    EventKind.DEVICE_ADDED: (N_("{actor} declared the device {subject}"), ""),
    EventKind.DEVICE_REMOVED: (N_("{actor} removed the device {subject}"), ""),
    EventKind.CERTIFICATE_ISSUED: (N_("{actor} issued a new certificate of the server"), ""),
    EventKind.KIT_MADE: (N_("The recovery kit was made"), ""),
    EventKind.KIT_DECLARED: (N_("{actor} declared the recovery kit printed and put away"), ""),
    EventKind.KIT_TRIED: (N_("The recovery kit was tried"), ""),
    EventKind.CHECKPOINT_TAKEN: (N_("{actor} took a checkpoint to keep elsewhere"), ""),
    EventKind.RECOVERED: (N_("Everything was taken out with the recovery kit"), ""),
    EventKind.EXPIRED: (
        N_("{count} entry reached the end of its retention and was emptied"),
        N_("{count} entries reached the end of their retention and were emptied"),
    ),
    EventKind.RETENTION_CHANGED: (
        N_("{actor} chose how long accesses are kept: {count} months"),
        N_("{actor} chose how long accesses are kept: {count} months"),
    ),
    EventKind.CIRCLE_ACCEPTED: (N_("{actor} accepted the circle {subject}"), ""),
    EventKind.KEYS_PINNED: (N_("{actor} noted the public keys of the circles"), ""),
    EventKind.RADIUS_COMPUTED: (
        N_("{actor} computed what a breach reached: {count} patient"),
        N_("{actor} computed what a breach reached: {count} patients"),
    ),
    EventKind.SCAN_MADE: (
        N_("{actor} audited the network: {count} finding"),
        N_("{actor} audited the network: {count} findings"),
    ),
    EventKind.SCAN_FAILED: (N_("An audit of the network begun by {actor} failed: {reason}"), ""),
    EventKind.SCAN_READ: (N_("{actor} looked at {what}"), ""),
    EventKind.SCAN_PLANNED: (N_("{actor} changed the weekly audit of the network: {what}"), ""),
    EventKind.FINDING_ACCEPTED: (N_("{actor} accepted the finding {what} for a time"), ""),
    EventKind.PACKS_INDEXED: (
        N_("The objects of a pack were indexed"),
        N_("The objects of {count} packs were indexed"),
    ),
    EventKind.REPAIRED: (N_("The vault was repaired after a fault: {what}"), ""),
}

WHAT: Mapping[str, str] = {
    "identity": N_("the identity"),
    "image": N_("images"),
    "report": N_("a report"),
    "document": N_("a document"),
    "thumbnail": N_("thumbnails"),
    "metadata": N_("image headers"),
    "object": N_("whole objects"),
    "frames": N_("images"),
    "rendered": N_("images"),
    "bulkdata": N_("parts of objects"),
    "images": N_("images"),
    "journal": N_("the journal"),
    "keys-restored": N_("the database was restored from the second copy of the keys"),
    "rows-kept": N_(
        "the second copy of the keys keeps rows that the database has no more as written"
    ),
    "copy-kept": N_(
        "the second copy of the keys was not replaced: it knows more than the database"
    ),
    "copy-agrees": N_("the second copy of the keys agrees with the database again"),
    "damaged-forgotten": N_("the damaged databases that restored ones replaced were deleted"),
    "exposure": N_("what audits of the network found"),
    "exposure-report": N_("the report of the last audit, and took it out"),
    "weekly-on": N_("it is on"),
    "weekly-off": N_("it is off"),
    "rows-put-back": N_("rows of objects that were gone were made again from their packs"),
    "row-taken-back": N_("damaged or lost rows were taken back from the second copy of the keys"),
    "unsigned-tail": N_("the last entries had not been signed when it stopped"),
}

WITH_IMAGES = N_("with the key of images")
WITHOUT_IMAGES = N_("without the key of images")

# Where an entry names what it is about, most telling first, and the name made of it.
_SUBJECTS = (
    ("patient", names.patient),
    ("member", names.member),
    ("login", str),
    ("circle", str),
    ("name", str),
    ("device", str),
    ("envelope", names.envelope),
)
_LISTS = ("objects", "filed", "envelopes", "duplicates")
_NO_IMAGES = frozenset({"secretariat", "dpo", "recovery"})


def describe(entry: Entry) -> Sentence:
    """What an entry says; every kind has a sentence, every field a value."""
    count = count_of(entry)
    one, many = SENTENCES[entry.kind]
    values = {
        "actor": _actor(entry),
        "subject": subject_of(entry) or UNSAID,
        "count": count,
        "what": _what(entry),
        "reason": _reason(entry.details),
    }
    return Sentence(many if many and count != 1 else one, values)


def subject_of(entry: Entry) -> str | None:
    """Whom or what the entry is about: a name of `core.records.names`, a plain word, or None."""
    for key, name in _SUBJECTS:
        value = entry.details.get(key)
        if isinstance(value, str) and value:
            return name(value)
    match entry.details.get("filed"):
        case [[str(), str(patient)]]:
            return names.patient(patient)
    return None


def count_of(entry: Entry) -> int:
    """How many things the entry is about; 1 where it does not say."""
    details = entry.details
    if isinstance(details.get("count"), int):
        return int(details["count"])
    if isinstance(details.get("envelopes"), dict):
        return sum(_objects(came) for came in details["envelopes"].values())
    for key in _LISTS:
        if isinstance(details.get(key), list):
            return len(details[key])
    return 1


def _objects(came: object) -> int:
    match came:
        case {"objects": int(count)}:
            return count
    return 0


def _actor(entry: Entry) -> str:
    peer = entry.details.get("calling") or entry.details.get("peer")
    if entry.kind is EventKind.REFUSED and isinstance(peer, str):
        return peer
    return entry.actor or UNSAID


def _what(entry: Entry) -> str:
    details = entry.details
    if entry.kind is EventKind.OPENED:
        held = details.get("circles")
        images = isinstance(held, list) and bool({str(c) for c in held} - _NO_IMAGES)
        return WITH_IMAGES if images else WITHOUT_IMAGES
    said = details.get("kind") or details.get("what")
    return WHAT.get(said, said) if isinstance(said, str) else UNSAID


def _reason(details: Mapping[str, Any]) -> str:
    reasons = details.get("reasons")
    if isinstance(reasons, dict) and reasons:
        return str(max(reasons, key=lambda reason: _number(reasons[reason])))
    said = details.get("reason")
    return said if isinstance(said, str) and said else UNSAID


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
