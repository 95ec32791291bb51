"""Reads a stranger's certificate for an audit: dates, key and signature, and none of its names.

Hostile ones are expected: the size is bounded before anything is parsed, and whatever the parser
cannot read is one `FormatError`. Nothing is verified or believed here; who may be trusted is
`certificates`' and the browsers' business.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from serment.errors import N_, FormatError

SIZE_LIMIT: Final = 32 * 1024  # bytes; real ones have one or two thousand
_RSA_VERIFIED: Final = 16384  # bits, beyond which checking a signature is the attack


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a certificate says beside names. `expires` is aware UTC; `key_bits` of its own kind."""

    expires: datetime
    key_kind: str  # "RSA", "EC", "Ed25519", "Ed448", "DSA", "" when it is another
    key_bits: int
    self_signed: bool
    signature: str  # "sha256" ..., "" when the signature has no hash of its own


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


def _unreadable() -> FormatError:
    return FormatError(N_("the certificate cannot be read"))
