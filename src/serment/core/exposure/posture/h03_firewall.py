"""H03: decides whether the machine's own firewall is on, in every profile it has."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from serment.core.exposure.posture import reading, services
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

ON = N_("the firewall is on ({name})")
OFF = N_("the firewall is off ({name})")
OPEN = N_("the firewall is on but lets everything in ({name})")
LOST = N_("the answer about the firewall is not understood")
_COMMENT = re.compile(r"#[^\n]*")


def linux(said: Said, now: datetime) -> Verdict:
    """The services that keep rules, and the rules in the files that anybody may read."""
    running = services.active(said)
    if running is None:
        return reading.silent("services")
    if "firewalld" in running:
        return passed(ON, "services", name="firewalld")
    if "ufw" in running:
        return ufw(said)
    if "nftables" in running:
        return nftables(said)
    if "netfilter-persistent" in running:
        return unknown(N_("its rules can only be read by the administrator"), "services")
    return failed(OFF, "services", name="ufw, firewalld, nftables")


def ufw(said: Said) -> Verdict:
    facts = reading.settings(said.get("ufw", ""))
    if facts.get("ENABLED") != "yes":
        return failed(OFF, "services", "ufw", name="ufw: ENABLED=no")
    incoming = facts.get("DEFAULT_INPUT_POLICY", "")
    if incoming not in ("DROP", "REJECT"):
        return failed(OPEN, "services", "ufw", name=f"ufw: {reading.named(incoming)}")
    return passed(ON, "services", "ufw", name=f"ufw: {incoming}")


def nftables(said: Said) -> Verdict:
    if "nftables" not in said:
        return unknown(N_("its rules can only be read by the administrator"), "services")
    rules = _COMMENT.sub("", said["nftables"])
    if "hook input" in rules and re.search(r"\b(drop|reject)\b", rules):
        return passed(ON, "services", "nftables", name="nftables")
    return failed(OPEN, "services", "nftables", name="nftables")


def macos(said: Said, now: datetime) -> Verdict:
    """`socketfilterfw --getglobalstate`: State 0 is off, 1 on, 2 blocks all."""
    if "firewall" not in said:
        return reading.silent("firewall")
    found = re.search(r"\(State = ([0-9])\)", said["firewall"])
    if not found:
        return unknown(LOST, "firewall")
    verdict, evidence = (failed, OFF) if found[1] == "0" else (passed, ON)
    return verdict(evidence, "firewall", name=f"State = {found[1]}")


def windows(said: Said, now: datetime) -> Verdict:
    """`Get-NetFirewallProfile`: domain, private, public; other products by the security centre."""
    if "firewall" not in said:
        return reading.silent("firewall")
    facts = reading.table(said, "firewall") or {}
    profiles = {
        reading.named(each.get("name", "?")): reading.number(each.get("enabled"))
        for each in reading.rows(facts.get("profiles"))
    }
    others = [each for each in reading.rows(facts.get("products")) if is_on(each.get("state"))]
    off = [name for name, enabled in profiles.items() if enabled != 1]
    if others:
        return passed(ON, "firewall", name=reading.named(others[0].get("name", "?")))
    if not profiles:
        return unknown(LOST, "firewall")
    if off:
        return failed(OFF, "firewall", name=", ".join(off[:3]))
    return passed(ON, "firewall", name=", ".join(list(profiles)[:3]))


def is_on(state: object) -> bool:
    """Of productState in the security centre: the bits 0xF000 read 0x1000 while it protects."""
    value = reading.number(state)
    return value is not None and value & 0xF000 == 0x1000


CHECK: Final = Check(
    id="H03",
    title=N_("Firewall"),
    article="32(1)(b)",
    commandment=3,
    sheets=(6, 8),
    readers={System.LINUX: linux, System.MACOS: macos, System.WINDOWS: windows},
    remedies={
        System.LINUX: N_(
            "Ask your installer to turn on ufw or firewalld and to let in only what is needed, as "
            "images from your modalities."
        ),
        System.MACOS: N_("System Settings > Network > Firewall: turn it on."),
        System.WINDOWS: N_(
            "Windows Security > Firewall & network protection: turn on all three networks (domain, "
            "private, public)."
        ),
    },
)
