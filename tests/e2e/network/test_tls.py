"""What is inside TLS, and how strong TLS is, for whoever has no certificate."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.e2e.network.certificates import NOW, certificate
from tests.e2e.network.running import archives, audited

from serment.core.exposure.findings import Readable, Unit
from serment.core.exposure.seen import Answer, Dicom, Service


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Service]:
    folder = tmp_path_factory.mktemp("certificates")
    cert, key = map(str, certificate(folder))
    issued, its_key = map(str, certificate(folder, "issued.example", bits=0, issuer="authority"))
    old, old_key = map(str, certificate(folder, "old.example", days=-3))
    kinds: dict[str, dict[str, object]] = {
        "anybody": {"certificate": cert, "key": key},
        "devices only": {"certificate": cert, "key": key, "authority": cert},
        "issued": {"certificate": issued, "key": its_key},
        "expired": {"certificate": old, "key": old_key},
    }
    with archives(*({"patients": 2, **settings} for settings in kinds.values())) as ports:
        found = audited(*ports)
    return {kind: found[port] for kind, port in zip(kinds, ports, strict=True)}


def test_dicom_is_found_inside_tls(seen: dict[str, Service]) -> None:
    service = seen["anybody"]
    assert service.protocol == "dicom"
    assert isinstance(service.facts, Dicom)
    assert service.facts.patients == Readable(2, False, Unit.PATIENTS)
    assert service.tls is not None
    assert service.tls.client_certificate is Answer.REFUSED
    assert service.tls.versions == ("TLSv1.2", "TLSv1.3")


def test_a_node_that_wants_a_certificate_shows_nothing_else(seen: dict[str, Service]) -> None:
    service = seen["devices only"]
    assert (service.protocol, service.facts) == ("tls", None)
    assert service.tls is not None
    assert service.tls.client_certificate is Answer.YES
    assert service.tls.expires is not None


def test_certificates_are_read(seen: dict[str, Service]) -> None:
    read = {kind: each.tls for kind, each in seen.items() if each.tls}
    assert (read["anybody"].key_kind, read["anybody"].key_bits) == ("RSA", 2048)
    assert (read["issued"].key_kind, read["issued"].key_bits) == ("EC", 256)
    assert read["anybody"].self_signed
    assert not read["issued"].self_signed
    assert read["anybody"].signature == "sha256"
    ends = read["expired"].expires
    assert isinstance(ends, datetime)
    assert ends < NOW
