"""Somebody who visits the site that the walk has set up, by HTTPS and through its web server."""

import itertools
import re
import socket
import ssl
import time
from http.client import HTTPSConnection
from http.cookies import SimpleCookie
from typing import NamedTuple
from urllib.parse import urlencode

HOST = "news.example"
CERTIFICATE = f"/etc/letsencrypt/live/{HOST}/fullchain.pem"
numbers = itertools.count(1)


class Answer(NamedTuple):
    status: int
    location: str
    text: str


class Visitor:
    def __init__(self):
        number = next(numbers)
        self.address = f"127.{1 + number // 65_000}.{number // 250 % 250}.{1 + number % 250}"
        self.cookies: SimpleCookie = SimpleCookie()

    def ask(self, path: str, data: bytes | None = None, **headers: str) -> Answer:
        context = ssl.create_default_context(cafile=CERTIFICATE)
        line = HTTPSConnection(HOST, timeout=30, context=context, source_address=(self.address, 0))
        cookie = "; ".join(f"{name}={value.value}" for name, value in self.cookies.items())
        method = "GET" if data is None else "POST"
        try:
            line.request(method, path, data, {"Cookie": cookie, "Origin": f"https://{HOST}", **headers})
            answer = line.getresponse()
            for value in answer.headers.get_all("Set-Cookie") or []:
                self.cookies.load(value)
            text = answer.read().decode(errors="replace")
            return Answer(answer.status, answer.headers.get("Location", ""), text)
        finally:
            line.close()

    def send(self, path: str, **fields: str) -> Answer:
        return self.ask(
            path, urlencode(fields).encode(), **{"Content-Type": "application/x-www-form-urlencoded"}
        )

    def comment(self, story: str, text: str) -> Answer:
        name = text.replace(" ", "-").lower()
        return self.send(f"{story}reply/", body=text, name=name, email=f"{name}@reader.example")

    def sign_in(self, username: str, password: str) -> Answer:
        page = self.ask("/admin/login/")
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.text)
        return self.send(
            "/admin/login/",
            username=username,
            password=password,
            csrfmiddlewaretoken=token[1] if token else "",
            next="/admin/",
        )

    def upload(self, path: str, name: str, content: bytes) -> Answer:
        page = self.ask(path)
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.text)
        fields = {"csrfmiddlewaretoken": token[1] if token else "", "alternative_text": "Grey"}
        parts = [
            f'--x\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()
        ]
        head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: image/png\r\n\r\n'
        body = "".join(parts).encode() + head.encode() + content + b"\r\n--x--\r\n"
        return self.ask(path, body, **{"Content-Type": "multipart/form-data; boundary=x"})


def wait_until_ready() -> None:
    answer = None
    for _tenth in range(300):
        try:
            answer = Visitor().ask("/readyz")
            if answer.status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"The site is not ready: {answer}")


def status_for_a_foreign_host() -> bytes:
    """Return what who asks by HTTP for a host that is not the site's gets: nothing."""
    with socket.create_connection(("127.0.0.1", 80), timeout=10) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n")
        return line.recv(100)
