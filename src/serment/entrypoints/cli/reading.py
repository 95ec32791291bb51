"""Commands that read: search, show, fetch, waiting, file, unfile."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from serment.entrypoints.cli import asking
from serment.entrypoints.cli.files import OTHER, check_free, put
from serment.entrypoints.cli.world import Context
from serment.entrypoints.desk.request import Request
from serment.errors import N_

As = Annotated[str | None, typer.Option("--as", help=N_("login of the reading member"))]
COLUMNS = {
    "study": (
        "PatientName",
        "PatientBirthDate",
        "StudyDate",
        "ModalitiesInStudy",
        "StudyInstanceUID",
    ),
    "series": ("Modality", "SeriesNumber", "SeriesDescription", "SeriesInstanceUID"),
    "instance": ("InstanceNumber", "Rows", "Columns", "SOPInstanceUID", "Object"),
}


def register(app: typer.Typer) -> None:
    app.command("search", help=N_("Find studies, series or instances"))(search)
    app.command("show", help=N_("Show a patient, a study or an instance"))(show)
    app.command("fetch", help=N_("Write one instance to a file"))(fetch)
    app.command("waiting", help=N_("List the arrivals that a person must file"))(waiting)
    app.command("file", help=N_("File an arrival with a patient, or with a new one"))(file)
    app.command("unfile", help=N_("Take an arrival off its patient"))(unfile)


def _ask(context: Context, command: str, login: str | None, **options: Any) -> Any:
    return asking.ask(context, Request(command, options, login, asking.password(context)))


def search(
    ctx: typer.Context,
    query: Annotated[
        str, typer.Argument(metavar="QUERY|-", help=N_("- reads it from standard input"))
    ],
    level: Annotated[str, typer.Option(help=N_("study, series or instance"))] = "study",
    limit: Annotated[int, typer.Option(min=1, help=N_("at most so many"))] = 1000,
    login: As = None,
) -> int:
    context: Context = ctx.obj
    text = sys.stdin.readline().rstrip("\n") if query == "-" else query
    found = _ask(context, "search", login, query=text, level=level, limit=limit + 1)
    rows, out = found[:limit], context.output
    out.value(rows)
    columns = COLUMNS.get(level, COLUMNS["study"])
    out.table(columns, [[_text(row.get(column)) for column in columns] for row in rows])
    if len(found) > limit:  # one more was asked for, to know
        out.note(
            N_("There are more than {limit}: narrow the search, or use --limit N"), limit=limit
        )
    return 0


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def show(
    ctx: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="ID", help=N_("patient or envelope id, study or instance UID"))
    ],
    login: As = None,
) -> int:
    context: Context = ctx.obj
    found = _ask(context, "show", login, id=what)
    context.output.value(found)
    for key, value in found.items():
        context.output.plain(f"{key}: {_text(value)}")
    return 0


def fetch(
    ctx: typer.Context,
    uid: Annotated[
        str,
        typer.Argument(metavar="UID|OBJECT", help=N_("SOP Instance UID, or object id of Serment")),
    ],
    target: Annotated[Path, typer.Option("-o", "--output", help=N_("file to write"))],
    login: As = None,
) -> int:
    context: Context = ctx.obj
    check_free(target, OTHER)
    request = Request("fetch", {"uid": uid}, login, asking.password(context))
    size = put(target, context.world.ask(asking.vault(context), request), OTHER)
    context.output.value({"path": str(target), "size": size})
    context.output.line(N_("{size} bytes written"), size=size)
    return 0


def waiting(ctx: typer.Context, login: As = None) -> int:
    context: Context = ctx.obj
    rows = _ask(context, "waiting", login)
    out = context.output
    out.value(rows)
    out.table(
        [N_("Arrival"), N_("Name"), N_("Birth date"), N_("May be"), N_("Differs")],
        [
            (
                row["envelope"],
                row["PatientName"],
                row["PatientBirthDate"],
                candidate["patient"] if candidate else "",
                ", ".join(candidate["differs"]) if candidate else "",
            )
            for row in rows
            for candidate in (row["candidates"] or [None])
        ],
    )
    return 0


def file(
    ctx: typer.Context,
    envelope: Annotated[str, typer.Argument(metavar="ARRIVAL")],
    patient: Annotated[
        str | None, typer.Option(help=N_("patient id; without it a new patient is made"))
    ] = None,
    login: As = None,
) -> int:
    context: Context = ctx.obj
    answer = _ask(context, "file", login, envelope=envelope, patient=patient)
    context.output.value(answer)
    context.output.line(N_("Filed with patient {patient}"), patient=answer["patient"])
    return 0


def unfile(
    ctx: typer.Context,
    envelope: Annotated[str, typer.Argument(metavar="ARRIVAL")],
    login: As = None,
) -> int:
    context: Context = ctx.obj
    context.output.value(_ask(context, "unfile", login, envelope=envelope))
    context.output.line(N_("The arrival waits to be filed again"))
    return 0
