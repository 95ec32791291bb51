"""Keeps the catalogues: extracts messages, updates and compiles fr and en, lists what is missing.

Python is read through its syntax tree, so that the message and the hint of every error are found
whether or not they are marked with `N_`; templates are read by Jinja2's own extractor. French
typography (no-break spaces, apostrophes) is applied to the French side. Run: `make messages`; with
`FR=FILE` it first takes French texts from FILE, a JSON object {message: text, or [one, many]}.
"""

from __future__ import annotations

import ast
import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from serment import errors
from serment.entrypoints.formats import typographic

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "serment"
LOCALE = SOURCE / "locale"
LANGUAGES = ("fr", "en")
MARKS = {"_", "N_", "gettext"}
SPOKEN = {"web": {"say"}, "cli": {"say", "text", "line", "note"}}  # functions that translate
PLURALS = {"ngettext": (0, 1), "say_count": (0, 1)}
ERRORS = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.SermentError)
}
MADE = datetime(2026, 11, 21, tzinfo=UTC)  # a fixed date: a catalogue changes with its messages

Id = str | tuple[str, str]


def literal(node: ast.expr | None) -> str | None:
    """The value of a string literal, implicit concatenation included."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def texts(node: ast.expr | None) -> Iterator[str]:
    """The literals an argument may be: one, or both sides of a condition."""
    if isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif text := literal(node):
        yield text


def called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def python_messages(source: str, marks: set[str]) -> Iterator[tuple[int, Id]]:
    """Line and id of every message in a Python file; `marks` are the functions that take one."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = called(node)
        first = node.args[0] if node.args else None
        if name in PLURALS and len(node.args) > 1:
            one, many = (literal(node.args[index]) for index in PLURALS[name])
            if one and many:
                yield node.lineno, (one, many)
        elif name in marks or name in ERRORS:
            yield from ((node.lineno, text) for text in texts(first))
        if name in ERRORS:
            hints = (word.value for word in node.keywords if word.arg == "hint")
            yield from ((node.lineno, text) for hint in hints for text in texts(hint))


def template_messages(source: bytes) -> Iterator[tuple[int, Id]]:
    """Line and id of every message in a Jinja2 template."""
    options = {"trimmed": "true", "encoding": "utf-8"}
    keywords = ("_", "gettext", "ngettext")
    for line, function, found, _ in babel_extract(io.BytesIO(source), keywords, (), options):
        arguments = found if isinstance(found, tuple) else (found,)
        strings = [text for text in arguments if isinstance(text, str)]
        if function == "ngettext" and len(strings) > 1:
            yield line, (strings[0], strings[1])
        elif strings:
            yield line, strings[0]


def extract() -> Catalog:
    """Every message of the sources, with the files that use it."""
    catalog = empty(None)
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix == ".py":
            folder = path.relative_to(SOURCE).parts[1:2]
            marks = MARKS | SPOKEN.get("".join(folder), {"say"})
            found = python_messages(path.read_text(encoding="utf-8"), marks)
        elif path.suffix in (".html", ".jinja", ".txt", ".svg") and "templates" in path.parts:
            found = template_messages(path.read_bytes())
        else:
            continue
        where = path.relative_to(ROOT).as_posix()
        for _, identifier in found:
            catalog.add(identifier, locations=[(where, 0)])
    return catalog


def empty(language: str | None) -> Catalog:
    return Catalog(
        locale=language,
        project="Serment",
        version="1",
        copyright_holder="The Serment developers",
        msgid_bugs_address="see SECURITY.md and CONTRIBUTING.md",
        creation_date=MADE,
        revision_date=MADE,
        last_translator="The Serment developers",
        language_team=language or "none",
        charset="utf-8",
        fuzzy=False,
        header_comment=f"# Serment's messages ({language}). English is the source language.",
    )


def po_path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "serment.po"


def read(language: str) -> Catalog:
    path = po_path(language)
    if not path.exists():
        return empty(language)
    with path.open("rb") as stream:
        return read_po(stream, locale=language)


def updated(language: str, template: Catalog) -> Catalog:
    """The language's catalogue with exactly the template's messages, translations kept."""
    old, new = read(language), empty(language)
    for message in template:
        if not message.id:
            continue
        known = old.get(message.id)
        new.add(
            message.id,
            finished(message, known, language),
            locations=message.locations,
            flags=(known.flags if known else set()) - {"fuzzy"},
            user_comments=known.user_comments if known else (),
        )
    return new


def finished(message: Message, known: Message | None, language: str) -> str | tuple[str, ...]:
    """English repeats its id; French keeps its translation, with its typography."""
    if language == "en":
        return message.id
    plural = isinstance(message.id, tuple)
    if known is None or not known.string:
        return ("", "") if plural else ""
    if isinstance(known.string, tuple | list):
        return tuple(typographic(text) for text in known.string)
    return typographic(known.string)


def po_bytes(catalog: Catalog) -> bytes:
    stream = io.BytesIO()
    write_po(stream, catalog, width=100, sort_output=True, include_lineno=False)
    return stream.getvalue()


def mo_bytes(catalog: Catalog) -> bytes:
    stream = io.BytesIO()
    write_mo(stream, catalog)
    return stream.getvalue()


def missing(catalog: Catalog) -> list[Id]:
    """Messages without a translation, or marked fuzzy."""
    return [
        message.id
        for message in catalog
        if message.id and (not message.string or not all(parts(message)) or message.fuzzy)
    ]


def parts(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def fill(catalog: Catalog, texts: dict[str, str | list[str]]) -> None:
    """Put translations by message (a plural goes by its singular); unknown ones are told."""
    for identifier, text in texts.items():
        message = catalog.get(identifier)
        if message is None:
            sys.stdout.write(f"no such message: {identifier}\n")
        else:
            message.string = tuple(text) if isinstance(text, list) else text


def main() -> int:
    template = extract()
    left = 0
    for language in LANGUAGES:
        catalog = updated(language, template)
        if language == "fr" and sys.argv[1:]:
            fill(catalog, json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
            path = po_path(language)
            path.write_bytes(po_bytes(catalog))
            catalog = updated(language, template)
        path = po_path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(po_bytes(catalog))
        path.with_suffix(".mo").write_bytes(mo_bytes(catalog))
        gaps = missing(catalog)
        left += len(gaps)
        sys.stdout.write(f"{language}: {len(catalog)} messages, {len(gaps)} missing\n")
        for gap in gaps:
            sys.stdout.write(f"  {json.dumps(gap, ensure_ascii=False)}\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
