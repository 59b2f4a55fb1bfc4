"""The moderation queue: which comments it shows, and what a moderator needs to know of each.

The time that it takes does not grow with the table. What has an index is read from it in
the order of the queue; whatever else is asked for, such as a word in the text, is looked
for among so many of the newest comments at a time, with a link that looks further back.
Counts end at a limit. `python -m bench.queue` measures it.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.contrib.auth.models import User
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from articles.models import Article, Author, Byline, Section
from comments import rights
from comments.addresses import mailbox
from comments.models import Change, Comment, CommentQuerySet, Decision, Firing, Report, Rule, Standing
from comments.search import having

ROWS = 50
# Among so many comments at a time is looked for what no index finds.
WINDOW = 10_000
# A tab with more comments than this says so, and no more.
COUNTED = 10_000
# So does what is told of a person.
RECORDED = 100
# So many reports of a comment are read, the newest.
REPORTS = 20


class Tab(models.TextChoices):
    HELD = "held", _("Held")
    REPORTED = "reported", _("Reported")
    APPROVED = "approved", _("Approved")
    SPAM = "spam", _("Spam")
    TRASH = "trash", _("Trash")
    ALL = "all", _("All")


@dataclass(frozen=True, order=True)
class Cursor:
    """Where a page of the queue ends. The next one holds what is older."""

    created_at: datetime
    pk: int

    def __str__(self) -> str:
        return f"{self.created_at.timestamp():.6f}-{self.pk}"


def cursor_of(text: str) -> Cursor | None:
    """Return the cursor that an address names. None where it names none, or nonsense."""
    stamp, _dash, pk = text.rpartition("-")
    try:
        return Cursor(datetime.fromtimestamp(float(stamp), tz=timezone.get_current_timezone()), int(pk))
    except (ValueError, OverflowError, OSError):
        return None


class DayField(forms.DateField):
    """A day, of years that the clocks of every time zone can count."""

    widget = forms.DateInput(attrs={"type": "date"})
    default_validators = [MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(2999, 12, 31))]


class QueueForm(forms.Form):
    """What the queue is filtered by."""

    error_title = _("Nothing was searched for yet.")

    status = forms.CharField(required=False, widget=forms.HiddenInput)
    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "size": 30}),
        help_text=_("In text, name, email, website and IP address."),
    )
    headline = forms.CharField(label=_("Words of the headline"), required=False, max_length=200)
    section = forms.ModelChoiceField(
        Section.objects.all(), label=_("Section"), required=False, empty_label=_("Any")
    )
    author = forms.ModelChoiceField(
        Author.objects.all(), label=_("Author of the story"), required=False, empty_label=_("Any")
    )
    rule = forms.ChoiceField(
        label=_("Rule"),
        required=False,
        choices=[("", _("Any")), *((rule.value, rule.label) for rule in Rule if rule != Rule.NOTHING)],
    )
    since = DayField(label=_("Posted from"), required=False)
    until = DayField(label=_("until"), required=False)
    # These four are set by links beside a comment.
    story = forms.ModelChoiceField(
        Article.objects.none(), required=False, widget=forms.HiddenInput, label=_("Story")
    )
    email = forms.CharField(label=_("Email"), required=False, max_length=254, widget=forms.HiddenInput)
    ip = forms.GenericIPAddressField(label=_("IP address"), required=False, widget=forms.HiddenInput)

    account = forms.ModelChoiceField(
        User.objects.none(), required=False, widget=forms.HiddenInput, label=_("Account")
    )

    LINKED = {"account": "user", "email": "email", "ip": "ip_address", "story": "article"}

    def __init__(self, data: Any, user: Any):
        super().__init__(data)
        self.user = user
        cast(forms.ModelChoiceField, self.fields["story"]).queryset = rights.stories_moderated_by(user)
        # Nobody learns of an account here that is not beside a comment.
        theirs = rights.moderated_by(user).filter(user=OuterRef("pk"))
        cast(forms.ModelChoiceField, self.fields["account"]).queryset = User.objects.filter(Exists(theirs))

    @property
    def tab(self) -> str:
        """The tab that is open. An address that names none, or one that is none, opens the queue."""
        asked = self.data.get("status", "")
        return asked if asked in Tab.values else Tab.HELD

    @property
    def filters(self) -> dict[str, str]:
        """What was asked for, as it can be stored and asked for again."""
        sent = {name: self.data.get(name, "") for name in self.fields}
        return {name: value for name, value in sent.items() if value} | {"status": self.tab}

    @property
    def narrowed_by(self) -> list[tuple[str, str, dict[str, str]]]:
        """What was asked for, as people read it: its name, its value, and the filters without it."""
        return [
            (str(self.fields[name].label), self._in_words(name), self._without(name))
            for name in self.fields
            if name != "status" and self.cleaned_data.get(name)
        ]

    @property
    def is_narrowed(self) -> bool:
        return bool(self.filters.keys() - {"status"})

    @property
    def is_filtered(self) -> bool:
        """Whether one of the filters that are folded away is in use."""
        return bool(self.filters.keys() - {"status", "q", *self.LINKED})

    @property
    def comments(self) -> CommentQuerySet:
        """All comments that the filters find and the user may decide on."""
        looked_up = {path: self.cleaned_data[name] for name, path in self.LINKED.items()}
        found = {path: value for path, value in looked_up.items() if value}
        return self._dated(of_tab(self.user, self.tab)).filter(self.conditions(), **found)

    def parts(self) -> list[CommentQuerySet]:
        """Return what an index finds, in as many parts as it takes to read each in the queue's order."""
        by = self._looked_up_by
        comments = self._dated(of_tab(self.user, Tab.ALL if by == "ip" else self.tab))
        if by:
            comments = comments.filter(**{self.LINKED[by]: self.cleaned_data[by]})
        if self.tab == Tab.ALL and by in {"account", "email", "story"}:
            return [comments.filter(status=status) for status in Comment.Status]
        return [comments]

    def conditions(self) -> Q:
        """Return the filters that every comment has to be looked at for."""
        asked, found = self.cleaned_data, Q()
        for name in self.LINKED:
            if asked[name] and name != self._looked_up_by:
                found &= Q(**{self.LINKED[name]: asked[name]})
        if self._looked_up_by == "ip" and self.tab != Tab.ALL:
            found &= Q(status=self.tab)
        if term := asked["q"]:
            spelled = Q(email__icontains=mailbox(term)) if not term.isascii() else Q()
            found &= having(term, ["body", "name", "email", "website", "ip_address"]) | spelled
        story = Article.objects.filter(pk=OuterRef("article"))
        if asked["headline"]:
            found &= Q(Exists(story.filter(having(asked["headline"], ["title"]))))
        if asked["section"]:
            found &= Q(Exists(story.filter(section=asked["section"])))
        if asked["author"]:
            bylines = Byline.objects.filter(article=OuterRef("article"), author=asked["author"])
            found &= Q(Exists(bylines))
        if asked["rule"]:
            fired = Exists(Firing.objects.filter(comment=OuterRef("pk"), rule=asked["rule"]))
            found &= Q(held_because=asked["rule"]) | Q(fired)
        return found

    def clean_email(self) -> str:
        return mailbox(self.cleaned_data["email"])

    @property
    def _looked_up_by(self) -> str:
        """The one filter that is looked up in an index. Of what is reported there is little."""
        if self.tab == Tab.REPORTED:
            return ""
        return next((name for name in self.LINKED if self.cleaned_data[name]), "")

    def _dated(self, comments: CommentQuerySet) -> CommentQuerySet:
        asked = self.cleaned_data
        if asked["since"]:
            comments = comments.filter(created_at__gte=midnight(asked["since"]))
        if asked["until"]:
            comments = comments.filter(created_at__lt=midnight(asked["until"]) + timedelta(days=1))
        return comments

    def _in_words(self, name: str) -> str:
        value = self.cleaned_data[name]
        if name == "rule":
            return str(Rule(value).label)
        return date_format(value) if isinstance(value, date) else str(value)

    def _without(self, name: str) -> dict[str, str]:
        return {key: value for key, value in self.filters.items() if key != name}


@dataclass
class Record:
    """What is known of a person from before."""

    approved: str = "0"
    spam: str = "0"
    first_seen: datetime | None = None
    standing: Standing | None = None


class Counted(Subquery):
    """How many rows a subquery has. It ends where its slice does."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = models.IntegerField()


@dataclass
class Row:
    comment: Comment
    record: Record
    # The newest, the newest first.
    reports: list[Report]
    # The latest decision of a person on it, if there was one.
    decided: Change | None = None
    # What its moderator has begun here on a page that has loaded anew since.
    is_ticked: bool = False
    answer: str = ""

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.comment.created_at, self.comment.pk)

    @property
    def seen(self) -> int:
        """The newest change of the comment: what comes later its moderator has not seen."""
        return self.decided.pk if self.decided else 0

    @property
    def may_have_more_reports(self) -> bool:
        return len(self.reports) == REPORTS


@dataclass
class Page:
    rows: list[Row] = field(default_factory=list)
    # Where the next page begins. None at the end.
    following: Cursor | None = None
    # Whether the window ended before the page was full.
    looked_back_only: bool = False
    # The newest change of all when this was read: what comes later the moderator has not seen.
    seen: int = 0


def page(form: QueueForm, before: Cursor | None, rows: int) -> Page:
    """Return a page of the queue, newest first, in a number of queries that does not grow."""
    # Read first: what comes in between must not count as seen.
    seen = Change.objects.newest()
    parts, conditions = form.parts(), form.conditions()
    if before:
        parts = [_before(part, before) for part in parts]
    floor = _floor(parts) if conditions else None
    if floor:
        parts = [_down_to(part, floor) for part in parts]
    found = _newest([part.looked_at(conditions) for part in parts], rows + 1)
    shown = rows_of([cursor.pk for cursor in found[:rows]])
    if len(found) > rows:
        return Page(shown, found[rows - 1], seen=seen)
    return Page(shown, floor, looked_back_only=floor is not None, seen=seen)


def preceding(form: QueueForm, before: Cursor, rows: int) -> Cursor | None:
    """Return where the page before one begins, read from the same indexes. None for the first."""
    parts, conditions = [_down_to(part, before) for part in form.parts()], form.conditions()
    ceiling = _ceiling(parts) if conditions else None
    if ceiling:
        parts = [_before(part, ceiling) for part in parts]
    parts = [part.looked_at(conditions) for part in parts]
    found = sorted(Cursor(*place) for part in parts for place in _places(part).reverse()[: rows + 1])
    return found[rows] if len(found) > rows else ceiling


def row(pk: int) -> Row:
    """Return one row of the queue, with all that the whole queue shows of it."""
    return rows_of([pk])[0]


def matching(decision: Decision) -> CommentQuerySet:
    """Return the comments that a decision on many is about, as its filters find them now."""
    form = QueueForm(decision.filters, decision.by)
    # A section or a story that is gone has no comments.
    return form.comments if form.is_valid() else Comment.objects.none()


def rows_of(pks: list[int]) -> list[Row]:
    """Return rows of comments, in the same queries however many they are."""
    # Read before the comments are: what comes in between must not count as seen.
    decided = {change.comment_id: change for change in Change.objects.latest_of(pks)}
    loaded = _with_context(Comment.objects.all()).in_bulk(pks)
    comments = [loaded[pk] for pk in pks if pk in loaded]
    records, reports = _records(comments), _reports(comments)
    return [
        Row(comment, records[comment.pk], reports[comment.pk], decided.get(comment.pk))
        for comment in comments
    ]


def counted(user: Any, tab: str) -> str:
    """Return how many comments a tab has, up to a limit."""
    return up_to(COUNTED, of_tab(user, tab).order_by()[: COUNTED + 1].count())


def up_to(limit: int, count: int) -> str:
    """Return a number, or that there are more than the limit."""
    return f"{limit:,}+" if count > limit else f"{count:,}"


def of_tab(user: Any, tab: str) -> CommentQuerySet:
    """Return the comments of a tab that someone may decide on."""
    if tab == Tab.REPORTED:
        return Comment.objects.reported().looked_at(rights.condition(user))
    comments = rights.moderated_by(user)
    return comments if tab == Tab.ALL else comments.filter(status=tab)


def _with_context(comments: CommentQuerySet) -> CommentQuerySet:
    return (
        comments.select_related("article", "parent", "user")
        .defer("article__body", "article__body_html", "parent__body")
        .prefetch_related("firings")
    )


def _newest(parts: list[CommentQuerySet], count: int) -> list[Cursor]:
    """Return where the newest comments stand. Only these are then loaded."""
    found = [Cursor(*place) for part in parts for place in _places(part)[:count]]
    return sorted(found, reverse=True)[:count]


def _floor(parts: list[CommentQuerySet]) -> Cursor | None:
    """Return where looking at each comment ends for now. None where there are not so many."""
    floors = [Cursor(*place) for part in parts for place in _places(part)[WINDOW - 1 : WINDOW]]
    return max(floors, default=None)


def _ceiling(parts: list[CommentQuerySet]) -> Cursor | None:
    """Return the newest comment to look at when paging towards newer ones."""
    places = [place for part in parts for place in _places(part).reverse()[WINDOW - 1 : WINDOW]]
    return min((Cursor(*place) for place in places), default=None)


def _places(comments: CommentQuerySet) -> models.QuerySet:
    return comments.order_by("-created_at", "-pk").values_list("created_at", "pk")


# In these two the first condition says nothing new, but an index can be read from there.


def _before(comments: CommentQuerySet, cursor: Cursor) -> CommentQuerySet:
    same = Q(created_at=cursor.created_at, pk__lt=cursor.pk)
    return comments.filter(Q(created_at__lte=cursor.created_at), Q(created_at__lt=cursor.created_at) | same)


def _down_to(comments: CommentQuerySet, cursor: Cursor) -> CommentQuerySet:
    same = Q(created_at=cursor.created_at, pk__gte=cursor.pk)
    return comments.filter(Q(created_at__gte=cursor.created_at), Q(created_at__gt=cursor.created_at) | same)


def _reports(comments: list[Comment]) -> dict[int, list[Report]]:
    """Return by comment as many reports as its row shows."""
    place = Window(RowNumber(), partition_by="comment", order_by="-pk")
    found = Report.objects.filter(comment__in=comments).annotate(place=place).filter(place__lte=REPORTS)
    reports: dict[int, list[Report]] = {comment.pk: [] for comment in comments}
    for report in found.order_by("-pk"):
        reports[report.comment_id].append(report)
    return reports


def _records(comments: list[Comment]) -> dict[int, Record]:
    """Return by comment what is known of its author: visitors by address, others by account."""
    standings = Standing.objects.first_of(comments)
    people = {comment.pk: _person(comment) for comment in comments}
    # One comment of each person is asked about.
    asked = {person: pk for pk, person in people.items() if person}
    by_address = Comment.objects.filter(email=OuterRef("email"), user=None)
    by_account = Comment.objects.filter(user=OuterRef("user"))
    known = {}
    for kind, its in (("email", by_address), ("user", by_account)):
        pks = [pk for person, pk in asked.items() if person[0] == kind]
        for pk, approved, spam, *firsts in _known(Comment.objects.filter(pk__in=pks), its):
            first = min(first for first in firsts if first)
            known[people[pk]] = {
                "approved": up_to(RECORDED, approved),
                "spam": up_to(RECORDED, spam),
                "first_seen": first,
            }
    found = {}
    for comment in comments:
        facts = known.get(people[comment.pk], {"first_seen": comment.created_at})
        found[comment.pk] = Record(standing=standings.get(comment.pk), **facts)
    return found


def _person(comment: Comment) -> tuple:
    """Return what tells a comment's author from others. Nothing where that cannot be known."""
    if comment.user_id:
        return ("user", comment.user_id)
    return ("email", comment.email) if comment.is_found_by_address else ()


def _known(comments: CommentQuerySet, its: CommentQuerySet) -> models.QuerySet:
    """Return of each comment how many approved and spam its author has, and the first of each status."""
    of_status = {status: its.filter(status=status).order_by("created_at") for status in Comment.Status}
    counted = [
        Counted(of_status[status].values("pk")[: RECORDED + 1])
        for status in (Comment.Status.APPROVED, Comment.Status.SPAM)
    ]
    firsts = [Subquery(ordered.values("created_at")[:1]) for ordered in of_status.values()]
    return comments.order_by().values_list("pk", *counted, *firsts)


def midnight(day: date) -> datetime:
    """Return the beginning of a day where the site is."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())
