"""Serment's own small authority: certificates that browsers and devices of one practice accept.

Critical name constraints: whoever steals the authority's key can only pretend to be the
practice's own names and private addresses, not a bank. Where the key is kept is decided in
`app.protect`.

Source: RFC 5280 sections 4.2.1.9 (name constraints) and 4.2.1.12 (extended key usage).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from serment.core.crypto.secret import SECRET_BYTES, Seed
from serment.errors import N_, FormatError, UsageError

AUTHORITY_DAYS = 3653  # ten years
MAX_DAYS = 825  # what Apple's systems accept of a private authority; the others accept more
PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
LOCALHOST = "localhost"
_CLOCK_SKEW = timedelta(hours=1)
_COMMON_NAME_LIMIT = 64  # in bytes of UTF-8; RFC 5280 appendix A.1, ub-common-name
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def make_authority(practice: str, names: Sequence[str], now: datetime) -> tuple[bytes, Seed]:
    """Return a self-signed authority (PEM) and its private key.

    Args:
        practice: shown as the issuer's name.
        names: DNS names that may be certified, with everything below them.
        now: aware UTC.

    Raises:
        UsageError: a name that is not a DNS name.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = _named(f"Serment {practice}")
    builder = (
        _builder(name, name, key.public_key(), now, now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(_PURPOSES, critical=False)
        .add_extension(_constraints(names), critical=True)
    )
    certificate = builder.sign(key, SHA256())
    scalar = key.private_numbers().private_value
    return certificate.public_bytes(Encoding.PEM), Seed(scalar.to_bytes(SECRET_BYTES, "big"))


def issue(
    ca_cert: bytes,
    ca_key: Seed,
    names: Sequence[str],
    addresses: Sequence[str],
    now: datetime,
    days: int,
) -> tuple[bytes, bytes]:
    """Return a server certificate and its private key (both PEM; the key not encrypted).

    Args:
        names: DNS names; the first is shown as the certificate's own.
        addresses: IP addresses as text.
        now: aware UTC.
        days: how long it is valid, at most 825 and never beyond the authority.

    Raises:
        UsageError: a name or address that is malformed or outside the authority's constraints,
            or another number of days.
        FormatError: the authority's certificate cannot be read, or the key is not its key.
    """
    authority = _load(ca_cert)
    signer = _signer(authority, ca_key)
    if not 1 <= days <= MAX_DAYS:
        raise UsageError(
            N_("a certificate is valid 1 to {limit} days, not {days}"), limit=MAX_DAYS, days=days
        )
    alternatives = _alternatives(authority, names, addresses)
    key = ec.generate_private_key(ec.SECP256R1())
    end = min(now + timedelta(days=days), authority.not_valid_after_utc)
    subject = _named(str(alternatives[0].value))
    builder = (
        _builder(subject, authority.subject, key.public_key(), now, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    certificate = builder.sign(signer, SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), pem


def expiry(certificate: bytes) -> datetime:
    """Return when a certificate (PEM) ends, aware UTC; `FormatError` when it is not one."""
    return _load(certificate).not_valid_after_utc


# Servers now, devices later; nothing signs mail or programs with this authority.
_PURPOSES = x509.ExtendedKeyUsage(
    [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    now: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _signer(authority: x509.Certificate, key: Seed) -> ec.EllipticCurvePrivateKey:
    try:
        signer = ec.derive_private_key(int.from_bytes(key.reveal(), "big"), ec.SECP256R1())
    except ValueError as error:
        raise _not_its_key() from error
    if signer.public_key() != authority.public_key():
        raise _not_its_key()
    return signer


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _named(text: str) -> x509.Name:
    short = text.encode()[:_COMMON_NAME_LIMIT].decode(errors="ignore")
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, short)])


def _constraints(names: Iterable[str]) -> x509.NameConstraints:
    permitted: list[x509.GeneralName] = [
        x509.DNSName(name) for name in dict.fromkeys((LOCALHOST, *map(_dns_name, names)))
    ]
    permitted += [x509.IPAddress(network) for network in PRIVATE_NETWORKS]
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


def _alternatives(
    authority: x509.Certificate, names: Sequence[str], addresses: Sequence[str]
) -> list[x509.DNSName | x509.IPAddress]:
    domains = _domains(authority)
    found: list[x509.DNSName | x509.IPAddress] = []
    for name in dict.fromkeys(map(_dns_name, names)):
        if not any(name == domain or name.endswith("." + domain) for domain in domains):
            raise _outside(name)
        found.append(x509.DNSName(name))
    for address in map(_address, dict.fromkeys(addresses)):
        if not any(address in network for network in PRIVATE_NETWORKS):
            raise _outside(str(address))
        found.append(x509.IPAddress(address))
    if not found:
        raise UsageError(N_("a certificate needs a name or an address"))
    return found


def _domains(authority: x509.Certificate) -> list[str]:
    try:
        constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    except (x509.ExtensionNotFound, ValueError) as error:
        raise FormatError(N_("the authority has no name constraints: it is not ours")) from error
    permitted = constraints.permitted_subtrees or []
    return [subtree.value for subtree in permitted if isinstance(subtree, x509.DNSName)]


def _dns_name(name: str) -> str:
    try:
        ascii_name = name.lower().encode("idna").decode("ascii")
    except UnicodeError as error:
        raise _not_a_name(name) from error
    labels = ascii_name.split(".")
    if len(ascii_name) > 253 or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdigit():
        raise _not_a_name(name)
    return ascii_name


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        raise UsageError(N_("{text} is not an IP address"), text=text) from error


def _load(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise FormatError(N_("the certificate cannot be read")) from error


def _not_its_key() -> FormatError:
    return FormatError(N_("the key is not the one of this authority"))


def _not_a_name(name: str) -> UsageError:
    return UsageError(
        N_("{name} is not a host name"),
        hint=N_("use a name such as serment.cabinet.fr, without protocol and port"),
        name=name,
    )


def _outside(name: str) -> UsageError:
    return UsageError(
        N_("{name} is outside what this practice's authority may certify"),
        hint=N_("it certifies the names given at `serment init` and private addresses"),
        name=name,
    )
