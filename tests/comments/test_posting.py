from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.db import connection

from comments import posting
from comments.models import Comment
from comments.moderation import Submission
from tests.factories import make_article

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def submission(article, **fields) -> Submission:
    defaults = {"name": "Ada", "email": "ada@example.com", "body": "Well said.", "ip_address": "192.0.2.1"}
    return Submission(Comment(article=article, **{**defaults, **fields}))


@pytest.mark.django_db
def test_a_form_sent_twice_makes_one_comment():
    article = make_article()

    first, second = posting.post(submission(article)), posting.post(submission(article))

    assert (first, Comment.objects.count()) == (second, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("other", [{"ip_address": "192.0.2.2"}, {"user_agent": "Another"}])
def test_the_same_words_from_another_visitor_are_refused_and_lead_nowhere(other):
    article = make_article()
    posting.post(submission(article))

    with pytest.raises(posting.Refused) as caught:
        posting.post(submission(article, **other))

    assert (caught.value.refusal.status, Comment.objects.count()) == (409, 1)


@pytest.mark.django_db
def test_the_same_words_a_minute_later_are_a_duplicate():
    with time_machine.travel(NOON, tick=False) as clock:
        article = make_article()
        posting.post(submission(article))
        clock.shift(timedelta(seconds=61))

        with pytest.raises(posting.Refused) as caught:
            posting.post(submission(article))

    assert caught.value.refusal.status == 409


@pytest.mark.django_db(transaction=True)
def test_two_posts_of_one_form_at_the_same_moment_make_one_comment():
    article = make_article()
    together, posted = Barrier(2), []

    def post():
        together.wait()
        try:
            posted.append(posting.post(submission(article)).pk)
        finally:
            connection.close()

    threads = [Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert posted == [Comment.objects.get().pk] * 2
