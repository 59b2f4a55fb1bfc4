"""Everything that is held about one email address: handed over, and removed.

What was written by someone signed in is not among it. It belongs to the account, and a
letter to the newsroom, not a mail to an address, is the way to it.

An export is one JSON object in UTF-8. Its keys stay what they are; more may come.

    site, email, exported_at
    comments    oldest first:
        id, url, story {title, url}, in_reply_to (the address of the answered comment, or null),
        name, email, website, text, status, held_because,
        posted_at, edited_at, ip_address, user_agent,
        history     oldest first: at, from, to, text_before (null where the text did not change)

Times are ISO 8601, in UTC.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from textwrap import indent
from urllib.parse import urljoin

from django.conf import settings
from django.db import transaction
from django.db.models import Prefetch
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from comments.models import Change, Comment

CHUNK = 500


def export_of(email: str, site: str) -> Iterator[str]:
    """Return what is held about an address as JSON, piece by piece. `site` is the home page's URL."""
    head = {"site": settings.SITE_NAME, "email": email.lower(), "exported_at": _time(timezone.now())}
    yield _json(head).removesuffix("\n}")
    for key, rows in {"comments": _comments(email, site)}.items():
        yield f',\n  "{key}": ['
        separator = "\n"
        for row in rows:
            yield separator + indent(_json(row), "    ")
            separator = ",\n"
        yield "\n  ]"
    yield "\n}\n"


@transaction.atomic
def erase(email: str, *, keep_texts: bool, by=None) -> int:
    """Remove everything that tells who wrote with this address; return from how many comments.

    Their texts stay, or go too. Answers to them stay in any case. `by` is the member of
    staff who does it for the person.
    """
    comments = Comment.objects.written_with(email)
    # Locked first, so that nobody edits a comment between these steps.
    statuses = dict(comments.select_for_update().values_list("pk", "status"))
    Change.objects.filter(comment__in=comments).update(body_before="")
    gone = {"name": _("Anonymous"), "email": "", "website": "", "ip_address": None, "user_agent": ""}
    if not keep_texts:
        withdrawn = Comment.Status.WITHDRAWN
        actor = Change.Actor.MODERATOR if by else Change.Actor.COMMENTER
        gone |= {"body": "", "body_html": "", "status": withdrawn}
        Change.objects.bulk_create(
            Change(comment_id=pk, by=by, actor=actor, from_status=status, to_status=withdrawn)
            for pk, status in statuses.items()
            if status != withdrawn
        )
    comments.update(erased_at=timezone.now(), **gone)
    return len(statuses)


def _comments(email: str, site: str) -> Iterator[dict]:
    """Read the comments in chunks, so that ten thousand need no more memory than a few."""
    comments = (
        Comment.objects.written_with(email)
        .order_by("pk")
        .select_related("article")
        .prefetch_related(Prefetch("changes", Change.objects.order_by("pk")))
        .defer("body_html", "article__body", "article__body_html")
    )
    for comment in comments.iterator(chunk_size=CHUNK):
        answered = comment.parent_id and reverse("comments:permalink", args=[comment.parent_id])
        yield {
            "id": comment.pk,
            "url": urljoin(site, comment.get_absolute_url()),
            "story": {
                "title": comment.article.title,
                "url": urljoin(site, comment.article.get_absolute_url()),
            },
            "in_reply_to": urljoin(site, answered) if answered else None,
            "name": comment.name,
            "email": comment.email,
            "website": comment.website,
            "text": comment.body,
            "status": comment.status,
            "held_because": comment.held_because,
            "posted_at": _time(comment.created_at),
            "edited_at": _time(comment.edited_at),
            "ip_address": comment.ip_address,
            "user_agent": comment.user_agent,
            "history": [_change(change) for change in comment.changes.all()],
        }


def _change(change: Change) -> dict:
    """Tell of a change what concerns the commenter: not which moderator made it."""
    return {
        "at": _time(change.at),
        "from": change.from_status,
        "to": change.to_status,
        "text_before": change.body_before or None,
    }


def _time(time: datetime | None) -> str | None:
    return time.astimezone(UTC).isoformat() if time else None


def _json(value: dict) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
