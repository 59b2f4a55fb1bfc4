"""Stories, authors and conversations to try the site with, told in the TOML files beside this module.

Stories load oldest first, and lead only to older ones, as in life.
"""

import re
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_duration

from articles.models import Article, Author, Byline, Image, RelatedRead, Section, Topic
from comments.models import Change, Comment, Firing, Report, Rule
from demo import pictures

FOLDER = Path(__file__).parent
CREDIT = "Illustration: Newsite"
TALK_LASTS = timedelta(days=6)
# A held comment waits between so many minutes, and less where the clock has not come so far.
DECIDED_AFTER = (4, 90)

# In a body, "story:SLUG" and "picture:DRAWING" stand for addresses that are known only now.
PLACEHOLDER = re.compile(r'"((?:story|picture):[\w-]+)"')

Told = dict[str, Any]


class Remark(NamedTuple):
    article: Article
    told: Told
    written_at: datetime


@transaction.atomic
def load() -> int:
    """Load the demo and return how many stories it has: 0, and nothing done, where there are stories."""
    if Article.objects.exists():
        return 0
    now = timezone.now()
    people = read(FOLDER / "people.toml")
    for model, key in ((Section, "sections"), (Topic, "topics"), (Author, "authors")):
        for fields in people[key]:
            model.objects.get_or_create(slug=fields.pop("slug"), defaults=fields)
    remarks: list[Remark] = []
    stories = stories_told()
    for slug, told in stories:
        article = _load_story(slug, told, now)
        if article.published_at is not None:
            remarks += _remarks(told.get("comments", []), article, article.published_at, now)
    # Comments stand in the order of their ids, so they arrive in the order of their dates.
    remarks.sort(key=lambda remark: remark.written_at)
    _load_comments(remarks, people["readers"])
    return len(stories)


def read(path: Path) -> Told:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def stories_told() -> list[tuple[str, Told]]:
    """Return the stories with their slugs, oldest first and drafts last."""
    stories = [(path.stem, read(path)) for path in (FOLDER / "stories").glob("*.toml")]
    never = timedelta.min
    return sorted(stories, key=lambda story: (_age(story[1], "age") or never, story[0]), reverse=True)


def _age(told: Told, key: str) -> timedelta | None:
    return parse_duration(told[key]) if key in told else None


def _load_story(slug: str, told: Told, now: datetime) -> Article:
    age, updated = _age(told, "age"), _age(told, "updated")
    figures = {f"picture:{figure['drawing']}": _load_picture(figure) for figure in told.get("figures", [])}

    def address(placeholder: re.Match) -> str:
        if figure := figures.get(placeholder[1]):
            return f'"{figure.file.url}"'
        return f'"{Article.objects.get(slug=placeholder[1].removeprefix("story:")).get_absolute_url()}"'

    article = Article.objects.create(
        slug=slug,
        title=told["title"],
        standfirst=told["standfirst"],
        body=PLACEHOLDER.sub(address, told["body"].strip()),
        lead_image=_load_picture(told["lead_image"]),
        section=Section.objects.get(slug=told["section"]),
        status=Article.Status.DRAFT if age is None else Article.Status.PUBLISHED,
        published_at=None if age is None else now - age,
        updated_at=None if updated is None else now - updated,
        discussion=told.get("discussion", Article.Discussion.FOLLOW),
    )
    article.topics.set([Topic.objects.get(slug=topic) for topic in told["topics"]])
    for position, author in enumerate(told["authors"]):
        Byline.objects.create(article=article, author=Author.objects.get(slug=author), position=position)
    for read in told.get("related_reads", []):
        target = Article.objects.get(slug=read.pop("story"))
        RelatedRead.objects.create(article=article, target=target, **read)
    return article


def _load_picture(told: Told) -> Image:
    name = told["drawing"]
    return Image.objects.create(
        file=ContentFile(pictures.draw(name), name=f"{name}.webp"),
        alternative_text=told["alternative_text"],
        caption=told["caption"],
        credit=CREDIT,
    )


def _remarks(
    comments: list[Told], article: Article, published_at: datetime, now: datetime
) -> Iterator[Remark]:
    """Date a conversation: lively on the first day, then calmer, and never ahead of the clock."""
    random = Random(article.slug)  # noqa: S311 (the rhythm of a conversation, not a secret)
    span = min(now - published_at, TALK_LASTS)
    for place, told in enumerate(comments):
        share = (place + random.uniform(0.35, 0.95)) / len(comments)
        yield Remark(article, told, published_at + span * share**1.7)


def _load_comments(remarks: list[Remark], readers: dict[str, Told]) -> None:
    keyed: dict[str, Comment] = {}
    known: set[str] = set()
    for article, told, written_at in remarks:
        comment = Comment.objects.create(
            article=article,
            parent=keyed[told["to"]] if "to" in told else None,
            name=told["by"],
            body=told["text"].strip(),
            status=told.get("status", Comment.Status.APPROVED),
            held_because=told.get("held_because", ""),
            open_reports=len(told.get("reports", [])),
            created_at=written_at,
            **readers[told["by"]],
        )
        if "key" in told:
            keyed[told["key"]] = comment
        _load_history(comment, told, is_first=comment.name not in known)
        if comment.status == Comment.Status.APPROVED:
            known.add(comment.name)


def _load_history(comment: Comment, told: Told, *, is_first: bool) -> None:
    """Tell what became of a comment on its way: the rule that held it, and a moderator's decision."""
    fired = [Rule(told["held_because"])] if "held_because" in told else []
    if is_first and Rule.FIRST_COMMENT not in fired:
        fired.append(Rule.FIRST_COMMENT)
    caught = {Rule.TRAP: Comment.Status.SPAM}
    for number, rule in enumerate(fired):
        Firing.objects.create(
            comment=comment,
            rule=rule,
            verdict=caught.get(rule, Comment.Status.HELD),
            detail="" if number else told.get("found", ""),
            has_decided=number == 0,
        )
    because = fired[0] if fired else Rule.NOTHING
    arrived = caught.get(because, Comment.Status.HELD) if fired else Comment.Status.APPROVED
    history = [
        Change(actor=Change.Actor.COMMENTER, to_status=arrived, because=because, at=comment.created_at)
    ]
    if comment.status != arrived:
        random = Random(comment.body)  # noqa: S311 (how busy a moderator was, not a secret)
        decided_at = comment.created_at + timedelta(minutes=random.uniform(*DECIDED_AFTER))
        decision = {
            "from_status": arrived,
            "to_status": comment.status,
            "at": min(decided_at, timezone.now()),
        }
        history.append(Change(actor=Change.Actor.MODERATOR, **decision))
    for change in history:
        change.comment = comment
    Change.objects.bulk_create(history)
    for number, report in enumerate(told.get("reports", [])):
        Report.objects.create(comment=comment, sender=f"reader {number} of the demo", **report)
