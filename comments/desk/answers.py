"""What every page of the desk needs: who may come in, and what a moderator is told."""

import re
from collections.abc import Iterable, Mapping
from functools import wraps
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from comments import decisions, queue, rights, telling
from comments.desk import begun
from comments.desk.forms import BanForm
from comments.forms import CommentTextForm
from comments.models import Change, Comment, Decision, Left, Outcome
from newsite.lookups import ID

Kind = Decision.Kind

# What each decision says of the number of comments, or people, that it changed.
RESULTS: dict[str, Any] = {
    Kind.APPROVE: ngettext_lazy("%d comment is public now.", "%d comments are public now."),
    Kind.HOLD: ngettext_lazy("%d comment is held now.", "%d comments are held now."),
    Kind.MARK_AS_SPAM: ngettext_lazy("%d comment marked as spam.", "%d comments marked as spam."),
    Kind.TRASH: ngettext_lazy("%d comment moved to the trash.", "%d comments moved to the trash."),
    Kind.RESTORE: ngettext_lazy("%d comment restored.", "%d comments restored."),
    Kind.EDIT: ngettext_lazy("%d comment changed.", "%d comments changed."),
    # Two changes: the reply, and the approval of the comment it answers.
    Kind.REPLY: ngettext_lazy("Reply posted.", "Reply posted, and the comment approved."),
    Kind.TRUST: ngettext_lazy("%d person is trusted now.", "%d people are trusted now."),
    Kind.BAN: ngettext_lazy("%d ban made.", "%d bans made."),
    Kind.UNDO: ngettext_lazy("%d change undone.", "%d changes undone."),
}
# What is said of comments that a decision on people has left as they are.
LEFT: dict[str, Any] = {
    Left.TRUSTED: ngettext_lazy(
        "%d comment is left out: its author is trusted already.",
        "%d comments are left out: their authors are trusted already.",
    ),
    Left.BANNED: ngettext_lazy(
        "%d comment is left out: its author is banned. Lift the ban first: it would win.",
        "%d comments are left out: their authors are banned. Lift the bans first: they would win.",
    ),
    Left.BANNED_AS_LONG: ngettext_lazy(
        "%d comment: its author is banned already, for as long.",
        "%d comments: their authors are banned already, for as long.",
    ),
    Left.UNKNOWN: ngettext_lazy(
        "%d comment has no email address, IP address, name or website to go by.",
        "%d comments have no email address, IP address, name or website to go by.",
    ),
    Left.OWN: ngettext_lazy(
        "%d comment is left out: it came from your own address.",
        "%d comments are left out: they came from your own address.",
    ),
    Left.STAFF: ngettext_lazy(
        "%d comment is left out: the ban would hit someone who writes for this site.",
        "%d comments are left out: the bans would hit someone who writes for this site.",
    ),
    Left.SHARED: ngettext_lazy(
        "%d comment is left out: the ban would hit several people with approved comments.",
        "%d comments are left out: the bans would hit several people with approved comments.",
    ),
    Left.REGISTERED: ngettext_lazy(
        "%d comment is left out: its name or address is that of someone with an account.",
        "%d comments are left out: their names or addresses are those of people with an account.",
    ),
    Left.DECIDED: ngettext_lazy(
        "%d comment is left out: someone else has decided on it since.",
        "%d comments are left out: someone else has decided on them since.",
    ),
}

# Of more comments than this that others have decided on, only the number is told.
OVERTAKEN_TOLD = 10


class ModeratorRequest(HttpRequest):
    """A request that the admin has let in: someone is signed in."""

    user: User


class Told(NamedTuple):
    level: int
    text: str


def for_moderators(view):
    """Let those in who moderate, everywhere or below their own stories; others get a 403."""

    @wraps(view)
    def guarded(request: ModeratorRequest, *args, **kwargs) -> HttpResponse:
        if not rights.moderates(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def desk_page(
    request: ModeratorRequest, template: str, title: str, *, status: int = 200, **facts: Any
) -> TemplateResponse:
    """Answer with a page of the desk."""
    context = {
        **admin.site.each_context(request),
        "opts": Comment._meta,
        "title": title,
        # Whole comments need the room that the admin's navigation takes.
        "is_nav_sidebar_enabled": False,
        **facts,
    }
    return TemplateResponse(request, f"admin/comments/comment/{template}.html", context, status=status)


def comment_of(request: ModeratorRequest, pk: int) -> Comment:
    """Return a comment that this moderator may decide on, or answer 404 or 403."""
    comment = get_object_or_404(Comment.objects.select_related("article", "user"), pk=pk)
    if not rights.may_decide(request.user, comment):
        raise PermissionDenied
    return comment


def require_everywhere(request: ModeratorRequest) -> None:
    """Refuse those who moderate below their own stories only: people write below others too."""
    if not rights.moderates_everywhere(request.user):
        raise PermissionDenied


def are_ids(texts: list[str]) -> bool:
    """Say whether these are ids, not too many for one page, and none too large for a database."""
    return len(texts) <= 2 * queue.ROWS and all(re.fullmatch(ID, text) for text in texts)


def told_of(request: ModeratorRequest, outcome: Outcome) -> list[Told]:
    """Return what a moderator is told of a decision: what it changed, and what others had decided."""
    told = []
    if outcome.changed and outcome.decision:
        told.append(Told(messages.SUCCESS, result_of(outcome.decision)))
    for change in outcome.overtaken[:OVERTAKEN_TOLD]:
        told.append(Told(messages.WARNING, telling.already(change, request.user)))
    if more := len(outcome.overtaken[OVERTAKEN_TOLD:]):
        text = ngettext("And %d more was decided already.", "And %d more were decided already.", more)
        told.append(Told(messages.WARNING, text % more))
    told += [Told(messages.WARNING, text) for text in told_of_left(outcome.left)]
    if told and outcome.same:
        text = ngettext("%d comment was that already.", "%d comments were that already.", outcome.same)
        told.append(Told(messages.WARNING, text % outcome.same))
    return told or [Told(messages.WARNING, _("There was nothing to change."))]


def result_of(decision: Decision) -> str:
    """Say what a decision has changed."""
    if decision.kind not in decisions.PEOPLE_KINDS:
        return RESULTS[decision.kind] % decision.count
    result = RESULTS[decision.kind] % decision.people
    with_it = Kind.MARK_AS_SPAM if decision.kind == Kind.BAN else Kind.APPROVE
    return f"{result} {RESULTS[with_it] % decision.comments}" if decision.comments else result


def told_of_left(left: Mapping[str, int]) -> list[str]:
    """Say how many comments a decision on people has left as they are, and why."""
    return [LEFT[why] % number for why, number in left.items()]


def tell(request: ModeratorRequest, outcome: Outcome) -> None:
    for level, text in told_of(request, outcome):
        messages.add_message(request, level, text)


def answer(
    request: ModeratorRequest,
    comment: Comment,
    told: list[Told],
    decided: Decision | None = None,
    *,
    stays: bool = False,
    leads_to: str = "",
) -> HttpResponse:
    """Lead back to where the button was, or return what stands there now.

    `stays` says that the comment is still to be decided on; `leads_to` names another page
    to lead to.
    """
    is_undoing = decided is not None and decided.kind == Kind.UNDO
    facts: dict[str, Any] = {"decision": None if is_undoing else decided, "stays": stays or is_undoing}
    # The row disappears, so the message has to name the comment. A reply's message names it anyway.
    if decided and not facts["stays"] and not decided.people:
        facts["names_comment"] = decided.kind != Kind.REPLY
    if not wants_fragment(request):
        begun.keep(request)
        if decided and facts.get("names_comment"):
            told = [Told(messages.SUCCESS, telling.done_to(decided, comment))]
        for level, text in told:
            messages.add_message(request, level, text)
        return redirect(leads_to or back(request) + _place(request, comment.pk, facts["stays"]))
    was_refused = decided is None and any(one.level == messages.WARNING for one in told)
    return _row(request, comment, told, status=409 if was_refused else 200, **facts)


def form_about(
    request: ModeratorRequest,
    name: str,
    title: str,
    comment: Comment,
    form: BanForm | CommentTextForm,
    *,
    status: int = 200,
    **facts: Any,
) -> HttpResponse:
    """Show a form about a comment: on a page of its own, or in the comment's row of the queue."""
    if not wants_fragment(request):
        begun.keep(request)
        return desk_page(request, name, title, status=status, comment=comment, form=form, **facts)
    facts = {"form": form, "title": title, "opened": name}
    if not form.is_bound:
        return _piece(request, "_panel", facts)
    told = [Told(messages.WARNING, str(form.error_title))]
    return _row(request, comment, told, status=status, stays=True, **facts)


def _row(
    request: ModeratorRequest, comment: Comment, told: list[Told], *, status: int, **facts: Any
) -> HttpResponse:
    facts |= {"told": told, "moderates_everywhere": rights.moderates_everywhere(request.user)}
    return _piece(request, "_decided", {"row": queue.row(comment.pk), **facts}, status)


def _piece(request: ModeratorRequest, template: str, context: dict, status: int = 200) -> HttpResponse:
    """Return a piece of the queue. The header tells it from the pages that others answer with."""
    response = render(request, f"admin/comments/comment/{template}.html", context, status=status)
    response["X-Fragment"] = "row"
    return response


def _place(request: ModeratorRequest, pk: int, stays: bool) -> str:
    """Return where on a page of the queue its moderator goes on: at the comment, or the one after it."""
    shown = request.POST.getlist("shown")
    if str(pk) not in shown:
        return ""
    place = shown.index(str(pk))
    following = [str(pk)] if stays else [*shown[place + 1 : place + 2], *shown[:place][-1:]]
    return f"#row-{following[0]}" if following and are_ids(following) else ""


def wants_fragment(request: ModeratorRequest) -> bool:
    return "X-Fragment" in request.headers


def undoable(request: ModeratorRequest) -> QuerySet[Decision]:
    return Decision.objects.undoable().filter(by=request.user)


def unfinished(request: ModeratorRequest) -> QuerySet[Decision]:
    return Decision.objects.unfinished().filter(by=request.user)


def on_one(request: ModeratorRequest, made: Iterable[Decision]) -> dict[int, Comment]:
    """Return by decision the comment that it was on, where it was on one; of a reply, the reply."""
    chosen = [
        one.pk
        for one in made
        if one.kind in telling.DONE and one.finished_at and (one.count == 1 or one.kind == Kind.REPLY)
    ]
    changes = Change.objects.filter(decision__in=chosen, comment__in=rights.moderated_by(request.user))
    changes = changes.select_related("comment__article").defer(
        "comment__article__body", "comment__article__body_html"
    )
    return {change.decision_id: change.comment for change in changes.order_by("pk") if change.decision_id}


def queue_of(request: ModeratorRequest) -> str:
    """Return the list of the queue that has sent a form, without where on it that was."""
    return reverse("admin:comments_comment_changelist", query=asked_of(request))


def asked_of(request: ModeratorRequest) -> QueryDict:
    """Return what the page of the queue was asked for that has sent a form."""
    return QueryDict(request.POST.get("filters", ""), mutable=True)


def back(request: ModeratorRequest) -> str:
    """Return the page that the moderator came from, or the queue."""
    if "filters" in request.POST:
        asked = asked_of(request)
        if before := request.POST.get("before"):
            asked["before"] = before
        return reverse("admin:comments_comment_changelist", query=asked)
    came_from = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(came_from, allowed_hosts={request.get_host()})
    if is_ours and urlsplit(came_from).path != request.path:
        return came_from
    return reverse("admin:comments_comment_changelist")
