"""A small server that answers RDP's connection request: `python rdp.py HOST PORT nla|old`.

Debian's xrdp cannot require Network Level Authentication. This one answers as Windows does when it
requires it (MS-RDPBCGR 2.2.1.2.2, HYBRID_REQUIRED_BY_SERVER), or as one of before negotiation.
"""

from __future__ import annotations

import socketserver
import sys

CONFIRM = bytes([0xD0, 0, 0, 0x12, 0x34, 0])
NLA_REQUIRED = bytes([3, 0, 8, 0, 5, 0, 0, 0])


class Desktop(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        head = self.rfile.read(4)
        if head[:1] != b"\x03":
            return
        self.rfile.read(int.from_bytes(head[2:], "big") - 4)
        body = CONFIRM + (NLA_REQUIRED if sys.argv[3] == "nla" else b"")
        size = (5 + len(body)).to_bytes(2, "big")
        self.wfile.write(bytes([3, 0]) + size + bytes([len(body)]) + body)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True


if __name__ == "__main__":
    Server((sys.argv[1], int(sys.argv[2])), Desktop).serve_forever()
