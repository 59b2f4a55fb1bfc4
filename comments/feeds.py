"""What readers say, for feed readers: the newest replies to a story, and to all of them.

Atom also tells who answers whom, as RFC 4685 has it.
"""

import re
from datetime import UTC, datetime
from urllib.parse import urljoin

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed, SyndicationFeed
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from articles.models import Article
from articles.views import story_at
from comments.models import Comment, CommentQuerySet
from newsite.freshness import public_page

COMMENTS_PER_FEED = 50
# What XML 1.0 has no way to write, section 2.2. Imported comments may hold it.
ILLEGIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class CommentsWriter(SyndicationFeed):
    """What RSS and Atom have in common here."""

    def __init__(self, **fields):
        super().__init__(**_legible(fields))
        # Other feeds lead to the same story, or to the front page: the link is no id.
        self.feed["id"] = self.feed["feed_url"]

    def add_item(self, **fields):
        super().add_item(**_legible(fields))

    def latest_post_date(self) -> datetime:
        # Django gives an empty feed the time of the request: it would never be the same twice.
        return super().latest_post_date() if self.items else self.feed["since"]


class RssWriter(CommentsWriter, Rss201rev2Feed):
    pass


class AtomWriter(CommentsWriter, Atom1Feed):
    def root_attributes(self) -> dict:
        return {**super().root_attributes(), "xmlns:thr": "http://purl.org/syndication/thread/1.0"}

    def add_item_elements(self, handler, item):
        super().add_item_elements(handler, {**item, "description": None})
        handler.addQuickElement("content", item["description"], {"type": "html"})
        answered = urljoin(self.feed["link"], item["answered"])
        handler.addQuickElement(
            "thr:in-reply-to", "", {"ref": answered, "href": answered, "type": "text/html"}
        )
        replies = {"rel": "replies", "type": "text/html", "href": item["link"]}
        handler.addQuickElement("link", "", {**replies, "thr:count": str(item["reply_count"])})


class CommentsFeed(Feed):
    feed_type: type[SyndicationFeed] = RssWriter

    def __call__(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        response = super().__call__(request, *args, **kwargs)
        # A comment approved late, or removed, changes the feed but not its newest date.
        del response["Last-Modified"]
        return response

    def item_title(self, comment: Comment) -> str:
        return _("%(name)s on %(story)s") % {"name": _name(comment), "story": comment.article.title}

    def item_author_name(self, comment: Comment) -> str:
        return _name(comment)

    def item_description(self, comment: Comment) -> str:
        return comment.body_html

    def item_pubdate(self, comment: Comment) -> datetime:
        return comment.created_at

    def item_updateddate(self, comment: Comment) -> datetime:
        return comment.edited_at or comment.created_at

    def item_extra_kwargs(self, comment) -> dict:
        parent = comment.parent
        is_shown = parent is not None and parent.status == Comment.Status.APPROVED
        answered = parent if is_shown else comment.article
        return {"answered": answered.get_absolute_url(), "reply_count": comment.reply_count}


class SiteFeed(CommentsFeed):
    def title(self) -> str:
        return _("Comments on %(site)s") % {"site": settings.SITE_NAME}

    def description(self) -> str:
        return _("What readers of %(site)s say.") % {"site": settings.SITE_NAME}

    def link(self) -> str:
        return reverse("articles:home")

    def feed_extra_kwargs(self, obj) -> dict:
        return {"since": datetime(1970, 1, 1, tzinfo=UTC)}

    def items(self) -> CommentQuerySet:
        return newest(Comment.objects.public())


class StoryFeed(CommentsFeed):
    def get_object(self, request: HttpRequest, year: str, month: str, slug: str) -> Article:
        return story_at(Article.objects.published(), year, month, slug)

    def title(self, article: Article) -> str:
        return _("Comments on “%(story)s”") % {"story": article.title}

    def description(self, article: Article) -> str:
        return _("What readers say about “%(story)s”.") % {"story": article.title}

    def link(self, article: Article) -> str:
        return article.get_absolute_url()

    def feed_extra_kwargs(self, article: Article) -> dict:
        return {"since": article.published_at}

    def items(self, article: Article) -> CommentQuerySet:
        return newest(article.comments.public())


class SiteAtomFeed(SiteFeed):
    feed_type = AtomWriter


class StoryAtomFeed(StoryFeed):
    feed_type = AtomWriter


site_rss, site_atom, story_rss, story_atom = [
    require_safe(public_page(feed())) for feed in (SiteFeed, SiteAtomFeed, StoryFeed, StoryAtomFeed)
]


def newest(comments: CommentQuerySet) -> CommentQuerySet:
    """Load what a feed shows of the newest of these comments."""
    replies = Comment.objects.approved().filter(parent=OuterRef("pk")).order_by().values("parent")
    reply_count = Subquery(replies.annotate(count=Count("pk")).values("count"))
    # Chosen first, or the database would load and count for every comment there is.
    chosen = comments.order_by("-created_at", "-pk").values("pk")[:COMMENTS_PER_FEED]
    return (
        Comment.objects.filter(pk__in=chosen)
        .order_by("-created_at", "-pk")
        .annotate(reply_count=Coalesce(reply_count, 0))
        .select_related("article", "parent")
        .defer("body", "article__body", "article__body_html", "parent__body", "parent__body_html")
    )


def _name(comment: Comment) -> str:
    # Atom asks for a name.
    return ILLEGIBLE.sub("", comment.name).strip() or _("Anonymous")


def _legible(fields: dict) -> dict:
    return {
        key: ILLEGIBLE.sub("", value) if isinstance(value, str) else value for key, value in fields.items()
    }
