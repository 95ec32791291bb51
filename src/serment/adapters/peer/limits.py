"""How much a helper, and the practice's own listener, give to a caller before and after it is known."""

from __future__ import annotations

from typing import Final

CALLERS: Final = 64  # connections at once to a helper
CALLERS_PER_ADDRESS: Final = 8  # an IPv6 network of one customer counts as one address
HELLO_SECONDS: Final = 5.0  # for a caller to say who it is and what it wants
VISIT_SECONDS: Final = 60.0  # for a look, once the order is authentic
CONNECT_SECONDS: Final = 3.0  # for each port that is tried
TALK_SECONDS: Final = 6.0  # for each open one to be recognised
TALKS_AT_ONCE: Final = 10
PROOF_SECONDS: Final = 10.0  # for the helper to call back, and for the listener to be there
PROOF_CALLERS: Final = 8  # connections to that listener in all
LINE_BYTES: Final = 8192  # read of one connection
