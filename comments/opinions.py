"""What services elsewhere say of a comment, where the owner has set one up.

They are asked before the transaction in which the comment is saved, all at the same time,
and have three seconds in all. One that is late, is away or answers nonsense holds nothing
back: the log has a line about it, without a word of the comment, and the rules of
`comments.moderation` go without it. One that is late three times in a row is left alone for a
minute, see `comments.fuses`.

Akismet is asked with AKISMET_API_KEY. A moderation service of the owner's is asked with
MODERATION_WEBHOOK_URL and MODERATION_WEBHOOK_SECRET. It gets a POST with the JSON that
`_told()` makes, and answers status 200 and
{"verdict": "hold" or "spam" or "discard" or "none", "reason": "…"}. The header
Newsite-Signature is `sha256=` and the hexadecimal HMAC-SHA256, with the secret as its key,
over the value of the header Newsite-Timestamp (in seconds), a full stop, and the body.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache, partial
from http import HTTPStatus
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Thread
from typing import Any, NamedTuple, TypeAlias, cast

import akismet
import httpx
from django.conf import settings

from articles.models import Article
from comments import moderation
from comments.fuses import Fuse
from comments.models import Comment, Rule
from comments.moderation import Submission, Verdict

logger = logging.getLogger(__name__)

# So long may asking take, from the look-up of a name to the last byte of the answer.
SECONDS = 3.0
ANSWER_BYTES = 16_384
# So many threads ask at once, more than ever post at once. A look-up of a name outlasts the
# three seconds, and without an end to their number they would fill the memory.
AT_ONCE = 20
TOO_LATE = "too late"
TOO_MANY = "too many are asked already"
# Of what the services are told. A key may be added; one that is changed or goes makes it 2.
VERSION = 1
VERDICTS = {
    "hold": Comment.Status.HELD,
    "spam": Comment.Status.SPAM,
    "discard": Comment.Status.TRASH,
    "none": None,
}


# Akismet would have the worst of the spam thrown away at once.
AKISMET_VERDICTS = {
    akismet.CheckResponse.HAM: None,
    akismet.CheckResponse.SPAM: Verdict(Comment.Status.SPAM),
    akismet.CheckResponse.DISCARD: Verdict(Comment.Status.TRASH),
}

Question: TypeAlias = Callable[[httpx.AsyncClient], Awaitable[Verdict | None]]

_room = BoundedSemaphore(AT_ONCE)
fuses = {rule: Fuse(rule.value) for rule in (Rule.AKISMET, Rule.WEBHOOK)}


class NoAnswer(Exception):
    """A service has said nothing that counts. The words go into the log."""


class Answer(NamedTuple):
    # The key of the question.
    question: Any
    verdict: Verdict | None = None
    # Why it does not count, "" where it does.
    fault: str = ""


def are_wanted() -> bool:
    """Whether the owner has set up a service."""
    return bool(settings.AKISMET_API_KEY) or _has_webhook()


def ask(submission: Submission) -> None:
    """Put into `submission.answers` what the services say of a comment.

    None is asked where a rule above them has decided already. What Akismet says is noted on
    the comment as well, also where it has nothing to object.
    """
    submission.comment.akismet_says_spam = None
    # What the rules look up now is looked up again in the transaction: a ban may come meanwhile.
    if moderation.is_decided_before(replace(submission), Rule.AKISMET):
        return
    questions = {rule: it for rule, it in _questions(submission).items() if fuses[rule].lets_ask()}
    for answer in _answers(questions) if questions else []:
        if answer.fault == TOO_LATE:
            fuses[answer.question].was_late()
        elif answer.fault != TOO_MANY:
            fuses[answer.question].was_in_time()
        if answer.verdict:
            submission.answers[answer.question] = answer.verdict
        if answer.fault:
            logger.warning("No answer about a comment from %s: %s", answer.question, answer.fault)
        elif answer.question == Rule.AKISMET:
            submission.comment.akismet_says_spam = bool(answer.verdict)


def teach(comments: list[Comment]) -> list[Comment]:
    """Tell Akismet that it was wrong about comments, and return those of which it took that."""
    lessons: dict[int, Question] = {}
    for comment in comments:
        address, told = _told_akismet(comment)
        lessons[comment.pk] = partial(_teach_akismet, not comment.akismet_says_spam, address, told)
    answers = _answers(lessons)
    faults = Counter(answer.fault for answer in answers if answer.fault)
    for fault, count in faults.items():
        logger.warning("Decisions not told to Akismet: %d: %s", count, fault)
    taken = {answer.question for answer in answers if not answer.fault}
    return [comment for comment in comments if comment.pk in taken]


def is_private_line(url: str) -> bool:
    """Whether nobody can read along on the way to an address: it is HTTPS, or leads to this machine."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    is_encrypted = parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(parts.host))
    return is_encrypted and bool(parts.host) and (parts.port or 0) < 65_536


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _has_webhook() -> bool:
    return bool(settings.MODERATION_WEBHOOK_SECRET) and is_private_line(settings.MODERATION_WEBHOOK_URL)


def _questions(submission: Submission) -> dict[Rule, Question]:
    """Return what to ask. All of it is put together here: a thread has nothing to do with the database."""
    questions: dict[Rule, Question] = {}
    if settings.AKISMET_API_KEY:
        address, told = _told_akismet(submission.comment)
        if submission.comment.pk:
            told["recheck_reason"] = "edit"
        questions[Rule.AKISMET] = partial(_ask_akismet, address, told)
    if _has_webhook():
        questions[Rule.WEBHOOK] = partial(_ask_webhook, json.dumps(_told(submission)).encode())
    return questions


# --- Akismet ---


def _told_akismet(comment: Comment) -> tuple[str, akismet.AkismetArguments]:
    """Return the address that a comment comes from, and what else Akismet is told.

    Nothing is said of our hidden field: where it was filled in, nobody is asked.
    """
    told: akismet.AkismetArguments = {
        "blog_charset": "UTF-8",
        "blog_lang": settings.LANGUAGE_CODE.replace("-", "_"),
        "user_agent": comment.user_agent,
        "permalink": _address_of(comment.article),
        "comment_type": "reply" if comment.parent_id else "comment",
        "comment_author": comment.name,
        "comment_author_email": comment.email,
        "comment_author_url": comment.website,
        "comment_content": comment.body,
        "comment_date_gmt": comment.created_at.isoformat(),
    }
    return comment.ip_address or "", told


async def _ask_akismet(
    address: str, told: akismet.AkismetArguments, client: httpx.AsyncClient
) -> Verdict | None:
    with _akismet(client) as service:
        return AKISMET_VERDICTS[await service.comment_check(address, **told)]


async def _teach_akismet(
    is_spam: bool, address: str, told: akismet.AkismetArguments, client: httpx.AsyncClient
) -> None:
    with _akismet(client) as service:
        await (service.submit_spam if is_spam else service.submit_ham)(address, **told)


@contextmanager
def _akismet(client: httpx.AsyncClient) -> Iterator[akismet.AsyncClient]:
    """Speak to Akismet, and fail as other services do.

    The key is not verified first: that is another request for each comment, within the same
    three seconds, and with a wrong key the request itself fails.
    """
    client.headers["User-Agent"] = akismet.USER_AGENT
    try:
        yield akismet.AsyncClient(akismet.Config(settings.AKISMET_API_KEY, settings.SITE_URL), client)
    except akismet.APIKeyError as error:
        raise NoAnswer("the key is not valid") from error
    except akismet.RequestError as error:
        # It stands before what really went wrong.
        raise error.__cause__ or error from None


# --- The owner's own service ---


async def _ask_webhook(body: bytes, client: httpx.AsyncClient) -> Verdict | None:
    timestamp = str(int(time.time()))
    key = settings.MODERATION_WEBHOOK_SECRET.encode()
    signature = hmac.new(key, f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Newsite-Timestamp": timestamp,
        "Newsite-Signature": f"sha256={signature}",
    }
    response = await client.post(settings.MODERATION_WEBHOOK_URL, content=body, headers=headers)
    return _read(response.content)


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


def _read(answer: bytes) -> Verdict | None:
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


def _answers(questions: Mapping[Any, Question]) -> list[Answer]:
    """Ask everything at the same time, and return what was answered before the time was over."""
    if not _room.acquire(blocking=False):
        return [Answer(question, fault=TOO_MANY) for question in questions]
    deadline = time.monotonic() + SECONDS
    heard: SimpleQueue[Answer] = SimpleQueue()
    # No look-up of a name can be broken off: the thread is left alone with it.
    asking = Thread(target=_ask, args=(questions, deadline, heard), name="asks services", daemon=True)
    try:
        asking.start()
    except RuntimeError as error:  # the machine has no thread left
        _room.release()
        return [Answer(question, fault=str(error)) for question in questions]
    answers = {question: Answer(question, fault=TOO_LATE) for question in questions}
    with suppress(Empty):
        for _question in questions:
            answer = heard.get(timeout=max(deadline - time.monotonic(), 0))
            answers[answer.question] = answer
    return list(answers.values())


def _ask(questions: Mapping[Any, Question], deadline: float, heard: SimpleQueue[Answer]) -> None:
    async def ask_all() -> None:
        await asyncio.gather(*(_ask_one(*item, deadline, heard) for item in questions.items()))

    try:
        asyncio.run(ask_all())
    finally:
        _room.release()


async def _ask_one(key: Any, question: Question, deadline: float, heard: SimpleQueue[Answer]) -> None:
    verdict, fault = None, ""
    try:
        # The time-outs of the library begin again with every byte.
        async with asyncio.timeout(deadline - time.monotonic()), _client() as client:
            verdict = await question(client)
    except TimeoutError:
        fault = TOO_LATE
    except (NoAnswer, httpx.ConnectError) as error:
        # Where no line was made, the service has heard nothing that it could repeat.
        fault = str(error) or type(error).__name__
    except Exception as error:
        # Whatever it is, it holds nothing back. Its words may be the service's own, with the
        # comment in them.
        fault = type(error).__name__
    heard.put(Answer(key, verdict, fault))


def _client() -> httpx.AsyncClient:
    """Return what speaks HTTP to a service: through the HTTPS_PROXY of the environment, where it has one."""
    return httpx.AsyncClient(
        headers={"User-Agent": "Newsite", "Accept-Encoding": "identity"},
        verify=_trusted(),
        # What may travel in plain HTTP stays on this machine, whatever proxy there is.
        mounts={"http://": None},
        event_hooks={"response": [_look_before_reading]},
    )


@cache
def _trusted() -> ssl.SSLContext:
    """Return the certificates that the machine trusts, an owner's own among them. Reading them takes long."""
    return ssl.create_default_context()


async def _look_before_reading(response: httpx.Response) -> None:
    if response.status_code != HTTPStatus.OK:
        raise NoAnswer(f"status {response.status_code}")
    # Nobody was asked to compress: a few bytes can become gigabytes.
    if "Content-Encoding" in response.headers:
        raise NoAnswer("compressed")
    response.stream = _Short(cast(httpx.AsyncByteStream, response.stream))


class _Short(httpx.AsyncByteStream):
    """An answer, which is broken off where it gets too long."""

    def __init__(self, stream: httpx.AsyncByteStream):
        self.stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self.stream:
            size += len(piece)
            if size > ANSWER_BYTES:
                raise NoAnswer("too long")
            yield piece

    async def aclose(self) -> None:
        await self.stream.aclose()
