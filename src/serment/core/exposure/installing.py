"""What an installer does about each finding, with the settings of common products by their names.

The sentence for the doctor is the check's own remedy; this one is handed on. Settings are those that
the products' own documentation names (Orthanc, Samba, PostgreSQL, Redis, MongoDB, OpenSSH, Windows).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from serment.errors import N_

STEPS: Final[Mapping[str, str]] = {
    "X01": N_(
        "Declare every modality and workstation that may query (AE title and IP address), refuse all others, turn on DICOM over TLS. Orthanc: DicomAlwaysAllowFind false, DicomModalities, DicomCheckModalityHost true."
    ),
    "X02": N_(
        "Allow C-GET and C-MOVE to declared devices only. Orthanc: DicomAlwaysAllowGet false, DicomAlwaysAllowMove false."
    ),
    "X03": N_(
        "Accept C-STORE from the modalities' AE titles and addresses only. Orthanc: DicomAlwaysAllowStore and DicomAlwaysAllowEcho false."
    ),
    "X04": N_(
        "Let the worklist server (MWL) answer the modalities' AE titles and addresses only; put it on the modalities' network."
    ),
    "X05": N_(
        "Filter callers by IP address as well as by AE title, and require client certificates; then change the title."
    ),
    "X06": N_(
        "Configure DICOM over TLS on the archive and on each modality (usual port 2762), or put both on a VLAN of their own without a route to the workstations."
    ),
    "X07": N_(
        "Require and verify client certificates (mutual TLS) on the DICOM port, and install one on each device."
    ),
    "X08": N_(
        "Turn authentication on, one account per person, behind HTTPS. Orthanc: AuthenticationEnabled true, RegisteredUsers; RemoteAccessAllowed false where nobody needs it."
    ),
    "X09": N_(
        "Change or delete the factory account on this service, and look in its logs for uses of it."
    ),
    "X10": N_(
        "Put DICOMweb (QIDO-RS, WADO-RS, STOW-RS) behind HTTPS with an account or a token, or bind it to 127.0.0.1 behind a reverse proxy that asks for one."
    ),
    "X11": N_(
        "Serve the viewer over HTTPS behind the archive's sign-in or an authenticating reverse proxy; no anonymous configuration."
    ),
    "X12": N_(
        "Install the version named or a later one; for a medical device ask the manufacturer in writing, and meanwhile allow only the addresses that need it."
    ),
    "X13": N_(
        "Stop the FTP service or disable its anonymous account; keep its logs to know who read the files."
    ),
    "X14": N_("Replace it by SFTP or HTTPS; else enable explicit FTPS and require it."),
    "X15": N_(
        "Remove guest access and give rights by account. Samba: map to guest = never, guest ok = no; NFS: name the clients in /etc/exports; rsync: auth users."
    ),
    "X16": N_(
        "Windows: remove the feature SMB 1.0/CIFS and require signing; Samba: server min protocol = SMB2, server signing = mandatory. Replace copiers that only know SMBv1."
    ),
    "X17": N_(
        "Turn directory listing off, remove the files from the web server, keep the access logs: they tell who read them."
    ),
    "X18": N_(
        "Set a password, bind to 127.0.0.1, close the port in the firewall. PostgreSQL: no trust line in pg_hba.conf; Redis: requirepass and protected-mode yes; MongoDB: security.authorization enabled."
    ),
    "X19": N_(
        "Accept MLLP connections from the senders' addresses only, through TLS with client certificates or a VPN."
    ),
    "X20": N_(
        "Require OAuth 2 (SMART on FHIR) or an account over HTTPS on every path of the interface."
    ),
    "X21": N_(
        "Close the port or put it behind a VPN with two factors. Windows: require Network Level Authentication; VNC: no access without password; telnet: replace it by SSH."
    ),
    "X22": N_(
        "Delete the forwarding on the box (NAT/PAT) and turn UPnP off; for remote access set up a VPN with two factors."
    ),
    "X23": N_(
        "On the box: turn DMZ mode off, delete the rules that open ports, keep its firewall on; for remote access set up a VPN with two factors."
    ),
    "X24": N_(
        "Install a valid certificate (RSA of 2048 bits or more, or EC), allow TLS 1.2 and 1.3 only, plan its renewal."
    ),
    "X25": N_(
        "Turn on HTTPS for administration, allow it from one workstation's address only, update the firmware."
    ),
    "X26": N_(
        "Filter inbound IPv6 on the box and on the machine, or give the service a unique local address (fc00::/7) only."
    ),
    "X27": N_("Start Memcached with -l 127.0.0.1 and -U 0, and close port 11211 in the firewall."),
    "X28": N_(
        "Bind the database to 127.0.0.1, or allow the application server's address only in its configuration and in the firewall."
    ),
    "X29": N_(
        "Require encryption: SMB 3 (Samba: smb encrypt = required), HTTPS for WebDAV, SFTP instead of plain protocols."
    ),
    "X30": N_(
        "Disable SNMP versions 1 and 2c, or change the community public; version 3 with authentication and privacy where it is needed."
    ),
    "X31": N_(
        "OpenSSH: PasswordAuthentication no, PermitRootLogin no, keys only; allow the administrator's addresses only."
    ),
}
