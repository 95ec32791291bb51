"""UIDs that need no registry: Serment's own, and the syntaxes that every node knows.

For programs that must start at once: the registry of `uids` comes with all of pydicom.
"""

from __future__ import annotations

from typing import Final

IMPLEMENTATION_CLASS_UID: Final = "2.25.222993287193056017974281519176052278474"
IMPLEMENTATION_VERSION_NAME: Final = "SERMENT_1"

IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
