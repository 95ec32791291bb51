"""The `serment` command: reads the words typed, runs one command, ends with its exit code.

`--json`, `--lang` and `--vault` are taken from anywhere in the line; everything else belongs to
the command. Modules that are slow to load are imported by the commands that need them.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import typer
from typer.exceptions import TyperException

from serment.entrypoints.cli import breach, journal, people, reading, scan, vault
from serment.entrypoints.cli.output import DONE, USAGE, Output, run
from serment.entrypoints.cli.progress import terminal_progress
from serment.entrypoints.cli.spoken import mistake, translate
from serment.entrypoints.cli.world import Context, World
from serment.entrypoints.language import from_environment, translator
from serment.errors import N_
from serment.ports import Progress

ABOUT = N_("Serment keeps the medical secret: receives when locked, reads only for those entitled.")
EVERYWHERE = N_(
    "Everywhere: --json (one JSON value on standard output), --lang fr|en, --vault DIR (or "
    "SERMENT_VAULT). Passwords: SERMENT_PASSWORD_FILE, SERMENT_NEW_PASSWORD_FILE, or asked. "
    "Exit codes: 0 done, 1 findings, 2 usage, 3 could not finish, others in docs/cli.md."
)


def build() -> typer.Typer:
    """The tree of commands."""
    app = typer.Typer(
        name="serment",
        help=ABOUT,
        epilog=EVERYWHERE,
        no_args_is_help=True,
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for part in (vault, reading, people, journal, breach, scan):
        part.register(app)
    return app


def main(world: World, arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    rest, chosen = _global_options(words)
    lang = from_environment(os.environ, chosen.get("--lang"))
    output = Output(lang, "--json" in chosen, sys.stdout, sys.stderr)
    context = Context(
        world, output, chosen.get("--vault"), dict(os.environ), partial(_progress, output)
    )
    return run(output, lambda: _run(context, rest))


def _progress(output: Output, label: str) -> AbstractContextManager[Progress]:
    return terminal_progress(label, err=output.err, monotonic=time.monotonic, lang=output.lang)


def _global_options(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Take the options that every command has out of the line."""
    rest: list[str] = []
    chosen: dict[str, str] = {}
    waiting = iter(words)
    for word in waiting:
        name, equals, value = word.partition("=")
        if word == "--":
            return [*rest, word, *waiting], chosen
        if word == "--json":
            chosen[word] = "yes"
        elif name in ("--lang", "--vault") and equals:
            chosen[name] = value
        elif word in ("--lang", "--vault"):
            chosen[word] = next(waiting, "")
        else:
            rest.append(word)
    return rest, chosen


def _run(context: Context, words: list[str]) -> int:
    command: Any = typer.main.get_command(build())
    translate(command, translator(context.output.lang).gettext)
    try:
        code = command.main(words, prog_name="serment", standalone_mode=False, obj=context)
    except typer.Exit as done:
        return done.exit_code
    except typer.Abort as stopped:
        raise KeyboardInterrupt from stopped
    except TyperException as error:
        if not words or type(error).__name__ == "NoArgsIsHelpError":
            sys.stdout.write(str(getattr(error, "message", error)) + "\n")
            return DONE if not words else USAGE
        raise mistake(error) from error
    return code if isinstance(code, int) else DONE
