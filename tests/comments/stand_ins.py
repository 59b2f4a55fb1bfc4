"""What stands in for services elsewhere: a server on this machine, and what it may answer."""

import json
from contextlib import suppress
from http.client import parse_headers
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Event


class Service(ThreadingTCPServer):
    """A service on this machine, which keeps what it is sent and answers as a test wants.

    Asked as a proxy, it is the far end of every tunnel too.
    """

    allow_reuse_address = daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Asked)
        self.requests = []
        self.tunnels = []
        # Without it, no tunnel is let through.
        self.tls = None
        self.over = Event()
        self.answer = says("none")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Asked(StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline().decode().strip()
        headers = parse_headers(self.rfile)
        if line.startswith("CONNECT "):
            self.server.tunnels.append(line)
            if self.server.tls is None:
                self.wfile.write(http(b"", "403 Forbidden"))
                return
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            # A client that does not trust the certificate goes away.
            with suppress(OSError), self.server.tls.wrap_socket(self.request, server_side=True) as inside:
                Asked(inside, self.client_address, self.server)
            return
        self.server.requests.append((line, headers, self.rfile.read(int(headers["Content-Length"]))))
        # A client that has heard enough, or waited enough, closes the line.
        with suppress(OSError):
            self.server.answer(self.wfile, self.server.over)


def http(body: bytes, status: str = "200 OK", head: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def sends(*pieces: bytes, pause: float = 0):
    def answer(out, over):
        for piece in pieces:
            out.write(piece)
            if over.wait(pause):
                return

    return answer


def says(verdict, **more):
    return sends(http(json.dumps({"verdict": verdict, **more}).encode()))


def hangs(out, over):
    over.wait(60)
