"""H07: twelve characters and a stop to guessing; Windows is read in whatever language it speaks."""

from __future__ import annotations

import pytest
from tests.unit.exposure.posture.asked import LINUX, MACOS, WINDOWS, ask, machine

UNIX = "password sufficient pam_unix.so\nauth required pam_unix.so\n"
LOCK = "auth required pam_faillock.so preauth\n"
QUALITY = "password requisite pam_pwquality.so retry=3\n"


@pytest.mark.parametrize(
    ("pam", "file", "result"),
    [
        (UNIX + LOCK + QUALITY, "minlen = 12\n", "pass"),
        (UNIX + LOCK + QUALITY, "# minlen = 12\n", "fail"),  # 8 then
        (UNIX + QUALITY, "minlen = 14\n", "fail"),
        (UNIX + LOCK + QUALITY.replace("retry=3", "minlen=12"), "minlen = 8\n", "pass"),
        (UNIX + LOCK + QUALITY.replace("retry=3", "minlen=8"), "minlen = 12\n", "fail"),
        (UNIX.replace("pam_unix.so\n", "pam_unix.so minlen=12\n", 1) + LOCK, "", "pass"),
        (UNIX + LOCK + "#" + QUALITY, "minlen = 12\n", "fail"),
        ("", "minlen = 12\n", "unknown"),
    ],
)
def test_linux(pam: str, file: str, result: str) -> None:
    assert ask("H07", LINUX, pam=pam, pwquality=file)[0] == result


def test_macos() -> None:
    _, kept = machine("documented/macos-kept")
    text = kept["password-policy"]
    assert ask("H07", MACOS, password_policy=text)[0] == "pass"
    assert ask("H07", MACOS, password_policy=text.replace("{12,", "{8,"))[0] == "fail"
    stopless = text.replace("policyAttributeFailedAuthentications", "x")
    assert ask("H07", MACOS, password_policy=stopless)[0] == "fail"
    assert "any length" in ask("H07", MACOS, password_policy="Getting global account policies\n")[1]


ENGLISH = """Force user logoff how long after time expires?:       Never
Minimum password age (days):                          0
Maximum password age (days):                          42
Minimum password length:                              {length}
Length of password history maintained:                None
Lockout threshold:                                    {tries}
Lockout duration (minutes):                           10
Lockout observation window (minutes):                 10
Computer role:                                        WORKSTATION
The command completed successfully.
"""
FRENCH = """Forcer la fermeture de session après expiration\u00a0?\u00a0:   Jamais
Durée de vie minimale du mot de passe (jours)\u00a0:      0
Durée de vie maximale du mot de passe (jours)\u00a0:      42
Longueur minimale du mot de passe\u00a0:                  {length}
Nombre d\ufffdanciens mots de passe\u00a0:                Aucune
Seuil de verrouillage\u00a0:                              {tries}
Durée du verrouillage (min)\u00a0:                        10
Fenêtre d\ufffdobservation du verrouillage (min)\u00a0:   10
Rôle de l\ufffdordinateur\u00a0:                          STATION DE TRAVAIL
La commande s\ufffdest terminée correctement.
"""


@pytest.mark.parametrize("text", [ENGLISH, FRENCH], ids=["English", "French"])
@pytest.mark.parametrize(
    ("length", "tries", "result"),
    [(12, "10", "pass"), (12, "Never", "fail"), (8, "10", "fail"), (0, "Jamais", "fail")],
)
def test_windows(text: str, length: int, tries: str, result: str) -> None:
    said = text.format(length=length, tries=tries)
    assert ask("H07", WINDOWS, accounts=said)[0] == result
    assert ask("H07", WINDOWS, accounts=said.replace("\n", "\r\n"))[0] == result


def test_windows_that_refuses() -> None:
    assert (
        ask("H07", WINDOWS, accounts="System error 5 has occurred.\n\nAccess is denied.\n")[0]
        == "unknown"
    )
