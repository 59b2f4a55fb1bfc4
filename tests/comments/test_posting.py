import re
from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from comments import posting
from comments.models import Comment
from comments.moderation import Submission
from tests.comments.test_queue import plans_of, reads_a_table_from_end_to_end
from tests.factories import make_article, make_comment, set_discussion
from tests.givens import NOON


def submission(article, **fields) -> Submission:
    defaults = {"name": "Ada", "email": "ada@example.com", "body": "Well said.", "ip_address": "192.0.2.1"}
    return Submission(Comment(article=article, **{**defaults, **fields}))


@pytest.mark.django_db
def test_a_form_sent_twice_makes_one_comment():
    article = make_article()

    first, second = posting.post(submission(article)), posting.post(submission(article))

    assert (first, Comment.objects.count()) == (second, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("other", [{"email": "bo@example.com"}, {"user_agent": "Another"}])
def test_the_same_words_from_another_visitor_at_one_address_are_refused_and_lead_nowhere(other):
    article = make_article()
    posting.post(submission(article))

    with pytest.raises(posting.Refused) as caught:
        posting.post(submission(article, **other))

    assert (caught.value.refusal.status, Comment.objects.count()) == (409, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["ada@example.com", "bo@example.com"])
def test_the_same_words_from_elsewhere_are_a_comment_of_its_own_whatever_address_is_typed(email):
    article = make_article()
    first = posting.post(submission(article))

    second = posting.post(submission(article, email=email, ip_address="192.0.2.2"))

    assert (second != first, second.status, second.held_because) == (True, "held", "first-comment")


@pytest.mark.django_db
def test_the_same_words_of_two_people_are_both_taken():
    article = make_article()
    people = [{}, {"name": "Bo", "email": "bo@example.com", "ip_address": "192.0.2.2"}]

    made = {posting.post(submission(article, **person)).pk for person in people}

    assert len(made) == 2


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


@pytest.mark.django_db
def test_the_story_is_locked_before_anything_is_read_that_another_post_may_change():
    article = make_article()
    post = submission(article)
    assert post.settings

    with CaptureQueriesContext(connection) as queries:
        posting.post(post)

    asked = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert 'FROM "articles_article"' in asked[0]
    assert connection.vendor == "sqlite" or asked[0].endswith("FOR NO KEY UPDATE")


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["ada@example.com", ""])
def test_a_comment_below_a_busy_story_by_a_busy_person_is_posted_without_reading_theirs(email):
    article = make_article()
    Comment.objects.bulk_create(
        Comment(
            article=article,
            path=f"{number:010d}",
            name=f"Reader {number}",
            email=email,
            ip_address="192.0.2.1",
            status="approved",
            created_at=timezone.now() - timedelta(minutes=number + 1),
        )
        for number in range(200)
    )

    plans = plans_of(lambda: posting.post(submission(article, email=email)))

    read = [plan for sql, plan in plans if sql.startswith("SELECT") and "comments_comment" in plan]
    indexes = {index for plan in read for index in re.findall(r"INDEX (\w+)|using (\w+)", plan)}
    # Which others PostgreSQL takes goes by what it has counted.
    assert {"".join(names) for names in indexes} >= {"comment_said", "comment_person", "comment_recent"}
    assert connection.vendor == "postgresql" or len(indexes) == 3
    assert [plan for plan in read if reads_a_table_from_end_to_end(plan)] == []


# --- Editing ---


LINKS = "https://a.example https://b.example"


def fresh(**fields) -> Comment:
    """A comment that its author may still change."""
    return make_comment(created_at=timezone.now(), **fields)


@pytest.mark.django_db
def test_a_comment_that_waits_goes_on_waiting_for_the_reason_that_moderators_know():
    comment = fresh(status="held", held_because="reported")

    edited = posting.edit(comment, LINKS)

    assert (edited.status, edited.held_because) == ("held", "reported")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "expected"), [(LINKS, ("held", "links", 2)), ("A dragon.", ("trash", "trash-words", 0))]
)
def test_reports_stay_open_on_what_a_moderator_still_decides_on(body, expected):
    set_discussion(words_that_trash="dragon")
    comment = fresh(open_reports=2)

    posting.edit(comment, body)

    comment.refresh_from_db()
    assert (comment.status, comment.held_because, comment.open_reports) == expected


@pytest.mark.django_db
def test_no_edit_is_prepared_for_services_that_are_not_there():
    comment = fresh()

    with CaptureQueriesContext(connection) as queries:
        posting.edit(comment, "Better said.")

    # Nothing is read before the transaction begins.
    assert queries[0]["sql"].startswith("SAVEPOINT")
