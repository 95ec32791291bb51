"""`serment certificate renew`: for addresses of the local network, by an administrator only."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from tests.e2e.serving import new_vault


def test_a_certificate_is_renewed_for_private_addresses_only(tmp_path: Path) -> None:
    vault = new_vault(tmp_path, people=False)
    vault.json("member", "add", "docteur", "--role", "doctor")
    path = vault.root / "server" / "tls.crt"
    before = path.read_bytes()
    renew = ("certificate", "renew", "--address")
    vault.json(*renew, "8.8.8.8", "--by", "admin", code=2)
    vault.json(*renew, "192.168.1.10", "--by", "docteur", code=4)
    assert path.read_bytes() == before
    assert vault.json(*renew, "192.168.1.10", "--by", "admin")["names"] == ["192.168.1.10"]
    made = x509.load_pem_x509_certificate(path.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    addresses = {str(one) for one in names.get_values_for_type(x509.IPAddress)}
    assert addresses == {"127.0.0.1", "::1", "192.168.1.10"}
    said = [row["message"] for row in vault.json("journal", "list", "--last", "4")]
    assert any("new certificate" in message for message in said)
