"""Which secrets each vector gives to whom takes it, and why: the rule, one function a vector.

What the secrets then open is `reach`. Everything not given here counts as unintelligible, so a doubt
gives: a rule that was not recorded, a session whose end nobody wrote, accesses that have expired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from serment.core.access.strength import Strength
from serment.core.breach.evidence import Fact
from serment.core.breach.examination import Examination, PasswordSet, SessionSeen
from serment.core.breach.exposure import Exposure
from serment.core.breach.vectors import Account, Listener, Server, Stolen, has_files
from serment.core.crypto.slip39 import THRESHOLD
from serment.core.journal.caller import LOCAL
from serment.core.records import names
from serment.errors import N_, NotFound

DICOM = "dicom"  # `source` of what came through a listener that only receives
LOOPBACK = ("127.", "localhost", "[::1]", "::1")


@dataclass(slots=True)
class Ways:
    """`known`: names of the secrets he has; `passed`: envelopes that came by him; `weakest`: of
    the passwords that were in force, how the easiest to guess was made."""

    known: set[str] = field(default_factory=set)
    passed: dict[int, Exposure] = field(default_factory=dict)
    weakest: Strength | None = None


def ways_of(found: Examination, complete_since: datetime | None) -> Ways:
    """What the vector gives. `complete_since`: accesses before have expired from the journal.

    Raises:
        NotFound: nothing ever crossed the listener.
    """
    expired = complete_since is not None and complete_since > found.vector.start
    ways = Ways()
    if expired:
        stolen = isinstance(found.vector, Stolen)
        found.findings.note(Fact.SESSIONS_UNKNOWN if stolen else Fact.EXPIRED, since=complete_since)
    match found.vector:
        case Stolen() as vector:
            _files(found, ways, vector.known, vector.shares)
            _tell_sessions(found, Fact.SESSIONS_OPEN, found.overlapping())
        case Account(member):
            _account(found, ways, member)
        case Server() as vector:
            _files(found, ways, vector.known, vector.shares)
            _server(found, ways, complete_since if expired else None)
        case Listener() as vector:
            _listener(found, ways, vector, complete_since)
        case _ as never:
            assert_never(never)
    return ways


def share(found: Sequence[Examination], ways: Sequence[Ways]) -> None:
    """Several ways are one breach: whoever has the files has every secret that any of them gave,
    whichever came first."""
    known = set[str]().union(*(each.known for each in ways))
    for one, his in zip(found, ways, strict=True):
        if has_files(one.vector):
            for member in sorted(_members(known) - _members(his.known)):
                one.findings.note(Fact.KNOWN_ELSEWHERE, member=names.member(member))
            his.known |= known


def _members(known: set[str]) -> set[str]:
    return {names.parse_name(name).id for name in known} - {""}  # "": the kit's


# Whoever has the files


def _files(found: Examination, ways: Ways, known: frozenset[str], shares: int | None) -> None:
    """Passwords that can be guessed or are known, and the kit."""
    found.keys.settle(found.last)
    if found.put_aside is not None:
        found.findings.note(Fact.DAMAGED_KEPT, found.put_aside)
    if shares is not None:
        found.findings.note(Fact.KIT_NOW, count=shares)
    if shares is not None and shares >= THRESHOLD:
        found.findings.note(Fact.KIT_HERE, count=shares)
        ways.known.add(names.RECOVERY)
    in_force = _in_force(found)
    for subject, passwords in in_force.items():
        member = names.parse_name(subject).id
        if member in known:
            found.findings.note(Fact.PASSWORD_KNOWN, passwords[-1].index, member=subject)
            ways.known.add(names.password(member))
        for password in passwords:
            if _is_guessable(found, subject, password):
                ways.known.add(names.password(member))
    _tell_weakest(found, ways, [p for passwords in in_force.values() for p in passwords])


def _in_force(found: Examination) -> dict[str, list[PasswordSet]]:
    """The passwords whose wraps were there, by member: also those just replaced, as long as a copy
    may have had them."""
    since = found.keys.kept_since(min(found.vector.start, found.last))
    there = {wrap.subject for wrap in found.keys.tops if wrap.recipient.startswith("password:")}
    in_force = {}
    for subject in sorted(there):
        made = found.passwords.get(subject, [])
        replaced = [later.at for later in made[1:]]
        kept = [p for p, at in zip(made, replaced, strict=False) if at >= since]
        for password in kept:
            found.findings.note(Fact.PASSWORD_KEPT, password.index)
        in_force[subject] = [*kept, *made[-1:]]
    return in_force


def _is_guessable(found: Examination, subject: str, password: PasswordSet) -> bool:
    """Made under another rule or a lower cost than today's, or nobody knows which."""
    if password.strength is None:
        found.findings.note(Fact.PASSWORD_UNRECORDED, password.index, member=subject)
        return True
    if not password.strength.is_current:
        found.findings.note(
            Fact.PASSWORD_OLD,
            password.index,
            member=subject,
            rule=password.strength.rule,
            kdf=password.strength.kdf,
        )
        return True
    return False


def _tell_weakest(found: Examination, ways: Ways, passwords: list[PasswordSet]) -> None:
    strengths = [p.strength for p in passwords if p.strength is not None]
    if not strengths:
        return
    ways.weakest = weakest = min(strengths, key=lambda s: s.order)
    for password in passwords:
        found.findings.note(
            Fact.PASSWORD_WEAKEST, password.index, rule=weakest.rule, kdf=weakest.kdf
        )


# Whoever acted as a member, or controlled the server


def _account(found: Examination, ways: Ways, member: str) -> None:
    name = names.member(member)
    ways.known.add(name)
    found.findings.note(Fact.ACCOUNT_KEYS, member=name)
    for session in found.overlapping():
        if session.member == member:
            found.findings.note(Fact.ACCOUNT_SESSIONS, session.index, member=name)


def _server(found: Examination, ways: Ways, expired: datetime | None) -> None:
    """What was in the memory: the seeds of those who were signed in, what arrived, the kit."""
    sessions = found.overlapping()
    _tell_sessions(found, Fact.SESSIONS_OVERLAP, sessions)
    ways.known.update(names.member(session.member) for session in sessions)
    _failed(found, ways)
    if expired is not None:
        _everybody(found, ways, expired)
    for index in found.kit_used:
        found.findings.note(Fact.KIT_USED, index)
        ways.known.add(names.RECOVERY)
    for envelope, coming in found.coming.items():
        found.findings.note(Fact.PASSED, coming.index)
        ways.passed[envelope] = Exposure.READABLE


def _everybody(found: Examination, ways: Ways, expired: datetime) -> None:
    found.findings.note(Fact.SESSIONS_EXPIRED, since=expired)
    ways.known.update(w.subject for w in found.keys.tops if w.recipient.startswith("password:"))


def _failed(found: Examination, ways: Ways) -> None:
    """Whose sign-in failed, for his password may have been right: a bound."""
    for member, index in found.failed:
        found.findings.note(Fact.SIGN_IN_FAILED, index, member=names.member(member))
        ways.known.add(names.member(member))


def _tell_sessions(found: Examination, fact: Fact, sessions: list[SessionSeen]) -> None:
    for session in sessions:
        found.findings.note(fact, session.index)


# Whoever listened


def _listener(
    found: Examination, ways: Ways, vector: Listener, complete_since: datetime | None
) -> None:
    if vector.address == LOCAL or (not found.heard and complete_since is None):
        raise NotFound(
            N_("nothing that the journal knows of ever crossed {address}"),
            hint=N_("write it as the server does: HOST:PORT, or HOST for all its ports"),
            address=vector.address,
        )
    sessions = [s for s in found.overlapping() if vector.hears(s.local)]
    # The web always has TLS, today; but what an entry tells is believed.
    clear = [s for s in sessions if not s.tls]
    _tell_sessions(found, Fact.SESSIONS_CLEAR, clear)
    _tell_sessions(found, Fact.SESSIONS_TLS, [s for s in sessions if s.tls])
    ways.known.update(names.member(session.member) for session in clear)
    _failed(found, ways)
    for envelope, coming in found.coming.items():
        found.findings.note(Fact.CROSSED_TLS if coming.tls else Fact.CROSSED_CLEAR, coming.index)
        if not coming.tls:
            ways.passed[envelope] = Exposure.READ
    only_receives = bool(found.coming) and not sessions and _only_dicom(found)
    found.findings.note(Fact.ONLY_RECEIVES if only_receives else Fact.ANSWERS)
    if vector.address.startswith(LOOPBACK):
        found.findings.note(Fact.LOOPBACK)


def _only_dicom(found: Examination) -> bool:
    return all(coming.source == DICOM for coming in found.coming.values())
