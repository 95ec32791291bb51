"""Asks every primitive for an answer that is known, before anything is sealed with it.

A library that was built wrongly, swapped or broken by its processor must stop Serment at start-up,
not be discovered at the first restore. Correctness of Serment's own code is the tests' affair.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from serment.core.crypto import entropy, keys, merkle, signing, slip39, wraps
from serment.core.crypto.age import HybridIdentity, open_bytes
from serment.core.crypto.context import Context
from serment.core.crypto.secret import Seed
from serment.errors import N_, IntegrityError, SermentError

SEED = Seed(bytes(range(32)))


def self_test() -> None:
    """Return when every primitive gives its known answer.

    Raises:
        IntegrityError: naming the one that does not.
    """
    for name, check in CHECKS.items():
        if not _holds(check):
            raise IntegrityError(
                N_("the self-test of {name} failed: nothing is sealed with it"),
                hint=N_("install the locked packages again; if it persists, test this machine"),
                name=name,
            )


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (SermentError, InvalidTag, InvalidSignature, ValueError):
        return False


def _hkdf() -> bool:
    """RFC 5869 appendix A.3."""
    derived = HKDF(SHA256(), 42, None, b"").derive(b"\x0b" * 22)
    return derived.hex() == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )


def _argon2id() -> bool:
    """RFC 9106 section 5.3."""
    kdf = Argon2id(
        salt=b"\x02" * 16,
        length=32,
        iterations=3,
        lanes=4,
        memory_cost=32,
        ad=b"\x04" * 12,
        secret=b"\x03" * 8,
    )
    return kdf.derive(b"\x01" * 32).hex() == (
        "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    )


def _aes_gcm() -> bool:
    """Test case 16 of the GCM specification, and a value bound to another context."""
    cipher = AESGCM(bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2))
    sealed = cipher.encrypt(
        bytes.fromhex("cafebabefacedbaddecaf888"),
        bytes.fromhex(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        ),
        bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    )
    known = sealed.hex() == (
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"
    )
    return known and _bound()


def _bound() -> bool:
    key = keys.subkey(SEED, "self-test")
    here, there = (Context("self-test", "value", "", "", epoch) for epoch in (1, 2))
    sealed = wraps.seal_value(b"value", key, here)
    return wraps.open_value(sealed, key, here) == b"value" and _refused(
        lambda: wraps.open_value(sealed, key, there)
    )


def _age() -> bool:
    """X-Wing, HPKE, HMAC and ChaCha20-Poly1305: one age file, whole and with a bit changed."""
    file = base64.b64decode(AGE_FILE)
    identity = HybridIdentity(SEED)
    changed = file[:-1] + bytes([file[-1] ^ 1])
    return open_bytes(file, identity) == b"serment self-test" and _refused(
        lambda: open_bytes(changed, identity)
    )


def _ed25519() -> bool:
    """RFC 8032 section 7.1, test 1."""
    seed = Seed(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    public, signature = signing.verify_key(seed), signing.sign(seed, b"")
    return (
        public.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        and signature.hex()
        == "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
        "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        and signing.verify(public, b"", signature)
        and not signing.verify(public, b"x", signature)
    )


def _ecdsa() -> bool:
    """P-256: what is signed verifies, and nothing else (signatures are randomised)."""
    key = ec.derive_private_key(int.from_bytes(SEED.reveal(), "big"), ec.SECP256R1())
    signature = key.sign(b"certificate", ec.ECDSA(SHA256()))
    key.public_key().verify(signature, b"certificate", ec.ECDSA(SHA256()))
    return _refused(lambda: key.public_key().verify(signature, b"other", ec.ECDSA(SHA256())))


def _tree() -> bool:
    """RFC 6962: the tree of the entries "" and 0x00."""
    leaves = [merkle.leaf_hash(b""), merkle.leaf_hash(b"\x00")]
    return merkle.root(leaves).hex() == (
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    )


def _words() -> bool:
    return slip39.combine(SHARES) == SEED


def _entropy() -> bool:
    """Catches a generator that stands still, nothing finer."""
    drawn = {entropy.random_bytes(16) for _ in range(8)}
    return len(drawn) == 8 and bytes(16) not in drawn


def _refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except (IntegrityError, InvalidSignature):
        return True
    return False


CHECKS: dict[str, Callable[[], bool]] = {
    "the random generator": _entropy,
    "HKDF": _hkdf,
    "Argon2id": _argon2id,
    "AES-256-GCM": _aes_gcm,
    "age with X-Wing": _age,
    "Ed25519": _ed25519,
    "ECDSA": _ecdsa,
    "the journal's tree": _tree,
    "the recovery words": _words,
}

# The seed 00 01 ... 1f, as two of three shares and as the recipient of an age file.
SHARES = (
    "exceed wisdom academic acid alto alarm slush ancient disease smell reaction purple "
    "pants minister observe debut detailed advocate debris item package upgrade grumpy "
    "gather artwork market union mason dynamic pants exotic toxic being",
    "exceed wisdom academic agency arena flip unfold phantom decent unknown victim aunt "
    "angry burning lizard gasoline dryer teacher ending treat weapon lawsuit shaft spider "
    "crowd episode regular percent company nuclear fiscal dramatic friar",
)
AGE_FILE = """
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IG1sa2VtNzY4eDI1NTE5IGpRbDlUV0FGVWVpdE45NS8vVjU3cFNpVWRYYkw1VU51
R3RDMmdOMXpQNks0c2pmdmI2cDlMUlF3YnJ6UXZMM05yUGIydEQ0N3dzTHFMeDVnMzE2emsrL0lRYmh1d3AwSEVxN2hEYnFW
VThkeGV4VXlGNU9XQit3RHk5b0pTdE95WjRKRGZkVXRUTXo4V09yOTkrdmh1WkFXMUJZVWtLRjd0bXBzTHR4VndiTnFsMWN6
NXI2NmF3ZmNnS1I5TnpBdEpvRFRDaTd2YXlyTzNEbkVhak95RCtSeGlxZDdyVEhWcWJrdjUrRUs0S0NoT0tmSU5FM0FGV0FP
eUpZSUNFRng5RjZUN0VoUmQ5Y3g4Qks4RzlxNlV4UG9wdzFmOWtlMlUxdmlXQ3pVcUNkTWxIRjlpa1RQNlMrQTB0bjNKOXZh
dytjYUUwL3J2Y0VtZGY5S2pySUNFRHM1a0xCSmJEeHRZNlFsZU5ockJzWExUV21CcUY4OFkwdzdMOURZK1l5eCtZbmxJVERU
OEo5cW5jRHJ3Ynl2K1kwbms0TERNbmt0UDZMbENheXZjVU1qSjNWM3ZMTS9MQTNsY2ZORmc2bEw0OWxuaDM5S2N3eHI2UEl5
NnlPZjZjTmNUUlJHanFUN3lBbUQ3NDF3emhKcFN6UEpLM2pCTXZMMjJHR0wwUXlmWE1SVUxYckYrMThnbFF6RVpRU0tUNUFQ
bmduT0hFb3dYSmJBaGtEejFlNytBMWw2WUZoZy9JRUtlTXpZeEJBbm0zTlpSaExiZXBhUUZoaDJWb1J3d1hreW1QQWJSc3JV
aGpBeXpOOW5jM3ZxaUlqd0Q1dGxvWFVqajB3aVpRRjhma2dvUllMMEhFMXhjMEdCT3hUKytUY0VRdFIzcG5kWmRCNGJvdnRQ
Qytzdno5am52aVFhY2txanJZUm01cWN1VmhuaXozdk16clpqMytJdHlGMVFmeWkzVy9wQktjR1daNEVmVW43cld0MFFtTnFK
YkdsNTJaZHVrNGpXeFVEeHRraXA0YXp0MzBrd2hNbHB1UmVPUXBFRk13THRVQXJVRUE2Mkt2SklVUzZGUFBlWURhNGdaZFh2
MGJOWWd3WWNoK1o3YStGNzliSllQQ3JCV21HblRlVGZrWkN5MU41OGdKV1VnNmpIZ00wQWwyUk9LZnRvbzN6UHdqZDNReWlL
dmJmZHp0QXBqd0szM3JQSzNBN2FMejlzZTdzeWxrVDAyNUhmMHJJdHBla0JnY0xXR0NSaHNqZVU2UHhneURUMnU5Kzl5OTRo
WDVWM3g2TGYrRktVYnU0WHZlQnhUc2ZmdHJZdkx2YWJtVlVKNndQcktqV3ZCNEdLM2JjSGhMbEFhNXpxYjZ5OHpWMmpQR3Za
aUluUm1rTnl1aTBWK2IrRzAxcWtEMHEwdCs4WDFQN1lINWh0OFp2ZlpBQU9sdWJuODFYdUN6QUdaWWZxdkdsdW1vOFJyUkpP
MW5QSXJYWWhiVHpWZm1VSmdVOXFaRDZSNTdyc1pJSVpDR0RRczlhakMyR3kvbW80cEo4OVQvRlg4bWwzLzg1VmdWVTQ5Zkgw
cis5ZTl1Y3dUbWgxcTJjaC9qTXMvREZLNzlOb1RZTVNDWGJYSVpLY1lGdWYraFc4YkxoNGEvNkVITlZRckdIc3JjcFZvY292
M2RHcEdYRDJhQnVuMU5UMGdrd24va2YvSE51ZmVrc0lRaVNNWWxJdSt3WTV0bXRkNy9ETkxjZ2ZEM1JWSFlKV3I3N0R6bi95
eG95ODdNV3JkRlN5NDN4STdwL0pBdGJqMG5ST0NGaW5iNi9Fa2E3TGNGMkN0UDR1VHZwRlZXeFVHK283Y2xic1V0MnpLaVBr
U1JIMXdlVHR6YXlHZ1hDRU5sckMzTTdFSXdiYWQrd0FrZGJtS0VqWkZyRFliMFpKYjZtU1I4OTZORUdzWWNhZ2hBQ0lOV0pt
dytVRmZLbnBjeVhNRytjOUtRYStKUQo4OWVYTm5GY1ZDZzNUaWlDLzFiNlM3UEtlVTZrLzVpZUlvdFZvMWNGbDlrCi0tLSA4
L0VnRklSb2h4Qy83KytPTFRzUmhjR3pJMEwrRVJNY2JybGFFdENNUi9ZCqG/SKf71i65GyVbZ+actSM2HKwyIQWh/6rz1PqK
Bzkr8b4dU7kk7XxlVmoGasKB3/Q=
"""
