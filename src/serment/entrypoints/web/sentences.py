"""The journal on a page: for each kind of entry its picture, and the groups people filter by.

The sentences themselves are `app.watch.sentences`; here they are filled from a view's values and
put into the reader's language. What an entry does not say reads as "…".
"""

from __future__ import annotations

from dataclasses import dataclass

from serment.app.watch.sentences import SENTENCES, UNSAID, WHAT
from serment.core.journal.entries import EventKind
from serment.entrypoints import formats, language
from serment.entrypoints.web.views import JournalLine
from serment.errors import N_


@dataclass(frozen=True, slots=True)
class Look:
    icon: str
    tone: str = "plain"  # plain, good, alert


LOOKS = {
    EventKind.VAULT_FOUNDED: Look("seal", "good"),
    EventKind.SERVER_STARTED: Look("power"),
    EventKind.SERVER_STOPPED: Look("power"),
    EventKind.RECEPTION_OPENED: Look("arrival"),
    EventKind.RECEPTION_CLOSED: Look("arrival"),
    EventKind.RECEPTION_INTERRUPTED: Look("alert", "alert"),
    EventKind.OPENED: Look("unlock"),
    EventKind.LOCKED: Look("lock"),
    EventKind.FILED: Look("inbox"),
    EventKind.UNFILED: Look("undo"),
    EventKind.KEYS_MOVED: Look("key"),
    EventKind.KEYS_RENEWED: Look("key"),
    EventKind.REPEATS_FOUND: Look("studies"),
    EventKind.READ: Look("eye"),
    EventKind.SEARCHED: Look("search"),
    EventKind.EXPORTED: Look("download", "alert"),
    EventKind.REFUSED: Look("alert", "alert"),
    EventKind.LOGIN_FAILED: Look("alert", "alert"),
    EventKind.MEMBER_ADDED: Look("members"),
    EventKind.MEMBER_ADMITTED: Look("members"),
    EventKind.MEMBER_REMOVED: Look("members"),
    EventKind.MEMBER_RESCUED: Look("key", "alert"),
    EventKind.MEMBER_PASSWORD: Look("key"),
    EventKind.SECOND_FACTOR_CHANGED: Look("phone"),
    EventKind.CIRCLE_MADE: Look("key"),
    EventKind.CIRCLE_STOPPED: Look("alert", "alert"),
    EventKind.CIRCLE_RESUMED: Look("key", "good"),
    EventKind.DEVICE_ADDED: Look("device"),
    EventKind.DEVICE_REMOVED: Look("device"),
    EventKind.CERTIFICATE_ISSUED: Look("seal"),
    EventKind.KIT_MADE: Look("key", "good"),
    EventKind.KIT_DECLARED: Look("printer", "good"),
    EventKind.KIT_TRIED: Look("key", "good"),
    EventKind.CHECKPOINT_TAKEN: Look("download", "good"),
    EventKind.RECOVERED: Look("key", "alert"),
    EventKind.RETENTION_CHANGED: Look("clock", "alert"),
    EventKind.EXPIRED: Look("clock"),
    EventKind.CIRCLE_ACCEPTED: Look("key"),
    EventKind.KEYS_PINNED: Look("key"),
    EventKind.RADIUS_COMPUTED: Look("alert"),
    EventKind.SCAN_MADE: Look("exposure"),
    EventKind.SCAN_FAILED: Look("exposure", "alert"),
    EventKind.SCAN_READ: Look("eye"),
    EventKind.SCAN_PLANNED: Look("clock"),
    EventKind.FINDING_ACCEPTED: Look("exposure", "alert"),
    EventKind.PACKS_INDEXED: Look("check"),
    EventKind.REPAIRED: Look("seal"),
}
PLAIN = Look("info")
EXPIRED = Look("clock")
EXPIRED_SENTENCE = N_("This entry reached the end of its retention; its proof remains")

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
            EventKind.MEMBER_PASSWORD,
            EventKind.SECOND_FACTOR_CHANGED,
            EventKind.CIRCLE_MADE,
            EventKind.CIRCLE_STOPPED,
            EventKind.KEYS_RENEWED,
            EventKind.DEVICE_ADDED,
            EventKind.DEVICE_REMOVED,
            EventKind.CERTIFICATE_ISSUED,
            EventKind.KIT_MADE,
            EventKind.KIT_DECLARED,
            EventKind.KIT_TRIED,
            EventKind.CHECKPOINT_TAKEN,
            EventKind.RETENTION_CHANGED,
            EventKind.RECOVERED,
            EventKind.RADIUS_COMPUTED,
        ),
    ),
    "exposure": (
        N_("What strangers can reach"),
        (
            EventKind.SCAN_MADE,
            EventKind.SCAN_FAILED,
            EventKind.SCAN_READ,
            EventKind.SCAN_PLANNED,
            EventKind.FINDING_ACCEPTED,
        ),
    ),
}


def of(line: JournalLine) -> Look:
    """How an entry looks."""
    return EXPIRED if line.kind is None else LOOKS.get(line.kind, PLAIN)


def say(line: JournalLine, lang: str) -> str:
    """The entry as a sentence. `values` may say `count`, `what` and `reason`."""
    if line.kind is None:
        return language.say(EXPIRED_SENTENCE, lang)
    one, many = SENTENCES.get(line.kind, (line.kind.value, ""))
    count = line.values.get("count", 1)
    values = {word: _word(line.values.get(word), lang) for word in ("what", "reason")}
    return say_form(
        one,
        many or one,
        count if isinstance(count, int) else 1,
        lang,
        actor=line.actor or UNSAID,
        subject=line.subject or UNSAID,
        **values,
    )


def say_form(one: str, many: str, count: int, lang: str, **values: object) -> str:
    """The form for that count of two messages that are translated apart (rows of tables)."""
    single = count in (0, 1) if lang == "fr" else count == 1
    text = language.translator(lang).gettext(one if single else many)
    return text.format(count=formats.number(count, lang), **values)


def _word(value: object, lang: str) -> str:
    if not isinstance(value, str) or not value:
        return UNSAID
    return language.say(WHAT.get(value, value), lang)
