"""Accounts that stand in a product's own papers: tried only when somebody asked for it.

One try for each account and service, and none after a refusal that announces a lock-out: nothing
here is guessed. How they are sent is the probes' business (adapters); what it means is X09's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Account:
    """One row. `product`: as a service is recognised, in lower case; `path`: the protected page of
    a web server; `database`: the one the account is for; `over`: the protocol, where it is FTP."""

    product: str
    user: str
    password: str
    source: str
    path: str = "/"
    database: str = ""
    over: str = ""


ACCOUNTS: Final = (
    Account("orthanc", "orthanc", "orthanc", "Orthanc Book, Docker images", "/system"),
    Account("tomcat", "tomcat", "s3cret", "Apache Tomcat, 401.jsp of its Manager", "/manager/html"),
    Account(
        "tomcat", "tomcat", "tomcat", "Apache Tomcat 9, conf/tomcat-users.xml", "/manager/html"
    ),
    Account("elasticsearch", "elastic", "changeme", "Elastic X-Pack 5, Getting Started"),
    Account("opensearch", "admin", "admin", "OpenSearch before 2.12, Security: demo configuration"),
    Account("mirth connect", "admin", "admin", "Mirth Connect User Guide", "/api/users/current"),
    Account("dcm4chee", "admin", "admin", "dcm4chee 2, Installation: JMX console", "/jmx-console/"),
    Account("netgear", "admin", "password", "NETGEAR Nighthawk R7000 User Manual"),
    Account("tp-link", "admin", "admin", "TP-Link TL-WR841N User Guide"),
    Account("zyxel", "admin", "1234", "ZyXEL P-660HW User's Guide"),
    Account("d-link", "admin", "", "D-Link DIR-615 User Manual"),
    Account("dd-wrt", "root", "admin", "DD-WRT Wiki, Default username and password"),
    Account("brother", "admin", "access", "Brother Network User's Guide (HL, MFC, DCP)"),
    Account("xerox", "admin", "1111", "Xerox Phaser and WorkCentre, System Administrator Guide"),
    Account(
        "postgresql", "pacs", "pacs", "dcm4chee-arc-light Wiki, Docker images", database="pacsdb"
    ),
    Account(
        "postgresql", "orthanc", "orthanc", "Orthanc Book, PostgreSQL plugin", database="orthanc"
    ),
    Account("mysql", "orthanc", "orthanc", "Orthanc Book, MySQL plugin", database="orthanc"),
    Account("mysql", "openemr", "openemr", "OpenEMR, Docker image", database="openemr"),
    Account("redis", "", "foobared", "redis.conf before 7, the example of requirepass"),
    Account("pyftpdlib", "user", "12345", "pyftpdlib, Tutorial: A Base FTP server", over="ftp"),
    Account("qnap", "guest", "guest", "QNAP Turbo NAS User Manual 4.2, Users", over="ftp"),
    Account("apc", "apc", "apc", "APC Network Management Card AP9617 User's Guide", over="ftp"),
    Account("axis", "root", "pass", "AXIS 2110 User's Manual, System Security", over="ftp"),
)
_LOCK_OUT: Final = re.compile(
    r"lock(?:ed|out| out)|too many|blocked|banned|temporar(?:y|ily) (?:dis|un)|attempts? (?:left|remain)"
    r"|verrouill|bloqu|trop de tentatives|tentatives? restante",
    re.IGNORECASE,
)
_LOOKED_AT: Final = 4096  # characters of a refusal


def documented(product: str, over: str = "") -> tuple[Account, ...]:
    """The accounts of a product over one protocol, in the order they are tried."""
    wanted = product.casefold(), over
    return tuple(each for each in ACCOUNTS if (each.product, each.over) == wanted)


def announces_lock_out(untrusted: str) -> bool:
    """Whether a refusal says that more tries would lock somebody out, or already have."""
    return _LOCK_OUT.search(untrusted[:_LOOKED_AT]) is not None
