"""age v1 files, written and read: https://c2sp.org/age.

Recipients: X-Wing (`mlkem768x25519`, the default of Serment) and X25519. Passphrases (scrypt),
plugins and ASCII armor are left to other tools.
"""

from serment.core.crypto.age.hybrid import HybridIdentity, HybridRecipient
from serment.core.crypto.age.reader import AgeReader, Opened, open_bytes
from serment.core.crypto.age.writer import AgeWriter
from serment.core.crypto.age.x25519 import X25519Identity, X25519Recipient

__all__ = [
    "AgeReader",
    "AgeWriter",
    "HybridIdentity",
    "HybridRecipient",
    "Opened",
    "X25519Identity",
    "X25519Recipient",
    "open_bytes",
]
