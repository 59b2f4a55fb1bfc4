"""The moderator's desk: the pages and buttons of the queue, all below the admin's address.

Every button is a plain form. A script sends the same forms to the same addresses and asks
for the piece of the page that has changed: it sets the header `X-Fragment`.
"""

import re
import time
from collections.abc import Callable
from functools import wraps
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from comments import decisions, people, posting, queue, rights
from comments.desk_forms import BanForm, ModeratorEditForm, SeenForm
from comments.forms import CommentTextForm
from comments.models import Change, Comment, Decision, Outcome, Standing
from comments.moderation import Refusal, Submission
from newsite.origin import client_address

Kind = Decision.Kind

# What each decision says of the number of comments that it changed.
RESULTS: dict[str, Callable[[int], str]] = {
    Kind.APPROVE: lambda n: ngettext("%d comment is public now.", "%d comments are public now.", n) % n,
    Kind.HOLD: lambda n: ngettext("%d comment is held now.", "%d comments are held now.", n) % n,
    Kind.MARK_AS_SPAM: lambda n: ngettext("%d comment marked as spam.", "%d comments marked as spam.", n) % n,
    Kind.TRASH: lambda n: (
        ngettext("%d comment moved to the trash.", "%d comments moved to the trash.", n) % n
    ),
    Kind.RESTORE: lambda n: ngettext("%d comment restored.", "%d comments restored.", n) % n,
    Kind.EDIT: lambda n: ngettext("%d comment changed.", "%d comments changed.", n) % n,
    # Two are the reply and the comment that it approved.
    Kind.REPLY: lambda n: ngettext("Reply posted.", "Reply posted, and the comment approved.", n),
    Kind.TRUST: lambda n: ngettext("%d person is trusted now.", "%d people are trusted now.", n) % n,
    # Two are the person and the comment that went with it.
    Kind.BAN: lambda n: ngettext("Banned.", "Banned, and the comment marked as spam.", n),
    Kind.UNDO: lambda n: ngettext("%d change undone.", "%d changes undone.", n) % n,
}
# Of more comments than this that others have decided on, only the number is told.
UNTOUCHED_TOLD = 10
# A moderator waits so many seconds, at most, for the next word about a decision on many.
PATIENCE = 2
# Decisions that can still be undone, on the page that lists them.
DECISIONS_LISTED = 50


class ModeratorRequest(HttpRequest):
    """A request that the admin has let in: someone is signed in."""

    user: User


class Told(NamedTuple):
    level: int
    text: str


# What a decision on all that match is sent with, and sent with again when it is confirmed.
CONFIRMED = ["decision", "scope", "filters", "newest", "seen"]


def for_moderators(view):
    """Let those in who moderate, everywhere or below their own stories; others get a 403."""

    @wraps(view)
    def guarded(request: ModeratorRequest, *args, **kwargs) -> HttpResponse:
        if not rights.moderates(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


# --- The queue ---


@require_safe
@for_moderators
def index(request: ModeratorRequest) -> HttpResponse:
    form = queue.QueueForm(request.GET, request.user)
    is_valid = form.is_valid()
    before = queue.cursor_of(request.GET.get("before", ""))
    # Read before the comments are: what comes in between nobody has read.
    newest = Comment.objects.newest()
    page = queue.page(form, before, queue.ROWS) if is_valid else queue.Page()
    last = _undoable(request).first()
    context = {
        **_context(request, _("Comments")),
        **_list(request, form, page),
        "form": form,
        "filters_query": urlencode(form.filters),
        "linked": [(label, value, urlencode(rest)) for label, value, rest in form.linked],
        "is_narrowed": form.is_narrowed,
        "is_filtered": form.is_filtered,
        "seen": page.seen,
        "newest": newest,
        "bulk_kinds": [(kind.value, kind.label) for kind in decisions.STATUS_KINDS],
        "last": last,
        "unfinished": _unfinished(request).first(),
        "last_result": RESULTS[last.kind](last.count) if last else "",
    }
    template = "admin/comments/comment/queue.html"
    return TemplateResponse(request, template, context, status=200 if is_valid else 422)


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
    """Return what others have decided meanwhile on comments that a page shows."""
    pks = request.GET.get("comments", "").split(",")
    seen = request.GET.get("seen", "")
    if not _are_ids([*pks, seen]):
        raise BadRequest("`comments` are ids, and `seen` is one")
    mine = rights.moderated_by(request.user).filter(pk__in=pks).values_list("pk", flat=True)
    changes = Change.objects.latest_of(list(mine)).filter(pk__gt=int(seen)).exclude(by=request.user)
    return render(request, "admin/comments/comment/_news.html", {"changes": changes})


def _list(request: ModeratorRequest, form: queue.QueueForm, page: queue.Page) -> dict:
    counts = queue.counts(request.user)
    following = urlencode({**form.filters, "before": str(page.following)}) if page.following else ""
    return {
        "page": page,
        "tabs": [
            (tab.label, tab.value, queue.up_to(queue.COUNTED, counts[tab]), tab == form.tab)
            for tab in queue.Tab
        ],
        "following": following,
        "tab": form.tab,
        "moderates_everywhere": request.user.has_perm(rights.EVERYWHERE),
    }


# --- One comment ---


@require_POST
@for_moderators
def decide(request: ModeratorRequest, pk: int) -> HttpResponse:
    """Carry out the decision of a button beside one comment."""
    comment = _comment(request, pk)
    kind, seen = request.POST.get("decision", ""), SeenForm.read(request)
    if kind == Kind.TRUST:
        return _trust(request, comment)
    if kind not in decisions.STATUS_KINDS:
        raise BadRequest("Unknown decision")
    chosen = Comment.objects.filter(pk=pk)
    outcome = decisions.decide(chosen, kind, request.user, seen=seen, overrules_self=True)
    return _answer(request, comment, _told(request, kind, outcome), outcome.decision)


@require_http_methods(["GET", "HEAD", "POST"])
@for_moderators
def reply(request: ModeratorRequest, pk: int) -> HttpResponse:
    """Answer a comment in the moderator's own name, and approve it if it waits."""
    seen = Change.objects.newest()
    comment = _comment(request, pk)
    # The queue has one such form a row: the prefix keeps their texts apart.
    form = CommentTextForm(request.POST if request.method == "POST" else None, prefix=str(pk))
    status = 422 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        try:
            _post_reply(request, comment, form)
            return redirect(_back(request))
        except posting.Refused as refused:
            form.add_error(None, refused.refusal.message)
            status = refused.refusal.status
    title = _("Reply to %(name)s") % {"name": comment.name}
    context = {**_context(request, title), "comment": comment, "form": form, "seen": seen}
    return TemplateResponse(request, "admin/comments/comment/reply.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@for_moderators
def edit(request: ModeratorRequest, pk: int) -> HttpResponse:
    """Change what a comment says, or who it is by. What it said before goes on record."""
    seen = Change.objects.newest()
    comment = _comment(request, pk)
    if comment.is_gone:
        raise Http404("Its author has deleted it, or had it erased")
    sent = request.POST if request.method == "POST" else None
    form = ModeratorEditForm(sent, instance=comment, initial={"seen": seen})
    status = 422 if form.errors else 200
    if form.is_bound and form.is_valid():
        outcome = decisions.edit(_comment(request, pk), request.user, **form.cleaned_data)
        if outcome.decision or not outcome.untouched:
            _tell(request, Kind.EDIT, outcome)
            return redirect("admin:comments_comment_change", pk)
        form.overtaken(outcome.untouched[0], Change.objects.newest())
        status = 409
    title = _("Edit the comment of %(name)s") % {"name": comment.name}
    context = {**_context(request, title), "comment": _comment(request, pk), "form": form}
    return TemplateResponse(request, "admin/comments/comment/edit.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@for_moderators
def ban(request: ModeratorRequest, pk: int) -> HttpResponse:
    """Ban whoever wrote a comment: by e-mail address, IP address, name or website."""
    _require_everywhere(request)
    comment = _comment(request, pk)
    sent = request.POST if request.method == "POST" else None
    form = BanForm(sent, comment=comment, own_address=client_address(request))
    if form.is_bound and form.is_valid():
        with transaction.atomic():
            decision = form.save(request.user)
            if form.cleaned_data["mark_as_spam"]:
                chosen = Comment.objects.filter(pk=pk)
                decisions.decide(chosen, Kind.MARK_AS_SPAM, request.user, decision=decision)
        text = RESULTS[Kind.BAN](decision.count) if decision else _("That was banned already.")
        messages.success(request, text)
        return redirect("admin:comments_comment_change", pk)
    title = _("Ban %(name)s") % {"name": comment.name}
    context = {**_context(request, title), "comment": comment, "form": form}
    status = 422 if form.is_bound else 200
    return TemplateResponse(request, "admin/comments/comment/ban.html", context, status=status)


def _trust(request: ModeratorRequest, comment: Comment) -> HttpResponse:
    _require_everywhere(request)
    if Standing.objects.of(comment).filter(standing=Standing.State.BANNED).exists():
        text = _("They are banned. Lift the ban first: it would win.")
        return _answer(request, comment, [Told(messages.WARNING, text)])
    decided = decisions.trust(comment, request.user)
    if decided:
        return _answer(request, comment, [Told(messages.SUCCESS, RESULTS[Kind.TRUST](1))], decided)
    text = _("There is nobody here to trust, or they are trusted already.")
    return _answer(request, comment, [Told(messages.WARNING, text)])


def _post_reply(request: ModeratorRequest, comment: Comment, form: CommentTextForm) -> None:
    seen = SeenForm.read(request)
    # Both or nothing: an answer that is refused approves nothing.
    with transaction.atomic():
        decided = Decision.objects.create(by=request.user, kind=Kind.REPLY)
        if comment.status != Comment.Status.APPROVED:
            chosen = Comment.objects.filter(pk=comment.pk)
            how = {"seen": seen, "overrules_self": True, "decision": decided}
            decisions.decide(chosen, Kind.APPROVE, request.user, **how)
        parents = Comment.objects.approved().select_for_update(of=("self",)).select_related("article")
        parent = parents.filter(pk=comment.pk).first()
        if parent is None:
            raise posting.Refused(Refusal(409, _("Nothing was posted: the comment is not public.")))
        answer = form.save(commit=False)
        answer.article, answer.parent = parent.article, parent
        people.sign(answer, request.user)
        posting.post(Submission(answer), decided)
        decided.count = decided.changes.count()
        decided.save(update_fields=["count"])
        # What was sent twice is posted once.
        if not decided.count:
            decided.delete()
    messages.success(request, _("Your reply to %(name)s is public.") % {"name": comment.name})


def _tell(request: ModeratorRequest, kind: str, outcome: Outcome) -> None:
    for level, text in _told(request, kind, outcome):
        messages.add_message(request, level, text)


# --- Many comments ---


@require_POST
@for_moderators
def decide_on_many(request: ModeratorRequest) -> HttpResponse:
    """Carry out a decision on the ticked comments, on a page of them, or on all that match."""
    kind, scope = request.POST.get("decision", ""), request.POST.get("scope", "ticked")
    pks = request.POST.getlist("ticked") if scope == "ticked" else request.POST.getlist("shown")
    if kind not in decisions.STATUS_KINDS:
        messages.warning(request, _("Choose what is to become of the comments."))
        return redirect(_back(request))
    if scope == "all":
        return _decide_on_all(request, kind)
    if not _are_ids(pks):
        raise BadRequest("Comments are chosen by their ids")
    if not pks:
        messages.warning(request, _("Tick at least one comment."))
        return redirect(_back(request))
    chosen = Comment.objects.filter(pk__in=pks)
    if rights.moderated_by(request.user).filter(pk__in=pks).count() != chosen.count():
        raise PermissionDenied
    seen = SeenForm.read(request)
    _tell(request, kind, decisions.decide(chosen, kind, request.user, seen=seen, overrules_self=True))
    return redirect(_back(request))


def _decide_on_all(request: ModeratorRequest, kind: str) -> HttpResponse:
    """Ask whether all that match are meant, and begin."""
    form = queue.QueueForm(QueryDict(request.POST.get("filters", "")), request.user)
    newest, seen = SeenForm.read(request, "newest"), SeenForm.read(request)
    if not form.is_valid() or newest is None or seen is None:
        raise BadRequest("The filters, and what was on the page, are needed")
    total = form.comments.filter(pk__lte=newest).count()
    if "confirmed" not in request.POST:
        asked = {
            **_context(request, str(Kind(kind).label)),
            "total": total,
            "kind": Kind(kind),
            "sent": request.POST,
            "names": [(name, request.POST.get(name, "")) for name in CONFIRMED],
        }
        return TemplateResponse(request, "admin/comments/comment/confirm_many.html", asked)
    started = decisions.start(kind, request.user, filters=form.filters, total=total, newest=newest, seen=seen)
    return _go_on(request, started)


@require_http_methods(["GET", "HEAD", "POST"])
@for_moderators
def decision(request: ModeratorRequest, pk: int) -> HttpResponse:
    """Show how far a decision on many has come, and carry it on."""
    decided = _decision(request, pk)
    if request.method == "POST":
        return _go_on(request, decided)
    context = {
        **_context(request, str(decided.get_kind_display())),
        "decision": decided,
        "can_undo": Decision.objects.undoable().filter(pk=pk).exists(),
        "result": RESULTS[decided.kind](decided.count),
    }
    return TemplateResponse(request, "admin/comments/comment/decision.html", context)


def _go_on(request: ModeratorRequest, decided: Decision) -> HttpResponse:
    until = time.monotonic() + PATIENCE
    while not decided.finished_at and time.monotonic() < until:
        decided = decisions.step(decided, queue.matching)
    return redirect("admin:comments_decision", decided.pk)


@require_safe
@for_moderators
def decisions_made(request: ModeratorRequest) -> HttpResponse:
    """List what the moderator has decided lately and may still undo, and what is not finished."""
    found = [*_unfinished(request)[:DECISIONS_LISTED], *_undoable(request)[:DECISIONS_LISTED]]
    made = [(one, RESULTS[one.kind](one.count)) for one in dict.fromkeys(found)]
    context = {**_context(request, _("Your latest decisions")), "decisions": made}
    return TemplateResponse(request, "admin/comments/comment/decisions.html", context)


@require_POST
@for_moderators
def undo(request: ModeratorRequest, pk: int) -> HttpResponse:
    made = _decision(request, pk)
    if made.kind in {Kind.TRUST, Kind.BAN}:
        _require_everywhere(request)
    shown = request.POST.get("comment", "")
    in_place = _comment(request, int(shown)) if _wants_fragment(request) and _are_ids([shown]) else None
    undoing = decisions.undo(made, request.user)
    if undoing and not undoing.finished_at:
        return redirect("admin:comments_decision", undoing.pk)
    if undoing is None:
        told = Told(messages.WARNING, _("It is too late to undo that, or it is undone already."))
    elif undoing.count:
        told = Told(messages.SUCCESS, RESULTS[Kind.UNDO](undoing.count))
    else:
        told = Told(messages.WARNING, _("Nothing was undone: others have decided since."))
    if in_place:
        return _answer(request, in_place, [told], undoing)
    messages.add_message(request, told.level, told.text)
    return redirect(_back(request))


# --- What all of them need ---


def _context(request: ModeratorRequest, title: str) -> dict:
    return {
        **admin.site.each_context(request),
        "opts": Comment._meta,
        "title": title,
        # Whole comments need the room that the admin's navigation takes.
        "is_nav_sidebar_enabled": False,
    }


def _comment(request: ModeratorRequest, pk: int) -> Comment:
    """Return a comment that this moderator may decide on, or answer 404 or 403."""
    comment = get_object_or_404(Comment.objects.select_related("article", "user"), pk=pk)
    if not rights.may_decide(request.user, comment):
        raise PermissionDenied
    return comment


def _decision(request: ModeratorRequest, pk: int) -> Decision:
    """Return what this moderator has decided, or answer 404 or 403."""
    decided = get_object_or_404(Decision, pk=pk)
    if decided.by_id != request.user.pk:
        raise PermissionDenied
    return decided


def _require_everywhere(request: ModeratorRequest) -> None:
    """Refuse those who moderate below their own stories only: people write below others too."""
    if not request.user.has_perm(rights.EVERYWHERE):
        raise PermissionDenied


def _undoable(request: ModeratorRequest) -> QuerySet[Decision]:
    return Decision.objects.undoable().filter(by=request.user)


def _unfinished(request: ModeratorRequest) -> QuerySet[Decision]:
    """Return what was broken off in the middle, an undoing included, however long ago."""
    return Decision.objects.filter(by=request.user, finished_at=None)


def _are_ids(texts: list[str]) -> bool:
    """Say whether these are ids, not too many for one page, and none too large for a database."""
    return len(texts) <= 2 * queue.ROWS and all(re.fullmatch("[0-9]{1,18}", text) for text in texts)


def _told(request: ModeratorRequest, kind: str, outcome: Outcome) -> list[Told]:
    """Return what a moderator is told of a decision: what it changed, and what others had decided."""
    told = []
    if outcome.changed:
        told.append(Told(messages.SUCCESS, RESULTS[kind](outcome.changed)))
    elif not outcome.untouched:
        told.append(Told(messages.WARNING, _("There was nothing to change.")))
    for change in outcome.untouched[:UNTOUCHED_TOLD]:
        told.append(Told(messages.WARNING, _already_decided(change, request.user)))
    if more := len(outcome.untouched[UNTOUCHED_TOLD:]):
        text = ngettext("And %d more was decided already.", "And %d more were decided already.", more)
        told.append(Told(messages.WARNING, text % more))
    return told


def _answer(
    request: ModeratorRequest, comment: Comment, told: list[Told], decided: Decision | None = None
) -> HttpResponse:
    """Lead back to where the button was, or return what stands there now."""
    if not _wants_fragment(request):
        for level, text in told:
            messages.add_message(request, level, text)
        return redirect(_back(request))
    context = {
        "row": queue.row(comment.pk),
        "told": told,
        "decision": decided,
        # Undone, or only their author trusted, a comment goes on standing there.
        "stays": decided is not None and decided.kind in {Kind.UNDO, Kind.TRUST},
        "moderates_everywhere": request.user.has_perm(rights.EVERYWHERE),
    }
    status = 409 if told and decided is None else 200
    return render(request, "admin/comments/comment/_decided.html", context, status=status)


def _wants_fragment(request: ModeratorRequest) -> bool:
    return "X-Fragment" in request.headers


def _already_decided(change: Change, moderator) -> str:
    who = _("you") if change.by == moderator else change.who
    return _("%(comment)s: already moved to “%(status)s” by %(who)s, %(ago)s ago.") % {
        "comment": change.comment,
        "status": change.get_to_status_display(),
        "who": who,
        "ago": timesince(change.at),
    }


def _back(request: ModeratorRequest) -> str:
    """Return the page that the moderator came from, or the queue."""
    came_from = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(came_from, allowed_hosts={request.get_host()})
    if is_ours and urlsplit(came_from).path != request.path:
        return came_from
    return reverse("admin:comments_comment_changelist")
