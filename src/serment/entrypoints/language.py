"""Decides the language of a message and translates it; formats of dates and numbers are next door.

Messages are English gettext ids (`N_` in `serment.errors`), with `{name}` fields filled in after
translation. French and English are complete; anything else reads English in the terminal and
French, the language of the practices, on the web.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files

from serment.errors import Remark, SermentError

LANGUAGES = ("fr", "en")
DOMAIN = "serment"


def from_environment(environ: Mapping[str, str], wanted: str | None = None) -> str:
    """The language of a command: `--lang` if given, else LC_ALL, LC_MESSAGES or LANG."""
    spoken = (wanted, environ.get("LC_ALL"), environ.get("LC_MESSAGES"), environ.get("LANG"))
    first = next((value for value in spoken if value), "")
    return _known(first) or "en"


def from_browser(accept_language: str, wanted: str | None = None) -> str:
    """The language of a page: the one switched to, else the browser's first that we speak.

    `accept_language` is untrusted (RFC 9110 12.5.4); what cannot be read counts for nothing.
    """
    if wanted and (known := _known(wanted)):
        return known
    ranked: list[tuple[float, str]] = []
    for part in accept_language[:200].split(","):
        tag, _, weight = part.partition(";q=")
        if known := _known(tag.strip()):
            ranked.append((_weight(weight), known))
    return max(ranked, key=lambda pair: pair[0])[1] if ranked else "fr"


def _known(tag: str) -> str | None:
    code = tag[:2].lower()
    return code if code in LANGUAGES and not tag[2:3].isalnum() else None


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


@cache
def translator(lang: str) -> gettext.NullTranslations:
    """The catalogue of a language: `gettext`, `ngettext`, for Jinja2 and for Python."""
    catalogue = files("serment").joinpath("locale", lang, "LC_MESSAGES", f"{DOMAIN}.mo")
    if not catalogue.is_file():
        return gettext.NullTranslations()
    with catalogue.open("rb") as stream:
        return gettext.GNUTranslations(stream)


def say(what: SermentError | str, lang: str, /, **values: object) -> str:
    """One message in that language, its fields filled in; dates are written out for people."""
    if isinstance(what, SermentError | Remark):
        return _fill(what.message, lang, what.values)
    return _fill(what, lang, values)


def advise(error: SermentError, lang: str) -> str:
    """The next step an error proposes, in that language; empty when it has none."""
    return _fill(error.hint, lang, error.values)


def say_count(one: str, many: str, count: int, lang: str, **values: object) -> str:
    """A message with a count, `{count}` in it, with the plural of that language."""
    from serment.entrypoints.formats import number

    text = translator(lang).ngettext(one, many, count)
    return text.format(**{"count": number(count, lang), **_readable(values, lang)})


def _fill(message: str, lang: str, values: Mapping[str, object]) -> str:
    if not message:
        return ""  # gettext answers the empty id with the catalogue's header
    return translator(lang).gettext(message).format(**_readable(values, lang))


def _readable(values: Mapping[str, object], lang: str) -> dict[str, object]:
    return {name: _one(value, lang) for name, value in values.items()}


def _one(value: object, lang: str) -> object:
    """Import the formats only for values that need them: Babel is slow to load."""
    if isinstance(value, Remark):
        return _fill(value.message, lang, value.values)
    if isinstance(value, tuple):
        return ", ".join(str(_one(each, lang)) for each in value)
    if isinstance(value, datetime):
        from serment.entrypoints.formats import moment

        return moment(value, lang)
    if isinstance(value, date):
        from serment.entrypoints.formats import day

        return day(value, lang)
    return value
