"""Real file servers, started on a machine of the network, over a folder that somebody left open."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.network.certificates import certificate
from tests.lan.parts import Machine

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


PYFTPDLIB = """
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer
host, port, folder, anybody = sys.argv[1:]
people = DummyAuthorizer()
people.add_user("fictif", "un mot de passe fictif", folder)
if anybody != "no":
    people.add_anonymous(folder, perm="elrw" if anybody == "writes" else "elr")
handler = type("Handler", (FTPHandler,), dict(authorizer=people, banner="Bienvenue au cabinet"))
handler.masquerade_address = "192.0.2.7"  # as behind a box: PASV names the outside address
FTPServer((host, int(port)), handler).serve_forever()
"""

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


AFP = Path(__file__).with_name("afp_server.py")

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
