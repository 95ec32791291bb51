"""Searches at loopback for what answers a group: `python -m tests.unit.network.searching ADDRESS...`.

Prints the LOCATIONs by address of that scope. A process of its own, because tests may send to no group:
theirs might be another network's. Here the link is the loopback interface, which leads nowhere else.
"""

from __future__ import annotations

import json
import sys

from serment.adapters.network.dialer import Dialer
from serment.adapters.network.neighbours import Link
from serment.adapters.network.scope import Scope
from serment.adapters.network.ssdp import Search

HERE = Link("127.0.0.1", "127.0.0.0/8", "lo")

if __name__ == "__main__":
    print(json.dumps(Search(Dialer(Scope(sys.argv[1:])), [HERE]).locations()))
