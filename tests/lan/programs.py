"""Real servers of several test modules, started on a machine of the network."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.network.certificates import certificate
from tests.lan.parts import Machine

DICOMWEB = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"


def keys(machine: Machine, name: str = "device.example", **more: object) -> tuple[Path, Path]:
    """A certificate of the practice's own authority, and its key."""
    given = {"issuer": "practice", **more}
    return certificate(machine.folder, name, **given)  # type: ignore[arg-type]


def nginx(machine: Machine, *servers: str, port: int) -> None:
    """nginx with these server blocks; `port` is one they listen on."""
    path = machine.write(
        "nginx.conf",
        f"daemon off; worker_processes 1; pid {machine.folder}/nginx.pid; user root;\n"
        "error_log stderr; events {}\n"
        f"http {{ access_log off; client_body_temp_path {machine.folder}/body;\n"
        f"proxy_temp_path {machine.folder}/proxy; types {{ text/html html; }}\n"
        + "\n".join(f"server {{ {each} }}" for each in servers)
        + "\n}\n",
    )
    machine.start(port, machine.tool("nginx"), "-e", "stderr", "-c", path)


def encrypted(cert: Path, key: Path) -> str:
    """The words of a server block that speaks good TLS."""
    return f"ssl_certificate {cert}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3;"


def orthanc(machine: Machine, dicom: int = 0, web: int = 0, **settings: object) -> None:
    """Orthanc with these settings; DICOM and HTTP where they have a port."""
    given = {
        "StorageDirectory": str(machine.folder / "storage"),
        "IndexDirectory": str(machine.folder / "storage"),
        "DicomServerEnabled": bool(dicom),
        "HttpServerEnabled": bool(web),
        **({"DicomPort": dicom} if dicom else {}),
        **({"HttpPort": web} if web else {}),
        **settings,
    }
    path = machine.write("orthanc.json", json.dumps(given))
    machine.start(web or dicom, machine.tool("Orthanc"), path)
