"""What the radius is known by: each statement with how often, and where in the journal.

One table of sentences. How many is a number beside the sentence, so that none needs a plural; who
shows it puts logins in the place of "member:…".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from serment.errors import N_


class Fact(StrEnum):
    """Names are stable: `code` in the JSON."""

    KIT_HERE = "kit-here"
    KIT_NOW = "kit-looked-now"
    KIT_USED = "kit-used"
    PASSWORD_KNOWN = "password-known"
    PASSWORD_OLD = "password-old"
    PASSWORD_UNRECORDED = "password-unrecorded"
    PASSWORD_WEAKEST = "password-weakest"
    PASSWORD_KEPT = "password-kept"
    DAMAGED_KEPT = "damaged-kept"
    SESSIONS_OPEN = "sessions-open"
    SESSIONS_UNKNOWN = "sessions-unknown"
    SESSIONS_OVERLAP = "sessions-overlap"
    SESSIONS_EXPIRED = "sessions-expired"
    SIGN_IN_FAILED = "sign-in-failed"
    KNOWN_ELSEWHERE = "known-elsewhere"
    ACCOUNT_KEYS = "account-keys"
    ACCOUNT_SESSIONS = "account-sessions"
    SHOWN = "shown"
    FOUND = "found"
    FOUND_UNNAMED = "found-unnamed"
    TAKEN_OUT = "taken-out"
    PASSED = "passed-through"
    CROSSED_CLEAR = "crossed-clear"
    CROSSED_TLS = "crossed-tls"
    SESSIONS_CLEAR = "sessions-clear"
    SESSIONS_TLS = "sessions-tls"
    REFUSED = "refused"
    ONLY_RECEIVES = "only-receives"
    ANSWERS = "answers-signed-in"
    LOOPBACK = "loopback"
    FILING_TODAY = "filing-today"
    UNFILED = "unfiled"
    KINDS_UNKNOWN = "kinds-unknown"
    CIRCLE_STOPPED = "circle-stopped"
    SEALED_MEANWHILE = "sealed-meanwhile"
    EXPIRED = "expired"
    UNREADABLE = "unreadable"
    NOT_WHOLE = "journal-not-whole"
    WHOLE = "journal-whole"


# With one of these no answer is harmless, whatever it counts.
DOUBTS = frozenset({Fact.CIRCLE_STOPPED, Fact.UNREADABLE, Fact.NOT_WHOLE})


SENTENCES: Mapping[Fact, str] = {
    Fact.KIT_HERE: N_("A thief reads everything: the kit is here."),
    Fact.KIT_NOW: N_(
        "This machine was searched for the kit now, not at the time asked about: shares found"
    ),
    Fact.KIT_USED: N_(
        "The recovery kit was used on this server meanwhile: its key, which opens everything, was "
        "in the memory"
    ),
    Fact.PASSWORD_KNOWN: N_(
        "The password of {member} is known to others: what it opened is readable"
    ),
    Fact.PASSWORD_OLD: N_(
        "The password of {member} was set under an older rule or a cheaper derivation "
        "({rule}, {kdf}): what it opened counts as readable"
    ),
    Fact.PASSWORD_UNRECORDED: N_(
        "The journal does not say under which rule the password of {member} was set: what it "
        "opened counts as readable"
    ),
    Fact.PASSWORD_WEAKEST: N_(
        "Passwords in force; the weakest rule and derivation among them: {rule}, {kdf}"
    ),
    Fact.PASSWORD_KEPT: N_(
        "Password wraps deleted or replaced so shortly before that the second copy of the keys "
        "may still have held them: they count"
    ),
    Fact.DAMAGED_KEPT: N_(
        "A damaged database that a restored one had replaced was still in the vault's folder: wraps "
        "deleted or replaced since then count"
    ),
    Fact.SESSIONS_OPEN: N_(
        "Sessions were open at that time, their keys in the memory: if the machine was taken "
        "running, ask about a controlled server too (`--server`)"
    ),
    Fact.SESSIONS_UNKNOWN: N_(
        "Accesses before {since} have expired from the journal: whether sessions were open at that "
        "time cannot be told"
    ),
    Fact.SESSIONS_OVERLAP: N_("Sessions were open meanwhile: what their keys led to is readable"),
    Fact.SESSIONS_EXPIRED: N_(
        "Who was signed in before {since} has expired from the journal: every member counts as "
        "signed in, a bound"
    ),
    Fact.SIGN_IN_FAILED: N_(
        "Sign-ins of {member} failed meanwhile, perhaps with the right password: what his keys led "
        "to counts as readable"
    ),
    Fact.KNOWN_ELSEWHERE: N_(
        "Another of the ways asked about gave the keys of {member}: what they open in the files is "
        "readable"
    ),
    Fact.ACCOUNT_KEYS: N_("What the keys of {member} led to meanwhile is readable"),
    Fact.ACCOUNT_SESSIONS: N_("Sessions that {member} opened meanwhile"),
    Fact.SHOWN: N_("Entries that name what was opened and shown: it counts as read"),
    Fact.FOUND: N_("Lists of patients or studies that were shown: their identities count as read"),
    Fact.FOUND_UNNAMED: N_(
        "Results beyond the first thousand of a list are counted by the journal, not named: they "
        "are among what is readable"
    ),
    Fact.TAKEN_OUT: N_("Objects that were taken out as files: they count as read"),
    Fact.PASSED: N_(
        "Receptions were under way: what arrived passed through the memory and is readable"
    ),
    Fact.CROSSED_CLEAR: N_(
        "Receptions crossed this address without encryption: they count as read"
    ),
    Fact.CROSSED_TLS: N_("Receptions crossed this address encrypted (TLS)"),
    Fact.SESSIONS_CLEAR: N_(
        "Sessions crossed this address without encryption, password and cookie too: what their "
        "keys led to is readable"
    ),
    Fact.SESSIONS_TLS: N_("Sessions crossed this address encrypted (TLS)"),
    Fact.REFUSED: N_("Callers and sign-ins that were refused at this address"),
    Fact.ONLY_RECEIVES: N_("What could be asked of it: it only receives, and shows nothing"),
    Fact.ANSWERS: N_("What could be asked of it: it answers members who are signed in"),
    Fact.LOOPBACK: N_(
        "This address is reached from this machine only: who could listen there controls it, so "
        "ask about a controlled server too (`--server`)"
    ),
    Fact.FILING_TODAY: N_(
        "Patients are those that arrivals are filed with today, whoever they were filed with then"
    ),
    Fact.UNFILED: N_("Arrivals that are filed with nobody: their patients are unknown, a bound"),
    Fact.KINDS_UNKNOWN: N_(
        "Arrivals of which the journal does not say what each object is: all of it counts as what "
        "came first"
    ),
    Fact.CIRCLE_STOPPED: N_(
        "A circle's public key had been exchanged: what arrived before it was noticed may be "
        "readable to whoever did that"
    ),
    Fact.SEALED_MEANWHILE: N_(
        "Arrivals since a session last vouched for that public key, in the files that were reached: "
        "they count as readable"
    ),
    Fact.EXPIRED: N_(
        "Accesses before {since} have expired from the journal: what was read then cannot be told, "
        "only what was readable"
    ),
    Fact.UNREADABLE: N_("Entries that cannot be read: this answer is a lower bound"),
    Fact.NOT_WHOLE: N_(
        "The journal is not whole from entry {number} on: from there this answer proves nothing"
    ),
    Fact.WHOLE: N_("The journal is whole: every entry was checked"),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement. `entries`: the first and the last number in the journal, None when it is not
    known from there."""

    fact: Fact
    count: int
    entries: tuple[int, int] | None = None
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def message(self) -> str:
        return SENTENCES[self.fact]


class Findings:
    """Collects how often each fact was met, and between which entries."""

    def __init__(self) -> None:
        self._found: dict[tuple[Fact, tuple[tuple[str, object], ...]], list[int]] = {}

    def note(self, fact: Fact, index: int | None = None, count: int = 1, **values: object) -> None:
        """It was met (`count` times) in that entry."""
        key = (fact, tuple(sorted(values.items())))
        found = self._found.setdefault(key, [0, -1, -1])
        found[0] += count
        if index is not None:
            found[1] = index if found[1] < 0 else min(found[1], index)
            found[2] = max(found[2], index)

    def evidence(self) -> list[Evidence]:
        """What was met, in the order of the facts."""
        order = list(Fact)
        return [
            Evidence(fact, count, None if first < 0 else (first, last), dict(values))
            for (fact, values), (count, first, last) in sorted(
                self._found.items(), key=lambda item: order.index(item[0][0])
            )
        ]
