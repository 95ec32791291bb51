"""The 80-bit rule and what is tried first."""

from __future__ import annotations

import pytest

from serment.core.access import passwords
from serment.core.access.passwords import (
    EASY,
    HAS_LOGIN,
    HAS_PRACTICE,
    NOT_TEXT,
    TOO_LONG,
    TOO_WEAK,
    blocked_words,
    check_password,
    guess_bits,
    weaknesses,
)
from serment.errors import UsageError

STRONG = [
    "tR5%kk9Lq!2w",  # 12 of four classes: CNIL's first example, 79.55 bits
    "xK7mQ2vT9bLpW4",  # 14 of three classes
    "kq7vtz wm3xrq!",
    "cheval vache lune table pomme verte orage",  # 7 words
    "Fort mais un peu triste, ce matin !",
    "été-brume-fjord-zinc-lampe-nouille-képi",
    "Bonjour-Monde-42!",
    "tR5%kk9Lq!2w" * 20,
]


@pytest.mark.parametrize("password", STRONG)
def test_strong_enough(password: str) -> None:
    assert weaknesses(password, "admin", "Cabinet du Parc") == ()
    check_password(password, "admin", "Cabinet du Parc")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", TOO_WEAK),
        ("tR5%kk9Lq!2", TOO_WEAK),  # 11 characters
        ("xK7mQ2vT9bLpW", TOO_WEAK),  # 13 of three classes
        ("kqvtzwmxrqplmoknijbuhv", TOO_WEAK),  # one class, however long
        ("deux trois quatre cinq six sept", TOO_WEAK),  # 6 words
        ("le la le la le la le", TOO_WEAK),  # 2 different words
        ("un de la le du au et", TOO_WEAK),  # 14 letters
        ("1 2 3 4 5 6 7", TOO_WEAK),
        ("Motdepasse2024!", EASY),
        ("M0tdep@sse2024!", EASY),
        ("P@ssw0rd1234!", EASY),
        ("Azerty123456!", EASY),
        ("123456Azerty!", EASY),
        ("AZERTYuiop0987!", EASY),
        ("Aa1!Aa1!Aa1!Aa1!"[:3] + "aaaaaaaaa1!", EASY),
        ("Jean-Pierre75!", EASY),
        ("Radiologie2026*", EASY),
        ("Qwertz-Qwertz-1", EASY),
        ("Elodie-19840229", EASY),
        ("tR5%kk9Lq!2w\n", NOT_TEXT),
        ("tR5%kk9Lq!2w\x00", NOT_TEXT),
        ("x" * 257, TOO_LONG),
    ],
)
def test_refused(password: str, reason: str) -> None:
    assert reason in weaknesses(password, "admin", "Cabinet du Parc")
    with pytest.raises(UsageError) as raised:
        check_password(password, "admin", "Cabinet du Parc")
    assert raised.value.hint
    assert not password or password not in str(raised.value)


@pytest.mark.parametrize(
    "password", ["kQ7-dr.morel-v%2z", "kQ7-DR.M0REL-v%2z", "kQ7-Dr.Mörél-v%2z"]
)
def test_the_login_is_refused(password: str) -> None:
    assert HAS_LOGIN in weaknesses(password, "dr.morel", "Cabinet du Parc")
    assert HAS_LOGIN not in weaknesses(password, "dr.moreau", "Cabinet du Parc")


@pytest.mark.parametrize(
    ("password", "practice"),
    [
        ("kQ7-Alésia-v%2z", "Imagerie Alésia"),
        ("kQ7-al3s1a-v%2z", "Imagerie Alésia"),
        ("kQ7-Le-Val-v%2z", "Le Val"),
    ],
)
def test_the_practice_is_refused(password: str, practice: str) -> None:
    assert weaknesses(password, "admin", practice) == (HAS_PRACTICE,)


def test_common_words_of_a_practice_are_no_name() -> None:
    assert HAS_PRACTICE not in weaknesses("kQ7-cabinet-v%2z", "admin", "Cabinet du Parc")


def test_every_listed_word_is_refused_when_dressed_up() -> None:
    for word in blocked_words():
        for dressed in (f"{word.capitalize()}2026!", f"!{word.upper()}123"):
            assert EASY in weaknesses(dressed, "admin", "Cabinet du Parc"), dressed


def test_the_list_is_in_the_form_that_is_compared() -> None:
    assert len(blocked_words()) > 2500
    for word in blocked_words():
        assert word == passwords._fold(word)
        assert word.isalpha()


def test_a_long_hostile_password_is_judged_quickly() -> None:
    assert guess_bits("a" * 256) < 256 * 6
    assert weaknesses("é" * 10**6, "a", "b") == (TOO_LONG,)


def test_composed_and_decomposed_accents_are_judged_alike() -> None:
    for form in ("été-brume-fjord-zinc", "e\u0301te\u0301-brume-fjord-zinc"):
        assert weaknesses(form + "-nouille-képi-lampe", "admin", "x") == ()
