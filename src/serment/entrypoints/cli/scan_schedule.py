"""`serment scan schedule`: shows, sets or switches off the weekly audit of the network."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from serment.entrypoints.cli import asking
from serment.entrypoints.cli.output import DONE, Output
from serment.entrypoints.cli.world import Context
from serment.entrypoints.desk.request import Request
from serment.errors import N_, UsageError

DAYS = (
    N_("monday"),
    N_("tuesday"),
    N_("wednesday"),
    N_("thursday"),
    N_("friday"),
    N_("saturday"),
    N_("sunday"),
)


def schedule(
    ctx: typer.Context,
    on: Annotated[
        bool | None, typer.Option("--on/--off", help=N_("switch the weekly audit on or off"))
    ] = None,
    day: Annotated[
        str | None, typer.Option("--day", help=N_("on which day: monday to sunday"))
    ] = None,
    hour: Annotated[int | None, typer.Option("--hour", help=N_("at which hour: 0 to 23"))] = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", help=N_("only these addresses; `own` for the own networks")),
    ] = None,
    authorised_by: Annotated[
        str | None, typer.Option("--authorised-by", help=N_("who answers for this network"))
    ] = None,
    large: Annotated[
        bool | None, typer.Option("--large", help=N_("yes, more than 1024 addresses"))
    ] = None,
) -> int:
    """`serment scan schedule`."""
    context: Context = ctx.obj
    wished: dict[str, Any] = {
        "on": on,
        "weekday": None if day is None else weekday(day, context.output),
        "hour": hour,
        "targets": None if target is None else [each for each in target if each != "own"],
        "authorised_by": authorised_by,
        "large": large,
    }
    options = {name: value for name, value in wished.items() if value is not None}
    told = context.world.ask(asking.vault(context), Request("scan schedule", options))
    context.output.value(told)
    _show(context.output, told)
    return DONE


def weekday(text: str, output: Output) -> int:
    """0 for Monday, by its English name or the reader's.

    Raises:
        UsageError: it is no day of the week.
    """
    for number, name in enumerate(DAYS):
        if text.strip().casefold() in (name, output.text(name).casefold()):
            return number
    raise UsageError(
        N_("this is no day and hour of the week"),
        hint=N_("a day from monday to sunday, an hour from 0 to 23"),
    )


def _show(out: Output, told: dict[str, Any]) -> None:
    if not told["on"]:
        out.line(N_("The weekly audit is off"))
        return
    out.line(
        N_("The weekly audit is on: {day}, {hour} h, while `serment serve` runs; next: {when}"),
        day=out.text(DAYS[told["weekday"]]),
        hour=told["hour"],
        when=datetime.fromisoformat(told["next"]),
    )
    targets = ", ".join(told["targets"]) or out.text(N_("the networks of this machine"))
    out.line(N_("It looks at: {targets}"), targets=targets)
    out.line(N_("Authorised by: {name}"), name=told["authorised_by"])
    if told["done"]:
        out.line(N_("Last one: {when}"), when=datetime.fromisoformat(told["done"]))
    if told["failed"]:
        why = out.text(told["failed"]["message"], **told["failed"]["values"])
        when = datetime.fromisoformat(told["failed"]["at"])
        out.line(N_("Failed on {when}: {why}; it is tried again an hour later"), when=when, why=why)
