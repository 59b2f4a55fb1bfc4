"""Fills an empty database with stories and comments, the same ones every time.

A few stories and a few people have many comments, most have few, as on a real site: the
most busy story, person and address are what is worst for the queue.
"""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from django.contrib.auth.models import Group, User
from django.db import connection, models, transaction

from articles.models import Article, Author, Byline, Section
from comments.models import KEY_WIDTH, Change, Comment, Decision, Firing, Report, Rule, recount

CHUNK = 5_000
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
YEARS = timedelta(days=5 * 365)
COMMENTS_PER_STORY = 100
COMMENTS_PER_PERSON = 20
STATUSES = {"approved": 80, "spam": 14, "trash": 4, "held": 2}
RULES = {
    "spam": [Rule.TRAP, Rule.AKISMET, Rule.BANNED],
    "trash": [Rule.TRASH_WORDS],
    "held": [Rule.FIRST_COMMENT, Rule.LINKS, Rule.WORDS],
}
WORDS = ["the", "bridge", "council", "river", "because", "never", "people", "should", "long", "good"]


def fill(size: int) -> None:
    """Write so many comments, what belongs to them, and two accounts that moderate."""
    chance = random.Random(size)  # noqa: S311 (numbers that are the same every time)
    moderator = User.objects.create_user("moderator", is_staff=True)
    moderator.groups.set(Group.objects.filter(name="Moderator"))
    author = User.objects.create_user("author", is_staff=True)
    author.groups.set(Group.objects.filter(name="Author"))
    stories = _write_stories(size // COMMENTS_PER_STORY, author)
    _write(Comment, _comments(size, stories, chance))
    with transaction.atomic():
        recount(Article.objects.values_list("pk", flat=True))
    decided = Comment.objects.exclude(status="held").order_by("pk").values_list("pk", "status")
    # A moderator has decided on every third comment, on each by itself.
    _write(Decision, (_decision(pk, status, moderator) for pk, status in decided.iterator() if pk % 3 == 0))
    _write(
        Change,
        (
            _change(pk, status, moderator, number)
            for number, (pk, status) in enumerate((row for row in decided.iterator() if row[0] % 3 == 0), 1)
        ),
    )
    caught = (
        Comment.objects.exclude(held_because="").order_by("pk").values_list("pk", "held_because", "status")
    )
    _write(
        Firing,
        (
            Firing(comment_id=pk, rule=rule, verdict=status, has_decided=True)
            for pk, rule, status in caught.iterator()
        ),
    )
    reported = Comment.objects.filter(open_reports__gt=0).order_by("pk").values_list("pk", flat=True)
    _write(Report, (Report(comment_id=pk, reason="spam", sender=f"{pk:064x}") for pk in reported.iterator()))
    if connection.vendor == "postgresql":
        # As it does by itself after a while. SQLite is not asked to by Newsite.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _write_stories(count: int, author: User) -> int:
    sections = Section.objects.bulk_create(
        Section(name=f"Section {n}", slug=f"section-{n}", position=n) for n in range(10)
    )
    authors = Author.objects.bulk_create(
        Author(name=f"Author {n}", slug=f"author-{n}", user=author if n == 0 else None) for n in range(50)
    )
    _write(
        Article,
        (
            Article(
                title=f"Story {n} of the {WORDS[n % len(WORDS)]}",
                slug=f"story-{n}",
                section=sections[n % len(sections)],
                body="One paragraph.",
                body_html="<p>One paragraph.</p>",
                status="published",
                published_at=NOW - YEARS + YEARS * (n / count),
                address=f"2026/11/story-{n}",
            )
            for n in range(count)
        ),
    )
    pks = Article.objects.order_by("pk").values_list("pk", flat=True)
    _write(Byline, (Byline(article_id=pk, author=authors[n % 50]) for n, pk in enumerate(pks.iterator())))
    return count


def _comments(size: int, stories: int, chance: random.Random) -> Iterator[Comment]:
    statuses = chance.choices([*STATUSES], [*STATUSES.values()], k=size)
    people = size // COMMENTS_PER_PERSON
    for n, status in enumerate(statuses):
        # The cube makes the first few of them many times as frequent as the others.
        person = int(people * chance.random() ** 3)
        text = " ".join(chance.choices(WORDS, k=chance.randint(10, 80)))
        yield Comment(
            pk=n + 1,
            article_id=1 + int(stories * chance.random() ** 3),
            path=f"{n + 1:0{KEY_WIDTH}d}",
            name=f"Reader {person}",
            spelling=f"reader {person}",
            email=f"reader{person}@example.com",
            ip_address=f"10.{person // 65536}.{person // 256 % 256}.{person % 256}",
            body=text,
            body_html=f"<p>{text}</p>",
            status=status,
            held_because=chance.choice(RULES[status]) if status in RULES else "",
            open_reports=1 if status == "approved" and chance.random() < 0.01 else 0,
            created_at=NOW - YEARS + YEARS * (n / size),
            user_agent="Mozilla/5.0",
        )


def _decision(pk: int, status: str, moderator: User) -> Decision:
    kind = {"approved": "approve", "spam": "mark_as_spam"}.get(status, "trash")
    return Decision(by=moderator, kind=kind, at=NOW - timedelta(days=30), count=1)


def _change(pk: int, status: str, moderator: User, decision: int) -> Change:
    return Change(
        comment_id=pk,
        decision_id=decision,
        by=moderator,
        at=NOW - timedelta(days=30),
        from_status="held",
        to_status=status,
    )


def _write(model: type[models.Model], rows: Iterable[models.Model]) -> None:
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        with transaction.atomic():
            model._default_manager.bulk_create(chunk)
