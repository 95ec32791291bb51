"""Settings: the second factor, the recovery kit, and what is fixed."""

from __future__ import annotations

import hashlib
import ssl

from serment import __version__
from serment.app.protect import kit, second_factor
from serment.core.access import sessions
from serment.core.access.rights import Act
from serment.core.journal.retention import DEFAULT_MONTHS
from serment.core.masked import Masked
from serment.core.records.vault import FORMAT_VERSION
from serment.entrypoints.web.practice import access
from serment.entrypoints.web.practice.home import kit_view
from serment.entrypoints.web.practice.members import recovery_words
from serment.entrypoints.web.practice.visit import Visit
from serment.entrypoints.web.views import SecondFactor, SettingsView
from serment.errors import N_, UsageError


def view(visit: Visit) -> SettingsView:
    return SettingsView(
        kit=kit_view(visit),
        may_declare=visit.may(Act.SETTINGS),
        recovery_words=recovery_words(visit),
        idle_minutes=int(sessions.IDLE.total_seconds() // 60),
        absolute_hours=int(sessions.ABSOLUTE.total_seconds() // 3600),
        journal_months=DEFAULT_MONTHS,
        version=__version__,
        format_version=FORMAT_VERSION,
        fingerprint=fingerprint(access.authority(visit.desk)),
    )


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate (PEM) as browsers write it: pairs of hex digits."""
    der = ssl.PEM_cert_to_DER_cert(certificate.decode("ascii"))
    return hashlib.sha256(der).digest().hex(":").upper()


def new_second_factor(visit: Visit, code: str) -> SecondFactor:
    """A fresh secret, remembered by the session until a code made with it is shown. Changing the
    phone takes a code of the present one: an open session alone must not change who may come in."""
    with visit.desk.refused.throttled(visit.house, visit.session.peer):
        visit.practice.prove(visit.session, code)
    secret = second_factor.new_secret()
    with visit.house.lock:
        visit.session.pending_totp = secret
    return _shown(visit, secret)


def pending_second_factor(visit: Visit) -> SecondFactor | None:
    """The secret shown last, so that a mistyped code does not ask for another picture."""
    secret = visit.session.pending_totp
    return None if secret is None else _shown(visit, secret)


def _shown(visit: Visit, secret: Masked[str]) -> SecondFactor:
    login, practice = visit.session.member.login, visit.house.practice
    return SecondFactor(second_factor.address(secret, login, practice), secret)


def confirm_second_factor(visit: Visit, code: str) -> None:
    """Keep the secret shown last, once its code is right."""
    with visit.house.lock:
        secret, seed = visit.session.pending_totp, visit.session.seed
        if secret is None or seed is None:
            raise UsageError(
                N_("no second factor waits to be confirmed"),
                hint=N_("begin again: turn it on, then scan the new picture"),
            )
        member = second_factor.enrol(visit.house, visit.session.member, seed, secret, code)
        visit.session.member, visit.session.pending_totp = member, None


def declare_kit(visit: Visit) -> None:
    """An administrator says that the kit was printed and put away."""
    kit.declare_printed(visit.house, visit.session.member)
