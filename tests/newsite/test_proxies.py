"""A comment by way of the web servers that may stand before the site: whose address is kept."""

import re
import shutil
import subprocess

import pytest

from tests.manual.documents import written
from tests.newsite.conftest import HOST, answer_on, answers, free_port, reply, sent_to, status_of, wait_until

FORGED = "X_Forwarded_For: 6.6.6.7\r\nX-Forwarded-For: 6.6.6.8\r\nX-Forwarded_For: 6.6.6.9\r\n"

NGINX = """
daemon off;
pid {folder}/pid;
error_log stderr error;
events {{}}
http {{
    access_log {folder}/access.log;
    {temporary}
    {servers}
}}
"""

HAPROXY = """
defaults
    mode http
    option forwardfor
    timeout connect 60s
    timeout client 60s
    timeout server 60s
frontend https
    bind {host}:{port}
    http-request set-header X-Forwarded-Proto https
    default_backend site
backend site
    server site {host}:{site}
"""


def found(program: str) -> str:
    """Return where a program is. Debian has it where only root looks."""
    path = shutil.which(program, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    return path or pytest.skip(f"{program} is missing (on Debian: apt install {program})")


@pytest.fixture(scope="module")
def site(serve):
    return serve()


@pytest.fixture
def proxy(site, tmp_path):
    """Start one of them, and return its port."""
    processes = []

    def start(command: list[str], configuration: str) -> int:
        port = free_port()
        temporary = "".join(
            f"{kind}_temp_path {tmp_path}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        file = tmp_path / "configuration"
        file.write_text(
            configuration.format(
                folder=tmp_path, host=HOST, port=port, site=site.port, temporary=temporary,
                servers=servers_of_the_manual(port, site.port),
            )
        )  # fmt: skip
        processes.append(subprocess.Popen([*command, str(file)], cwd=tmp_path))
        wait_until(lambda: answers(port) or processes[0].poll() is not None)
        assert processes[0].poll() is None
        return port

    yield start
    for process in processes:
        process.terminate()
        process.wait()


def servers_of_the_manual(port: int, site: int) -> str:
    """Return what the manual has for nginx, on other ports and without a certificate."""
    servers = written("/etc/nginx/sites-available/newsite")
    other = free_port()
    for there, here in [
        (r"listen \[::\]:\d+.*", ""),
        (r"listen 443 ssl http2", f"listen {HOST}:{port}"),
        (r"listen 443 ssl default_server", f"listen {HOST}:{port} default_server"),
        (r"listen 80\b", f"listen {HOST}:{other}"),
        (r"ssl_(protocols|session|reject).*", ""),
        (r"ssl_certificate.*", ""),
        (r"/var/log/nginx/", ""),
        (r"\$scheme", "https"),
        (r"news\.example", "localhost"),
        (r"http://127\.0\.0\.1:8000", f"http://{HOST}:{site}"),
    ]:
        servers = re.sub(there, here, servers)
    return servers


def kept_address(site, word: str) -> list[tuple]:
    return site.rows(f"SELECT ip_address FROM comments_comment WHERE body = '{word}'")  # noqa: S608


@pytest.mark.parametrize(
    ("program", "arguments", "configuration", "sender"),
    [
        ("nginx", ["-e", "stderr", "-p", ".", "-c"], NGINX, "127.0.0.2"),
        ("haproxy", ["-q", "-f"], HAPROXY, "127.0.0.3"),
    ],
    ids=["nginx", "haproxy"],
)
def test_a_sender_is_known_by_the_address_that_the_proxy_sees(
    site, proxy, program, arguments, configuration, sender
):
    port = proxy([found(program), *arguments], configuration)

    sent = reply(program, FORGED).replace(b"X-Forwarded-Proto: https\r\n", b"")
    answer = answer_on(sent_to(port, sent, source=sender))

    assert status_of(answer) == 303
    assert kept_address(site, program) == [(sender,)]
