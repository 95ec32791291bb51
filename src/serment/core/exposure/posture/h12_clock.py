"""H12: decides whether the clock is set from the network, so that journals can be believed.

Nothing is asked of the network: what the system says of its last synchronisation decides.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from serment.core.exposure.posture import reading
from serment.core.exposure.posture.verdict import (
    Check,
    Said,
    System,
    Verdict,
    failed,
    passed,
    unknown,
)
from serment.errors import N_

MOST_SECONDS: Final = 5.0
MOST_DAYS: Final = 14  # Windows sets its clock once a week
LOCAL: Final = "Reference ID    : 7F7F0101"  # chrony follows its own machine's clock
DISABLED: Final = 4  # Start of a service

EXACT = N_("the clock is set from the network ({setting})")
OFF = N_("the clock is not set from the network ({setting})")
DRIFTS = N_("the clock is {seconds} s off ({setting})")
LOST = N_("the answer about the clock is not understood")


def linux(said: Said, now: datetime) -> Verdict:
    """`chronyc tracking` where chrony runs, else `timedatectl show`."""
    text = said.get("chrony", "")
    offset = re.search(r"System time\s*:\s*([0-9]{1,9}\.[0-9]{1,12}) seconds", text)
    if offset and "Leap status" in text:
        if "Not synchronised" in text or LOCAL in text:
            return failed(OFF, "chrony", setting="chrony: Not synchronised")
        if float(offset[1]) >= MOST_SECONDS:
            seconds = round(float(offset[1]))
            return failed(DRIFTS, "chrony", setting="chrony", seconds=seconds)
        return passed(EXACT, "chrony", setting="chrony")
    if "clock" not in said:
        return reading.silent("clock")
    synced = reading.settings(said["clock"]).get("NTPSynchronized")
    if synced not in ("yes", "no"):
        return reading.silent("clock")
    verdict, evidence = (passed, EXACT) if synced == "yes" else (failed, OFF)
    return verdict(evidence, "clock", setting=f"NTPSynchronized={synced}")


def macos(said: Said, now: datetime) -> Verdict:
    """`systemsetup -getusingnetworktime`, which answers administrators only."""
    found = re.search(r"Network Time: (On|Off)", said.get("clock", ""))
    if not found:
        return reading.silent("clock")
    verdict, evidence = (passed, EXACT) if found[1] == "On" else (failed, OFF)
    return verdict(evidence, "clock", setting=f"Network Time: {found[1]}")


def windows(said: Said, now: datetime) -> Verdict:
    """W32Time in the registry: its type, whether it may start, and the last time it believed."""
    facts = reading.table(said, "clock")
    if facts is None:
        return reading.silent("clock")
    kind, sources = str(facts.get("Type", "")), ("clock", "clock-service", "clock-set")
    start = (reading.table(said, "clock-service") or {}).get("Start")
    if kind == "NoSync" or reading.number(start) == DISABLED:
        return failed(OFF, *sources, setting="W32Time: NoSync")
    made = reading.filetime((reading.table(said, "clock-set") or {}).get("LastKnownGoodTime"))
    if made is None or kind not in ("NTP", "NT5DS", "AllSync"):
        return unknown(LOST, *sources)
    fresh = reading.days_since(made, now) <= MOST_DAYS
    verdict, evidence = (passed, EXACT) if fresh else (failed, OFF)
    return verdict(evidence, *sources, setting=f"W32Time {made.date().isoformat()}")


CHECK: Final = Check(
    id="H12",
    title=N_("Clock"),
    article="5(2)",
    commandment=10,
    sheets=(16,),
    readers={System.LINUX: linux, System.MACOS: macos, System.WINDOWS: windows},
    remedies={
        System.LINUX: N_(
            "Settings > Date & Time: turn on automatic date and time (systemd-timesyncd or chrony)."
        ),
        System.MACOS: N_(
            "System Settings > General > Date & Time: turn on “Set time and date automatically”."
        ),
        System.WINDOWS: N_(
            "Settings > Time & language > Date & time: turn on “Set time automatically”, then “Sync "
            "now”."
        ),
    },
)
