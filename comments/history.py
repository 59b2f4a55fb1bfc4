"""The history of all comments: listed and searched in the admin, and exported.

Like the queue, a page takes the same time however long the history is. Dates, comments and
stories have an index; whatever else is asked for is looked for among so many of the newest
changes. Below one story, or an author's own, the places of all their changes are sorted for a page.

An export is one row for each change, oldest first, either CSV (with a line of headings, in
UTF-8 with a byte order mark) or JSON Lines. The columns stay what they are; more may come.

    id              of the change: later changes have higher numbers
    at              ISO 8601, in UTC
    comment         its id
    comment_url
    story           the headline
    actor           moderator, commenter or readers
    who             the account's user name, as it was; empty for those without one
    from            the status before: held, approved, spam, trash or withdrawn; empty at its arrival
    to              the status after
    because         the rule that decided, by its short name; empty where none did
    decision        the moderator's decision that the change is a part of: approve, edit, undo …
    decision_id     the same for all that one decision has changed
    note
    text_before     empty where the text did not change
    name_before, email_before, website_before       empty where a moderator has not changed them

In CSV, an apostrophe stands before what a spreadsheet would take for a formula.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from articles.models import Article
from comments import rights
from comments.desk.answers import ModeratorRequest, desk_page, for_moderators, require_everywhere
from comments.models import Change, ChangeQuerySet, Comment, Decision, Rule
from comments.queue import Cursor, DayField, cursor_of, midnight
from comments.search import having
from newsite.lookups import LARGEST

Kind = Decision.Kind

ROWS = 100
# Among so many changes at a time is looked for what no index finds.
WINDOW = 10_000
# Where is searched: in the change, in what it says was before, and in what is now.
SEARCHED = [
    "note", "by_name", "body_before", "before__name", "before__email", "before__website",
    "comment__body", "comment__name", "comment__email", "comment__website", "comment__article__title",
]  # fmt: skip
# Of these decisions nothing is left to say once it is said what has become of the comment.
TOLD_BY_STATE = [Kind.APPROVE, Kind.HOLD, Kind.MARK_AS_SPAM, Kind.TRASH]
# So many changes are shown beside a comment; the history has them all.
BESIDE_COMMENT = 50
# So many changes an export holds in memory.
CHUNK = 500
# What a spreadsheet takes for the beginning of a formula, also in the wide form of East Asia.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


class HistoryForm(forms.Form):
    """What the history is filtered by."""

    error_title = _("Nothing was searched for yet.")
    LINKED = ["story", "decision"]

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "size": 30}),
        help_text=_("In notes, headlines, and texts, names and addresses, as they are and as they were."),
    )
    by = forms.ModelChoiceField(
        get_user_model().objects.none(), label=_("Moderator"), required=False, empty_label=_("Any")
    )
    actor = forms.ChoiceField(label=_("Who"), required=False, choices=[("", _("Any")), *Change.Actor.choices])
    to_status = forms.ChoiceField(
        label=_("To"), required=False, choices=[("", _("Any")), *Comment.Status.choices]
    )
    because = forms.ChoiceField(
        label=_("Rule"),
        required=False,
        choices=[("", _("Any")), *((rule.value, rule.label) for rule in Rule if rule != Rule.NOTHING)],
    )
    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("until"), required=False)
    comment = forms.IntegerField(
        label=_("Number of the comment"), required=False, min_value=1, max_value=LARGEST
    )
    # These two are set by links: at each change, and on the page of one's own decisions.
    story = forms.ModelChoiceField(
        Article.objects.none(), required=False, widget=forms.HiddenInput, label=_("Story")
    )
    decision = forms.ModelChoiceField(
        Decision.objects.none(), required=False, widget=forms.HiddenInput, label=_("Decision")
    )

    def __init__(self, data: Any, user: Any):
        super().__init__(data)
        self.user = user
        cast(forms.ModelChoiceField, self.fields["story"]).queryset = rights.stories_moderated_by(user)
        own = Decision.objects.filter(by=user)
        cast(forms.ModelChoiceField, self.fields["decision"]).queryset = own
        if rights.moderates_everywhere(user):
            decided = Exists(Change.objects.filter(by=OuterRef("pk")))
            accounts = get_user_model().objects.filter(decided).order_by("username")
            cast(forms.ModelChoiceField, self.fields["by"]).queryset = accounts
        else:  # It would tell an author the names of all moderators.
            del self.fields["by"]

    @property
    def filters(self) -> dict[str, str]:
        """What was asked for, as it can be asked for again."""
        sent = {name: self.data.get(name, "") for name in self.fields}
        return {name: value for name, value in sent.items() if value}

    @property
    def is_filtered(self) -> bool:
        """Whether one of the filters that are folded away is in use."""
        return bool(self.filters.keys() - {"q", *self.LINKED})

    @property
    def linked(self) -> list[tuple[str, Any, dict[str, str]]]:
        """What links have asked for, as people read it: its name, its value, and the filters without it."""
        return [
            (
                str(self.fields[name].label),
                value,
                {key: it for key, it in self.filters.items() if key != name},
            )
            for name in self.LINKED
            if (value := self.cleaned_data.get(name))
        ]

    def changes(self) -> ChangeQuerySet:
        """Return all changes that the filters find and the user may see."""
        return self.indexed().filter(self.conditions())

    def indexed(self) -> ChangeQuerySet:
        """Return what those filters find that have an index."""
        asked, changes = self.cleaned_data, seen_by(self.user)
        if asked["story"]:
            changes = changes.filter(comment__in=Comment.objects.filter(article=asked["story"]).order_by())
        if asked["comment"]:
            changes = changes.filter(comment=asked["comment"])
        if asked["decision"]:
            changes = changes.filter(decision=asked["decision"])
        if asked["since"]:
            changes = changes.filter(at__gte=midnight(asked["since"]))
        if asked["until"]:
            changes = changes.filter(at__lt=midnight(asked["until"]) + timedelta(days=1))
        return changes

    def conditions(self) -> Q:
        """Return the filters that every change has to be looked at for."""
        asked = self.cleaned_data
        names = ["by", "actor", "to_status", "because"]
        found = Q(**{name: asked[name] for name in names if asked.get(name)})
        if term := asked["q"]:
            found &= having(term, SEARCHED)
        return found


class Difference(NamedTuple):
    """A text in four pieces: what stayed at its beginning, what went, what came, and what stayed."""

    start: str
    removed: str
    added: str
    end: str


@dataclass
class Row:
    change: Change
    # What the change did to the text. None where it did nothing, or where that was erased.
    difference: Difference | None = None
    # What a moderator has changed besides, with its name, as it was before.
    before: list[tuple[str, str]] = field(default_factory=list)

    @property
    def decision(self) -> str:
        """The decision that the change is a part of, where that is more than its state."""
        decided = self.change.decision
        return str(decided.get_kind_display()) if decided and decided.kind not in TOLD_BY_STATE else ""


@dataclass
class Page:
    rows: list[Row] = field(default_factory=list)
    # Where the next page begins. None at the end.
    following: Cursor | None = None
    # Whether the window ended before the page was full.
    looked_back_only: bool = False


def seen_by(user: Any) -> ChangeQuerySet:
    """Return the changes of the comments that someone moderates."""
    if rights.moderates_everywhere(user):
        return Change.objects.all()
    return Change.objects.filter(comment__in=rights.moderated_by(user))


def page(form: HistoryForm, before: Cursor | None) -> Page:
    """Return a page of the history, newest first, in a number of queries that does not grow."""
    changes = form.indexed().order_by("-at", "-pk")
    if before:
        older = Q(at__lt=before.created_at) | Q(at=before.created_at, pk__lt=before.pk)
        # The first condition says nothing new, but an index can be read from there.
        changes = changes.filter(Q(at__lte=before.created_at), older)
    conditions = form.conditions()
    floor = None
    if conditions:
        place = changes.values_list("at", "pk")[WINDOW - 1 : WINDOW]
        floor = next((Cursor(*found) for found in place), None)
    if floor:
        newer = Q(at__gt=floor.created_at) | Q(at=floor.created_at, pk__gte=floor.pk)
        changes = changes.filter(Q(at__gte=floor.created_at), newer)
    places = changes.filter(conditions).values_list("at", "pk")[: ROWS + 1]
    found = [Cursor(*place) for place in places]
    # Only these are loaded. What is below an author's own stories has to be sorted, and texts are long.
    loaded = _with_context(Change.objects.order_by()).in_bulk([cursor.pk for cursor in found[:ROWS]])
    shown = [loaded[cursor.pk] for cursor in found[:ROWS] if cursor.pk in loaded]
    rows = [Row(change, before=_before(change)) for change in shown]
    if len(found) > ROWS:
        return Page(rows, found[ROWS - 1])
    return Page(rows, floor, looked_back_only=floor is not None)


def of_comment(comment: Comment) -> list[Row]:
    """Return the latest changes of one comment, newest first, with what each did to its text."""
    rows, text = [], comment.body
    changes = comment.changes.select_related("decision__undone_by").order_by("-pk")
    for change in changes[:BESIDE_COMMENT]:
        row = Row(change, before=_before(change))
        if change.body_before:
            row.difference = difference(change.body_before, text)
            text = change.body_before
        rows.append(row)
    return rows


def difference(before: str, after: str) -> Difference:
    """Compare two texts word by word, in time that no text stretches: from both ends."""
    old, new = _words(before), _words(after)
    shortest = min(len(old), len(new))
    start = next((n for n in range(shortest) if old[n] != new[n]), shortest)
    left = shortest - start
    end = next((n for n in range(left) if old[-n - 1] != new[-n - 1]), left)
    return Difference(
        "".join(old[:start]),
        "".join(old[start : len(old) - end]),
        "".join(new[start : len(new) - end]),
        "".join(old[len(old) - end :]),
    )


# --- The pages ---


@require_safe
@for_moderators
def index(request: ModeratorRequest) -> HttpResponse:
    form = HistoryForm(request.GET, request.user)
    is_valid = form.is_valid()
    found = page(form, cursor_of(request.GET.get("before", ""))) if is_valid else Page()
    facts = {
        "form": form,
        "page": found,
        "following": urlencode({**form.filters, "before": str(found.following)}) if found.following else "",
        "filters_query": urlencode(form.filters),
        "linked": [(label, value, urlencode(rest)) for label, value, rest in form.linked] if is_valid else [],
        "may_export": is_valid and rights.moderates_everywhere(request.user),
    }
    return desk_page(request, "history", _gettext("History"), status=200 if is_valid else 422, **facts)


@require_safe
@for_moderators
def export(request: ModeratorRequest, kind: str) -> HttpResponseBase:
    """Return all that the filters find as a file. It holds everybody's addresses, as far as they are known."""
    require_everywhere(request)
    form = HistoryForm(request.GET, request.user)
    if not form.is_valid():
        return index(request)
    lines, content_type = FORMATS[kind]
    return StreamingHttpResponse(
        lines(_records(form.changes())),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="history.{kind}"'},
    )


# --- The export ---

COLUMNS = [
    "id", "at", "comment", "comment_url", "story", "actor", "who", "from", "to", "because",
    "decision", "decision_id", "note", "text_before", "name_before", "email_before", "website_before",
]  # fmt: skip


class Line:
    """A file for `csv.writer` that hands back what is written."""

    def write(self, line: str) -> str:
        return line


def csv_lines(records: Iterable[dict]) -> Iterator[str]:
    # All cells have quotation marks, since some spreadsheets part them at other signs than commas.
    writer = csv.writer(Line(), quoting=csv.QUOTE_ALL)
    yield "\ufeff" + writer.writerow(COLUMNS)
    for record in records:
        yield writer.writerow([harmless(record[name]) for name in COLUMNS])


def json_lines(records: Iterable[dict]) -> Iterator[str]:
    for record in records:
        yield json.dumps(record, ensure_ascii=False) + "\n"


FORMATS = {
    "csv": (csv_lines, "text/csv; charset=utf-8"),
    "jsonl": (json_lines, "application/jsonl; charset=utf-8"),
}


def harmless(cell: Any) -> Any:
    """Return a cell of a table as it can be opened with a spreadsheet, which never runs it."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULA) else cell


def _records(changes: ChangeQuerySet) -> Iterator[dict]:
    """Read changes in chunks, each with a query of its own: nobody waits for a slow reader."""
    changes = _with_context(changes).order_by("pk")
    reached = 0
    while chunk := list(changes.filter(pk__gt=reached)[:CHUNK]):
        yield from map(_record, chunk)
        reached = chunk[-1].pk


def _record(change: Change) -> dict:
    return {
        "id": change.pk,
        "at": change.at.astimezone(UTC).isoformat(),
        "comment": change.comment_id,
        "comment_url": settings.SITE_URL + reverse("comments:permalink", args=[change.comment_id]),
        "story": change.comment.article.title,
        "actor": change.actor,
        "who": change.by_name,
        "from": change.from_status,
        "to": change.to_status,
        "because": change.because,
        "decision": change.decision.kind if change.decision else "",
        "decision_id": change.decision_id or "",
        "note": change.note,
        "text_before": change.body_before,
        "name_before": change.before.get("name", ""),
        "email_before": change.before.get("email", ""),
        "website_before": change.before.get("website", ""),
    }


def _with_context(changes: ChangeQuerySet) -> ChangeQuerySet:
    return changes.select_related("comment__article", "decision__undone_by").only(
        *(f.attname for f in Change._meta.concrete_fields),
        "comment__name", "comment__body", "comment__article__title",
        "decision__kind", "decision__undone_by__kind",
    )  # fmt: skip


def _before(change: Change) -> list[tuple[str, str]]:
    names = [("name", _gettext("name")), ("email", _gettext("email")), ("website", _gettext("website"))]
    return [(label, change.before[name]) for name, label in names if name in change.before]


def _words(text: str) -> list[str]:
    """Take a text apart into its words and what stands between them."""
    return re.findall(r"\S+|\s+", text)
