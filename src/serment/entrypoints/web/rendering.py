"""Turns a template and its values into a page in the reader's language.

Templates escape everything; they get translation (`_`, `ngettext`), formats of dates and numbers,
the address of static files, and the menu. What they show comes from `views`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from functools import partial

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from serment.core.records.vault import Role
from serment.entrypoints import formats, language
from serment.entrypoints.web import charts, facts, sentences
from serment.entrypoints.web.assets import Assets
from serment.entrypoints.web.views import Page, SessionView
from serment.errors import N_

LANGUAGE_COOKIE = "__Host-serment-language"

MENU = (
    (Page.HOME, "/", "home", N_("Home")),
    (Page.STUDIES, "/studies", "studies", N_("Studies")),
    (Page.PATIENTS, "/patients", "patients", N_("Patients")),
    (Page.TO_FILE, "/to-file", "inbox", N_("To file")),
    (Page.EXPOSURE, "/exposure", "exposure", N_("Exposure")),
    (Page.JOURNAL, "/journal", "journal", N_("Journal")),
    (Page.BREACH, "/breach", "alert", N_("Breach")),
    (Page.MEMBERS, "/members", "members", N_("Members and devices")),
    (Page.SETTINGS, "/settings", "settings", N_("Settings")),
)
ROLES = {
    Role.ADMINISTRATOR: N_("administrator"),
    Role.DOCTOR: N_("doctor"),
    Role.SECRETARY: N_("secretary"),
    Role.DPO: N_("data protection officer"),
}
CIRCLES = {
    "secretariat": N_("secretariat"),
    "care": N_("care"),
    "dpo": N_("data protection"),
    "recovery": N_("recovery kit"),
}


class Renderer:
    """One template environment a language; made once, shared by all requests."""

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        self.environments = {lang: self._environment(lang) for lang in language.LANGUAGES}

    def _environment(self, lang: str) -> Environment:
        env = Environment(
            loader=PackageLoader("serment.entrypoints.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        env.globals.update(
            lang=lang,
            _=partial(_say, lang),
            ngettext=partial(_say_count, lang),
            asset=self.assets.url,
            menu=MENU,
            roles=ROLES,
            age=age,
            say_form=partial(_say_form, lang),
            facts=facts,
            sentences=sentences,
            charts=charts,
        )
        env.globals["i"] = env.get_template("icons.html").module
        env.filters.update({name: _with(lang, function) for name, function in FILTERS.items()})
        return env

    def render(self, template: str, lang: str, **values: object) -> str:
        return self.environments[lang].get_template(template).render(**values)


def _say(lang: str, message: str, **values: object) -> str:
    return language.say(
        message, lang, **{name: _readable(value, lang) for name, value in values.items()}
    )


def _readable(value: object, lang: str) -> object:
    """Numbers with their groups, circles by the names people use."""
    if isinstance(value, int) and not isinstance(value, bool):
        return formats.number(value, lang)
    if isinstance(value, tuple):
        return ", ".join(_circle(str(name), lang) for name in value)
    return value


def _say_count(lang: str, one: str, many: str, count: int, **values: object) -> str:
    return language.say_count(one, many, count, lang, **values)


def _say_form(lang: str, one: str, many: str, count: int) -> str:
    return sentences.say_form(one, many, count, lang)


def _with(lang: str, function: Callable[..., str]) -> Callable[..., str]:
    """A format of values that may be absent: nothing is shown as a dash."""

    def formatted(value: object) -> str:
        return "–" if value is None else function(value, lang)

    return formatted


def _clock(value: time, lang: str) -> str:
    """A local time of day, without a zone (DICOM TM)."""
    if lang == "fr":
        return f"{value.hour}{formats.NO_BREAK}h{formats.NO_BREAK}{value.minute:02d}"
    return f"{value.hour:02d}:{value.minute:02d}"


def _circle(name: str, lang: str) -> str:
    """A circle as people call it; those of the practice's own making keep their name."""
    return language.say(CIRCLES[name], lang) if name in CIRCLES else name


def _sentence(text: str, lang: str) -> str:
    """A message of ours as a whole sentence."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def _coded(text: str, lang: str) -> Markup:
    """Text with what stands between backquotes as code."""
    parts = str(text).split("`")
    marked = (
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part)
        for at, part in enumerate(parts)
    )
    return Markup("").join(marked)


def _iso(value: date, lang: str) -> str:
    return value.isoformat()


def age(birth: date, at: date) -> int:
    """Full years of age on that day."""
    return at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))


FILTERS: dict[str, Callable[..., str]] = {
    "number": formats.number,
    "day": formats.day,
    "short_day": formats.short_day,
    "weekday": formats.weekday,
    "hour": formats.hour,
    "moment": formats.moment,
    "duration": formats.duration,
    "clock": _clock,
    "circle": _circle,
    "sentence": _sentence,
    "coded": _coded,
    "iso": _iso,
}


def lang_of(request: Request) -> str:
    """French unless the reader switched or the browser asks for English first."""
    return language.from_browser(
        request.headers.get("accept-language", ""), request.cookies.get(LANGUAGE_COOKIE)
    )


def is_partial(request: Request) -> bool:
    """Whether a script asks for the changed part only."""
    return "hx-request" in request.headers


def show(
    request: Request,
    template: str,
    *,
    page: Page | None = None,
    status: int = 200,
    **values: object,
) -> HTMLResponse:
    """A page, or the part of one, for this request's reader."""
    renderer: Renderer = request.app.state.renderer
    session: SessionView | None = getattr(request.state, "session", None)
    html = renderer.render(
        template, lang_of(request), session=session, page=page, path=request.url.path, **values
    )
    return HTMLResponse(html, status_code=status, headers={"Vary": "HX-Request, Accept-Language"})
