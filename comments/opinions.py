"""What services elsewhere say of a comment, where the owner has set one up.

They are asked before the transaction in which the comment is saved, all at the same time,
and have three seconds in all. One that is late, is away or answers nonsense holds nothing
back: the log has a line about it, without a word of the comment, and the rules of
`comments.moderation` go without it.

Akismet is asked with AKISMET_API_KEY; its own client bounds neither the whole time nor the
size of an answer. A moderation service of the owner's is asked with MODERATION_WEBHOOK_URL
and MODERATION_WEBHOOK_SECRET. It gets a POST with the JSON that `_told()` makes, and answers
status 200 and {"verdict": "hold" or "spam" or "discard" or "none", "reason": "…"}. The
header Newsite-Signature is `sha256=` and the hexadecimal HMAC-SHA256, with the secret as
its key, over the value of the header Newsite-Timestamp (in seconds), a full stop, and the body.
"""

import hashlib
import hmac
import io
import json
import logging
import socket
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings

from articles.models import Article
from comments import moderation
from comments.models import Comment, Rule
from comments.moderation import Submission, Verdict

logger = logging.getLogger(__name__)

# So long may asking take, from the look-up of a name to the last byte of the answer.
SECONDS = 3.0
ANSWER_BYTES = 16_384
AKISMET_URL = "https://rest.akismet.com/1.1/comment-check"
TOO_LATE = "too late"
# Of what the services are told. A key may be added; one that is changed or goes makes it 2.
VERSION = 1
VERDICTS = {
    "hold": Comment.Status.HELD,
    "spam": Comment.Status.SPAM,
    "discard": Comment.Status.TRASH,
    "none": None,
}


class NoAnswer(Exception):
    """A service has said nothing that counts. The words go into the log."""


class Question(NamedTuple):
    """What is sent to one service, and how its answer is read."""

    rule: Rule
    url: str
    headers: dict[str, str]
    body: bytes
    read: Callable[[str], Verdict | None]


class Answer(NamedTuple):
    rule: Rule
    verdict: Verdict | None
    # Why it does not count, "" where it does.
    fault: str


def are_wanted() -> bool:
    """Whether the owner has set up a service."""
    return bool(settings.AKISMET_API_KEY) or _has_webhook()


def ask(submission: Submission) -> None:
    """Put into `submission.answers` what the services say of a comment.

    None is asked where a rule above them has decided already.
    """
    # What the rules look up now is looked up again in the transaction: a ban may come meanwhile.
    if moderation.is_decided_before(replace(submission), Rule.AKISMET):
        return
    questions = [question(submission) for question in _questions()]
    deadline = time.monotonic() + SECONDS
    answers: SimpleQueue[Answer] = SimpleQueue()
    for question in questions:
        # No look-up of a name can be broken off: the thread is left alone with it.
        arguments = (question, deadline, answers)
        Thread(target=_ask, args=arguments, name=f"asks {question.rule.value}", daemon=True).start()
    faults = {question.rule: TOO_LATE for question in questions}
    for _answer in questions:
        try:
            answer = answers.get(timeout=max(deadline - time.monotonic(), 0))
        except Empty:
            break
        faults[answer.rule] = answer.fault
        if answer.verdict:
            submission.answers[answer.rule] = answer.verdict
    for rule, fault in faults.items():
        if fault:
            logger.warning("No answer about a comment from %s: %s", rule.value, fault)


def is_private_line(url: str) -> bool:
    """Whether nobody can read along on the way to an address: it is HTTPS, or leads to this machine."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host)))


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _has_webhook() -> bool:
    return bool(settings.MODERATION_WEBHOOK_SECRET) and is_private_line(settings.MODERATION_WEBHOOK_URL)


def _questions() -> list[Callable[[Submission], Question]]:
    wanted = {_akismet: bool(settings.AKISMET_API_KEY), _webhook: _has_webhook()}
    return [question for question, is_wanted in wanted.items() if is_wanted]


# --- Akismet ---


def _akismet(submission: Submission) -> Question:
    comment = submission.comment
    told = {
        "api_key": settings.AKISMET_API_KEY,
        "blog": settings.SITE_URL,
        "blog_charset": "UTF-8",
        "blog_lang": settings.LANGUAGE_CODE.replace("-", "_"),
        "user_ip": comment.ip_address or "",
        "user_agent": comment.user_agent,
        "permalink": _address_of(comment.article),
        "comment_type": "reply" if comment.parent_id else "comment",
        "comment_author": comment.name,
        "comment_author_email": comment.email,
        "comment_author_url": comment.website,
        "comment_content": comment.body,
        "comment_date_gmt": comment.created_at.isoformat(),
    }
    if comment.pk:
        told["recheck_reason"] = "edit"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return Question(Rule.AKISMET, AKISMET_URL, headers, urlencode(told).encode(), _read_akismet)


def _read_akismet(answer: str) -> Verdict | None:
    if answer not in {"true", "false"}:
        raise NoAnswer("the key is not valid" if answer == "invalid" else "nonsense")
    return Verdict(Comment.Status.SPAM) if answer == "true" else None


# --- The owner's own service ---


def _webhook(submission: Submission) -> Question:
    body = json.dumps(_told(submission)).encode()
    timestamp = str(int(time.time()))
    key = settings.MODERATION_WEBHOOK_SECRET.encode()
    signature = hmac.new(key, f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Newsite-Timestamp": timestamp,
        "Newsite-Signature": f"sha256={signature}",
    }
    return Question(Rule.WEBHOOK, settings.MODERATION_WEBHOOK_URL, headers, body, _read_webhook)


def _told(submission: Submission) -> dict:
    """Return what the owner's service is told."""
    comment, story = submission.comment, submission.comment.article
    return {
        "version": VERSION,
        "site": settings.SITE_URL,
        "story": {"id": story.pk, "title": story.title, "url": _address_of(story)},
        "comment": {
            "id": comment.pk,  # null, unless the text of a saved comment is changed
            "parent": comment.parent_id,  # the comment that it answers, or null
            "created_at": comment.created_at.isoformat(),
            "account": comment.user.get_username() if comment.user else None,
            "name": comment.name,
            "email": comment.email,
            "website": comment.website,
            "body": comment.body,  # as it was typed
            "ip_address": comment.ip_address,  # or null
            "user_agent": comment.user_agent,
        },
    }


def _read_webhook(answer: str) -> Verdict | None:
    said = json.loads(answer)
    verdict = said.get("verdict") if isinstance(said, dict) else None
    if not isinstance(verdict, str) or verdict not in VERDICTS:
        raise NoAnswer("nonsense")
    status, reason = VERDICTS[verdict], said.get("reason", "")
    if not isinstance(reason, str):
        raise NoAnswer("nonsense")
    # No database takes every character.
    return Verdict(status, "".join(filter(str.isprintable, reason))) if status else None


def _address_of(story: Article) -> str:
    return settings.SITE_URL + story.get_absolute_url()


# --- Asking ---


def _ask(question: Question, deadline: float, answers: SimpleQueue[Answer]) -> None:
    """Ask one service. Runs in a thread of its own, which has nothing to do with the database."""
    verdict, fault = None, ""
    try:
        verdict = question.read(_post(question, deadline))
    except NoAnswer as error:
        fault = str(error)
    except TimeoutError:
        fault = TOO_LATE
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        # Its words may be the service's own, with the comment in them.
        fault = type(error).__name__
    answers.put(Answer(question.rule, verdict, fault))


def _post(question: Question, deadline: float) -> str:
    parts = urlsplit(question.url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_left(deadline))
    with closing(connection):
        target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request("POST", target, question.body, {"User-Agent": "Newsite", **question.headers})
        response = HTTPResponse(_Stream(connection.sock, deadline), method="POST")  # type: ignore[arg-type]
        response.begin()
        if response.status != HTTPStatus.OK:
            raise NoAnswer(f"status {response.status}")
        answer = response.read(ANSWER_BYTES + 1)
    if len(answer) > ANSWER_BYTES:
        raise NoAnswer("too long")
    return answer.decode()


class _Stream(io.RawIOBase):
    """What comes from a socket until the deadline, however slowly: a socket alone waits for each piece."""

    def __init__(self, sock: socket.socket, deadline: float):
        self.sock, self.deadline = sock, deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        self.sock.settimeout(_left(self.deadline))
        return self.sock.recv_into(buffer)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
