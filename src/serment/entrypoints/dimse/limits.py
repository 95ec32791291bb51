"""What one peer, and all of them together, may take: numbers only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Defaults suit a practice. Times are seconds, sizes bytes."""

    associations: int = 64
    associations_per_address: int = 16
    associations_of_strangers: int = 8  # from all addresses together that are no device's
    association_seconds: float = 10  # from connecting to a whole request (ARTIM, PS3.8 9.1.4)
    idle_seconds: float = 60  # between two units
    unit_seconds: float = 30  # for one unit, once it has begun
    slowest_rate: int = 1024  # bytes a second, on average, of a message that takes long
    send_seconds: float = 30
    request_bytes: int = 1024 * 1024  # A-ASSOCIATE-RQ
    unit_bytes: int = 128 * 1024  # longest P-DATA-TF, as announced to the peer
    command_bytes: int = 64 * 1024
    object_bytes: int = 16 * 1024**3
    stop_seconds: float = 10  # for the instance under way when the server stops
    whole_reads: bool = True  # MSG_WAITALL where the system has it; False: the portable loop
