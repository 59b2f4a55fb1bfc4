"""Telling of what has become public beside the requests: broken off, by several at once, taken back."""

from contextlib import suppress
from datetime import timedelta
from threading import Barrier, Event, Thread

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from articles.models import Article
from comments import announcements, decisions, digests, notifications, posting, privacy
from comments.models import Comment
from comments.moderation import Submission
from comments.subscriptions import Announcement, Notice
from mail.models import Mail, MailQuerySet, written
from tests.factories import make_article, make_comment, make_editor, reply_to, set_discussion
from tests.givens import NOON, announced

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

BO = {"name": "Bo", "email": "bo@example.com"}


def follow(article: Article, *names: str, rhythm="at-once") -> Comment:
    """Let people want to know of every comment on a story, and return the last one's."""
    for name in names:
        comment = make_comment(article=article, name=name, email=f"{name}@example.com")
        notifications.subscribe(comment, "story", rhythm)
        comment.subscription.subscriber.confirm()
    Mail.objects.all().delete()
    return comment


def noted(article: Article, **fields) -> Comment:
    """A comment that has become public, and of which nobody has been told yet."""
    comment = make_comment(article=article, **{**BO, **fields})
    notifications.announce([comment])
    return comment


def mailed() -> list[str]:
    """Let the chores tell what is to be told, and say to whom, in the order of the mails."""
    announcements.send_due()
    return told()


def told() -> list[str]:
    return [
        email.partition("@")[0] for email in Mail.objects.order_by("pk").values_list("recipient", flat=True)
    ]


def writes_mails(sql: str) -> bool:
    return sql.startswith("INSERT") and 'INTO "mail_mail"' in sql


def breaking_off(what: type[BaseException], after: int):
    """Return what ends everything once so many chunks of mails are written."""
    chunks = []

    def wrapper(execute, sql, *args):
        if writes_mails(sql):
            chunks.append(sql)
            if len(chunks) > after:
                raise what
        return execute(sql, *args)

    return connection.execute_wrapper(wrapper)


@pytest.fixture
def story():
    return make_article()


@pytest.fixture(autouse=True)
def without_a_pause(monkeypatch):
    monkeypatch.setattr(announcements, "PAUSE", 0)


@pytest.fixture
def one_by_one(monkeypatch):
    """One person is told of one comment in each transaction."""
    monkeypatch.setattr(announcements, "CHUNK", 1)
    monkeypatch.setattr(announcements, "COMMENTS", 1)


# --- What the request pays ---


def queries_of(job) -> int:
    with CaptureQueriesContext(connection) as queries:
        job()
    return len(queries)


def test_approving_costs_the_same_whether_many_or_nobody_wants_to_know(story):
    follow(story, *(f"person{number}" for number in range(20)))
    editor, followed = make_editor(), make_comment(article=story, status="held")
    unknown = make_comment(status="held")

    assert queries_of(lambda: unknown.approve(by=editor)) == queries_of(lambda: followed.approve(by=editor))
    assert len(mailed()) == 20


def test_posting_costs_the_same_whether_many_or_nobody_wants_to_know(story):
    follow(story, *(f"person{number}" for number in range(20)))
    known = make_comment(**BO, created_at=NOON - timedelta(days=9))
    set_discussion(flood_seconds=0)
    unknown = make_article()

    def post(article):
        posting.post(Submission(Comment(article=article, body="Quite so.", **BO), own={known.pk}))

    assert queries_of(lambda: post(unknown)) == queries_of(lambda: post(story))
    assert len(mailed()) == 20


def test_the_chores_are_woken_when_it_is_certain_that_there_is_something_to_tell(
    story, django_capture_on_commit_callbacks
):
    written.clear()
    with django_capture_on_commit_callbacks(execute=True):
        noted(story)
        before = written.is_set()

    assert (before, written.is_set()) == (False, True)


# --- Some at a time ---


@pytest.mark.parametrize("chunk", [1, 2, 5, 6])
def test_more_people_than_are_told_at_a_time_are_each_told_once(monkeypatch, story, chunk):
    monkeypatch.setattr(announcements, "CHUNK", chunk)
    names = ["ada", "cleo", "dan", "eva", "finn"]
    follow(story, *names)
    comment = follow(story, *names)
    for rhythm in ("at-once", "daily"):
        asked = make_comment(article=story, email="gil@example.com")
        notifications.subscribe(asked, "answers", rhythm)
        asked.subscription.subscriber.confirm()
    Mail.objects.all().delete()

    announced(make_comment(article=story, name="Bo"), reply_to(comment, name="Bo"))
    announced(make_comment(article=story, name="Bo"))

    assert sorted(told()) == sorted(names * 3)
    subjects = Mail.objects.values_list("subject", flat=True)
    assert sum("replied to your comment" in subject for subject in subjects) == 1
    assert (Notice.objects.count(), Announcement.objects.count()) == (15, 0)


def test_no_more_mails_are_in_memory_than_are_written_at_a_time(monkeypatch, story):
    monkeypatch.setattr(announcements, "CHUNK", 2)
    follow(story, *(f"person{number}" for number in range(5)))
    counts = []
    real = MailQuerySet.queue_all

    def count(self, mails, **options):
        counts.append(len(mails))
        return real(self, mails, **options)

    monkeypatch.setattr(MailQuerySet, "queue_all", count)

    announced(make_comment(article=story))

    assert counts == [2, 2, 1]


@pytest.mark.parametrize("comments", [1, 3])
@pytest.mark.parametrize("people", [1, 20])
def test_telling_many_of_many_takes_the_same_queries_as_telling_one_of_one(story, people, comments):
    follow(story, *(f"person{number}" for number in range(people)))
    for _ in range(comments):
        noted(story)

    # Which is the oldest, the locks, what is public, who is to be asked, the people, what they want,
    # what they know, their mails and the numbers of these, who is told, that it is done, that nothing
    # is left, and that nobody is to be asked.
    assert queries_of(announcements.send_due) == 13 + 2  # the savepoint of a test
    assert len(told()) == people * comments


@pytest.mark.parametrize("comments", [1, 3])
def test_what_concerns_nobody_takes_the_same_queries_however_much_it_is(comments):
    for _ in range(comments):
        noted(make_article())

    assert queries_of(announcements.send_due) == 8 + 2
    assert (told(), Announcement.objects.count()) == ([], 0)


def test_what_is_noted_twice_is_told_once(story):
    follow(story, "ada")
    comment = noted(story)

    notifications.announce([comment])

    assert mailed() == ["ada"]


# --- Broken off ---


@pytest.mark.parametrize("after", [0, 1, 2])
def test_what_was_killed_goes_on_where_it_was(story, one_by_one, after):
    follow(story, "ada", "cleo", "dan")
    noted(story)

    with breaking_off(SystemExit, after), pytest.raises(SystemExit):
        announcements.send_due()
    assert told() == ["ada", "cleo", "dan"][:after]

    assert mailed() == ["ada", "cleo", "dan"]
    assert mailed() == ["ada", "cleo", "dan"]


def test_the_chores_end_after_the_mails_that_are_being_written(story, one_by_one):
    follow(story, "ada", "cleo")
    noted(story)
    stopped = Event()

    def stop(execute, sql, *args):
        if writes_mails(sql):
            stopped.set()
        return execute(sql, *args)

    with connection.execute_wrapper(stop):
        announcements.send_due(stopped)
    assert told() == ["ada"]

    assert mailed() == ["ada", "cleo"]


def test_others_can_write_between_the_mails_to_some_and_to_others(monkeypatch, story, one_by_one):
    monkeypatch.setattr(announcements, "PAUSE", 0.1)
    follow(story, "ada", "cleo")
    noted(story)
    waited = []

    class Stopped(Event):
        def wait(self, timeout=None):
            waited.append((timeout, len(told())))
            return False

    announcements.send_due(Stopped())

    # The last looks whether there is anyone else.
    assert waited == [(0, 0), (0.1, 1), (0.1, 2)]


def test_other_chores_do_not_wait_until_all_are_told(monkeypatch, story, one_by_one):
    monkeypatch.setattr(announcements, "PATIENCE", -1)
    follow(story, "ada", "cleo")
    noted(story)

    announcements.send_due()
    assert told() == ["ada"]

    assert mailed() == ["ada", "cleo"]


def test_a_comment_whose_mails_cannot_be_written_holds_up_no_other(story, caplog):
    follow(story, "ada")
    good, bad, late = (noted(story, body=body) for body in ("Good.", "Bad.", "Late."))

    def fail(execute, sql, params, *args):
        if '"mail_mail"' in sql and params and any("Bad." in str(value) for value in params):
            raise ValueError
        return execute(sql, params, *args)

    with connection.execute_wrapper(fail):
        announcements.send_due()

    assert f"The mails about comment {bad.pk} could not be written." in caplog.text
    assert [mail.about for mail in Mail.objects.order_by("pk")] == [[good.pk], [late.pk]]
    assert mailed() == ["ada"] * 3


def test_a_database_that_is_away_ends_it_for_now(story, caplog):
    follow(story, "ada")
    noted(story)

    with breaking_off(OperationalError, 0), pytest.raises(OperationalError):
        announcements.send_due()

    assert (caplog.text, mailed()) == ("", ["ada"])


# --- In which order, and when ---


@pytest.mark.parametrize("together", [1, 2, 20])
@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_everybody_is_told_in_the_order_in_which_comments_became_public(
    monkeypatch, story, one_by_one, after, together
):
    monkeypatch.setattr(announcements, "COMMENTS", together)
    follow(story, "ada", "cleo")
    late = make_comment(article=story, status="held", **BO)
    comments = [noted(story).pk, noted(story).pk, late.pk]
    late.approve(by=make_editor())

    with breaking_off(SystemExit, after), suppress(SystemExit):
        announcements.send_due()

    assert len(mailed()) == 6
    for name in ("ada", "cleo"):
        mails = Mail.objects.filter(recipient__startswith=name).order_by("due_at", "pk")
        assert [mail.about for mail in mails] == [[pk] for pk in comments]


def test_what_comes_while_some_are_told_waits_until_all_are_told(monkeypatch, story, one_by_one):
    monkeypatch.setattr(announcements, "COMMENTS", 20)
    follow(story, "ada", "cleo")
    first = noted(story).pk
    with breaking_off(SystemExit, 1), suppress(SystemExit):
        announcements.send_due()

    second = noted(story).pk

    assert mailed() == ["ada", "cleo", "ada", "cleo"]
    assert [mail.about for mail in Mail.objects.order_by("pk")] == [[first], [first], [second], [second]]


def test_comments_approved_together_are_told_oldest_first(story):
    follow(story, "ada")
    comments = [make_comment(article=story, status="held", **BO) for _ in range(3)]

    Comment.objects.order_by("-pk").approve(by=make_editor())

    assert len(mailed()) == 3
    assert [mail.about for mail in Mail.objects.order_by("pk")] == [[one.pk] for one in comments]


def test_what_no_process_could_tell_for_days_is_no_news_any_more(story, clock):
    follow(story, "ada")
    noted(story)
    clock.shift(timedelta(days=3, seconds=1))

    assert mailed() == ["ada"]

    Mail.objects.give_up_stale()
    assert Mail.objects.get().state == "given-up"


def test_a_daily_mail_leaves_a_day_after_the_comment_however_late_it_was_told(story, clock):
    follow(story, "ada", rhythm="daily")
    noted(story)
    clock.shift(timedelta(hours=20))
    announcements.send_due()
    clock.shift(timedelta(hours=4))

    digests.send_digests()

    assert told() == ["ada"]


# --- Taken back before its turn ---


@pytest.mark.parametrize("one_is_told", [False, True])
@pytest.mark.parametrize(
    "way", ["trash", "hold", "withdraw", "edit", "hold_as_reported", "undo", "delete", "delete many", "erase"]
)
def test_what_is_removed_before_its_turn_is_told_to_nobody(monkeypatch, story, one_by_one, way, one_is_told):
    editor = make_editor()
    follow(story, "ada", "cleo")
    held = make_comment(article=story, status="held", created_at=NOON, **BO)
    approval = held.approve(by=editor).decision
    given = Comment.objects.get(pk=held.pk)
    ways = {
        "trash": lambda: given.trash(by=editor),
        "hold": lambda: given.hold(by=editor),
        "withdraw": lambda: posting.withdraw(given),
        "edit": lambda: posting.edit(given, "https://a.example https://b.example https://c.example"),
        "hold_as_reported": given.hold_as_reported,
        "undo": lambda: decisions.undo(approval, editor),
        "delete": given.delete,
        "delete many": Comment.objects.filter(pk=given.pk).delete,
        "erase": lambda: privacy.erase(BO["email"], keep_texts=True),
    }
    if one_is_told:
        monkeypatch.setattr(announcements, "PATIENCE", -1)
        announcements.send_due()
        assert told() == ["ada"]

    ways[way]()

    assert Announcement.objects.count() == 0
    assert (mailed(), Notice.objects.count()) == ([], 0)


def test_nothing_is_told_of_a_story_that_goes_before_its_turn(story, take_off):
    follow(story, "ada")
    noted(story)

    take_off(story)

    assert Announcement.objects.count() == 0
    assert mailed() == []


@pytest.mark.parametrize(
    "hide",
    [
        lambda story: story.unpublish(),
        lambda story: Article.objects.update(published_at=NOON + timedelta(hours=1)),
        lambda story: Comment.objects.filter(name="Bo").update(status="trash"),
        lambda story: story.delete(),
    ],
    ids=["unpublish", "schedule", "trash", "delete"],
)
def test_nothing_is_told_of_what_a_script_has_hidden_before_its_turn(story, hide):
    follow(story, "ada")
    noted(story)

    hide(story)

    assert (mailed(), Announcement.objects.count()) == ([], 0)


@pytest.mark.parametrize("one_is_told", [False, True])
def test_what_is_shown_again_before_its_turn_is_told_once_to_everybody(
    monkeypatch, story, one_by_one, one_is_told
):
    follow(story, "ada", "cleo")
    given = noted(story)
    if one_is_told:
        with monkeypatch.context() as patch:
            patch.setattr(announcements, "PATIENCE", -1)
            announcements.send_due()
    given.hold(by=make_editor())

    given.approve(by=make_editor())

    assert mailed() == ["ada", "cleo"]


def test_what_is_shown_again_after_its_turn_is_told_only_to_those_who_do_not_know_it(story):
    follow(story, "ada")
    given = noted(story)
    announcements.send_due()
    Mail.objects.get().mark_sent()
    given.hold(by=make_editor())
    late = make_comment(article=story, email="cleo@example.com")
    notifications.subscribe(late, "story")
    late.subscription.subscriber.confirm()

    given.approve(by=make_editor())

    announcements.send_due()
    told_of = Mail.objects.filter(about=[given.pk]).order_by("pk").values_list("recipient", flat=True)
    assert list(told_of) == ["ada@example.com", "cleo@example.com"]
    assert Announcement.objects.count() == 0


def test_what_a_script_has_hidden_and_a_moderator_shows_again_is_told_once(story):
    follow(story, "ada")
    given = noted(story)
    Comment.objects.filter(pk=given.pk).update(status="held")

    given.approve(by=make_editor())

    assert mailed() == ["ada"]


@pytest.mark.parametrize("way", ["this story", "all", "choice", "erased", "comment trashed"])
def test_who_ends_the_mails_before_the_turn_is_told_nothing_and_others_are(story, way):
    own = follow(story, "cleo", "ada")
    noted(story)
    ways = {
        "this story": lambda: own.subscription.subscriber.stop(story.pk),
        "all": lambda: own.subscription.subscriber.stop(None),
        "choice": lambda: notifications.choose(own, "", ""),
        "erased": lambda: privacy.erase("ada@example.com", keep_texts=True),
        "comment trashed": lambda: own.trash(by=make_editor()),
    }

    ways[way]()

    assert mailed() == ["cleo"]


# --- Several at once ---


needs_locks = pytest.mark.skipif(connection.vendor == "sqlite", reason="lets one transaction write at a time")


class While:
    """Lets somebody else do something while a mail is being written, which has to wait or not."""

    def __init__(self, job, seconds: float = 0.5):
        self.job, self.seconds, self.thread = job, seconds, None

    def __call__(self, execute, sql, *args):
        if self.thread is None and writes_mails(sql):
            self.thread = Thread(target=self.run)
            self.thread.start()
            self.thread.join(self.seconds)
            self.has_waited = self.thread.is_alive()
        return execute(sql, *args)

    def run(self):
        try:
            self.job()
        finally:
            connection.close()

    def __enter__(self):
        self.wrapper = connection.execute_wrapper(self)
        self.wrapper.__enter__()
        return self

    def __exit__(self, *error):
        self.wrapper.__exit__(*error)
        self.thread.join()


@pytest.mark.django_db(transaction=True)
def test_two_who_tell_at_once_tell_nobody_twice_and_everybody_in_order(story, one_by_one):
    set_discussion()
    names = ["ada", "cleo", "dan", "eva"]
    follow(story, *names)
    comments = [noted(story).pk for _ in range(5)]
    barrier = Barrier(2)

    def tell():
        barrier.wait()
        try:
            announcements.send_due()
        finally:
            connection.close()

    threads = [Thread(target=tell) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(mailed()) == sorted(names * 5)
    for name in names:
        mails = Mail.objects.filter(recipient__startswith=name).order_by("pk")
        assert [mail.about for mail in mails] == [[pk] for pk in comments]


@needs_locks
@pytest.mark.django_db(transaction=True)
def test_who_finds_another_telling_leaves_it_alone(story, one_by_one):
    follow(story, "ada")
    comments = [noted(story), noted(story)]

    # Not done after half a second may mean no more than that the machine is busy.
    with While(announcements.send_due, seconds=30) as other:
        announcements.send_due()

    assert other.has_waited is False
    assert [mail.about for mail in Mail.objects.order_by("pk")] == [[one.pk] for one in comments]


@needs_locks
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["trash", "delete", "erase", "stop all", "stop here", "choose", "be erased"])
def test_what_is_taken_back_while_its_mails_are_written_is_not_mailed(story, way):
    set_discussion()
    editor, own = make_editor(), follow(story, "ada")
    given = noted(story)
    ways = {
        "trash": lambda: given.trash(by=editor),
        "delete": given.delete,
        "erase": lambda: privacy.erase(BO["email"], keep_texts=True),
        "stop all": lambda: own.subscription.subscriber.stop(None),
        "stop here": lambda: own.subscription.subscriber.stop(story.pk),
        "choose": lambda: notifications.choose(own, "answers", "at-once"),
        "be erased": lambda: privacy.erase("ada@example.com", keep_texts=True),
    }

    with While(ways[way]) as other:
        announcements.send_due()

    assert other.has_waited
    assert (mailed(), Notice.objects.count()) == ([], 0)


@needs_locks
@pytest.mark.django_db(transaction=True)
def test_who_is_just_ending_their_mails_is_waited_for_and_told_nothing(story):
    set_discussion()
    subscriber = follow(story, "ada").subscription.subscriber
    noted(story)

    def tell():
        try:
            announcements.send_due()
        finally:
            connection.close()

    thread = Thread(target=tell)
    with transaction.atomic():
        subscriber.stop(story.pk)
        thread.start()
        thread.join(0.5)
        has_waited = thread.is_alive()
    thread.join()

    assert (has_waited, mailed()) == (True, [])
