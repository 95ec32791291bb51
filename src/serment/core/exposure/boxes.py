"""How to close what is open on the usual French boxes: a table, dated, with where each row was read.

Menus change with models and updates: a row says where to look, and what was read publicly nowhere is
said in general words. Message ids, to be shown as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from serment.errors import N_

READ: Final = date(2026, 11, 22)  # when the sources were read


@dataclass(frozen=True, slots=True)
class Box:
    """One operator's box. `at`: where its own page answers, as printed by the operator; the four
    steps close DMZ mode, rules made by hand, UPnP, and IPv6."""

    name: str
    at: tuple[str, ...]
    open_page: str
    dmz: str
    rules: str
    upnp: str
    ipv6: str
    sources: tuple[str, ...]

    @property
    def steps(self) -> tuple[str, ...]:
        """In the order of the danger."""
        return self.open_page, self.dmz, self.rules, self.upnp, self.ipv6


BOXES: Final = (
    Box(
        "Livebox (Orange, Sosh)",
        ("http://livebox", "192.168.1.1"),
        N_("Open its page in a browser and sign in; look for the advanced settings, then Network."),
        N_("Tab DMZ: if a machine is named there, remove it."),
        N_("Tab NAT/PAT: delete every rule that nobody can explain."),
        N_("Tab UPnP: switch it off."),
        N_(
            "Firewall: choose the level Medium, Orange's default. Low filters nothing; in the level "
            "Customised, look at the IPv6 rules too."
        ),
        (
            "assistance.orange.fr/livebox-modem (les différents niveaux de sécurité du firewall)",
            "github.com/p-dor/LiveboxMonitor/issues/32 (NAT/PAT)",
        ),
    ),
    Box(
        "Freebox (Free)",
        ("http://mafreebox.freebox.fr",),
        N_(
            "Open its page in a browser and sign in; look for the Freebox's settings, then the "
            "advanced mode. A Freebox Pro is set in Free Pro's customer space, under Firewall."
        ),
        N_("Port management: switch the DMZ off."),
        N_("Port management: delete every redirection that nobody can explain."),
        N_("UPnP IGD: switch it off."),
        N_("IPv6 configuration: switch the IPv6 firewall on; it was off by default."),
        (
            "dev.freebox.fr/sdk/os/nat",
            "dev.freebox.fr/sdk/os/igd",
            "geeek.org/freebox-firewall-ipv6 (2024-02)",
            "github.com/LaFibre-info/Freepro/issues/7",
        ),
    ),
    Box(
        "Bbox (Bouygues Telecom)",
        ("https://mabbox.bytel.fr",),
        N_("Open its page in a browser and sign in; look for the expert or advanced mode."),
        N_("DMZ: switch it off."),
        N_("NAT/PAT: delete every redirection that nobody can explain."),
        N_("UPnP: switch it off."),
        N_("Firewall: leave it on, for IPv6 too."),
        ("pkg.go.dev/github.com/hadamrd/bbox-cli (2026-07)",),
    ),
    Box(
        "SFR Box (SFR, RED)",
        ("192.168.1.1",),
        N_("Open its page in a browser and sign in; look for Network, then NAT."),
        N_("DMZ: switch it off."),
        N_("NAT: delete every redirection that nobody can explain."),
        N_("UPnP: switch it off."),
        N_("IPv6: leave its filter on; where there is none, ask SFR."),
        (
            "github.com/sprat/neufbox-client",
            "glama.ai/mcp/servers/Charles-HL/sfr-box-toolkit",
        ),
    ),
    Box(
        N_("Another box or router"),
        (),
        N_(
            "Open its page in a browser: its address is the gateway of this network, often "
            "192.168.1.1 or 192.168.1.254, and stands on the label below it."
        ),
        N_("Look for DMZ, default server or exposed host: switch it off."),
        N_(
            "Look for NAT, port forwarding or virtual server: delete every rule nobody can explain."
        ),
        N_("Look for UPnP or IGD: switch it off."),
        N_("Look for the IPv6 firewall: switch it on."),
        (),
    ),
)
CLOSED_AT_BOX: Final = frozenset({"X22", "X23", "X26"})  # checks whose remedy is there
AFTERWARDS: Final = (
    N_("Restart what was closed, audit again, and have somebody try from outside."),
    N_("Who needs the images from afar gets a VPN, never an open port."),
)
