"""Commands after a breach: whom it reached, with the evidence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from serment.entrypoints.cli import asking
from serment.entrypoints.cli.output import DONE, FINDINGS, Output
from serment.entrypoints.cli.world import Context
from serment.entrypoints.desk.request import Request, not_a_moment
from serment.errors import N_

CLASSES = ("read", "readable", "unintelligible")
CATEGORIES = {
    "identity": N_("Identity"),
    "images": N_("Images and signals"),
    "reports": N_("Reports"),
    "documents": N_("Documents"),
}


def register(app: typer.Typer) -> None:
    breach = typer.Typer(help=N_("After a breach: whom it reached"), no_args_is_help=True)
    breach.command("radius", help=N_("Which patients, which data: read, readable, unintelligible"))(
        radius
    )
    app.add_typer(breach, name="breach")


def radius(
    ctx: typer.Context,
    stolen: Annotated[str | None, typer.Option(help=N_("what was stolen: disk or backup"))] = None,
    at: Annotated[str | None, typer.Option(help=N_("when it was stolen, or copied"))] = None,
    known: Annotated[
        list[str] | None, typer.Option(help=N_("login of a member whose password is known"))
    ] = None,
    account: Annotated[
        list[str] | None, typer.Option(help=N_("login under which somebody else acted"))
    ] = None,
    server: Annotated[
        bool, typer.Option("--server", help=N_("somebody controlled the running server"))
    ] = False,
    listener: Annotated[
        list[str] | None, typer.Option(help=N_("somebody listened at HOST:PORT, or HOST"))
    ] = None,
    start: Annotated[str | None, typer.Option("--from", help=N_("from when on"))] = None,
    end: Annotated[str | None, typer.Option("--to", help=N_("until when; now unless said"))] = None,
    patients: Annotated[
        bool, typer.Option("--patients", help=N_("list the random ids of the patients"))
    ] = False,
) -> int:
    context: Context = ctx.obj
    options = {
        "stolen": stolen,
        "at": _moment(at),
        "known": known or [],
        "accounts": account or [],
        "server": server,
        "listeners": listener or [],
        "from": _moment(start),
        "to": _moment(end),
        "patients": patients,
    }
    with context.progress(N_("Reading the journal")) as bar:
        request = Request("breach radius", options, progress=bar)
        found = context.world.ask(asking.vault(context), request)
    out = context.output
    for each in found["evidence"]:
        each["what"] = out.text(each.pop("message"), **_spoken(each.pop("values")))
    out.value(found)
    _show(out, found)
    return DONE if found["harmless"] else FINDINGS


def _moment(text: str | None) -> str | None:
    """As UTC; a time without zone is this machine's."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()
    except (ValueError, OverflowError) as error:
        raise not_a_moment() from error


def _spoken(values: dict[str, Any]) -> dict[str, object]:
    """Times travel as text."""
    return {
        key: datetime.fromisoformat(value) if key == "since" and isinstance(value, str) else value
        for key, value in values.items()
    }


def _show(out: Output, found: dict[str, Any]) -> None:
    from serment.entrypoints.formats import number

    heads = (N_("read"), N_("readable"), N_("unintelligible"))
    rows = [_row(out, N_("Patients"), [found["patients"][each] for each in CLASSES])]
    if found["patients"]["unfiled_envelopes"]:
        unfiled = [found["unfiled"][each] for each in CLASSES]
        rows.append(_row(out, N_("Patients unknown: arrivals filed with nobody"), unfiled))
    for name, label in CATEGORIES.items():
        category = found["categories"][name]
        rows.append(_row(out, label, [category[each]["patients"] for each in CLASSES]))
        if name != "identity":
            objects = [category[each]["objects"] for each in CLASSES]
            rows.append(_row(out, N_("  objects"), objects))
    out.table(("", *heads), rows)
    metadata = found["metadata"]
    out.line()
    out.line(
        N_("Readable without any key (docs/threat-model.md): sizes, times, devices, members, ids")
        if metadata["readable"]
        else N_("What stays readable without any key was not taken")
    )
    out.line()
    for each in found["evidence"]:
        where = each["entries"]
        said = (
            ""
            if where is None
            else f"  [#{where[0]}]"
            if where[0] == where[1]
            else (f"  [#{where[0]}-{where[1]}]")
        )
        out.plain(f"{number(each['count'], out.lang):>10}  {each['what']}{said}")
    for name, ids in found.get("patient_ids", {}).items():
        for patient in ids:
            out.plain(f"{patient}  {out.text(name)}")


def _row(out: Output, label: str, counts: list[int]) -> list[object]:
    from serment.entrypoints.formats import number

    return [out.text(label), *(number(count, out.lang) for count in counts)]
