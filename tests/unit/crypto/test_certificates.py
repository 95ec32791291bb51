"""The practice's authority: accepted for its own names, by several verifiers, and for no other."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from serment.core.crypto import certificates, keys
from serment.core.crypto.secret import Seed
from serment.errors import FormatError, UsageError

NOW = datetime.now(UTC)  # verifiers other than ours read the clock themselves
CA, CA_KEY = certificates.make_authority("Cabinet de l'Étoile", ["serment.test"], NOW)
NAMES, ADDRESSES = ["localhost", "serment.test", "pacs.serment.test"], ["127.0.0.1", "::1"]
CERT, KEY = certificates.issue(CA, CA_KEY, NAMES, ADDRESSES, NOW, 397)


def handshake(tmp_path, cert: bytes, key: bytes, name: str) -> None:
    """A TLS handshake in memory between Python's own server and client (OpenSSL)."""
    (tmp_path / "cert.pem").write_bytes(cert)
    (tmp_path / "key.pem").write_bytes(key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    trusting = ssl.create_default_context(cadata=CA.decode())
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    client = trusting.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.version() == "TLSv1.3"


@pytest.mark.parametrize("name", [*NAMES, *ADDRESSES])
def test_pythons_tls_accepts_it(tmp_path, name):
    handshake(tmp_path, CERT, KEY, name)


def test_it_is_not_for_another_name(tmp_path):
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(tmp_path, CERT, KEY, "elsewhere.test")


def forged(name: x509.GeneralName) -> tuple[bytes, bytes]:
    """What a thief of the authority's key would sign without asking us."""
    authority = x509.load_pem_x509_certificate(CA)
    signer = ec.derive_private_key(int.from_bytes(CA_KEY.reveal(), "big"), ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "thief")])
    certificate = (
        x509.CertificateBuilder(authority.subject, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            critical=False,
        )
        .sign(signer, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), pem


def test_the_stolen_key_serves_for_the_practices_names(tmp_path):
    handshake(tmp_path, *forged(x509.DNSName("serment.test")), "serment.test")  # control
    handshake(tmp_path, *forged(x509.IPAddress(ip_address("192.168.1.9"))), "192.168.1.9")


@pytest.mark.parametrize(
    ("general_name", "name"),
    [
        (x509.DNSName("bank.test"), "bank.test"),
        (x509.DNSName("notserment.test"), "notserment.test"),
        (x509.DNSName("serment.test.bank.test"), "serment.test.bank.test"),
        (x509.IPAddress(ip_address("203.0.113.7")), "203.0.113.7"),
        (x509.IPAddress(ip_address("172.32.0.1")), "172.32.0.1"),
        (x509.IPAddress(ip_address("2001:db8::1")), "2001:db8::1"),
    ],
    ids=str,
)
def test_the_stolen_key_serves_for_nothing_else(tmp_path, general_name, name):
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(tmp_path, *forged(general_name), name)


def test_extensions_are_what_browsers_ask_for():
    authority, server = map(x509.load_pem_x509_certificate, (CA, CERT))

    def of(certificate, kind):
        return certificate.extensions.get_extension_for_class(kind)

    assert of(authority, x509.NameConstraints).critical
    assert of(authority, x509.BasicConstraints).value == x509.BasicConstraints(True, 0)
    assert of(authority, x509.KeyUsage).value.key_cert_sign
    assert not of(authority, x509.KeyUsage).value.digital_signature
    assert list(of(server, x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert of(server, x509.KeyUsage).value.digital_signature
    assert not of(server, x509.BasicConstraints).value.ca
    names = of(server, x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == NAMES
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ADDRESSES
    subject_key = of(authority, x509.SubjectKeyIdentifier).value.digest
    assert of(server, x509.AuthorityKeyIdentifier).value.key_identifier == subject_key
    assert isinstance(server.public_key().curve, ec.SECP256R1)
    assert authority.serial_number != server.serial_number


def test_times():
    server = x509.load_pem_x509_certificate(CERT)
    assert server.not_valid_before_utc < NOW < server.not_valid_after_utc
    assert abs(server.not_valid_after_utc - NOW - timedelta(days=397)) < timedelta(seconds=2)
    assert certificates.expiry(CERT) == server.not_valid_after_utc
    late = NOW + timedelta(days=3600)
    short, _ = certificates.issue(CA, CA_KEY, ["localhost"], [], late, 825)
    assert certificates.expiry(short) == certificates.expiry(CA)


@pytest.mark.parametrize("name", ["bank.test", "notserment.test", "test", "127.0.0.1", "a b", ""])
def test_a_name_outside_is_refused_at_once(name):
    with pytest.raises(UsageError):
        certificates.issue(CA, CA_KEY, [name], [], NOW, 30)


@pytest.mark.parametrize("address", ["203.0.113.7", "172.32.0.1", "2001:db8::1", "localhost", ""])
def test_an_address_outside_is_refused_at_once(address):
    with pytest.raises(UsageError):
        certificates.issue(CA, CA_KEY, [], [address], NOW, 30)


@pytest.mark.parametrize("days", [0, -1, 826])
def test_another_number_of_days_is_refused(days):
    with pytest.raises(UsageError, match="825 days"):
        certificates.issue(CA, CA_KEY, NAMES, [], NOW, days)


def test_a_certificate_needs_a_name():
    with pytest.raises(UsageError, match="needs a name"):
        certificates.issue(CA, CA_KEY, [], [], NOW, 30)


def test_another_authority_or_key_is_refused():
    with pytest.raises(FormatError, match="not the one"):
        certificates.issue(CA, Seed(bytes(31) + b"\1"), NAMES, [], NOW, 30)
    with pytest.raises(FormatError, match="cannot be read"):
        certificates.issue(b"no certificate", CA_KEY, NAMES, [], NOW, 30)
    with pytest.raises(FormatError, match="not the one"):
        certificates.issue(CA, Seed(bytes(32)), NAMES, [], NOW, 30)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "unlimited authority")])
    unlimited = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=9))
        .sign(key, SHA256())
        .public_bytes(Encoding.PEM)
    )
    seed = Seed(key.private_numbers().private_value.to_bytes(32, "big"))
    with pytest.raises(FormatError, match="no name constraints"):
        certificates.issue(unlimited, seed, NAMES, [], NOW, 30)


@pytest.mark.parametrize("name", ["a..b", "-a.fr", "a" * 64, "1.2.3.4", "https://a.fr", "é" * 300])
def test_a_practice_name_that_is_no_host_is_refused(name):
    with pytest.raises(UsageError, match="not a host name"):
        certificates.make_authority("Cabinet", [name], NOW)


def test_accents_and_long_names_are_written_as_the_standard_wants():
    practice = "Société d'exercice libéral de radiologie et d'imagerie médicale des Étangs"
    authority, key = certificates.make_authority(practice, ["étangs.test"], NOW)
    subject = x509.load_pem_x509_certificate(authority).subject.rfc4514_string()
    assert len(subject.removeprefix("CN=")) <= 64 + 2
    certificate, _ = certificates.issue(authority, key, ["pacs.ÉTANGS.test"], [], NOW, 30)
    names = x509.load_pem_x509_certificate(certificate).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == ["pacs.xn--tangs-9ra.test"]


def test_the_key_can_be_wrapped_like_any_seed():
    assert isinstance(CA_KEY, Seed) and keys.new_seed() != CA_KEY
