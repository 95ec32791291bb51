"""A stranger's certificate is read for dates and keys; hostile ones are one error."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from serment.core.crypto.strangers import SIZE_LIMIT, read_certificate
from serment.errors import FormatError

NOW = datetime(2026, 1, 2, tzinfo=UTC)
EVIL = "\x1b[31m<script>alert(1)</script>\u202e" + "é" * 4


def made(key: object, signer: object = None, issuer: str = "device", name: str = "device") -> bytes:
    by = signer or key
    algorithm = None if isinstance(by, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())  # type: ignore[attr-defined]
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=9))
        .sign(by, algorithm)  # type: ignore[arg-type]
        .public_bytes(serialization.Encoding.DER)
    )


RSA = rsa.generate_private_key(65537, 1024)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()


@pytest.mark.parametrize(
    ("key", "kind", "bits", "signature"),
    [(RSA, "RSA", 1024, "sha256"), (EC, "EC", 256, "sha256"), (ED, "Ed25519", 256, "")],
)
def test_keys_and_dates(key: object, kind: str, bits: int, signature: str) -> None:
    read = read_certificate(made(key))
    assert (read.key_kind, read.key_bits, read.signature) == (kind, bits, signature)
    assert read.expires == NOW + timedelta(days=9)
    assert read.self_signed


def test_only_its_own_key_makes_it_self_signed() -> None:
    assert not read_certificate(made(RSA, EC, issuer="authority")).self_signed
    assert not read_certificate(made(RSA, EC, issuer="device")).self_signed  # it only pretends


def test_only_names_that_a_host_can_have_are_read() -> None:
    read = read_certificate(made(EC, name=EVIL, issuer=EVIL))
    assert "script" not in repr(read)
    assert read.hosts == ()


@pytest.mark.parametrize(
    ("name", "hosts"),
    [
        ("PACS.cabinet.example", ("pacs.cabinet.example",)),
        ("device", ()),  # no name that anybody resolves
        ("*.cabinet.example", ()),
        ("10.0.0.7", ()),
        ("a..b", ()),
        ("pacs.example\r\nX-Evil: 1", ()),
    ],
)
def test_a_name_stands_for_a_host(name: str, hosts: tuple[str, ...]) -> None:
    assert read_certificate(made(EC, name=name)).hosts == hosts


@pytest.mark.parametrize("data", [b"", b"\x30\x82\xff\xff", made(EC)[:-1], bytes(SIZE_LIMIT + 1)])
def test_what_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        read_certificate(data)


@given(st.integers(0, 2000), st.integers(1, 255))
def test_a_damaged_one_is_read_or_refused(at: int, change: int) -> None:
    data = bytearray(WHOLE)
    data[at % len(data)] ^= change
    with contextlib.suppress(FormatError):
        read_certificate(bytes(data))


WHOLE = made(RSA)
