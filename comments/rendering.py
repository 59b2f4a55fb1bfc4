"""Every comment gets the HTML that the markup makes of its text now: after an upgrade that changed it.

It is done in chunks, so that a million comments need no more memory than a few hundred, while
the site runs. Breaking it off loses nothing: the next time goes on.
"""

from collections.abc import Iterator
from threading import Event

from django.db import transaction

from comments.models import Comment, Rendering
from newsite.markup import COMMENT_EDITION, comment_html

CHUNK = 200


def run(stopped: Event) -> Iterator[tuple[int, int]]:
    """Go on until it is done or stopped, and yield each chunk's last id and how many of it changed."""
    rendering = Rendering.load()
    if rendering.edition != COMMENT_EDITION:
        rendering.begin()
    while rendering.reached is not None and not stopped.is_set():
        chunk = _chunk_after(rendering.reached)
        changed = _render(chunk)
        rendering.reach(chunk[-1][0] if chunk else None)
        if rendering.reached is not None:
            yield rendering.reached, changed


def _chunk_after(pk: int) -> list[tuple[int, str, str]]:
    comments = Comment.objects.filter(pk__gt=pk).order_by("pk")
    return list(comments.values_list("pk", "body", "body_html")[:CHUNK])


def _render(chunk: list[tuple[int, str, str]]) -> int:
    """Save the HTML that has changed. Who edits a comment meanwhile has rendered it already."""
    rendered = [(pk, body, before, comment_html(body)) for pk, body, before in chunk]
    with transaction.atomic():
        return sum(
            Comment.objects.filter(pk=pk, body=body).update(body_html=html)
            for pk, body, before, html in rendered
            if html != before
        )
