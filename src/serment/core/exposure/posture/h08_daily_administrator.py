"""H08: decides whether the session in use every day can change the whole machine."""

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

ROOT = N_("this session is the administrator itself (uid 0)")
ADMINISTRATOR = N_("the account of this session is an administrator ({group})")
ORDINARY = N_("the account of this session is no administrator")
LOST = N_("the answer about this session's account is not understood")
GROUPS: Final = ("sudo", "wheel", "admin", "root")
ADMINISTRATORS: Final = "S-1-5-32-544"  # the same in every language


def unix(said: Said, now: datetime) -> Verdict:
    """`id`: user 0, or a member of a group that may become it."""
    if "account" not in said:
        return reading.silent("account")
    user = re.search(r"\buid=([0-9]{1,10})\b", said["account"])
    if not user:
        return unknown(LOST, "account")
    if int(user[1]) == 0:
        return failed(ROOT, "account")
    member = re.findall(r"[0-9]\(([^)\s]{1,64})\)", said["account"].partition("groups=")[2])
    found = [group for group in GROUPS if group in member]
    if found:
        return failed(ADMINISTRATOR, "account", group=found[0])
    return passed(ORDINARY, "account")


def windows(said: Said, now: datetime) -> Verdict:
    """`whoami /groups`: the SID of the administrators, also where it is only for refusing."""
    if "groups" not in said:
        return reading.silent("groups")
    if "S-1-" not in said["groups"]:
        return unknown(LOST, "groups")
    if re.search(rf"\b{ADMINISTRATORS}\b", said["groups"]):
        return failed(ADMINISTRATOR, "groups", group=ADMINISTRATORS)
    return passed(ORDINARY, "groups")


CHECK: Final = Check(
    id="H08",
    title=N_("Daily administrator"),
    article="32(1)(b)",
    commandment=2,
    sheets=(5, 6),
    readers={System.LINUX: unix, System.MACOS: unix, System.WINDOWS: windows},
    remedies={
        System.LINUX: N_(
            "Make a second account that administers, and take your everyday account out of the "
            "administrators (Settings > Users)."
        ),
        System.MACOS: N_(
            "System Settings > Users & Groups: add an administrator account for installing, then "
            "untick “Allow this user to administer this computer” for your own."
        ),
        System.WINDOWS: N_(
            "Settings > Accounts > Other users: add an administrator account for installing, then "
            "change your own account to “Standard user”."
        ),
    },
)
