"""A practice and a helper that are paired, for tests."""

from __future__ import annotations

from serment.core.exposure.peer.pairing import Bond, accept, code_key, conclude, new_code, propose


def paired() -> tuple[Bond, Bond]:
    """What the practice keeps, and what the helper keeps."""
    code = new_code()
    wooing, message = propose(code)
    helpers, answer = accept(message, code_key(code))
    return conclude(wooing, answer), helpers
