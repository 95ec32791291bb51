"""The steps of a network audit: scope, order, services, checks, report.

What may be touched is `core.exposure.scope`, what it means is `core.exposure.registry`; every
connection is the adapter's. Nothing is kept here: see `app.find.history`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_network

from serment.core.exposure.checking import View
from serment.core.exposure.findings import NotChecked
from serment.core.exposure.outside import Sight, join
from serment.core.exposure.ports import COMMON
from serment.core.exposure.products import Flaw
from serment.core.exposure.registry import CHECKS, judge
from serment.core.exposure.report import Report
from serment.core.exposure.scope import ASK_ABOVE, Scope, names_in, plan
from serment.core.exposure.seen import Gateway, Scan
from serment.core.exposure.titles import USUAL_TITLES
from serment.errors import N_, AccessDenied, UsageError
from serment.ports import Clock
from serment.ports.network import Network, Order, Progress


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks to have audited. No targets: the practice's own networks."""

    targets: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    ports: tuple[int, ...] = COMMON
    only: frozenset[str] = frozenset()  # ids of checks
    fast: bool = False
    default_accounts: bool = False
    authorised_by: str = ""
    large: bool = False  # somebody confirmed the number of addresses
    proved: tuple[str, ...] = ()
    dmz: bool | None = None
    manual_rules: bool | None = None
    sights: tuple[Sight, ...] = ()  # of an imported scan


@dataclass(frozen=True, slots=True)
class Prepared:
    """A wish and the scope it comes to; `skipped`: networks too large to be swept unasked."""

    wish: Wish
    scope: Scope
    skipped: tuple[str, ...] = ()


def prepare(network: Network, wish: Wish) -> Prepared:
    """Resolve names once and decide the scope; sends nothing to it.

    Raises:
        UsageError: a target or a check that cannot be read, or nothing to look at.
        AccessDenied: a public address without proof.
        NotFound: a name without address.
    """
    _check_ids(wish.only)
    on_link = network.local_networks()
    targets, skipped = wish.targets, tuple[str, ...]()
    if not targets:
        targets, skipped = _own(network.neighbours(), on_link)
    names = names_in((*targets, *wish.excluded))
    resolved = {name: network.resolve(name) for name in names}
    scope = plan(
        targets,
        resolved=resolved,
        on_link=on_link,
        excluded=wish.excluded,
        proved=wish.proved,
    )
    return Prepared(wish, scope, skipped)


def audit(
    network: Network,
    clock: Clock,
    prepared: Prepared,
    flaws: tuple[Flaw, ...] = (),
    progress: Callable[[Progress], None] = lambda _: None,
) -> Report:
    """Look, and judge what was seen.

    Raises:
        AccessDenied: nobody authorised it, or its size was not confirmed.
    """
    check_allowed(prepared)
    wish, scope = prepared.wish, prepared.scope
    at, started = clock.now(), clock.monotonic()
    order = Order(
        scope.addresses,
        wish.ports,
        fast=wish.fast,
        default_accounts=wish.default_accounts,
        titles=USUAL_TITLES,
    )
    services = tuple(network.audit(order, progress))
    scan = see_outside(Scan(services, at=at), wish)
    findings, skipped = judge(View(scan, flaws), wish.only)
    return Report(
        at,
        clock.monotonic() - started,
        scan,
        tuple(findings),
        (*skipped, *_unswept(prepared)),
        wish.authorised_by,
        len(scope.addresses),
        scope.proved,
    )


def check_allowed(prepared: Prepared) -> None:
    """Raise `AccessDenied` unless somebody answers for it, and for its size."""
    if not prepared.scope.is_local and not prepared.wish.authorised_by:
        raise AccessDenied(
            N_("nobody said who authorised an audit beyond this machine"),
            hint=N_("name the person who answers for this network: --authorised-by NAME"),
        )
    if prepared.scope.is_large and not prepared.wish.large:
        raise AccessDenied(
            N_("{count} addresses are more than {limit}: this must be confirmed"),
            hint=N_("confirm it with --large, or name a smaller range"),
            count=len(prepared.scope.addresses),
            limit=ASK_ABOVE,
        )


def see_outside(scan: Scan, wish: Wish) -> Scan:
    """The scan with what is known of the outside: the box's list, the answers, an imported scan."""
    by: list[str] = []
    if any(isinstance(each.facts, Gateway) for each in scan.services):
        by.append("upnp")
    if wish.dmz is not None or wish.manual_rules is not None:
        by.append("questions")
    known = replace(scan, dmz=wish.dmz, manual_rules=wish.manual_rules, outside_by=tuple(by))
    return join(known, wish.sights, "import") if wish.sights else known


def _own(
    neighbours: Iterable[str], networks: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The targets when none are named: who is known to be there, then the networks around."""
    sizes = {each: ip_network(each, strict=False) for each in networks}
    swept = [
        text for text, net in sizes.items() if net.version == 4 and net.num_addresses <= ASK_ABOVE
    ]
    large = [text for text, net in sizes.items() if net.version == 4 and text not in swept]
    targets = (*dict.fromkeys((*neighbours, *swept)),)
    if not targets:
        raise UsageError(
            N_("this machine is on no network that can be looked at"),
            hint=N_("name addresses: serment scan network 192.168.1.0/24"),
        )
    return targets, tuple(large)


def _unswept(prepared: Prepared) -> list[NotChecked]:
    reason = N_("a network of more than {limit} addresses is only swept when it is named")
    return [NotChecked("scope", each, reason, {"limit": ASK_ABOVE}) for each in prepared.skipped]


def _check_ids(only: Iterable[str]) -> None:
    unknown = sorted(set(only) - set(CHECKS))
    if unknown:
        raise UsageError(
            N_("there is no check {name}"),
            hint=N_("docs/exposure.md lists them: X01, X02 ..."),
            name=", ".join(unknown),
        )
