"""What comes in from outside, byte by byte, at a real server."""

import asyncio
import http.client
import tempfile
from pathlib import Path

import pytest

from newsite.bounds import LARGEST_UPLOAD, UNREAD
from newsite.door import ON_DISK, PIECE, Door
from tests.newsite.conftest import STORY, reply, request, status_of

FORGED = "X_Forwarded_For: 6.6.6.7\r\n"
OF_THE_PROXY = "X-Forwarded-For: 9.9.9.5\r\n"
UNFINISHED = request("POST", f"{STORY}reply/", b"body=slow").removesuffix(b"low")


@pytest.fixture(scope="module")
def site(serve):
    return serve()


def stored_address(site, word: str) -> str:
    ((address,),) = site.rows(f"SELECT ip_address FROM comments_comment WHERE body = '{word}'")  # noqa: S608
    return address


@pytest.mark.parametrize(
    ("word", "lines"),
    [
        ("before", FORGED + OF_THE_PROXY),
        ("behind", OF_THE_PROXY.replace("5", "6") + FORGED),
        (
            "mixed",
            "X_Forwarded-For: 6.6.6.7\r\n" + OF_THE_PROXY.replace("5", "7") + "X-FORWARDED_FOR: 6.6.6.7\r\n",
        ),
    ],
)
def test_a_sender_cannot_write_the_header_of_the_proxy(site, word, lines):
    assert status_of(site.ask(reply(word, lines))) == 303
    assert stored_address(site, word) in {"9.9.9.5", "9.9.9.6", "9.9.9.7"}


def test_a_sender_cannot_say_that_the_connection_is_safe(site):
    for spelling in ("X_Forwarded_Proto", "X-Forwarded_Proto"):
        plain = request("GET", STORY).replace(b"X-Forwarded-Proto", spelling.encode())

        assert status_of(site.ask(plain)) == 301


def test_wrong_passwords_meet_the_pause_whatever_address_a_sender_makes_up(site):
    page = site.ask(request("GET", "/admin/login/", X_Forwarded_For="9.9.9.8"))
    cookie = page.partition(b"csrftoken=")[2].partition(b";")[0].decode()
    token = page.partition(b'name="csrfmiddlewaretoken" value="')[2].partition(b'"')[0].decode()
    form = f"csrfmiddlewaretoken={token}&username=ed&password=wrong".encode()

    statuses = []
    for number in range(20):
        sent = request(
            "POST", "/admin/login/", form, X_Forwarded_For="9.9.9.8", Cookie=f"csrftoken={cookie}",
            Origin="https://localhost",
        )  # fmt: skip
        forged = f"X_Forwarded_For: 7.7.{number}.1\r\nContent-Type:".encode()
        statuses.append(status_of(site.ask(sent.replace(b"Content-Type:", forged))))

    assert statuses == [422] * 4 + [429] * 16


def test_a_reader_is_answered_while_more_bodies_come_slowly_than_there_are_threads(site):
    slow = [site.send(UNFINISHED) for _ in range(16)]

    assert [site.get(STORY) for _ in range(3)] == [200] * 3
    for connection in slow:
        connection.close()


@pytest.mark.parametrize(
    "unfinished",
    [
        UNFINISHED,
        UNFINISHED.replace(b"Content-Length: 9", b"Transfer-Encoding: chunked").replace(
            b"body", b"6\r\nbody"
        ),
    ],
    ids=["length", "chunks"],
)
def test_a_body_that_stalls_ends_with_its_connection(impatient, unfinished):
    answer = impatient.ask(unfinished.replace(b"Connection: close", b"Connection: keep-alive"))

    assert (status_of(answer), b"<h1>This took too long to arrive</h1>" in answer) == (408, True)


@pytest.fixture(scope="module")
def impatient(serve):
    return serve(target="tests.newsite.impatient:load_worker")


REPLY = request("POST", f"{STORY}reply/", b"body=odd")


def with_length(length: str) -> bytes:
    return REPLY.replace(b"Content-Length: 8", f"Content-Length: {length}".encode())


def with_line(line: bytes) -> bytes:
    return REPLY.replace(b"Host:", line + b"\r\nHost:", 1)


def chunked(chunks: bytes) -> bytes:
    return REPLY.replace(b"Content-Length: 8", b"Transfer-Encoding: chunked").replace(b"body=odd", chunks)


def with_host(host: bytes) -> bytes:
    return request("GET", "/").replace(b"Host: localhost", b"Host: " + host)


def at(target: bytes) -> bytes:
    return request("GET", "/").replace(b"GET / ", b"GET " + target + b" ")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        # Whom to believe about where a request ends.
        (with_line(b"Transfer-Encoding: chunked"), 400),
        (with_line(b"Content-Length: 7"), 400),
        (with_line(b"Content-Length: 8"), 422),
        (with_length("8, 8"), 400),
        (with_length("+8"), 400),
        (with_length(""), 400),
        (with_length("-8"), 400),
        (with_length("eight"), 400),
        (with_length("99999999999999999999"), 400),
        (with_length("9999999999"), 413),
        (with_length("30000000").replace(STORY.encode(), b"/admin/articles/image/add/"), 413),
        (chunked(b"8\r\nbody=odd\r\n0\r\n\r\n"), 422),
        (chunked(b"zz\r\nbody=odd\r\n0\r\n\r\n"), 400),
        (chunked(b"2dc6c0\r\n" + b"x" * 3_000_000 + b"\r\n0\r\n\r\n"), 413),
        # How much of a head is read.
        (with_line(b"X-Long: " + b"x" * 60_000), 422),
        (with_line(b"\r\n".join(b"X-%d: x" % number for number in range(200))), 431),
        (with_line(b"Cookie: " + b"; ".join(b"c%d=v" % number for number in range(2000))), 422),
        # Methods that nobody needs.
        (request("TRACE", "/"), 405),
        (request("BREW", "/"), 403),
        (request("OPTIONS", "/").replace(b"OPTIONS /", b"OPTIONS *"), 404),
        # Targets.
        (at(b"//evil.example/"), 404),
        (at(b"//evil.example/%2f.."), 404),
        (at(b"http://evil.example/"), 200),
        (at(b"/%ff/"), 404),
        (at(b"/\xff/"), 400),
        (at(b"/%00/"), 404),
        (at(b"/?page=%ff"), 404),
        (at(b"/?page=\xff"), 400),
        (at(b"/?page=%00"), 400),
        (at(b"/media/%00.png"), 404),
        (at(b"/media/" + b"x" * 3000), 404),
        (at(b"/media/..%2fsite.sqlite3"), 404),
        (at(b"/media/../site.sqlite3"), 404),
        (at(b"/media/"), 404),
        # Hosts.
        (with_host(b"evil.example"), 400),
        (with_host(b""), 400),
        (with_host(b"[::1"), 400),
        (with_host(b"\xff"), 400),
        (with_host(b"localhost\r\nHost: evil.example"), 400),
        (b"GET / HTTP/1.0\r\nX-Forwarded-Proto: https\r\n\r\n", 400),
        # Signs that no browser writes.
        (with_line(b"X-Null: \x00"), 400),
        (with_line(b"Cookie: a=\xff\xfe; sessionid=\xc3\xbc; csrftoken=\xff"), 422),
        (with_line(b"User-Agent: \xff\xc3\xbc"), 422),
        (with_line(b"Referer: https://\xff/"), 422),
        (with_line(b"Origin: https://\xff"), 422),
        (with_line(b"X-Forwarded-For: \xff, \xb2.1.1.1"), 422),
        (with_line(b"Accept-Language: \xff;q=\xb2"), 422),
        (REPLY.replace(b"urlencoded", b"urlencoded; charset=\xff"), 400),
        (REPLY.replace(b"body=odd", b"%ff=%00\xff"), 422),
    ],
)  # fmt: skip
def test_what_no_browser_sends_is_refused_and_breaks_nothing(site, sent, status):
    assert status_of(site.ask(sent)) == status


def test_two_lines_of_one_header_are_one_list(site):
    lines = "X-Forwarded-For: 9.9.9.10\r\nX-Forwarded-For: 127.0.0.1\r\n"

    assert status_of(site.ask(reply("lines", lines))) == 303
    assert stored_address(site, "lines") == "9.9.9.10"


def test_a_comment_may_come_in_chunks(site):
    whole = reply("chunks")
    head, _, body = whole.partition(b"\r\n\r\n")
    length = b"Content-Length: %d" % len(body)

    status = status_of(
        site.ask(
            head.replace(length, b"Transfer-Encoding: chunked")
            + b"\r\n\r\n" + b"".join(b"1\r\n%c\r\n" % sign for sign in body) + b"0\r\n\r\n"
        )
    )  # fmt: skip

    assert status == 303
    assert site.rows("SELECT name FROM comments_comment WHERE body = 'chunks'") == [("Ada",)]


def test_a_picture_is_served_as_nothing_but_a_picture(site):
    Path(site.folder, "images").mkdir()
    Path(site.folder, "images/.a.png").write_bytes(b"picture" * 100_000)

    connection = http.client.HTTPConnection("127.0.0.1", site.port)
    connection.request("GET", "/media/images/.a.png", headers={"Host": "localhost"})
    response = connection.getresponse()

    assert (response.status, response.read()) == (200, b"picture" * 100_000)
    assert {name: response.getheader(name) for name in ("Content-Type", "X-Content-Type-Options")} == {
        "Content-Type": "image/png",
        "X-Content-Type-Options": "nosniff",
    }
    assert response.getheader("Content-Security-Policy") == "default-src 'none'"
    connection.close()


class Answer:
    """What a WSGI application answers, which says when it was closed."""

    def __init__(self, *parts: bytes):
        self.parts = iter(parts)
        self.is_closed = False

    def __iter__(self):
        return self.parts

    def close(self):
        self.is_closed = True


def scope_of(method: str, path: str) -> dict:
    return {
        "type": "http",
        "method": method,
        "scheme": "http",
        "http_version": "1.1",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "headers": [],
    }


def visit(door: Door, *received: dict, send=None, path: str = "/") -> list[dict]:
    """Let a request in by ASGI's rules, and return what is sent."""
    messages, sent = iter(received), []

    async def receive() -> dict:
        return next(messages)

    async def keep(message: dict) -> None:
        sent.append(message)

    asyncio.run(door(scope_of("POST" if received else "GET", path), receive, send or keep))
    return sent


def site_that_answers(*parts: bytes):
    answer = Answer(*parts)

    def site(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return answer

    return site, answer


def site_that_reads(read: list):
    def site(environ, start_response):
        start_response("200 OK", [])
        read.append((environ.get(UNREAD), environ.get("CONTENT_LENGTH"), environ["wsgi.input"].read()))
        return [b""]

    return site


def chunk(body: bytes, *, more: bool = False) -> dict:
    return {"type": "http.request", "body": body, "more_body": more}


def test_what_is_small_is_sent_at_once():
    site, answer = site_that_answers(b"a", b"", b"b")

    assert visit(Door(site, patience=60)) == [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]},
        {"type": "http.response.body", "body": b"ab", "more_body": False},
    ]
    assert answer.is_closed


def test_what_is_large_is_sent_while_it_is_made():
    half = b"x" * (PIECE // 2)
    site, answer = site_that_answers(*[half] * 5)

    start, *bodies = visit(Door(site, patience=60))

    assert start["status"] == 200
    assert [(len(sent["body"]), sent["more_body"]) for sent in bodies] == [
        (PIECE, True),
        (PIECE, True),
        (PIECE // 2, False),
    ]
    assert answer.is_closed


def test_a_reader_who_takes_nothing_keeps_no_thread():
    async def stuck(message: dict) -> None:
        await asyncio.Event().wait()

    site, answer = site_that_answers(*[b"x" * PIECE] * 10)
    door = Door(site, threads=1, patience=0.05)

    visit(door, send=stuck)

    assert (answer.is_closed, len(list(answer))) == (True, 7)
    assert visit(door)[0]["status"] == 200


def test_the_site_reads_a_body_of_several_chunks():
    read = []

    visit(Door(site_that_reads(read), patience=60), chunk(b"ab", more=True), chunk(b"c"))

    assert read == [(None, "3", b"abc")]


def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one():
    read = []

    visit(Door(site_that_reads(read), patience=60), chunk(b"ab", more=True), {"type": "http.disconnect"})

    assert [unread for unread, _, _ in read] == [400]


def test_an_upload_for_which_the_disk_has_no_room_is_our_fault(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    read = []

    visit(Door(site_that_reads(read), patience=60), chunk(b"x" * 1_000_000))

    assert [unread for unread, _, _ in read] == [503]


def test_no_more_is_read_than_shows_that_it_is_too_much():
    read = []
    chunks = [chunk(b"x" * 2**20, more=True)] * 50

    visit(Door(site_that_reads(read), patience=60), *chunks, path="/admin/")

    assert [int(length) for _, length, _ in read] == [LARGEST_UPLOAD + 2**20]


def test_of_large_bodies_that_come_at_once_the_one_that_takes_longest_makes_room_for_the_next():
    read: list = []
    door = Door(site_that_reads(read), patience=60)

    async def slow(ends: asyncio.Event):
        messages = iter([chunk(b"x" * 2**19, more=True)])

        async def receive() -> dict:
            if message := next(messages, None):
                return message
            await ends.wait()
            return chunk(b"end")

        async def ignore(message: dict) -> None:
            pass

        await door(scope_of("POST", "/admin/"), receive, ignore)

    async def many():
        ends = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(ON_DISK + 1):
                group.create_task(slow(ends))
                await asyncio.sleep(0)
            while not read:
                await asyncio.sleep(0.01)
            ends.set()

    asyncio.run(asyncio.wait_for(many(), 60))

    assert [unread for unread, _, _ in read] == [408] + [None] * ON_DISK
    assert door.large == {}
