"""H07: decides whether the system insists on 12 characters and locks out whoever guesses."""

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

LEAST: Final = 12  # characters
PAM_UNIX_LEAST: Final = 6  # pam_unix, when nothing else decides
PWQUALITY_LEAST: Final = 8
QUALITY: Final = ("pam_pwquality.so", "pam_cracklib.so")

GOOD = N_("passwords have at least {length} characters, and guessing is stopped")
SHORT = N_("the system accepts passwords of {length} characters (at least 12 are needed)")
ENDLESS = N_("nothing stops whoever guesses passwords")
ANY = N_("the system accepts passwords of any length")
BOTH = N_("the system accepts passwords of {length} characters, and nothing stops guessing")
LOST = N_("the answer about passwords is not understood")


def judged(length: int, stopped: bool, *sources: str) -> Verdict:
    if length >= LEAST and stopped:
        return passed(GOOD, *sources, length=length)
    if length <= 0:
        return failed(ANY, *sources)
    evidence = ENDLESS if length >= LEAST else SHORT if stopped else BOTH
    return failed(evidence, *sources, length=length)


def linux(said: Said, now: datetime) -> Verdict:
    """PAM: pam_pwquality's minlen (its file, then the line), pam_faillock in the login."""
    if "pam" not in said:
        return reading.silent("pam")
    lines = [line for line in said["pam"].splitlines() if not line.lstrip().startswith("#")]
    if not any("pam_" in line for line in lines):
        return unknown(LOST, "pam")
    judging = [line for line in lines if any(name in line for name in QUALITY)]
    least = PAM_UNIX_LEAST
    if judging:
        file = reading.settings(said.get("pwquality", ""))
        least = reading.number(file.get("minlen", "")) or PWQUALITY_LEAST
    for line in judging or [each for each in lines if "pam_unix.so" in each]:
        found = re.search(r"\bminlen=([0-9]{1,4})\b", line)
        least = int(found[1]) if found else least
    stopped = any(name in line for line in lines for name in ("pam_faillock.so", "pam_tally2.so"))
    return judged(least, stopped, "pam", "pwquality")


def macos(said: Said, now: datetime) -> Verdict:
    """`pwpolicy -getaccountpolicies`: the length in a regular expression, the failed attempts."""
    if "password-policy" not in said:
        return reading.silent("password-policy")
    text = said["password-policy"]
    if "account policies" not in text and "<plist" not in text:
        return unknown(LOST, "password-policy")
    lengths = re.findall(r"\.\{([0-9]{1,4}),", text)
    stopped = "policyAttributeFailedAuthentications" in text
    return judged(max(map(int, lengths), default=0), stopped, "password-policy")


def windows(said: Said, now: datetime) -> Verdict:
    """`net accounts` says nine things in every language in the same order: the 4th and the 6th."""
    if "accounts" not in said:
        return reading.silent("accounts")
    told = [
        line.rpartition(":")[2].strip()
        for line in said["accounts"].splitlines()
        if re.search(r":\s*\S", line)
    ]
    if len(told) < 9 or (length := reading.number(told[3])) is None:
        return unknown(LOST, "accounts")
    return judged(length, (reading.number(told[5]) or 0) > 0, "accounts")


CHECK: Final = Check(
    id="H07",
    title=N_("Passwords"),
    article="32(1)(b)",
    commandment=3,
    sheets=(4,),
    readers={System.LINUX: linux, System.MACOS: macos, System.WINDOWS: windows},
    remedies={
        System.LINUX: N_(
            "Choose 12 characters or more, and ask your installer to require them (pam_pwquality, "
            "minlen = 12) and to lock out guessing (pam_faillock)."
        ),
        System.MACOS: N_(
            "Choose 12 characters or more, and ask your installer to require them by a profile, with "
            "a lock after some failed attempts."
        ),
        System.WINDOWS: N_(
            "Choose 12 characters or more. As administrator: `net accounts /minpwlen:12 "
            "/lockoutthreshold:10 /lockoutduration:15 /lockoutwindow:15`."
        ),
    },
)
