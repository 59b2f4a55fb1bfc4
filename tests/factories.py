"""Valid rows by default, and nothing else: what a test is about, it says itself."""

from datetime import timedelta
from itertools import count

from django.contrib.auth.models import Group, User
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image as Picture

from articles.models import Article, Author, Byline, Image, Section, Topic
from comments.discussion import DiscussionSettings
from comments.models import Comment, Report

_numbers = count(1)


def make_user(**fields) -> User:
    number = next(_numbers)
    defaults = {"username": f"user{number}", "email": f"user{number}@newsroom.example"}
    return User.objects.create_user(**{**defaults, **fields})


def make_editor(**fields) -> User:
    return make_user(is_staff=True, is_superuser=True, **fields)


def make_staff(*roles: str, **fields) -> User:
    """Someone who may sign in to the admin, and do there what their roles let them."""
    user = make_user(**{"is_staff": True, **fields})
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def make_section(**fields) -> Section:
    number = next(_numbers)
    return Section.objects.create(**{"name": f"Section {number}", "slug": f"section-{number}", **fields})


def make_topic(**fields) -> Topic:
    number = next(_numbers)
    return Topic.objects.create(**{"name": f"Topic {number}", "slug": f"topic-{number}", **fields})


def make_author(**fields) -> Author:
    number = next(_numbers)
    return Author.objects.create(**{"name": f"Author {number}", "slug": f"author-{number}", **fields})


def make_image(**fields) -> Image:
    file = ContentFile(b"", name=f"picture-{next(_numbers)}.png")
    Picture.new("RGB", (32, 18), "#667788").save(file, "PNG")
    return Image.objects.create(**{"file": file, "alternative_text": "A grey field", **fields})


def make_article(*, authors=(), topics=(), **fields) -> Article:
    """A story that was published an hour ago."""
    number = next(_numbers)
    if "section" not in fields:
        fields["section"] = make_section()
    defaults = {
        "title": f"Story {number}",
        "slug": f"story-{number}",
        "body": "First paragraph.\n\nSecond paragraph.",
        "status": Article.Status.PUBLISHED,
        "published_at": timezone.now() - timedelta(hours=1),
    }
    article = Article.objects.create(**{**defaults, **fields})
    article.topics.set(topics)
    for position, author in enumerate(authors):
        Byline.objects.create(article=article, author=author, position=position)
    return article


def make_comment(**fields) -> Comment:
    """An approved comment that a visitor wrote half an hour ago."""
    if "article" not in fields:
        fields["article"] = fields["parent"].article if "parent" in fields else make_article()
    number = next(_numbers)
    defaults = {
        "name": f"Reader {number}",
        "email": f"reader{number}@example.com",
        "body": f"Comment {number}.",
        # From where the test client and the browsers of the tests write.
        "ip_address": "127.0.0.1",
        "status": Comment.Status.APPROVED,
        "created_at": timezone.now() - timedelta(minutes=30),
    }
    return Comment.objects.create(**{**defaults, **fields})


def reply_to(comment: Comment, **fields) -> Comment:
    return make_comment(parent=comment, **fields)


def make_report(**fields) -> Report:
    """A report of spam, from an address of its own."""
    fields = {"reason": Report.Reason.SPAM, "sender": f"{next(_numbers):064x}", **fields}
    return Report.objects.create(**{"neighbourhood": fields["sender"], **fields})


def set_discussion(**fields) -> DiscussionSettings:
    """Change the owner's settings of the conversation."""
    return DiscussionSettings.objects.update_or_create(pk=1, defaults=fields)[0]
