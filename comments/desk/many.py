"""Decisions on many comments, how far they have come, and undoing them."""

import time
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from comments import bans, decisions, queue, rights
from comments.desk import begun
from comments.desk.answers import (
    ModeratorRequest,
    Told,
    answer,
    are_ids,
    asked_of,
    back,
    comment_of,
    desk_page,
    for_moderators,
    on_one,
    queue_of,
    require_everywhere,
    result_of,
    tell,
    told_of_left,
    undoable,
    unfinished,
    wants_fragment,
)
from comments.desk.forms import BanManyForm, number, seen_of
from comments.desk.listing import page_of
from comments.models import Change, Comment, Decision
from newsite.origin import client_address

Kind = Decision.Kind

# A moderator waits so many seconds, at most, for the next word about a decision on many.
PATIENCE = 2


# Decisions that can still be undone, on the page that lists them.
DECISIONS_LISTED = 50


# What a decision on many is sent with, and sent with again when it is confirmed.
CONFIRMED = ["decision", "scope", "filters", "newest", "seen"]
# What is asked before a decision on all that match, and what the button says.
ASKED: dict[str, tuple[Any, Any]] = {
    Kind.APPROVE: (
        ngettext_lazy("Approve %d comment?", "Approve %d comments?"),
        gettext_lazy("Approve them"),
    ),
    Kind.HOLD: (ngettext_lazy("Hold %d comment?", "Hold %d comments?"), gettext_lazy("Hold them")),
    Kind.MARK_AS_SPAM: (
        ngettext_lazy("Mark %d comment as spam?", "Mark %d comments as spam?"),
        gettext_lazy("Mark them as spam"),
    ),
    Kind.TRASH: (
        ngettext_lazy("Move %d comment to the trash?", "Move %d comments to the trash?"),
        gettext_lazy("Move them to the trash"),
    ),
    Kind.RESTORE: (
        ngettext_lazy("Restore %d comment?", "Restore %d comments?"),
        gettext_lazy("Restore them"),
    ),
    Kind.TRUST: (
        ngettext_lazy("Trust who wrote this %d comment?", "Trust who wrote these %d comments?"),
        gettext_lazy("Trust them"),
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
@for_moderators
def decide_on_many(request: ModeratorRequest) -> HttpResponse:
    """Carry out a decision on the ticked comments, on a page of them, or on all that match."""
    if request.method != "POST":
        # Here the queue has been shown again with a fault.
        return redirect("admin:comments_comment_changelist")
    begun.keep(request)
    kind, scope = request.POST.get("decision", ""), request.POST.get("scope", "ticked")
    if kind in decisions.PEOPLE_KINDS:
        require_everywhere(request)
    elif kind not in decisions.STATUS_KINDS:
        return _again(request, _("Choose what is to become of the comments."))
    if scope == "all":
        return _decide_on_all(request, kind)
    return _decide_on_some(request, kind, "ticked" if scope == "ticked" else "shown")


def _again(request: ModeratorRequest, fault: str) -> HttpResponse:
    """Show the page of the queue that has sent a decision again, with all that was chosen on it."""
    asked = asked_of(request)
    asked["before"] = request.POST.get("before", "")
    return page_of(request, asked, fault=fault)


def _decide_on_some(request: ModeratorRequest, kind: str, field: str) -> HttpResponse:
    pks = request.POST.getlist(field)
    if not are_ids(pks):
        raise BadRequest("Comments are chosen by their ids")
    if not pks:
        return _again(request, _("Tick at least one comment."))
    chosen = Comment.objects.filter(pk__in=pks)
    if rights.moderated_by(request.user).filter(pk__in=pks).count() != chosen.count():
        raise PermissionDenied
    how: dict[str, Any] = {"seen": seen_of(request, pks), "overrules_self": True}
    if kind == Kind.BAN:
        form = _ban_form(request)
        if not form.is_valid():
            people = len(set(map(bans.person_of, chosen.defer("body", "body_html"))))
            names = [(field, pk) for pk in pks] + _sent(request, [f"seen-{pk}" for pk in pks])
            return _ask_about_ban(request, form, total=chosen.count(), people=people, names=names)
        how["terms"] = form.terms
    begun.untick(request)
    tell(request, decisions.decide(chosen, kind, request.user, **how))
    return redirect(queue_of(request) if kind == Kind.BAN else back(request))


def _decide_on_all(request: ModeratorRequest, kind: str) -> HttpResponse:
    """Ask whether all that match are meant, and carry out the first step."""
    form = queue.QueueForm(QueryDict(request.POST.get("filters", "")), request.user)
    newest, seen = number(request, "newest"), number(request, "seen")
    if not form.is_valid() or newest is None or seen is None:
        raise BadRequest("The filters, and what was on the page, are needed")
    total, terms = form.comments.filter(pk__lte=newest).count(), None
    if kind == Kind.BAN:
        ban_form = _ban_form(request)
        if not ban_form.is_valid():
            return _ask_about_ban(request, ban_form, total=total, names=[], chosen_by=_in_words(form))
        terms = ban_form.terms
    elif "confirmed" not in request.POST:
        question, button = ASKED[kind]
        facts: dict[str, Any] = {
            "chosen_by": _in_words(form),
            "names": _sent(request, CONFIRMED),
            "queue": queue_of(request),
        }
        return desk_page(request, "confirm_many", question % total, kind=kind, button=button, **facts)
    begun.untick(request)
    started = decisions.start(
        kind, request.user, filters=form.filters, total=total, newest=newest, seen=seen, terms=terms
    )
    decisions.step(started, queue.matching)
    return _to_decision(started, request.POST.get("filters", ""))


def _in_words(form: queue.QueueForm) -> list[tuple[str, str]]:
    """Return by what comments are chosen, as people read it. Empty where all are."""
    tab = [] if form.tab == queue.Tab.ALL else [(_("Status"), str(queue.Tab(form.tab).label))]
    return [*tab, *((label, value) for label, value, _rest in form.narrowed_by)]


def _ban_form(request: ModeratorRequest) -> BanManyForm:
    """Return the form for banning many. It is empty until its own page has sent it."""
    sent = request.POST if "confirmed" in request.POST else None
    return BanManyForm(sent, own_address=client_address(request))


def _ask_about_ban(
    request: ModeratorRequest, form: BanManyForm, *, names: list[tuple[str, str]], total: int, **facts: Any
) -> HttpResponse:
    status = 422 if form.is_bound else 200
    title = ngettext("Ban who wrote this %d comment", "Ban who wrote these %d comments", total) % total
    context = {
        "form": form,
        "names": [*_sent(request, CONFIRMED), *names],
        "queue": queue_of(request),
        **facts,
    }
    return desk_page(request, "ban_many", title, status=status, **context)


def _sent(request: ModeratorRequest, names: list[str]) -> list[tuple[str, str]]:
    return [(name, request.POST[name]) for name in names if name in request.POST]


@transaction.non_atomic_requests  # each step has a transaction of its own
@require_http_methods(["GET", "HEAD", "POST"])
@for_moderators
def decision(request: ModeratorRequest, pk: int) -> HttpResponse:
    """Show how far a decision on many has come, and carry it on."""
    decided = _decision(request, pk)
    filters = request.GET.get("filters", "")
    if request.method == "POST":
        return _go_on(decided, filters)
    facts = {
        "decision": decided,
        "can_undo": Decision.objects.undoable().filter(pk=pk).exists(),
        "result": result_of(decided),
        "left": told_of_left(decided.left),
        "queue": reverse("admin:comments_comment_changelist", query=QueryDict(filters)),
    }
    return desk_page(request, "decision", _named(decided), **facts)


def _named(decided: Decision) -> str:
    """Say which decision it is, and how it stands."""
    if decided.undone_by_id:
        text = _("Undone: %(what)s")
    else:
        text = _("Done: %(what)s") if decided.finished_at else _("Unfinished: %(what)s")
    return text % {"what": decided.get_kind_display()}


def _go_on(decided: Decision, filters: str) -> HttpResponse:
    """Carry a decision on for a while. `filters` are those of the list that it was taken in."""
    until = time.monotonic() + PATIENCE
    while not decided.finished_at and time.monotonic() < until:
        decided = decisions.step(decided, queue.matching)
    return _to_decision(decided, filters)


def _to_decision(decided: Decision, filters: str) -> HttpResponse:
    return redirect(reverse("admin:comments_decision", args=[decided.pk], query={"filters": filters}))


@require_safe
@for_moderators
def decisions_made(request: ModeratorRequest) -> HttpResponse:
    """List what the moderator has decided lately and may still undo, and what is not finished."""
    found = [*unfinished(request)[:DECISIONS_LISTED], *undoable(request)[:DECISIONS_LISTED]]
    comments = on_one(request, found)
    made = [(one, result_of(one), comments.get(one.pk)) for one in dict.fromkeys(found)]
    return desk_page(request, "decisions", _("Your latest decisions"), decisions=made)


@require_POST
@for_moderators
def undo(request: ModeratorRequest, pk: int) -> HttpResponse:
    made = _decision(request, pk)
    shown = request.POST.get("comment", "")
    in_place = comment_of(request, int(shown)) if wants_fragment(request) and are_ids([shown]) else None
    undoing = decisions.undo(made, request.user)
    if not in_place:
        begun.keep(request)
    if undoing and not undoing.finished_at:
        return redirect("admin:comments_decision", undoing.pk)
    if undoing is None:
        told = Told(messages.WARNING, _("It is too late to undo that, or it is undone already."))
    elif undoing.count:
        told = Told(messages.SUCCESS, result_of(undoing))
    else:
        told = Told(messages.WARNING, _why_nothing_was_undone(made, request.user))
    if in_place:
        return answer(request, in_place, [told], undoing)
    messages.add_message(request, told.level, told.text)
    return redirect(back(request))


def _why_nothing_was_undone(made: Decision, by: User) -> str:
    since = Change.objects.filter(comment=OuterRef("comment"), pk__gt=OuterRef("pk"))
    if made.changes.filter(Exists(since.exclude(by=by))).exists():
        return _("Nothing was undone: others have decided since.")
    if made.changes.filter(Exists(since)).exists():
        return _("Nothing was undone: you have decided again since.")
    if made.people and not made.changes.exists():
        return _("Nothing was undone: the ban or trust was changed or deleted since.")
    return _("Nothing was undone: the comments are gone, or out of your reach.")


def _decision(request: ModeratorRequest, pk: int) -> Decision:
    """Return what this moderator has decided, or answer 404 or 403."""
    decided = get_object_or_404(Decision, pk=pk)
    if decided.by_id != request.user.pk:
        raise PermissionDenied
    return decided
