"""No answer to a stranger depends on whose e-mail address was typed."""

import re

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from comments.models import Standing
from tests.factories import make_article, make_comment, make_user, set_discussion
from tests.givens import NOON, SAME_ORIGIN

pytestmark = pytest.mark.django_db

KNOWN, UNKNOWN = "quiet.voice@example.com", "wrong.guess@example.com"
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
SAID = {"name": "Quiet Voice", "body": "I know what happened there."}
# What is another's with every answer: the keys of a comment and its pages.
OWN = re.compile(r"/comments/yours/[^/\"]+/|yours-\d+|comment-\d+|/comments/\d+/")


def reply(story, email, **fields):
    sent = {**SAID, "email": email, **fields}
    return Client().post(
        f"/comments{story.get_absolute_url()}reply/",
        sent,
        headers=SAME_ORIGIN,
        REMOTE_ADDR=ELSEWHERE,
        follow=True,
    )


def say_the_same(story, email):
    return reply(story, email)


def say_something_else(story, email):
    return reply(story, email, body="And another thing.")


def preview(story, email):
    return reply(story, email, preview="")


def post_twice(story, email):
    reply(story, email, body="First.")
    return reply(story, email, body="Second.")


def ask_for_my_comments(story, email):
    return Client().post("/comments/mine/", {"email": email}, headers=SAME_ORIGIN, REMOTE_ADDR=ELSEWHERE)


def sign_in(story, email):
    sent = {"username": email, "password": "guess"}
    return Client().post("/sign-in/", sent, REMOTE_ADDR=ELSEWHERE)


def told(response) -> tuple:
    """All that an answer tells, but for what is different with every answer."""
    text = OWN.sub("…", response.content.decode())
    text = re.sub(r'value="[^"]*@example\.com"|csrfmiddlewaretoken" value="[^"]+"', "…", text)
    steps = [(OWN.sub("…", url), status) for url, status in getattr(response, "redirect_chain", [])]
    # What is made of the whole page, with all that is different.
    of_page = {"Content-Length", "ETag"}
    headers = {name: value for name, value in response.headers.items() if name not in of_page}
    return response.status_code, steps, headers, text


@pytest.mark.parametrize("holds_first_comments", [True, False])
@pytest.mark.parametrize("journey", [say_something_else, preview])
@pytest.mark.parametrize("moderators_say", ["trusted", "allowed", "account"])
def test_who_has_no_comment_yet_is_guessed_by_nobody(journey, moderators_say, holds_first_comments):
    set_discussion(holds_first_comments=holds_first_comments)
    with time_machine.travel(NOON, tick=False):
        story = make_article()
        is_said(moderators_say)
        right, wrong = (answer_to(journey, story, email) for email in (KNOWN, UNKNOWN))

    assert right == wrong


def is_said(what):
    if what == "trusted":
        Standing.objects.create(standing="trusted", kind="person", value=f"{SAID['name']} <{KNOWN}>")
    elif what == "allowed":
        set_discussion(allowed_addresses=KNOWN)
    elif what == "account":
        make_user(email=KNOWN, username="quiet")


@pytest.mark.parametrize("came_from", [HERE, None], ids=["kept", "forgotten"])
@pytest.mark.parametrize("status", ["approved", "held"])
@pytest.mark.parametrize(
    "journey", [say_the_same, say_something_else, preview, post_twice, ask_for_my_comments, sign_in]
)
@pytest.mark.parametrize("moderators_say", ["nothing", "trusted", "allowed", "account"])
def test_a_right_guess_from_elsewhere_is_answered_like_a_wrong_one(
    journey, status, moderators_say, came_from
):
    with time_machine.travel(NOON, tick=False):
        story = make_article()
        make_comment(**SAID, article=story, email=KNOWN, status=status, ip_address=came_from)
        is_said(moderators_say)
        right, wrong = (answer_to(journey, story, email) for email in (KNOWN, UNKNOWN))

    assert right == wrong


def answer_to(journey, story, email) -> tuple:
    """What is answered, and how many queries that took. Then nothing of it has happened."""
    with transaction.atomic():
        with CaptureQueriesContext(connection) as queries:
            answer = journey(story, email)
        transaction.set_rollback(True)
    # A mail is written to who has something to read there.
    asked = [query["sql"] for query in queries if '"mail_mail"' not in query["sql"]]
    return (*told(answer), len(asked))
