"""Runs one audit in a process of its own and waits: `python observed.py ORDER`.

Prints the services as JSON, the peak memory of what it started, then keeps what it has until its
input ends, so that somebody may look at its memory.
"""

from __future__ import annotations

import json
import sys

from serment.adapters.network.lines import decode, encode
from serment.adapters.network.local import LocalNetwork
from serment.core.exposure.seen import Service
from serment.ports.network import Order


def main() -> None:
    import resource

    order = decode(sys.argv[1].encode(), Order)
    services = [each for each in LocalNetwork().audit(order) if isinstance(each, Service)]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    seen = [json.loads(encode(each)) for each in services]
    print(json.dumps({"services": seen, "peak_kib": peak}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
