"""File services as practices have them: by real programs, open and closed, in clear and encrypted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.network.certificates import certificate
from tests.lan.lan import Lan
from tests.lan.parts import Machine, Part, Seen

PART = Part(3)

# What somebody left: 3 DICOM files, a table, an archive, deeper ones, and what is of no interest.
HEALTH = (
    *("IM000001", "IM000002", "exports/scanner.dcm"),
    *("exports/2019/patients.csv", "exports/2019/FICTIF^Nemo 14-07-1970.zip"),
)
HARMLESS = ("readme.txt", "logo.svg", "exports/style.css")
COUNTED = len(HEALTH)


def extracts(machine: Machine, folder: str = "files") -> str:
    """A folder with `COUNTED` files that look like health data."""
    for name in (*HEALTH, *HARMLESS):
        machine.write(f"{folder}/{name}", b"")
    return str(machine.folder / folder)


VSFTPD = """
listen=YES
background=NO
listen_address={host}
pasv_address={host}
secure_chroot_dir={folder}
local_enable=NO
xferlog_enable=NO
seccomp_sandbox=NO
"""
ANONYMOUS = "anonymous_enable=YES\nanon_root={files}\nno_anon_password=NO\n"
TLS = (
    "ssl_enable=YES\nrsa_cert_file={certificate}\nrsa_private_key_file={key}\nallow_anon_ssl=YES\n"
)


def vsftpd(machine: Machine, settings: str, port: int = 21, **values: object) -> None:
    """Start vsftpd with these settings."""
    (machine.folder / "empty").mkdir()
    text = (VSFTPD + f"listen_port={port}\n" + settings).format(
        host=machine.host, folder=machine.folder / "empty", **values
    )
    machine.start(port, machine.tool("vsftpd"), machine.write("vsftpd.conf", text))


@PART.machine({21: ("X13", "X14")}, needs="vsftpd", counts={"X13": COUNTED})
def vsftpd_anonymous(machine: Machine) -> None:
    vsftpd(machine, ANONYMOUS, files=extracts(machine))


@PART.machine({2100: ("X13",)}, needs="vsftpd", counts={"X13": COUNTED})
def vsftpd_anonymous_inside_tls_only(machine: Machine) -> None:
    """Nobody may sign in without TLS, and within it anybody, data connections included."""
    certificate_, key = certificate(machine.folder)
    vsftpd(
        machine,
        ANONYMOUS + TLS + "force_anon_logins_ssl=YES\nforce_anon_data_ssl=YES\n",
        2100,
        files=extracts(machine),
        certificate=certificate_,
        key=key,
    )


@PART.machine({9990: ("X13",)}, needs="vsftpd", counts={"X13": COUNTED})
def vsftpd_implicit_tls(machine: Machine) -> None:
    certificate_, key = certificate(machine.folder)
    vsftpd(
        machine,
        ANONYMOUS + TLS + "implicit_ssl=YES\nforce_anon_logins_ssl=YES\nforce_anon_data_ssl=YES\n",
        9990,
        files=extracts(machine),
        certificate=certificate_,
        key=key,
    )


@PART.machine({21: ("X14",)}, needs="vsftpd")
def vsftpd_clear_only(machine: Machine) -> None:
    vsftpd(machine, "anonymous_enable=NO\nlocal_enable=YES\n")


@PART.machine({21: ()}, needs="vsftpd")
def vsftpd_strict(machine: Machine) -> None:
    """Accounts only, and TLS before any of them."""
    certificate_, key = certificate(machine.folder)
    settings = "anonymous_enable=NO\nlocal_enable=YES\nforce_local_logins_ssl=YES\n" + TLS
    vsftpd(machine, settings, certificate=certificate_, key=key)


PYFTPDLIB = """
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
host, port, folder, anybody = sys.argv[1:]
people = DummyAuthorizer()
people.add_user("fictif", "un mot de passe fictif", folder)
if anybody == "yes":
    people.add_anonymous(folder)
handler = type("Handler", (FTPHandler,), dict(authorizer=people, banner="Bienvenue au cabinet"))
handler.masquerade_address = "192.0.2.7"  # as behind a box: PASV names the outside address
FTPServer((host, int(port)), handler).serve_forever()
"""


@PART.machine({2121: ("X13", "X14")}, counts={"X13": COUNTED})
def pyftpdlib_anonymous(machine: Machine) -> None:
    script, files = machine.write("server.py", PYFTPDLIB), extracts(machine)
    machine.python(2121, script, machine.host, 2121, files, "yes")


@PART.machine({21: ("X14",)})
def pyftpdlib_accounts(machine: Machine) -> None:
    script, files = machine.write("server.py", PYFTPDLIB), extracts(machine)
    machine.python(21, script, machine.host, 21, files, "no")


SAMBA = """
[global]
interfaces = {host}/8
bind interfaces only = yes
smb ports = {ports}
private dir = {folder}
lock directory = {folder}
state directory = {folder}
cache directory = {folder}
pid directory = {folder}
ncalrpc dir = {folder}/ncalrpc
log file = {folder}/smbd.log
disable spoolss = yes
load printers = no
guest account = nobody
"""
GUEST = """
[radios]
path = {files}
guest ok = yes
read only = yes
"""


def samba(
    machine: Machine,
    settings: str,
    shares: str = "",
    ports: str = "445",
    account: str = "",
) -> None:
    """Start smbd with these settings; `account` gets the empty password."""
    text = (SAMBA + settings + shares).format(
        host=machine.host, folder=machine.folder, ports=ports, files=extracts(machine)
    )
    told = machine.write("smb.conf", text)
    if account:
        machine.run(machine.tool("smbpasswd"), "-c", told, "-s", "-a", account, input="\n\n")
    port = int(ports.split()[0])
    smbd = machine.tool("smbd")
    machine.start(port, smbd, "--foreground", "--no-process-group", "-s", told)


@PART.machine({445: ("X15",)}, needs="samba", counts={"X15": COUNTED})
def samba_guest(machine: Machine) -> None:
    samba(machine, "map to guest = Bad User\n", GUEST)


@PART.machine({445: ("X15",)}, needs="samba", counts={"X15": COUNTED})
def samba_guest_is_an_account(machine: Machine) -> None:
    """Nobody gets nothing; the guest has an account, and its password is empty, as on Windows."""
    names = machine.write("names", "daemon = guest\n")
    passwords = machine.folder / "passdb.tdb"
    settings = f"username map = {names}\npassdb backend = tdbsam:{passwords}\n"
    shares = GUEST.replace("guest ok = yes", "valid users = daemon")
    samba(machine, settings + "map to guest = Never\n", shares, account="daemon")


@PART.machine({445: ("X15",)}, needs="samba", counts={"X15": COUNTED})
def samba_guest_of_the_newest(machine: Machine) -> None:
    settings = "map to guest = Bad User\nserver min protocol = SMB3_11\n"
    samba(machine, settings, GUEST)


@PART.machine({445: ("X16",)}, needs="samba")
def samba_version_1(machine: Machine) -> None:
    samba(machine, "map to guest = Never\nserver min protocol = NT1\n")


@PART.machine({445: ("X16",)}, needs="samba")
def samba_version_1_only(machine: Machine) -> None:
    samba(machine, "server min protocol = NT1\nserver max protocol = NT1\n")


@PART.machine({445: ()}, needs="samba")
def samba_as_it_comes(machine: Machine) -> None:
    shares = GUEST.replace("guest ok = yes", "guest ok = no")
    samba(machine, "map to guest = Bad User\n", shares)


@PART.machine({445: (), 139: ()}, needs="samba")
def samba_strict(machine: Machine) -> None:
    settings = (
        "map to guest = Never\nrestrict anonymous = 2\nserver min protocol = SMB3\n"
        "server signing = mandatory\nserver smb encrypt = required\n"
    )
    samba(machine, settings, GUEST.replace("guest ok = yes", "guest ok = no"), "445 139")


RSYNC = """
address = {host}
use chroot = no
log file = {folder}/rsync.log
motd file = {folder}/motd
reverse lookup = no
uid = root
gid = root
"""
CLOSED = "auth users = fictif\nsecrets file = {folder}/secrets\nstrict modes = no\n"


def rsyncd(machine: Machine, *modules: str, port: int = 873) -> None:
    """Start an rsync daemon with these modules."""
    machine.write("motd", "Bienvenue\n\nau cabinet\n")
    machine.write("secrets", "fictif:un mot de passe fictif\n")
    text = (RSYNC + "".join(modules)).format(host=machine.host, folder=machine.folder)
    settings = ("--daemon", "--no-detach", "--config", machine.write("rsyncd.conf", text))
    machine.start(port, machine.tool("rsync"), *settings, "--port", port)


@PART.machine({873: ("X15", "X29")}, needs="rsync", counts={"X15": COUNTED})
def rsync_open(machine: Machine) -> None:
    files = extracts(machine)
    machine.write("files/exports/2019/trop/profond.dcm", b"")
    closed = "[dossiers]\npath = {folder}\n" + CLOSED
    rsyncd(machine, f"[sauvegarde]\ncomment = a\tb\npath = {files}\n", closed)


@PART.machine({873: ("X29",)}, needs="rsync")
def rsync_strict(machine: Machine) -> None:
    closed = f"[dossiers]\npath = {extracts(machine)}\nlist = no\n" + CLOSED
    rsyncd(machine, closed)


AFP = Path(__file__).with_name("afp_server.py")


@PART.machine({548: ("X15", "X29")}, counts={"X15": COUNTED})
def afp_guest(machine: Machine) -> None:
    machine.python(548, AFP, machine.host, 548, extracts(machine), "yes")


@PART.machine({548: ("X29",)})
def afp_accounts(machine: Machine) -> None:
    machine.python(548, AFP, machine.host, 548, extracts(machine), "no")


NGINX = """
load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
daemon off;
user root;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  server {{
    listen {host}:{port} {ssl};
    {settings}
    location {root} {{
      alias {files}/;
      dav_methods PUT DELETE;
      dav_ext_methods PROPFIND OPTIONS;
      {access}
    }}
  }}
}}
"""


def nginx(machine: Machine, root: str = "/", access: str = "", port: int = 80) -> None:
    """Start nginx with a WebDAV folder."""
    settings = ""
    if port == 443:
        settings = "ssl_certificate {}; ssl_certificate_key {};".format(
            *certificate(machine.folder)
        )
    text = NGINX.format(
        folder=machine.folder,
        host=machine.host,
        port=port,
        ssl="ssl" if settings else "",
        settings=settings,
        root=root,
        files=extracts(machine),
        access=access,
    )
    machine.write("people", "fictif:{PLAIN}un mot de passe fictif\n")
    conf = machine.write("nginx.conf", text)
    machine.start(port, machine.tool("nginx"), "-e", machine.folder / "e.log", "-c", conf)


@PART.machine({80: ("X15", "X29")}, needs="nginx-dav", counts={"X15": COUNTED})
def webdav_open(machine: Machine) -> None:
    nginx(machine)


@PART.machine({80: ("X15", "X17")}, needs="nginx-dav")
def webdav_in_a_folder_and_its_listing(machine: Machine) -> None:
    nginx(machine, "/dav/", f"}} location / {{ root {machine.folder}/files; autoindex on;")


@PART.machine({443: ("X15",)}, needs="nginx-dav", counts={"X15": COUNTED})
def webdav_in_tls(machine: Machine) -> None:
    nginx(machine, port=443)


@PART.machine({80: ()}, needs="nginx-dav")
def webdav_strict(machine: Machine) -> None:
    access = f"auth_basic dossiers; auth_basic_user_file {machine.folder}/people;"
    nginx(machine, access=access)


GANESHA = """
NFS_CORE_PARAM {{ NFS_Protocols = {versions}; Enable_NLM = false; Enable_RQUOTA = false; }}
NFSV4 {{ Graceless = true; RecoveryRoot = {folder}/state; }}
EXPORT {{
  Export_Id = 1; Path = {files}; Pseudo = /srv/radios; Protocols = {versions}; Transports = TCP;
  Squash = All_Squash; SecType = sys; FSAL {{ Name = VFS; }} {access}
}}
"""


def ganesha(machine: Machine, access: str, versions: str = "3") -> None:
    """Start a port mapper and nfs-ganesha, with a /run of their own."""
    (machine.folder / "state").mkdir()
    text = GANESHA.format(
        folder=machine.folder, files=extracts(machine), access=access, versions=versions
    )
    settings = machine.write("ganesha.conf", text)
    server = f"{machine.tool('ganesha.nfsd')} -F -f {settings} -L {machine.folder}/ganesha.log"
    mapper = f"{machine.tool('rpcbind')} -f & sleep 1;" if versions != "4" else ""
    run = f"mount -t tmpfs none /run && {mapper} exec {server} -p {machine.folder}/pid"
    machine.start(2049, "unshare", "-m", "sh", "-c", run)


@PART.machine(
    {2049: ("X15", "X29"), 111: ()}, needs="nfs-ganesha", everywhere=True, counts={"X15": COUNTED}
)
def nfs_open(machine: Machine) -> None:
    ganesha(machine, "Access_Type = RO;")


@PART.machine({2049: ("X15", "X29"), 111: ()}, needs="nfs-ganesha", everywhere=True)
def nfs_open_to_privileged_ports(machine: Machine) -> None:
    ganesha(machine, "Access_Type = RO; PrivilegedPort = true;")


@PART.machine({2049: ("X15", "X29")}, needs="nfs-ganesha", everywhere=True, counts={"X15": COUNTED})
def nfs_4_only(machine: Machine) -> None:
    ganesha(machine, "Access_Type = RO;", "4")


@PART.machine({2049: ("X29",), 111: ()}, needs="nfs-ganesha", everywhere=True)
def nfs_strict(machine: Machine) -> None:
    ganesha(machine, "Access_Type = None; CLIENT { Clients = 10.44.9.9; Access_Type = RO; }", "3,4")


@PART.machine(
    {
        2021: ("X13", "X14"),
        4445: ("X15", "X16"),
        8873: ("X15", "X29"),
        50005: ("X15", "X29"),
    },
    needs=("vsftpd", "samba", "rsync", "nginx-dav"),
)
def each_where_nobody_expects_it(machine: Machine) -> None:
    """What a port is, is told by talking to it."""
    files = extracts(machine)
    vsftpd(machine, ANONYMOUS, 2021, files=files)
    samba(machine, "map to guest = Bad User\nserver min protocol = NT1\n", GUEST, "4445")
    rsyncd(machine, f"[sauvegarde]\npath = {files}\n", port=8873)
    nginx(machine, port=50005)


@pytest.fixture(scope="module")
def seen(lan: Lan) -> Iterator[Seen]:
    with lan.audited(PART) as found:
        yield found


@pytest.mark.parametrize("name", PART.machines)
def test_a_machine_is_told_as_what_it_is(seen: Seen, name: str) -> None:
    seen.check(name)


def test_no_name_of_a_file_is_told(seen: Seen) -> None:
    for name in ("FICTIF", "Nemo", "1970", "IM0000", "scanner.dcm", "2019"):
        assert name not in str(seen.said)


def test_what_needs_a_privileged_port_is_only_likely(seen: Seen) -> None:
    found = seen.finding("nfs_open_to_privileged_ports", 2049, "X15")
    assert (found["confidence"], found["readable"]) == ("likely", None)
