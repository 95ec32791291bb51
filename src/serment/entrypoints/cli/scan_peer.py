"""`serment scan peer`: helpers outside, paired by a code, and this machine as a helper of others."""

from __future__ import annotations

from typing import Annotated

import typer

from serment.entrypoints.cli import asking
from serment.entrypoints.cli.output import DONE
from serment.entrypoints.cli.world import Context
from serment.errors import N_

PORT = 7311
SAID = {
    "paired": N_("{name}: paired"),
    "wrong code": N_("a pairing was refused: no code, or another one"),
    "looked": N_("{name}: looked"),
    "proved": N_("{name}: its address was proved"),
    "not proved": N_("{name}: its address was not proved"),
    "refused": N_("{name}: an order was refused"),
    "shared address": N_("{name}: shared address, nothing was tried"),
    "too soon": N_("{name}: its hour is not over"),
    "unable": N_("nothing was tried: the file of pairings cannot be read or written here"),
}


def register(scan: typer.Typer) -> None:
    peer = typer.Typer(help=N_("A helper outside that looks back"), no_args_is_help=True)
    peer.command("pair", help=N_("Pair with a helper that shows a code"))(pair)
    peer.command("list", help=N_("The pairings of both kinds"))(listed)
    peer.command("forget", help=N_("End a pairing on this side"))(forget)
    peer.command("serve", help=N_("Be a helper: look back at practices that ask"))(serve)
    scan.add_typer(peer, name="peer")


def pair(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help=N_("what to call the helper"))],
    place: Annotated[str, typer.Argument(metavar="HOST:PORT", help=N_("where the helper listens"))],
) -> int:
    """`serment scan peer pair`."""
    context: Context = ctx.obj
    code = asking.line(context, N_("The code that the helper shows"))
    made = context.world.peers(asking.named_vault(context)).pair(name, place, code)
    context.output.value({"name": made.name, "place": made.place, "since": made.since})
    context.output.line(
        N_("Paired with {name}: `serment scan network --peer {name}` has it look back"), name=name
    )
    return DONE


def listed(ctx: typer.Context) -> int:
    """`serment scan peer list`."""
    context: Context = ctx.obj
    known = context.world.peers(asking.named_vault(context)).known()
    context.output.value(
        {
            "pairings": [
                {
                    "name": each.name,
                    "role": "helper" if each.place else "practice",
                    "place": each.place,
                    "since": each.since,
                }
                for each in known
            ]
        }
    )
    for each in known:
        if each.place:
            said = N_("{name}  a helper at {place}, paired on {day}")
        else:
            said = N_("{name}  a practice that this machine helps, paired on {day}")
        context.output.line(said, name=each.name, place=each.place, day=each.since.date())
    if not known:
        context.output.line(N_("There is no pairing yet."))
    return DONE


def forget(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help=N_("the pairing's name"))],
) -> int:
    """`serment scan peer forget`."""
    context: Context = ctx.obj
    context.world.peers(asking.named_vault(context)).forget(name)
    context.output.value({"forgotten": name})
    context.output.line(N_("Forgotten here; the other side keeps it until it forgets it too"))
    return DONE


def serve(
    ctx: typer.Context,
    listen: Annotated[
        str, typer.Option("--listen", help=N_("address and port to listen on"))
    ] = f"127.0.0.1:{PORT}",
    name: Annotated[
        str | None, typer.Option("--pair", help=N_("show a code to pair one practice of this name"))
    ] = None,
) -> int:
    """`serment scan peer serve`."""
    from serment.core.exposure.places import parse_place

    context: Context = ctx.obj
    out = context.output

    def told(what: str, of: str) -> None:
        out.note(SAID[what], name=of)

    host, port = parse_place(listen)
    helper = context.world.helping(asking.named_vault(context), told)
    code = helper.offer(name.strip()) if name else ""
    address, taken = helper.listen(host, port)
    out.value({"address": address, "port": taken, "code": code})
    if code:
        out.line(N_("The code, for ten minutes and one practice: {code}"), code=code)
    out.line(N_("Listening at {address}, port {port}; Ctrl-C ends it"), address=address, port=taken)
    helper.serve()
    return DONE
