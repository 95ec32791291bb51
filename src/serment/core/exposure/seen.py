"""What a probe saw of one service: facts of the protocol, numbers instead of patients.

Everything a check decides on stands here; nothing here can hold a name, an identifier or the
content of a file. Text that a peer chose (`product`, `version`, `banner`) is cleaned and cut
before it is put here (`text.clean`). How it was asked is the probes' business (adapters).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from serment.core.exposure.findings import Place, Readable

BANNER_LIMIT: Final = 120  # characters kept of what a service says of itself
NOT_NOW: Final = "not now"  # a refusal that says nothing of who is let in


class Answer(StrEnum):
    """What became of a question that is allowed or not."""

    YES = "yes"  # it was answered
    REFUSED = "refused"  # the service said no
    NOTHING = "nothing"  # accepted, but no usable answer in time
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Tls:
    """The TLS side of a service, as offered to a client without certificate.

    `versions` are those a handshake was made with, of "SSLv3" to "TLSv1.3". `client_certificate`:
    whether the service insists on one. Key size in bits of the key's own kind. `weak`: what it agrees to
    beside or instead of good sessions, of "NULL" (without encryption), "anonymous" (without certificate).
    """

    versions: tuple[str, ...] = ()
    client_certificate: Answer = Answer.NOT_ASKED
    expires: datetime | None = None
    key_kind: str = ""  # "RSA", "EC", "Ed25519"
    key_bits: int = 0
    self_signed: bool = False
    signature: str = ""  # hash of the certificate's signature, "sha1" ...
    understood: bool = True  # False: it stalled, sent no TLS, or agreed to none of the versions
    weak: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dicom:
    """A DICOM node (PS3.8), asked by an unknown caller.

    `accepted`: labels of the presentation contexts it accepted ("echo", "store", "find", "move",
    "get", "worklist"). `title`: the called AE title that was accepted when a usual one was not
    refused only by chance: "" = any title is accepted, None = none was. `refusal`: why an
    association was refused (PS3.8 Table 9-21), as "calling", "called", "other", "", or `NOT_NOW`: for
    the moment, or it broke off in a way that does not tell a refusal from a failure.
    """

    accepted: frozenset[str] = frozenset()
    title: str | None = None
    any_title: bool = False
    titles_tried: int = 0
    refusal: str = ""
    studies: Answer = Answer.NOT_ASKED  # C-FIND at study level
    patients: Readable | None = None
    worklist: Answer = Answer.NOT_ASKED
    appointments: Readable | None = None
    hangs_up: bool = False  # on a query, and is well otherwise


@dataclass(frozen=True, slots=True)
class Http:
    """A web server and what is behind it, asked without any account.

    `application`: what it was recognised as ("orthanc", "dicomweb", "dcm4chee", "ohif", "weasis",
    "meddream", "fhir", "elasticsearch", "nas", "printer", "box", "igd", "webdav", "listing", "").
    `login`: whether the interesting part asks who is there. `listed`: health files in a directory
    listing, by class ("dicom", "table", "database", "archive", "document"). `also`: what else of
    the same server answered without account: "dicomweb", "fhir", "orthanc", a viewer. `shared`: its
    WebDAV (a server that does nothing else is a service "webdav" with facts of kind `Files`).
    """

    application: str = ""
    status: int = 0
    login: Answer = Answer.NOT_ASKED  # YES: an account is asked for
    interface: Answer = Answer.NOT_ASKED  # YES: the management or query interface answered
    readable: Readable | None = None
    listed: dict[str, int] = field(default_factory=dict)
    writable: Answer = Answer.NOT_ASKED  # by the methods it announces; nothing is ever written
    default_account: Answer = Answer.NOT_ASKED
    also: frozenset[str] = frozenset()
    shared: Files | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """FTP, SMB, NFS, rsync, AFP, WebDAV: what a caller without account gets.

    A guest session that only sees the names of shares, as Samba grants by default, is `anonymous`
    with `shares` 0. NFS exports to everybody that were not mounted from here are `shares` with
    `anonymous` NOTHING. `shown`: whether FTP showed a folder to who had signed in.
    """

    anonymous: Answer = Answer.NOT_ASKED  # signing in, or mounting, without account
    listed: dict[str, int] = field(default_factory=dict)  # files by class, to depth 2
    shares: int = 0  # whose content a guest may list
    readable: Readable | None = None
    encrypted: Answer = Answer.NOT_ASKED  # AUTH TLS, SMB encryption
    dialects: tuple[str, ...] = ()  # of SMB: "NT1", "SMB2", "SMB3"
    signing: Answer = Answer.NOT_ASKED  # YES: required
    writable: Answer = Answer.NOT_ASKED  # as the server announces it; nothing is ever written
    default_account: Answer = Answer.NOT_ASKED
    shown: Answer = Answer.NOT_ASKED


@dataclass(frozen=True, slots=True)
class Database:
    """A database or cache. `open`: it answered a harmless question without account. `shut`: it refused
    without asking for one: this address, or whatever a stranger may ask."""

    open: Answer = Answer.NOT_ASKED
    user: str = ""  # the usual account that needed no password ("postgres", "root")
    readable: Readable | None = None
    default_account: Answer = Answer.NOT_ASKED
    encrypted: Answer = Answer.NOT_ASKED  # it offers TLS
    shut: bool = False


@dataclass(frozen=True, slots=True)
class Messages:
    """HL7 version 2 over MLLP. `acknowledged`: an empty, patient-free message got an ACK or NAK."""

    acknowledged: Answer = Answer.NOT_ASKED


@dataclass(frozen=True, slots=True)
class Remote:
    """RDP, VNC, telnet, SSH: what protects the door. `network_level`: RDP NLA is required."""

    without_password: Answer = Answer.NOT_ASKED
    network_level: Answer = Answer.NOT_ASKED
    password_only: bool = False  # SSH: passwords are accepted for the usual accounts
    clear: bool = False  # telnet, or no encryption at all


@dataclass(frozen=True, slots=True)
class Mapping:
    """One port the box forwards from the Internet. `host`: empty where the box names the machine
    otherwise than by its address."""

    outside_port: int
    host: str
    port: int
    protocol: str  # "TCP" or "UDP"
    description: str = ""


@dataclass(frozen=True, slots=True)
class Gateway:
    """An Internet gateway device (UPnP IGD), and what it says it forwards. `partial`: its list was
    not heard or understood to the end, and may hold more."""

    mappings: tuple[Mapping, ...] = ()
    outside_address: str = ""
    manageable: Answer = Answer.NOT_ASKED  # it lets anybody add mappings (never tried)
    partial: bool = False

    @property
    def is_listed(self) -> bool:
        """Whether it gave a list of forwardings, be it empty; not where all was lost."""
        return bool(self.mappings) or self.manageable is Answer.YES

    @property
    def is_whole(self) -> bool:
        """Whether it told every forwarding it has, and to whom each leads."""
        return self.is_listed and not self.partial and all(each.host for each in self.mappings)


@dataclass(frozen=True, slots=True)
class Community:
    """SNMP: `public` answered."""

    public: Answer = Answer.NOT_ASKED


Facts: TypeAlias = Dicom | Http | Files | Database | Messages | Remote | Gateway | Community | None


@dataclass(frozen=True, slots=True)
class Service:
    """One listening port, recognised by talking to it.

    `protocol` is lower case: "dicom", "http", "ftp", "smb", "nfs", "rsync", "rdp", "vnc",
    "telnet", "ssh", "mysql", "postgresql", "mssql", "mongodb", "redis", "memcached", "elasticsearch",
    "mllp", "igd", "snmp", "afp", "webdav", "portmapper", "rpc", "printer" (never spoken to), "tls" (nothing understood inside),
    "unknown" ("spoke, not understood"), "silent".
    """

    place: Place
    protocol: str
    product: str = ""
    version: str = ""
    banner: str = ""
    tls: Tls | None = None
    facts: Facts = None
    cut: bool = False  # not all was asked: it kept talking, stalled, or put us off


@dataclass(frozen=True, slots=True)
class Answered:
    """A machine that answered over TCP; of the ports asked, those within `refused` (low, high) were
    refused."""

    host: str
    refused: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Missed:
    """What an audit did not come to know: it ended too early, or part of what it told was dropped.

    `places`: they were to be talked to, and nothing is known of them; port 0 = the host, over UDP.
    `ended`: before everything was asked. `dropped`: lines that were not understood.
    """

    places: tuple[Place, ...] = ()
    ended: bool = False
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Scan:
    """All that one audit saw, and how it looked from outside, for checks that join services.

    `dmz`: the answer to the wizard's question (None = not asked). `reached`: places a peer or an
    imported external scan reached from outside; `tried`: those it tried; `shared`: the practice
    shares its public address with strangers. `outside_by`: how the outside was looked at ("upnp",
    "questions", "peer", "import"); none = not at all. `answered`: who did, with or without a service.
    `led`: each of `reached`, after the address and port outside by which it was. `swept`: every address of
    the networks that this machine is on was asked.
    """

    services: tuple[Service, ...] = ()
    dmz: bool | None = None
    manual_rules: bool | None = None
    reached: frozenset[Place] = frozenset()
    tried: frozenset[Place] = frozenset()
    shared: bool = False
    outside_by: tuple[str, ...] = ()
    at: datetime | None = None
    answered: tuple[Answered, ...] = ()
    missed: Missed | None = None  # None: all that was to be asked was
    led: frozenset[tuple[Place, Place]] = frozenset()
    swept: bool = False
