"""What Akismet is taught: where moderators have decided otherwise than it said.

It is told once the decision can no longer be undone, so that nothing has to be taken back.
What it does not take is told again on the next days, and left alone after a week.
"""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from comments import opinions
from comments.models import UNDO_LASTS, Change, ChangeQuerySet, Comment

# So many are told at the same time, and so long they are tried.
BATCH = 10
WORTH_TELLING = timedelta(days=7)
# After so many times that nothing was taken, Akismet is away: the house is kept without it.
TRIED_IN_VAIN = 3


def teach() -> Iterator[int]:
    """Tell Akismet of what it got wrong, some at a time, and yield of how many."""
    if not settings.AKISMET_API_KEY:
        return
    mistaken = _mistaken()
    rest, in_vain = mistaken, 0
    while in_vain < TRIED_IN_VAIN and (changes := list(rest[:BATCH])):
        if count := _teach_some([change.comment for change in changes]):
            yield count
        in_vain = 0 if count else in_vain + 1
        # What it does not take stays, and keeps it from none of the older ones.
        last = changes[-1]
        rest = mistaken.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk))


def _teach_some(comments: list[Comment]) -> int:
    told = opinions.teach(comments)
    for said_spam in (True, False):
        pks = [comment.pk for comment in told if comment.akismet_says_spam is said_spam]
        # Where its author has changed the text meanwhile, Akismet may have been asked anew.
        still = Comment.objects.filter(pk__in=pks, akismet_says_spam=said_spam)
        still.update(akismet_says_spam=not said_spam)
    return len(told)


def _mistaken() -> ChangeQuerySet:
    """Return what moderators decided, as the last so far, against what Akismet said of a comment."""
    moves = Change.objects.exclude(from_status=F("to_status"))
    later = moves.filter(comment=OuterRef("comment"), pk__gt=OuterRef("pk"))
    now = timezone.now()
    settled = moves.filter(
        ~Exists(later),
        actor=Change.Actor.MODERATOR,
        at__gt=now - UNDO_LASTS - WORTH_TELLING,
        at__lte=now - UNDO_LASTS,
        comment__erased_at=None,
    )
    missed = Q(to_status=Comment.Status.SPAM, comment__akismet_says_spam=False)
    false_alarm = Q(to_status=Comment.Status.APPROVED, comment__akismet_says_spam=True)
    return settled.filter(missed | false_alarm).select_related("comment__article").order_by("-at", "-pk")
