"""H02: decides whether the screen locks by itself within thirty minutes (PGSSI-S 4.5.2.3)."""

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

MOST_SECONDS: Final = 30 * 60

LOCKS = N_("the screen locks after {minutes} min ({setting})")
LATE = N_("the screen locks only after {minutes} min ({setting})")
NEVER = N_("the screen never locks by itself ({setting})")
DIRECT = N_("no desktop session was found; a text console is not examined")


def judged(seconds: int, setting: str, *sources: str) -> Verdict:
    minutes = -(-seconds // 60)
    verdict = passed if seconds <= MOST_SECONDS else failed
    evidence = LOCKS if seconds <= MOST_SECONDS else LATE
    return verdict(evidence, *sources, minutes=minutes, setting=setting)


def linux(said: Said, now: datetime) -> Verdict:
    """GNOME's settings, KDE's file, or the time-out of shells where there is no desktop."""
    desktop = said.get("desktop", "").lower()
    if "kde" in desktop or "plasma" in desktop:
        return kde(said)
    if any(name in desktop for name in ("gnome", "unity", "ubuntu")):
        return gnome(said)
    if desktop.strip():
        return unknown(N_("the settings of this desktop are not read"), "desktop")
    return console(said)


def gnome(said: Said) -> Verdict:
    """`gsettings list-recursively` of the session and of the screen saver."""
    if "gnome-session" not in said or "gnome-screensaver" not in said:
        return reading.silent("gnome-screensaver")
    sources = ("gnome-session", "gnome-screensaver")
    found = {}
    for line in (said[sources[0]] + "\n" + said[sources[1]]).splitlines():
        words = line.split()
        if len(words) >= 3:
            found[words[1]] = words[-1]
    idle, delay = reading.number(found.get("idle-delay")), reading.number(found.get("lock-delay"))
    if idle is None or "lock-enabled" not in found:
        return unknown(N_("the answer about the screen lock is not understood"), *sources)
    if found["lock-enabled"] != "true" or idle == 0:
        return failed(NEVER, *sources, setting=f"idle-delay {idle}")
    return judged(max(0, idle) + max(0, delay or 0), f"idle-delay {idle}", *sources)


def kde(said: Said) -> Verdict:
    """kscreenlockerrc: [Daemon] Autolock and Timeout in minutes; 5 unless said otherwise."""
    if "kde-lock" not in said:
        return reading.silent("kde-lock")
    daemon = dict(reading.sections(said["kde-lock"])).get("Daemon", {})
    minutes = reading.number(daemon.get("Timeout", "5")) or 0
    if daemon.get("Autolock", "true").lower() == "false" or minutes <= 0:
        return failed(NEVER, "kde-lock", setting="Autolock=false")
    grace = reading.number(daemon.get("LockGrace", "0")) or 0
    return judged(minutes * 60 + max(0, grace), f"Timeout={minutes}", "kde-lock")


def console(said: Said) -> Verdict:
    found = re.search(r"^[^#\n]{0,200}\bTMOUT=([0-9]{1,9})", said.get("shell-timeout", ""), re.M)
    seconds = int(found[1]) if found else 0
    if not seconds:
        return unknown(DIRECT, "desktop")
    return judged(seconds, f"TMOUT={seconds}", "desktop", "shell-timeout")


def macos(said: Said, now: datetime) -> Verdict:
    """`sysadminctl -screenLock status`, with the screen saver's and the display's idle times."""
    text = said.get("screen-lock", "")
    if "screenLock is off" in text or "delay is -1" in text:
        return failed(NEVER, "screen-lock", setting="screenLock is off")
    found = re.search(r"screenLock delay is (immediate|[0-9]{1,9})", text)
    if not found:
        return reading.silent("screen-lock")
    delay = 0 if found[1] == "immediate" else int(found[1])
    idle = reading.number(said.get("screen-saver"))
    saver = SAVER_SECONDS if idle is None else idle
    slept = re.search(r"\bdisplaysleep\s+([0-9]{1,6})\b", said.get("power", ""))
    waits = [each for each in (saver, 60 * int(slept[1]) if slept else 0) if each > 0]
    sources = ("screen-lock", "screen-saver", "power")
    if not waits:
        return failed(NEVER, *sources, setting="displaysleep 0")
    return judged(min(waits) + delay, f"displaysleep, idleTime {min(waits)} s", *sources)


SAVER_SECONDS: Final = 20 * 60  # macOS, when nobody chose


def windows(said: Said, now: datetime) -> Verdict:
    """The policy on inactivity, else a screen saver with password, else sleep with password."""
    system = reading.table(said, "system-policy")
    own, forced = reading.table(said, "screen-saver"), reading.table(said, "screen-saver-policy")
    if system is None or own is None:
        return reading.silent("screen-saver")
    policy = reading.number(system.get("InactivityTimeoutSecs")) or 0
    if policy > 0:
        return judged(policy, f"InactivityTimeoutSecs={policy}", "system-policy")
    saver = {**own, **(forced or {})}
    wait = reading.number(saver.get("ScreenSaveTimeOut")) or 0
    on = [str(saver.get(name)) for name in ("ScreenSaveActive", "ScreenSaverIsSecure")]
    if on == ["1", "1"] and wait > 0 and saver.get("SCRNSAVE.EXE"):
        sources = ("screen-saver", "screen-saver-policy")
        return judged(wait, f"ScreenSaveTimeOut={wait}", *sources)
    return asleep(said)


def asleep(said: Said) -> Verdict:
    """`powercfg /query`: the two last hexadecimal numbers are the settings on mains and battery."""
    if "sleep" not in said or "wake-password" not in said:
        return failed(NEVER, "screen-saver", "system-policy", setting="ScreenSaveActive=0")
    sleeps, asks = (indices(said[name]) for name in ("sleep", "wake-password"))
    sources = ("screen-saver", "system-policy", "sleep", "wake-password")
    if len(sleeps) < 2 or len(asks) < 2:
        return unknown(N_("the answer about the screen lock is not understood"), *sources)
    if 0 in sleeps[-2:] or 0 in asks[-2:]:
        return failed(NEVER, *sources, setting="ScreenSaveActive=0, STANDBYIDLE=0")
    return judged(max(sleeps[-2:]), f"STANDBYIDLE={max(sleeps[-2:])}", *sources)


def indices(text: str) -> list[int]:
    return [int(digits, 16) for digits in re.findall(r"\b0x([0-9a-fA-F]{8})\b", text)]


CHECK: Final = Check(
    id="H02",
    title=N_("Screen lock"),
    article="32(1)(b)",
    commandment=3,
    sheets=(4, 6),
    readers={System.LINUX: linux, System.MACOS: macos, System.WINDOWS: windows},
    remedies={
        System.LINUX: N_(
            "Settings > Privacy & Security > Screen Lock: lock automatically, after 10 minutes "
            "(30 at most)."
        ),
        System.MACOS: N_(
            "System Settings > Lock Screen: start the screen saver or turn the display off after "
            "10 minutes (30 at most), and require the password immediately."
        ),
        System.WINDOWS: N_(
            "Settings > Personalisation > Lock screen > Screen saver: 10 minutes (30 at most), and "
            "tick “On resume, display logon screen”. Windows + L locks at once."
        ),
    },
)
