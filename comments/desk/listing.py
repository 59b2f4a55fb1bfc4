"""The queue as a list: a page of it, what follows, and what others decide meanwhile."""

from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from comments import decisions, queue, rights, telling
from comments.desk import begun
from comments.desk.answers import (
    ModeratorRequest,
    are_ids,
    desk_page,
    for_moderators,
    on_one,
    result_of,
    undoable,
    unfinished,
)
from comments.models import Change, Comment, Decision

Kind = Decision.Kind


@require_safe
@for_moderators
def index(request: ModeratorRequest) -> HttpResponse:
    return page_of(request, request.GET)


def page_of(request: ModeratorRequest, asked: QueryDict, *, fault: str = "") -> HttpResponse:
    """Show a page of the queue, after a fault in a decision on many as it was sent."""
    form = queue.QueueForm(asked, request.user)
    is_valid = form.is_valid()
    before = queue.cursor_of(asked.get("before", ""))
    # Read before the comments are: what comes in between nobody has read.
    newest = Comment.objects.newest()
    page = queue.page(form, before, queue.ROWS) if is_valid else queue.Page()
    newer = queue.preceding(form, before, queue.ROWS) if is_valid and before else None
    begun.put_back(request, page.rows)
    facts = {
        **_list(request, form, page),
        "form": form,
        "is_later_page": before is not None,
        "newer": urlencode({**form.filters, **({"before": str(newer)} if newer else {})}),
        "filters_query": urlencode(form.filters),
        "before": str(before or ""),
        "narrowed_by": [(label, value, urlencode(rest)) for label, value, rest in form.narrowed_by],
        "everywhere": urlencode({**form.filters, "status": queue.Tab.ALL}),
        "fault": fault,
        "seen": page.seen,
        "newest": newest,
        "bulk_kinds": [(kind.value, kind.label) for kind in decisions.kinds_for(request.user)],
        "unfinished": unfinished(request).first(),
    }
    status = 422 if fault or not is_valid else 200
    return desk_page(request, "queue", _("Comments"), status=status, **facts)


@require_safe
@for_moderators
def more(request: ModeratorRequest) -> HttpResponse:
    """Return the tabs with their counts, and rows to take the place of those that have left."""
    form = queue.QueueForm(request.GET, request.user)
    before = queue.cursor_of(request.GET.get("before", ""))
    try:
        rows = min(int(request.GET.get("rows", 0)), queue.ROWS)
    except ValueError as error:
        raise BadRequest("`rows` is a number") from error
    if not form.is_valid():
        raise BadRequest("Unknown filter")
    page = queue.page(form, before, rows) if rows > 0 else queue.Page(following=before)
    return render(request, "admin/comments/comment/_more.html", _list(request, form, page))


@require_safe
@for_moderators
def news(request: ModeratorRequest) -> HttpResponse:
    """Return what others have decided on comments since a page has shown each of them."""
    pks, seen = (request.GET.get(name, "").split(",") for name in ("comments", "seen"))
    if not are_ids([*pks, *seen]) or len(pks) != len(seen):
        raise BadRequest("`comments` are ids, and `seen` is the newest change for each")
    shown = {int(pk): int(change) for pk, change in zip(pks, seen, strict=True)}
    mine = rights.moderated_by(request.user).filter(pk__in=shown).values_list("pk", flat=True)
    latest = Change.objects.latest_of(list(mine)).exclude(by=request.user)
    changes = [change for change in latest if change.pk > shown[change.comment_id]]
    return render(request, "admin/comments/comment/_news.html", {"changes": changes})


def _list(request: ModeratorRequest, form: queue.QueueForm, page: queue.Page) -> dict:
    # What is searched for is not counted: that would take as long as finding all of it.
    counted = [queue.Tab.HELD] if form.is_narrowed else queue.Tab
    counts = {tab: queue.counted(request.user, tab) for tab in counted}
    following = urlencode({**form.filters, "before": str(page.following)}) if page.following else ""
    last = undoable(request).first()
    return {
        "page": page,
        "tabs": [
            (
                tab.label,
                urlencode({**form.filters, "status": tab}),
                "" if form.is_narrowed else counts[tab],
                tab == form.tab,
            )
            for tab in queue.Tab
        ],
        "waiting": counts[queue.Tab.HELD],
        "following": following,
        "last": last,
        "last_result": _said_of(request, last) if last else "",
        "tab": form.tab,
        "is_narrowed": form.is_narrowed,
        "moderates_everywhere": rights.moderates_everywhere(request.user),
    }


def _said_of(request: ModeratorRequest, last: Decision) -> str:
    """Say what a decision has done, and to whose comment where it was on one."""
    comment = on_one(request, [last]).get(last.pk)
    return telling.done_to(last, comment) if comment else result_of(last)
