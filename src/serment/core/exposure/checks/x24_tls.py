"""X24: TLS that is too old, encrypts nothing or vouches for nobody, or a certificate that has expired, is short, or vouches for itself.

A self-signed certificate on a practice's own network is usual (a NAS, a box): low. A certificate of
an authority of the practice is nothing to state. Old versions beside new ones are low too where only
devices with a certificate get in, as DICOM over TLS comes (PS3.15 B.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from serment.core.exposure.checking import ENCRYPTION, Check, Statement, Unasked, View
from serment.core.exposure.findings import RANKS, Severity
from serment.core.exposure.seen import Answer, Service, Tls
from serment.errors import N_, Remark

OLD = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1")
WEAK_HASHES = ("md5", "sha1")
RSA_BITS, EC_BITS = 2048, 224

Problem = tuple[Severity, Remark]


def look(view: View) -> Iterator[Statement | Unasked]:
    for service in view.scan.services:
        if service.tls is None:
            continue
        if not service.tls.understood:
            yield Unasked(service.place, _why(service), {"port": service.place.port})
            continue
        found = list(problems(service.tls, view.scan.at))
        if found:
            yield Statement(
                service.place,
                min((severity for severity, _ in found), key=RANKS.__getitem__),
                N_("The TLS session showed: {problems}"),
                {"problems": tuple(remark for _, remark in found)},
            )


def problems(tls: Tls, now: datetime | None) -> Iterator[Problem]:
    """What is wrong with one TLS side; `now` None = expiry cannot be judged."""
    if "NULL" in tls.weak:
        yield Severity.HIGH, Remark(N_("sessions without encryption (NULL)"))
    if "anonymous" in tls.weak:
        yield Severity.HIGH, Remark(N_("sessions without any certificate (anonymous)"))
    old = [version for version in tls.versions if version in OLD]
    if old:
        yield (
            _of_versions(tls, old),
            Remark(N_("old versions ({versions})"), versions=", ".join(old)),
        )
    if tls.expires is not None and now is not None and tls.expires <= now:
        yield Severity.MEDIUM, Remark(N_("expired on {day}"), day=tls.expires.date())
    if tls.key_kind == "RSA" and 0 < tls.key_bits < RSA_BITS:
        severity = Severity.HIGH if tls.key_bits <= RSA_BITS // 2 else Severity.MEDIUM
        yield severity, Remark(N_("a key of {bits} bits"), bits=tls.key_bits)
    if tls.key_kind == "EC" and 0 < tls.key_bits < EC_BITS:
        yield Severity.MEDIUM, Remark(N_("a key of {bits} bits"), bits=tls.key_bits)
    if tls.signature.lower() in WEAK_HASHES and not tls.self_signed:
        yield Severity.MEDIUM, Remark(N_("signed with {hash}"), hash=tls.signature)
    if tls.self_signed:
        yield Severity.LOW, Remark(N_("the certificate vouches for itself"))


def _why(service: Service) -> str:
    if service.protocol == "tls":
        return N_("port {port}: it began TLS and did not go on")
    return N_("port {port}: it spoke inside TLS, but which versions it takes was not told")


def _of_versions(tls: Tls, old: list[str]) -> Severity:
    if len(old) == len(tls.versions) or set(old) & {"SSLv2", "SSLv3"}:
        return Severity.HIGH
    return Severity.LOW if tls.client_certificate is Answer.YES else Severity.MEDIUM


CHECK = Check(
    id="X24",
    name="tls-weak-or-expired",
    title=N_("Weak or outdated encryption (TLS)"),
    remedy=N_("Renew the certificate and allow TLS 1.2 or later only."),
    articles=ENCRYPTION,
    commandment=3,
    look=look,
)
