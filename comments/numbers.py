"""The conversation in numbers, for those who moderate it: how much, how quickly, and because of what.

Counted is what is still there: what was deleted for good is in no number.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import (
    Case,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    Q,
    Value,
    When,
)
from django.db.models.functions import TruncDate
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from comments import rights
from comments.desk.answers import ModeratorRequest, desk_page, for_moderators
from comments.models import Change, ChangeQuerySet, Comment, Firing, Rule
from comments.queue import midnight

PERIODS = [30, 90, 365]
# So many people and stories are listed.
LISTED = 10
# How wide and how high a day is in a drawing, in its own units. The page stretches it.
DAY_WIDTH, HEIGHT = 10, 100

Status = Comment.Status


@dataclass
class Chart:
    """How many comments of one status there are on each day, as bars."""

    label: str
    counts: list[int]
    days: list[date]

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def most(self) -> int:
        return max(self.counts)

    @property
    def busiest(self) -> date:
        return self.days[self.counts.index(self.most)]

    @property
    def width(self) -> int:
        return DAY_WIDTH * len(self.days)

    @property
    def bars(self) -> str:
        """The outline of all bars, as SVG draws a path. A day without comments has none."""
        return "".join(
            f"M{DAY_WIDTH * number + 1} {HEIGHT}v-{HEIGHT * count / self.most:.1f}h{DAY_WIDTH - 2}V{HEIGHT}z"
            for number, count in enumerate(self.counts)
            if count
        )


@dataclass
class Line:
    """A rule, a person or a story, with how often it was and what became of that."""

    label: str
    count: int
    others: list[int]
    # What tells somebody from others of the same name.
    known_by: str = ""
    # Where its comments are listed.
    address: str = ""


@require_safe
@for_moderators
def index(request: ModeratorRequest) -> HttpResponse:
    user = request.user
    asked = request.GET.get("days", "")
    period = next((days for days in PERIODS if str(days) == asked), PERIODS[0])
    everywhere = rights.moderates_everywhere(user)
    today = timezone.localdate()
    days = [today - timedelta(days=ago) for ago in reversed(range(period))]
    charts = charts_of(user, days)
    facts: dict[str, Any] = {
        "periods": [(days, days == period) for days in PERIODS],
        "charts": charts,
        "days": [(day, row, sum(row)) for day, row in zip(days, _rows(charts), strict=True)][::-1],
        "decided": time_to_decide(user, days[0]),
        "rules": rules(user, days[0]),
        "stories": stories(user, days[0]),
        "people": people(days[0]) if everywhere else [],
        "moderates_everywhere": everywhere,
    }
    return desk_page(request, "numbers", _("Numbers"), **facts)


def charts_of(user: Any, days: list[date]) -> list[Chart]:
    """Return how many comments were posted on each day, by what they are now."""
    # All of them, but so an index has the days of each: what is older is not read.
    of_all = rights.moderated_by(user).filter(status__in=Status.values)
    posted = of_all.filter(created_at__gte=midnight(days[0])).order_by()
    grouped = posted.values_list("status", TruncDate("created_at")).annotate(Count("pk"))
    counts = {(status, day): count for status, day, count in grouped}
    return [
        Chart(str(status.label), [counts.get((status.value, day), 0) for day in days], days)
        for status in Status
    ]


def time_to_decide(user: Any, since: date) -> dict[str, Any] | None:
    """Return how long half of the held comments waited at most for their first decision, and how many those are.

    None where no moderator has decided on any. What rules and readers do is no decision.
    """
    of_same = Change.objects.filter(comment=OuterRef("comment"))
    decisions = _changes_of(user, since).filter(_decided())
    first = decisions.filter(
        Exists(of_same.filter(from_status="", to_status=Status.HELD)),
        ~Exists(of_same.filter(_decided(), pk__lt=OuterRef("pk"))),
    )
    waited = ExpressionWrapper(F("at") - F("comment__created_at"), output_field=DurationField())
    count = first.count()
    waits = first.annotate(waited=waited).order_by("waited").values_list("waited", flat=True)
    middle = list(waits[max(0, count - 1) // 2 : count // 2 + 1])
    if not middle:
        return None
    return {"count": count, "median": duration(sum(middle, timedelta()) / len(middle))}


def rules(user: Any, since: date) -> list[Line]:
    """Return the rules that fired most: how often, how often they decided, and what is public all the same."""
    fired = Firing.objects.filter(comment__in=_posted_by(user, since)).order_by()
    grouped = fired.values_list("rule").annotate(
        fired=Count("pk"),
        decided=Count("pk", filter=Q(has_decided=True)),
        public=Count("pk", filter=Q(comment__status=Status.APPROVED)),
    )
    queue = reverse("admin:comments_comment_changelist")
    # An earlier version may have known others.
    labels = dict(Rule.choices)
    return [
        Line(
            str(labels.get(rule, rule)),
            count,
            others,
            address=f"{queue}?{urlencode({'status': 'all', 'rule': rule})}" if rule in labels else "",
        )
        for rule, count, *others in grouped.order_by("-fired", "rule")
    ]


def people(since: date) -> list[Line]:
    """Return who has most held comments: accounts, and visitors by their addresses."""
    known = Q(comment__user__isnull=False) | ~Q(comment__email="")
    # Someone with an account may have had several addresses.
    address = Case(When(comment__user=None, then=F("comment__email")), default=Value(""))
    held = _went_to_queue(_changes(since)).filter(known).annotate(email=address)
    grouped = _most_held(held, ["email", "comment__user__username"])
    queue = reverse("admin:comments_comment_changelist")
    return [
        Line(
            name,
            count,
            others,
            username or email,
            "" if username else f"{queue}?{urlencode({'status': 'all', 'email': email})}",
        )
        for email, username, name, count, *others in grouped
    ]


def stories(user: Any, since: date) -> list[Line]:
    fields = ["comment__article", "comment__article__title"]
    grouped = _most_held(_went_to_queue(_changes_of(user, since)), fields)
    queue = reverse("admin:comments_comment_changelist")
    return [
        Line(title, count, others, address=f"{queue}?{urlencode({'status': 'all', 'story': pk})}")
        for pk, title, _name, count, *others in grouped
    ]


def duration(time: timedelta) -> str:
    """Return a length of time in words: two units of it, or seconds where it is short."""
    seconds = round(time.total_seconds())
    if seconds < 60:
        return ngettext("%d second", "%d seconds", seconds) % seconds
    now = timezone.now()
    return timesince(now - time, now)


def _changes(since: date) -> ChangeQuerySet:
    return Change.objects.filter(at__gte=midnight(since)).order_by()


def _changes_of(user: Any, since: date) -> ChangeQuerySet:
    if rights.moderates_everywhere(user):
        return _changes(since)
    # Asked of each change of the period: a list of comments would be read from their beginnings.
    return _changes(since).filter(Exists(rights.moderated_by(user).filter(pk=OuterRef("comment"))))


def _posted_by(user: Any, since: date):
    return rights.moderated_by(user).filter(created_at__gte=midnight(since)).order_by().values("pk")


def _decided() -> Q:
    """Return which changes are a person's decision on a held comment."""
    return Q(actor=Change.Actor.MODERATOR, from_status=Status.HELD) & ~Q(to_status=Status.HELD)


def _went_to_queue(changes: ChangeQuerySet) -> ChangeQuerySet:
    """Return where a rule or readers had a comment held, and no moderator did."""
    held = changes.filter(to_status=Status.HELD).exclude(from_status=Status.HELD)
    return held.exclude(actor=Change.Actor.MODERATOR)


def _most_held(changes: ChangeQuerySet, fields: list[str]):
    grouped = changes.values_list(*fields).annotate(
        name=Max("comment__name"),
        held=Count("comment", distinct=True),
        public=Count("comment", distinct=True, filter=Q(comment__status=Status.APPROVED)),
        refused=Count("comment", distinct=True, filter=Q(comment__status__in=[Status.SPAM, Status.TRASH])),
    )
    return grouped.order_by("-held", *fields)[:LISTED]


def _rows(charts: list[Chart]) -> list[tuple[int, ...]]:
    """Return the numbers of each day, one for each chart."""
    return list(zip(*(chart.counts for chart in charts), strict=True))
