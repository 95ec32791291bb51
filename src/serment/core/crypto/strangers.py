"""Reads a stranger's certificate for an audit: dates, key, signature, and the host names it is for.

Hostile ones are expected: the size is bounded before anything is parsed, and whatever the parser
cannot read is one `FormatError`; a name that no host can have is left out. Nothing is verified or believed here; who may be trusted is
`certificates`' and the browsers' business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

from serment.errors import N_, FormatError

SIZE_LIMIT: Final = 32 * 1024  # bytes; real ones have one or two thousand
_HOSTS: Final = 8  # names looked at
_LONGEST: Final = 254  # characters of one
_HOST: Final = re.compile(
    r"(?=.{1,253}$)(?!.*\.\d+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+"
)
_COMMON_NAME: Final = NameOID.COMMON_NAME
_RSA_VERIFIED: Final = 16384  # bits, beyond which checking a signature is the attack


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says. `expires` is aware UTC; `key_bits` of its own kind; `hosts` are DNS
    names, lower case, to be asked for at the server that sent it and never kept."""

    expires: datetime
    key_kind: str  # "RSA", "EC", "Ed25519", "Ed448", "DSA", "" when it is another
    key_bits: int
    self_signed: bool
    signature: str  # "sha256" ..., "" when the signature has no hash of its own
    hosts: tuple[str, ...] = ()


def read_certificate(untrusted_der: bytes) -> CertificateFacts:
    """Read one X.509 certificate (RFC 5280), DER.

    Raises:
        FormatError: it is empty, too large, or not a certificate that can be read.
    """
    if not 0 < len(untrusted_der) <= SIZE_LIMIT:
        raise _unreadable()
    try:
        certificate = x509.load_der_x509_certificate(untrusted_der)
        kind, bits = _key(certificate)
        return CertificateFacts(
            certificate.not_valid_after_utc,
            kind,
            bits,
            _is_self_signed(certificate, kind, bits),
            _hash(certificate),
            _hosts(certificate),
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise _unreadable() from error


def _key(certificate: x509.Certificate) -> tuple[str, int]:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "", 0
    match key:
        case rsa.RSAPublicKey():
            return "RSA", key.key_size
        case ec.EllipticCurvePublicKey():
            return "EC", key.key_size
        case dsa.DSAPublicKey():
            return "DSA", key.key_size
        case ed25519.Ed25519PublicKey():
            return "Ed25519", 256
        case ed448.Ed448PublicKey():
            return "Ed448", 456
        case _:
            return "", 0


def _is_self_signed(certificate: x509.Certificate, kind: str, bits: int) -> bool:
    """Signed with its own key; a name that only pretends is not enough."""
    if certificate.issuer.public_bytes() != certificate.subject.public_bytes():
        return False
    if kind == "RSA" and bits > _RSA_VERIFIED:
        return True
    try:
        certificate.verify_directly_issued_by(certificate)
    except (InvalidSignature, ValueError, TypeError):
        return False
    except UnsupportedAlgorithm:
        return True  # the name says so, and the signature is of a kind nobody checks any more
    return True


def _hash(certificate: x509.Certificate) -> str:
    try:
        used = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return used.name if used else ""


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    """The first host names of the subject alternative names (RFC 5280 4.2.1.6), else the common name's."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        said = names.value.get_values_for_type(x509.DNSName)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        said = []
    said = said or [str(each.value) for each in certificate.subject if each.oid == _COMMON_NAME]
    named = (each[:_LONGEST].lower() for each in said[:_HOSTS])
    return tuple(dict.fromkeys(each for each in named if _HOST.fullmatch(each)))


def _unreadable() -> FormatError:
    return FormatError(N_("the certificate cannot be read"))
