"""An Internet box that speaks UPnP:
`python box.py HOST PORT '[[OUTSIDE, HOST, PORT, "TCP"], ...]' [ADDRESS] [WORD...]`.

Answers SSDP on UDP 1900 with a LOCATION on PORT, its description there, the forwardings it was
given (WANIPConnection:1), and its address outside (ADDRESS). Adding and removing are refused. Words: `quiet`
answers no search and says nothing of UPnP; `group` only searches sent to the network's group, from
another port, with its description at no usual path; `both` that and others; `for=ADDRESS` names another
machine's description. What it is asked is written to the file `asked`.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TYPE = "urn:schemas-upnp-org:service:WANIPConnection:1"
DEVICE = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
DESCRIPTION = f"""<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor>
</specVersion><device><deviceType>{DEVICE}</deviceType><friendlyName>Box</friendlyName>
<manufacturer>Fictif</manufacturer><modelName>Box 3</modelName><modelNumber>3.1</modelNumber>
<deviceList><device><deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><deviceList>
<device><deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType><serviceList>
<service><serviceType>{TYPE}</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId>
<controlURL>/ctl/IPConn</controlURL><eventSubURL>/evt</eventSubURL><SCPDURL>/scpd.xml</SCPDURL>
</service></serviceList></device></deviceList></device></deviceList></device></root>"""
ENVELOPE = (
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
    "<s:Body>{}</s:Body></s:Envelope>"
)
ENTRY = """<u:GetGenericPortMappingEntryResponse xmlns:u="{type}"><NewRemoteHost></NewRemoteHost>
<NewExternalPort>{outside}</NewExternalPort><NewProtocol>{protocol}</NewProtocol>
<NewInternalPort>{port}</NewInternalPort><NewInternalClient>{host}</NewInternalClient>
<NewEnabled>1</NewEnabled><NewPortMappingDescription>rule</NewPortMappingDescription>
<NewLeaseDuration>0</NewLeaseDuration></u:GetGenericPortMappingEntryResponse>"""
FAULT = (
    "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail>"
    "<UPnPError><errorCode>{}</errorCode></UPnPError></detail></s:Fault>"
)
HOST, PORT = sys.argv[1], int(sys.argv[2])
MAPPINGS = json.loads(sys.argv[3])
WORDS = [each for each in sys.argv[4:] if each.isalpha() or each.startswith("for=")]
ADDRESS = next((each for each in sys.argv[4:] if each not in WORDS), "198.51.100.7")
GROUP = "ff02::c" if ":" in HOST else "239.255.255.250"
FAMILY = socket.AF_INET6 if ":" in HOST else socket.AF_INET
SHOWN = f"[{HOST}]" if ":" in HOST else HOST
FOR = next((word[4:] for word in WORDS if word.startswith("for=")), SHOWN)
PATH = "/b0x.xml" if {"group", "both"} & {*WORDS} else "/rootDesc.xml"


def note(asked: str) -> None:
    with Path("asked").open("a") as log:
        log.write(f"{asked}\n")


class Handler(BaseHTTPRequestHandler):
    """The device's description, and the one service it has."""

    server_version, sys_version = "Box" if WORDS else "Linux/4 UPnP/1.1 Box/3", ""

    def do_GET(self) -> None:
        note(f"GET {self.path}")
        if self.path == PATH:
            self.say(200, DESCRIPTION)
        else:
            self.say(404, "")

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        action = self.headers.get("SOAPAction", "").strip('"').rpartition("#")[2]
        if action == "GetExternalIPAddress":
            inner = f"<NewExternalIPAddress>{ADDRESS}</NewExternalIPAddress>"
            named = f'<u:{action}Response xmlns:u="{TYPE}">{inner}</u:{action}Response>'
            self.say(200, ENVELOPE.format(named))
            return
        index = re.search(r"<NewPortMappingIndex>(\d+)<", asked)
        if action != "GetGenericPortMappingEntry" or index is None:
            self.say(500, ENVELOPE.format(FAULT.format(606)))
        elif int(index[1]) >= len(MAPPINGS):
            self.say(500, ENVELOPE.format(FAULT.format(713)))
        else:
            outside, host, port, protocol = MAPPINGS[int(index[1])]
            said = ENTRY.format(type=TYPE, outside=outside, host=host, port=port, protocol=protocol)
            self.say(200, ENVELOPE.format(said))

    def say(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", 'text/xml; charset="utf-8"')
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


def ssdp(group: bool) -> None:
    answer = (
        f"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: {DEVICE}\r\nEXT:\r\n"
        f"USN: uuid:1::{DEVICE}\r\nLOCATION: http://{FOR}:{PORT}{PATH}\r\n\r\n"
    )
    with (
        socket.socket(FAMILY, socket.SOCK_DGRAM) as opened,
        socket.socket(FAMILY, socket.SOCK_DGRAM) as another,
    ):
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if group:
            join(opened)
        else:
            opened.bind((HOST, 1900))
        another.bind((HOST, 0))
        while True:
            asked, sender = opened.recvfrom(4096)
            if asked.startswith(b"M-SEARCH"):
                note("search")
                (another if group else opened).sendto(answer.encode(), sender)


def join(opened: socket.socket) -> None:
    """Hear what is sent to the network's group, and nothing else."""
    if FAMILY == socket.AF_INET:
        opened.bind((GROUP, 1900))
        member = socket.inet_aton(GROUP) + socket.inet_aton(HOST)
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        return
    card = socket.if_nametoindex("eth0")
    opened.bind((GROUP, 1900, 0, card))
    member = socket.inet_pton(FAMILY, GROUP) + struct.pack("@I", card)
    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)


class Server(ThreadingHTTPServer):
    address_family = FAMILY


def main() -> None:
    if "group" not in WORDS and "quiet" not in WORDS:
        threading.Thread(target=ssdp, args=(False,)).start()
    if "group" in WORDS or "both" in WORDS:
        threading.Thread(target=ssdp, args=(True,)).start()
    Server(("::" if ":" in HOST else HOST, PORT), Handler).serve_forever()


if __name__ == "__main__":
    main()
