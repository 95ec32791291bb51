"""Commands about members and devices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from serment.core.records.vault import MemberState
from serment.entrypoints.cli import asking
from serment.entrypoints.cli.world import Context
from serment.entrypoints.desk.request import Request
from serment.errors import N_, AccessDenied

BY = typer.Option("--by", "--as", help=N_("login of the acting member"))
By = Annotated[str | None, BY]
DIFFERENT = N_("if they differ, somebody may have changed the vault: call your DPO")

STATES = {
    MemberState.ACTIVE: N_("active"),
    MemberState.PENDING: N_("pending"),
    MemberState.REMOVED: N_("removed"),
}


def register(app: typer.Typer) -> None:
    member = typer.Typer(
        help=N_("Members: add, admit, list, remove, password, rescue"), no_args_is_help=True
    )
    member.command("add", help=N_("Add a member"))(add_member)
    member.command("admit", help=N_("Admit a member whose words you compared"))(admit)
    member.command("list", help=N_("List the members"))(list_members)
    member.command("remove", help=N_("Remove a member: his keys and sessions end now"))(remove)
    member.command("password", help=N_("Change your own password"))(password)
    member.command("rescue", help=N_("New password with two shares of the kit"))(rescue)
    app.add_typer(member, name="member")
    circle = typer.Typer(help=N_("Circles: list, accept"), no_args_is_help=True)
    circle.command("list", help=N_("List the circles and the words of their keys"))(list_circles)
    circle.command("accept", help=N_("Vouch for a stopped circle, its words compared"))(accept)
    app.add_typer(circle, name="circle")
    device = typer.Typer(help=N_("Devices that may send: add, list, remove"), no_args_is_help=True)
    device.command("add", help=N_("Allow a device; prints its token once"))(add_device)
    device.command("list", help=N_("List the devices"))(list_devices)
    device.command("remove", help=N_("Refuse a device from now on"))(remove_device)
    app.add_typer(device, name="device")
    certificate = typer.Typer(help=N_("The server's certificate: renew"), no_args_is_help=True)
    certificate.callback()(lambda: None)
    certificate.command("renew", help=N_("Issue it again, for the names and addresses given"))(
        renew_certificate
    )
    app.add_typer(certificate, name="certificate")


def _ask(context: Context, command: str, by: str | None, **options: Any) -> Any:
    request = Request(command, options, by, asking.password(context))
    return context.world.ask(asking.vault(context), request)


def add_member(
    ctx: typer.Context,
    login: Annotated[str, typer.Argument(metavar="LOGIN")],
    role: Annotated[
        list[str], typer.Option(help=N_("doctor, secretary, dpo or administrator; may be repeated"))
    ],
    circle: Annotated[str | None, typer.Option(help=N_("care circle of a doctor"))] = None,
    by: By = None,
) -> int:
    context: Context = ctx.obj
    options = {"login": login, "roles": role, "circle": circle}
    acting = asking.password(context, N_("Password of the acting member"))
    request = Request("member add", options, by, acting, asking.new_password(context))
    row = context.world.ask(asking.vault(context), request)
    out = context.output
    out.value(row)
    if row["state"] == "active":
        out.line(N_("{login} may sign in now; the words of this member's keys:"), login=login)
    else:
        out.line(
            N_("{login} waits to be admitted by a sitting member, who compares these words:"),
            login=login,
        )
    out.plain(" ".join(row["words"]))
    return 0


def admit(
    ctx: typer.Context, login: Annotated[str, typer.Argument(metavar="LOGIN")], by: By = None
) -> int:
    context: Context = ctx.obj
    compared = _compare(context, login) if asking.somebody_is_there(context) else None
    row = _ask(context, "member admit", by, login=login, words=compared)
    context.output.value(row)
    context.output.line(
        N_("{login} is {state}; his words: {words}"),
        login=login,
        state=context.output.text(STATES[row["state"]]),
        words=" ".join(row["words"]),
    )
    return 0


def _compare(context: Context, login: str) -> list[str]:
    """Show the newcomer's words and ask whether they are those he reads; the words."""
    row = context.world.ask(asking.vault(context), Request("member words", {"login": login}))
    context.output.line(N_("The words of {login}, which he reads to you:"), login=login)
    _confirm(
        context,
        row["words"],
        AccessDenied(
            N_("the words were not confirmed: {login} is not admitted"),
            hint=DIFFERENT,
            login=login,
        ),
    )
    return list(row["words"])


def _confirm(context: Context, words: list[str], refusal: AccessDenied) -> None:
    context.output.plain("  " + " ".join(words))
    if not asking.agreed(context, N_("Are they the same, all of them? (yes/no)")):
        raise refusal


def list_members(ctx: typer.Context) -> int:
    context: Context = ctx.obj
    rows = context.world.ask(asking.vault(context), Request("member list", {}))
    out = context.output
    out.value(rows)
    out.table(
        [N_("Login"), N_("Roles"), N_("Circles"), N_("State"), N_("Words")],
        [
            (
                row["login"],
                ", ".join(map(out.text, row["roles"])),
                ", ".join(row["circles"]),
                out.text(STATES[row["state"]]),
                " ".join(row["words"]),
            )
            for row in rows
        ],
    )
    return 0


def remove(
    ctx: typer.Context, login: Annotated[str, typer.Argument(metavar="LOGIN")], by: By = None
) -> int:
    context: Context = ctx.obj
    row = _ask(context, "member remove", by, login=login)
    context.output.value(row)
    context.output.line(
        N_("{login} is removed; the next session of a remaining member renews the keys"),
        login=login,
    )
    return 0


def password(ctx: typer.Context, login: By = None) -> int:
    context: Context = ctx.obj
    old = asking.password(context, N_("Present password"))
    request = Request("member password", {}, login, old, asking.new_password(context))
    answer = context.world.ask(asking.vault(context), request)
    context.output.value(answer)
    context.output.line(N_("{login} has a new password"), login=answer["login"])
    return 0


def rescue(
    ctx: typer.Context,
    login: Annotated[str, typer.Argument(metavar="LOGIN")],
    share: Annotated[list[Path], typer.Option("--share", help=N_("file of a share; two needed"))],
) -> int:
    context: Context = ctx.obj
    answer = context.world.rescue(asking.vault(context), login, share, asking.new_password(context))
    context.output.value(answer)
    context.output.line(N_("{login} has a new password"), login=login)
    return 0


def renew_certificate(
    ctx: typer.Context,
    name: Annotated[list[str] | None, typer.Option(help=N_("host name of this server"))] = None,
    address: Annotated[
        list[str] | None, typer.Option(help=N_("private IP address of this server"))
    ] = None,
    by: By = None,
) -> int:
    context: Context = ctx.obj
    request = Request("certificate renew", {}, by, asking.password(context))
    answer = context.world.certify(asking.vault(context), name or [], address or [], request)
    context.output.value(answer)
    context.output.line(N_("The certificate is renewed: {path}"), path=answer["certificate"])
    return 0


def list_circles(ctx: typer.Context) -> int:
    context: Context = ctx.obj
    rows = context.world.ask(asking.vault(context), Request("circle list", {}))
    context.output.value(rows)
    context.output.table(
        [N_("Circle"), N_("Words")], [(row["circle"], " ".join(row["words"])) for row in rows]
    )
    return 0


def accept(
    ctx: typer.Context, circle: Annotated[str, typer.Argument(metavar="CIRCLE")], by: By = None
) -> int:
    context: Context = ctx.obj
    compared = _compare_circle(context, circle) if asking.somebody_is_there(context) else None
    answer = _ask(context, "circle accept", by, circle=circle, words=compared)
    context.output.value(answer)
    context.output.line(
        N_("The circle {circle} is accepted; its words: {words}"),
        circle=circle,
        words=" ".join(answer["words"]),
    )
    return 0


def _compare_circle(context: Context, circle: str) -> list[str] | None:
    """Show the words of the circle's key and ask whether its members read the same; the words."""
    rows = context.world.ask(asking.vault(context), Request("circle list", {}))
    found = [list(row["words"]) for row in rows if row["circle"] == circle]
    if not found:
        return None
    context.output.line(
        N_("The words of the circle {circle}, which its members read to you:"), circle=circle
    )
    _confirm(
        context,
        found[0],
        AccessDenied(
            N_("the words were not confirmed: the circle {circle} is not accepted"),
            hint=DIFFERENT,
            circle=circle,
        ),
    )
    return found[0]


def add_device(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    ae: Annotated[str, typer.Option("--ae", help=N_("its AE title"))],
    address: Annotated[str, typer.Option(help=N_("its IP address"))],
    circle: Annotated[str | None, typer.Option(help=N_("care circle that receives"))] = None,
    called: Annotated[
        str | None, typer.Option(help=N_("AE title it calls us by (SERMENT)"))
    ] = None,
    by: By = None,
) -> int:
    context: Context = ctx.obj
    answer = _ask(
        context,
        "device add",
        by,
        name=name,
        ae=ae,
        address=address,
        circle=circle,
        called=called,
    )
    out = context.output
    out.value(answer)
    out.line(N_("{name} may send. Its token, shown once:"), name=name)
    out.plain(answer["token"] if not out.as_json else "")
    return 0


def list_devices(ctx: typer.Context) -> int:
    context: Context = ctx.obj
    rows = context.world.ask(asking.vault(context), Request("device list", {}))
    out = context.output
    out.value(rows)
    out.table(
        [N_("Name"), N_("AE title"), N_("Calls"), N_("Address"), N_("Circle")],
        [(r["name"], r["ae"], r["called"], r["address"], r["circle"]) for r in rows],
    )
    return 0


def remove_device(
    ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME")], by: By = None
) -> int:
    context: Context = ctx.obj
    context.output.value(_ask(context, "device remove", by, name=name))
    context.output.line(N_("{name} is refused from now on"), name=name)
    return 0
