"""How a request enters: the WSGI site, as an ASGI application with threads of its own.

A thread is what the site has least of, and here no stranger keeps one waiting: the event loop
reads a body to its end before a thread is asked, and sends what a slow reader takes.
"""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper

from newsite.bounds import UNREAD, largest_body

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Site = Callable[[dict[str, Any], Callable], Iterable[bytes]]

# The body of these is not read, and means nothing (RFC 9110, section 9.3).
SAFE = {"GET", "HEAD", "OPTIONS"}

# No comment is larger: a longer body, with pictures, waits on the disk.
IN_MEMORY = 2**18
# So many of these come in at once, from strangers too, or they would fill the disk together.
ON_DISK = 16
# What is larger is sent in pieces of this size.
PIECE = 2**18
# So many bytes buy a body one more second. The slowest mobile networks carry twice as much.
BYTES_A_SECOND = 2000


class ReaderLeftError(Exception):
    pass


class Door:
    """The site, as servers call it. `patience`, in seconds, is for a body's or a reader's pause."""

    def __init__(self, site: Site, *, threads: int = 4, patience: float):
        self.site = site
        self.patience = patience
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix="site")
        # Whatever writers wait for, be it a lock or a service, readers have a thread left.
        self.writers = asyncio.Semaphore(max(threads - 1, 1))
        # The large bodies that come in, by their files, with what ends each, the oldest first.
        self.large: dict[int, asyncio.Timeout] = {}

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        with SpooledTemporaryFile(IN_MEMORY) as body, contextlib.suppress(ReaderLeftError):
            environ = environ_of(scope, body)
            if scope["method"] in SAFE:
                await self._answer(environ, send)
                return
            try:
                await self._read(environ, receive, largest_body(scope["path"]))
            except TimeoutError:
                environ[UNREAD] = 408
            except OSError:
                environ[UNREAD] = 503
            except EOFError:
                environ[UNREAD] = 400
            async with self.writers:
                await self._answer(environ, send)

    async def _read(self, environ: dict[str, Any], receive: Receive, limit: int) -> None:
        """Read the body into its file, but no more than shows the site that it is too large."""
        if int(environ.get("CONTENT_LENGTH") or 0) > limit:
            return
        now = asyncio.get_running_loop().time
        end = now() + self.patience
        size, more, body = 0, True, environ["wsgi.input"]
        try:
            while more and size <= limit:
                time = min(self.patience, end + size / BYTES_A_SECOND - now())
                async with asyncio.timeout(time) as pause:
                    if size > IN_MEMORY:
                        self._make_room(body, pause)
                    message = await receive()
                if message["type"] == "http.disconnect":
                    raise EOFError
                size += body.write(message.get("body", b""))
                more = message.get("more_body", False)
        finally:
            self.large.pop(id(body), None)
        body.seek(0)
        environ["CONTENT_LENGTH"] = str(size)

    def _make_room(self, body: IO[bytes], pause: asyncio.Timeout) -> None:
        """Let one more large body come in. Where they are too many, the one that takes longest ends.

        It is the slowest: an editor's picture is here before a stranger's who keeps a place.
        """
        self.large[id(body)] = pause
        if len(self.large) > ON_DISK:
            self.large.pop(next(iter(self.large))).reschedule(0)

    async def _answer(self, environ: dict[str, Any], send: Send) -> None:
        loop = asyncio.get_running_loop()

        async def deliver(message: Message) -> None:
            async with asyncio.timeout(self.patience):
                await send(message)

        def push(message: Message) -> None:
            """Send from the thread, which waits for the reader here, and not for long."""
            try:
                asyncio.run_coroutine_threadsafe(deliver(message), loop).result()
            except TimeoutError as error:
                raise ReaderLeftError from error

        for message in await loop.run_in_executor(self.threads, run, self.site, environ, push):
            await send(message)


def run(site: Site, environ: dict[str, Any], push: Callable[[Message], None]) -> list[Message]:
    """Let the site answer, in a thread, and return what is still to be sent then.

    Files and all that is no larger than a piece leave the thread at once. What is larger is made
    while it is sent, by this thread, because the connection to the database is the thread's.
    """
    start: Message = {}

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        start.update(type="http.response.start", status=int(status.partition(" ")[0]), headers=raw)

    answer = site(environ, start_response)
    try:
        if isinstance(answer, FileWrapper) and isinstance(
            path := getattr(answer.filelike, "name", None), str
        ):
            return [start, {"type": "http.response.pathsend", "path": path}]
        waiting, pieces = [start], in_pieces(answer)
        piece = next(pieces)
        for following in pieces:
            for message in [*waiting, body_message(piece, more=True)]:
                push(message)
            waiting, piece = [], following
        return [*waiting, body_message(piece, more=False)]
    finally:
        if close := getattr(answer, "close", None):
            close()


def in_pieces(answer: Iterable[bytes]) -> Iterator[bytes]:
    """Return what the site answers, as few strings of bytes: one at least, if it is an empty one."""
    piece = bytearray()
    for part in answer:
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
        piece += part
    yield bytes(piece)


def body_message(piece: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": piece, "more_body": more}


def environ_of(scope: dict[str, Any], body: IO[bytes]) -> dict[str, Any]:
    """Return what WSGI (PEP 3333) calls a request.

    It knows `X_Forwarded_For` and `X-Forwarded-For` by one name. A proxy writes the second alone,
    and a stranger may write both, so no name with "_" gets in.
    """
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        if b"_" in raw_name:
            continue
        name, value = raw_name.decode("latin-1").upper().replace("-", "_"), raw_value.decode("latin-1")
        key = name if name in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{name}"
        if key in environ:
            value = f"{environ[key]}{'; ' if name == 'COOKIE' else ','}{value}"
        environ[key] = value
    return environ
