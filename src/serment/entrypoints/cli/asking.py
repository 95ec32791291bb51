"""How a command gets a password: from a file named in the environment, else from a prompt.

Never from an argument, which other programs of the machine could read.
"""

from __future__ import annotations

import getpass
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from serment.core.masked import Masked
from serment.entrypoints.cli.world import Context
from serment.entrypoints.desk.request import Request
from serment.errors import N_, Unavailable, UsageError

PASSWORD = "SERMENT_PASSWORD_FILE"
NEW_PASSWORD = "SERMENT_NEW_PASSWORD_FILE"
LONGEST = 1024


def named_vault(context: Context) -> Path | None:
    """The vault's folder, when one is named."""
    named = context.chosen_vault or context.environment.get("SERMENT_VAULT")
    return Path(named) if named else None


def vault(context: Context) -> Path:
    """The vault's folder: --vault, else SERMENT_VAULT."""
    named = named_vault(context)
    if named is None:
        raise UsageError(
            N_("which vault?"), hint=N_("name its folder: --vault DIR, or set SERMENT_VAULT")
        )
    return named


def password(context: Context, question: str = N_("Password")) -> Masked[str]:
    """The acting member's password."""
    return _from_file(context, PASSWORD) or _ask(context, question)


def new_password(context: Context) -> Masked[str]:
    """The newcomer's password, typed twice; from the acting member's file when only that one is
    named."""
    found = _from_file(context, NEW_PASSWORD) or _from_file(context, PASSWORD)
    if found is not None:
        return found
    first = _ask(context, N_("New password"))
    if first != _ask(context, N_("The same again")):
        raise UsageError(N_("the two passwords differ"), hint=N_("type them again"))
    return first


def ask(context: Context, request: Request) -> Any:
    """The answer to a request, with a bar while a large practice is being opened for it."""
    with context.progress(N_("Opening the practice")) as bar:
        return context.world.ask(vault(context), replace(request, progress=bar))


def somebody_is_there(context: Context) -> bool:
    """Whether a person can be asked: a terminal, and no program that reads the answer."""
    return sys.stdin.isatty() and not context.output.as_json


def agreed(context: Context, question: str) -> bool:
    """Whether the person answers with a yes, in his language or in English."""
    return choice(context, question).casefold() in {
        "yes",
        context.output.text(N_("yes")).casefold(),
    }


def line(context: Context, question: str) -> str:
    """What the person types at a question; empty when nothing."""
    out = context.output
    out.err.write(out.text(question) + ": ")
    out.err.flush()
    return sys.stdin.readline().strip()


def choice(context: Context, question: str) -> str:
    """As `line`, after a question that names its answers; in the reader's words."""
    out = context.output
    out.err.write(out.text(question) + " ")
    out.err.flush()
    return sys.stdin.readline().strip()


def _from_file(context: Context, variable: str) -> Masked[str] | None:
    path = context.environment.get(variable)
    if not path:
        return None
    try:
        with Path(path).open(encoding="utf-8") as stream:
            text = stream.read(LONGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(
            N_("the password file named in {variable} cannot be read"),
            hint=N_("check the path and that it is a text file"),
            variable=variable,
        ) from error
    return Masked(text.removesuffix("\n").removesuffix("\r"))


def _ask(context: Context, question: str) -> Masked[str]:
    if not sys.stdin.isatty():
        raise UsageError(
            N_("a password is needed and nobody can be asked"),
            hint=N_("name a file with it: SERMENT_PASSWORD_FILE"),
        )
    return Masked(getpass.getpass(context.output.text(question) + ": "))
