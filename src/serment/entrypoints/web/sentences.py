"""The journal in plain words: one sentence for each kind of entry.

A table; `{actor}`, `{subject}`, `{count}`, `{what}`, `{reason}` are filled from the entry, and read
as "…" where it does not say.
"""

from __future__ import annotations

from dataclasses import dataclass

from serment.core.journal.entries import EventKind
from serment.entrypoints import formats, language
from serment.entrypoints.web.views import JournalLine
from serment.errors import N_


@dataclass(frozen=True, slots=True)
class Sentence:
    """Icon, sentence for one and for many (the same when there is nothing to count)."""

    icon: str
    one: str
    many: str = ""
    tone: str = "plain"  # plain, good, alert


KINDS = {
    EventKind.VAULT_FOUNDED: Sentence("seal", N_("The vault was founded"), tone="good"),
    EventKind.SERVER_STARTED: Sentence("power", N_("The server started")),
    EventKind.SERVER_STOPPED: Sentence("power", N_("The server stopped")),
    EventKind.RECEPTION_OPENED: Sentence("arrival", N_("{actor} began to send")),
    EventKind.RECEPTION_CLOSED: Sentence(
        "arrival",
        N_("{actor} sent {count} object, sealed on arrival"),
        N_("{actor} sent {count} objects, sealed on arrival"),
    ),
    EventKind.RECEPTION_INTERRUPTED: Sentence(
        "alert",
        N_("{actor} was cut off after {count} object, which is kept"),
        N_("{actor} was cut off after {count} objects, which are kept"),
        tone="alert",
    ),
    EventKind.OPENED: Sentence("unlock", N_("{actor} opened a session: {what}")),
    EventKind.LOCKED: Sentence("lock", N_("{actor} locked: the keys left the memory")),
    EventKind.FILED: Sentence("inbox", N_("{actor} filed an arrival with {subject}")),
    EventKind.UNFILED: Sentence("inbox", N_("{actor} undid a filing with {subject}")),
    EventKind.PATIENT_MADE: Sentence("patients", N_("{actor} made a file for {subject}")),
    EventKind.KEYS_MOVED: Sentence(
        "key",
        N_("{actor} put {count} arrival under its patient's key"),
        N_("{actor} put {count} arrivals under their patient's key"),
    ),
    EventKind.READ: Sentence(
        "eye",
        N_("{actor} opened {what} of {subject}"),
        N_("{actor} opened {what} of {subject} ({count} objects)"),
    ),
    EventKind.SEARCHED: Sentence(
        "search",
        N_("{actor} searched and was shown {count} file"),
        N_("{actor} searched and was shown {count} files"),
    ),
    EventKind.EXPORTED: Sentence(
        "download",
        N_("{actor} took out {count} object of {subject}"),
        N_("{actor} took out {count} objects of {subject}"),
        tone="alert",
    ),
    EventKind.REFUSED: Sentence(
        "alert",
        N_("{actor} was refused: {reason}"),
        N_("{actor} was refused {count} times: {reason}"),
        tone="alert",
    ),
    EventKind.LOGIN_FAILED: Sentence(
        "alert",
        N_("A sign-in as {subject} failed"),
        N_("{count} sign-ins as {subject} failed"),
        tone="alert",
    ),
    EventKind.MEMBER_ADDED: Sentence("members", N_("{actor} added the member {subject}")),
    EventKind.MEMBER_ADMITTED: Sentence(
        "members", N_("{actor} admitted {subject} after comparing the words")
    ),
    EventKind.MEMBER_REMOVED: Sentence(
        "members", N_("{actor} removed {subject}: the keys are deleted")
    ),
    EventKind.MEMBER_RESCUED: Sentence(
        "key", N_("{subject} got a new password by the recovery kit"), tone="alert"
    ),
    EventKind.SECOND_FACTOR_CHANGED: Sentence("phone", N_("{actor} changed a second factor")),
    EventKind.CIRCLE_MADE: Sentence("key", N_("{actor} made a new key for the circle {subject}")),
    EventKind.CIRCLE_STOPPED: Sentence(
        "alert",
        N_("The circle {subject} stopped receiving: its public key was changed"),
        tone="alert",
    ),
    EventKind.DEVICE_ADDED: Sentence("device", N_("{actor} declared the device {subject}")),
    EventKind.DEVICE_REMOVED: Sentence("device", N_("{actor} removed the device {subject}")),
    EventKind.KIT_DECLARED: Sentence(
        "printer", N_("{actor} declared the recovery kit printed and put away"), tone="good"
    ),
    EventKind.KIT_TRIED: Sentence("key", N_("The recovery kit was tried"), tone="good"),
    EventKind.RECOVERED: Sentence(
        "key", N_("Everything was taken out with the recovery kit"), tone="alert"
    ),
    EventKind.EXPIRED: Sentence(
        "clock",
        N_("{count} entry reached the end of its retention and was emptied"),
        N_("{count} entries reached the end of their retention and were emptied"),
    ),
    EventKind.REPAIRED: Sentence("seal", N_("The vault was repaired after a fault: {what}")),
}
EXPIRED = Sentence("clock", N_("This entry reached the end of its retention; its proof remains"))

WHAT = {
    "identity": N_("the identity"),
    "image": N_("images"),
    "report": N_("a report"),
    "document": N_("a document"),
    "thumbnail": N_("thumbnails"),
    "metadata": N_("image headers"),
    "images": N_("with the key of images"),
    "no-images": N_("without the key of images"),
}

GROUPS = {
    "reads": (N_("Who read"), (EventKind.READ, EventKind.SEARCHED, EventKind.EXPORTED)),
    "arrivals": (
        N_("What arrived"),
        (
            EventKind.RECEPTION_OPENED,
            EventKind.RECEPTION_CLOSED,
            EventKind.RECEPTION_INTERRUPTED,
            EventKind.FILED,
            EventKind.UNFILED,
            EventKind.PATIENT_MADE,
            EventKind.KEYS_MOVED,
        ),
    ),
    "doors": (
        N_("Who came in, who was refused"),
        (EventKind.OPENED, EventKind.LOCKED, EventKind.LOGIN_FAILED, EventKind.REFUSED),
    ),
    "rights": (
        N_("What changed in rights and keys"),
        (
            EventKind.MEMBER_ADDED,
            EventKind.MEMBER_ADMITTED,
            EventKind.MEMBER_REMOVED,
            EventKind.MEMBER_RESCUED,
            EventKind.SECOND_FACTOR_CHANGED,
            EventKind.CIRCLE_MADE,
            EventKind.CIRCLE_STOPPED,
            EventKind.DEVICE_ADDED,
            EventKind.DEVICE_REMOVED,
            EventKind.KIT_DECLARED,
            EventKind.KIT_TRIED,
            EventKind.RECOVERED,
        ),
    ),
}


def of(line: JournalLine) -> Sentence:
    """The row of the table for an entry."""
    return EXPIRED if line.kind is None else KINDS[line.kind]


def say(line: JournalLine, lang: str) -> str:
    """The entry as a sentence."""
    sentence = of(line)
    count = line.values.get("count", 1)
    number = count if isinstance(count, int) else 1
    values = {name: _word(line.values.get(name), lang) for name in ("what", "reason")}
    return say_form(
        sentence.one,
        sentence.many or sentence.one,
        number,
        lang,
        actor=line.actor or "…",
        subject=line.subject or "…",
        **values,
    )


def say_form(one: str, many: str, count: int, lang: str, **values: object) -> str:
    """The form for that count of two messages that are translated apart (rows of tables)."""
    single = count in (0, 1) if lang == "fr" else count == 1
    text = language.translator(lang).gettext(one if single else many)
    return text.format(count=formats.number(count, lang), **values)


def _word(value: object, lang: str) -> str:
    if not isinstance(value, str) or not value:
        return "…"
    return language.say(WHAT.get(value, value), lang)
