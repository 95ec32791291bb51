"""Puts the command tree and its mistakes into the reader's language.

Help texts are ours; headings and usage errors are typer's, which speaks English only, so they are
said again here in our own words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer.core
from typer.exceptions import TyperException

from serment.errors import N_, UsageError

Say = Callable[[str], str]
HEADINGS = (
    *(N_("Arguments"), N_("Options"), N_("Commands"), N_("required")),
    N_("Show this message and exit."),
)
HINT = N_("`serment --help` lists the commands")


def translate(command: Any, say: Say) -> None:
    """Help texts and headings, all the way down the tree."""
    typer.core._ = say  # type: ignore[assignment,attr-defined] # its only hook for headings
    _texts(command, say)


def _texts(command: Any, say: Say) -> None:
    for name in ("help", "epilog", "short_help"):
        text = getattr(command, name, None)
        if text:
            setattr(command, name, say(text))
    for parameter in (*command.params, command.get_help_option(typer.Context(command))):
        if getattr(parameter, "help", None):
            parameter.help = say(parameter.help)
    for child in getattr(command, "commands", {}).values():
        _texts(child, say)


def mistake(error: TyperException) -> UsageError:
    """What was typed wrongly, in a message of ours."""
    name = _name(error)
    message = MISTAKES.get(type(error).__name__)
    if message is not None and name:
        return UsageError(message, hint=HINT, name=name)
    text = getattr(error, "message", str(error))
    if isinstance(text, str) and text.startswith("No such command"):
        return UsageError(NO_COMMAND, hint=HINT, name=text.split("'")[1::2][0])
    if isinstance(text, str) and text == "Missing command.":
        return UsageError(N_("a command is missing"), hint=HINT)
    return UsageError(N_("this command line is not understood"), hint=HINT)


NO_COMMAND = N_("there is no command {name}")
MISTAKES = {
    "MissingParameter": N_("{name} is missing"),
    "NoSuchOption": N_("there is no option {name}"),
    "BadOptionUsage": N_("the option {name} needs a value"),
    "BadParameter": N_("{name} cannot have this value"),
}


def _name(error: Any) -> str:
    """The option or argument it is about, as typed."""
    named = getattr(error, "option_name", None)
    parameter = getattr(error, "param", None)
    if parameter is None:
        return str(named or "")
    options = [option for option in getattr(parameter, "opts", []) if option.startswith("-")]
    return options[-1] if options else str(parameter.metavar or parameter.human_readable_name)
