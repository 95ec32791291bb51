"""H06: decides whether the machine opens a session without asking who is there."""

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
)
from serment.errors import N_

ON = N_("a session opens by itself when the computer starts ({setting})")
OFF = N_("no session opens by itself ({setting})")
_TRUE: Final = ("true", "1", "yes")
_GETTY: Final = re.compile(r"^ExecStart=[^\n]{0,300}--autologin", re.M)


def linux(said: Said, now: datetime) -> Verdict:
    """GDM's AutomaticLoginEnable, SDDM's [Autologin] User, LightDM's autologin-user, getty's."""
    if "login-screens" not in said:
        return reading.silent("login-screens")
    text = said["login-screens"]
    if _GETTY.search(text):
        return failed(ON, "login-screens", setting="--autologin")
    for section, facts in reading.sections(text):
        names = {name.lower(): value for name, value in facts.items()}
        for name in ("AutomaticLoginEnable", "TimedLoginEnable"):
            if names.get(name.lower(), "").lower() in _TRUE:
                return failed(ON, "login-screens", setting=f"{name}=true")
        if names.get("autologin-user") or (section == "Autologin" and names.get("user")):
            return failed(ON, "login-screens", setting="autologin-user")
    return passed(OFF, "login-screens", setting="gdm, sddm, lightdm, getty")


def macos(said: Said, now: datetime) -> Verdict:
    """`defaults read` of autoLoginUser: the pair does not exist where it is off."""
    if "automatic-login" not in said:
        return reading.silent("automatic-login")
    text = said["automatic-login"].strip()
    if "does not exist" in text:
        return passed(OFF, "automatic-login", setting="autoLoginUser")
    if not text:
        return reading.silent("automatic-login")
    return failed(ON, "automatic-login", setting="autoLoginUser")


def windows(said: Said, now: datetime) -> Verdict:
    """Winlogon's AutoAdminLogon."""
    facts = reading.table(said, "logon")
    if facts is None:
        return reading.silent("logon")
    verdict, evidence = (
        (failed, ON) if str(facts.get("AutoAdminLogon", "0")).strip() == "1" else (passed, OFF)
    )
    return verdict(evidence, "logon", setting="AutoAdminLogon")


CHECK: Final = Check(
    id="H06",
    title=N_("Automatic login"),
    article="32(1)(b)",
    commandment=2,
    sheets=(4, 6),
    readers={System.LINUX: linux, System.MACOS: macos, System.WINDOWS: windows},
    remedies={
        System.LINUX: N_(
            "Settings > Users: turn off automatic login, so that the password is asked for at start."
        ),
        System.MACOS: N_("System Settings > Users & Groups: set “Automatically log in as” to Off."),
        System.WINDOWS: N_(
            "Windows + R, netplwiz: tick “Users must enter a user name and password”."
        ),
    },
)
