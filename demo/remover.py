"""Takes the demo away again: what it brought and nobody has changed, known by what it says."""

from collections import Counter
from typing import Any, NamedTuple

from django.db import models, transaction
from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from articles.models import Article, Author, Image, Section, Topic
from comments import notifications, staff_notices
from comments.models import Comment
from demo.loader import CREDIT, FOLDER, Told, read, stories_told


class Removed(NamedTuple):
    """How many of what were taken away, by their model's name, and what was kept, with the reason."""

    counts: Counter[str]
    kept: list[str]


@transaction.atomic
def remove() -> Removed:
    counts: Counter[str] = Counter()
    kept: list[str] = []
    people = read(FOLDER / "people.toml")
    told = dict(stories_told())
    stories = list(Article.objects.filter(slug__in=told).order_by("pk"))
    for story in stories:
        comments = _comments_of_the_demo(story, told[story.slug], people["readers"])
        counts["comments"] += comments.count()
        comments.delete()
    removable = []
    for story in stories:
        if why := _why_kept(story, told[story.slug]):
            kept.append(f"{story.title}: {why}")
        else:
            removable.append(story)
    # A story that stays keeps those that it leads to.
    while linked := [one for one in removable if _is_led_to(one, removable)]:
        removable = [one for one in removable if one not in linked]
        kept += [f"{one.title}: {_('a story that stays leads to it')}" for one in linked]
    notifications.cancel_about(removable)
    staff_notices.cancel_about(removable)
    for story in removable:
        story.delete()
    counts["stories"] = len(removable)
    counts["pictures"] = _remove_pictures(told)
    # Somebody's account may have been given to an author of the demo.
    unused: dict[str, models.QuerySet[Any]] = {
        "authors": Author.objects.filter(articles=None, user=None),
        "topics": Topic.objects.filter(articles=None),
        "sections": Section.objects.filter(articles=None),
    }
    for name, found in unused.items():
        for fields in people[name]:
            counts[name] += found.filter(**fields).delete()[0]
    return Removed(+counts, kept)


def _comments_of_the_demo(story: Article, told: Told, readers: dict[str, Told]) -> models.QuerySet[Comment]:
    """Return the comments below a story that say what the demo says, by whom the demo says."""
    texts = {(one["by"], one["text"].strip()) for one in told.get("comments", [])}
    emails = {name: fields["email"] for name, fields in readers.items()}
    rows = story.comments.filter(user=None).values_list("pk", "name", "email", "body")
    pks = [pk for pk, name, email, body in rows if (name, body) in texts and emails[name] == email]
    return Comment.objects.filter(pk__in=pks)


def _why_kept(story: Article, told: Told) -> str:
    """Return why a story stays, in words, or "" where it is as the demo has brought it."""
    is_as_told = (
        (story.title, story.standfirst) == (told["title"], told["standfirst"])
        and _words_of(story.body) == _words_of(told["body"])
        and story.section.slug == told["section"]
        and set(story.topics.values_list("slug", flat=True)) == set(told["topics"])
        and [byline.author.slug for byline in story.bylines.all()] == told["authors"]
    )
    if not is_as_told:
        return _("it was changed")
    return _("people have commented on it") if story.comments.exists() else ""


def _words_of(body: str) -> str:
    """Return a text without its marks and spaces, which are written anew when it is saved."""
    return "".join(strip_tags(body).split())


def _is_led_to(story: Article, removable: list[Article]) -> bool:
    return story.referring_reads.exclude(article__in=removable).exists()


def _remove_pictures(told: dict[str, Told]) -> int:
    """Delete the demo's pictures, with their files, where no story that stays shows them."""
    texts = {
        (picture["alternative_text"], picture["caption"])
        for story in told.values()
        for picture in (story["lead_image"], *story.get("figures", []))
    }
    count = 0
    for image in Image.objects.filter(credit=CREDIT):
        is_used = Article.objects.filter(
            models.Q(lead_image=image) | models.Q(body__contains=image.file.url)
        ).exists()
        if (image.alternative_text, image.caption) in texts and not is_used:
            image.delete()
            count += 1
    return count
