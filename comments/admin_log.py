"""What the admin's log says of comments: which, by its number, and never whose. It is kept for ever."""

import re
from collections.abc import Iterable

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _

from comments import search
from comments.models import Comment


def note(user, message: str, comments: Iterable[int | None] = (None,), flag: int = CHANGE) -> None:
    """Write a line for each of these comments, or one for something that is about none of them."""
    content_type = ContentType.objects.get_for_model(Comment)
    LogEntry.objects.bulk_create(
        LogEntry(
            user=user,
            content_type=content_type,
            object_id=None if pk is None else str(pk),
            object_repr=_("Comments") if pk is None else _("Comment %(id)d") % {"id": pk},
            action_flag=flag,
            change_message=message,
        )
        for pk in comments
    )


def erase(terms: set[str]) -> None:
    """Take an address out of the lines about comments, people and settings, however it is written."""
    ours = LogEntry.objects.filter(content_type__app_label="comments")
    for term in terms:
        wanted = re.compile(re.escape(term), re.IGNORECASE)
        for line in ours.filter(search.having(term, ["object_repr", "change_message"])):
            line.object_repr = wanted.sub("…", line.object_repr)
            line.change_message = wanted.sub("…", line.change_message)
            line.save(update_fields=["object_repr", "change_message"])
