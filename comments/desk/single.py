"""Decisions on one comment, and what is written about it: an answer, other words, a ban."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from comments import decisions, people, posting
from comments.desk import begun
from comments.desk.answers import (
    ModeratorRequest,
    Told,
    answer,
    comment_of,
    for_moderators,
    form_about,
    require_everywhere,
    result_of,
    told_of,
)
from comments.desk.forms import BanForm, ModeratorEditForm, seen_of
from comments.forms import CommentTextForm
from comments.models import Change, Comment, CommentQuerySet, Decision, Outcome, Seen
from comments.moderation import Refusal, Submission
from newsite.origin import client_address

Kind = Decision.Kind

# A button beside a comment that is not public. It makes a decision to trust, and approves with it.
APPROVE_AND_TRUST = "approve_and_trust"


@require_POST
@for_moderators
def decide(request: ModeratorRequest, pk: int) -> HttpResponse:
    """Carry out the decision of a button beside one comment."""
    comment = comment_of(request, pk)
    kind, seen = request.POST.get("decision", ""), seen_of(request, [str(pk)])
    if kind in (Kind.TRUST, APPROVE_AND_TRUST):
        require_everywhere(request)
    elif kind not in decisions.STATUS_KINDS:
        raise BadRequest("Unknown decision")
    chosen = Comment.objects.filter(pk=pk)
    how: dict[str, Any] = {"seen": seen, "overrules_self": True}
    if kind == APPROVE_AND_TRUST:
        outcome = _approve_and_trust(chosen, request.user, how)
    else:
        outcome = decisions.decide(chosen, kind, request.user, **how)
    stays = kind == Kind.TRUST or (kind == APPROVE_AND_TRUST and outcome.decision is None)
    return answer(request, comment, told_of(request, outcome), outcome.decision, stays=stays)


def _approve_and_trust(chosen: CommentQuerySet, by: User, how: dict[str, Any]) -> Outcome:
    """Trust whoever wrote a comment, and approve it: it is undone as one."""
    outcome = decisions.decide(chosen, Kind.TRUST, by, **how)
    if outcome.decision:
        decisions.decide(chosen, Kind.APPROVE, by, **how, decision=outcome.decision)
        outcome.decision.refresh_from_db()
    return outcome


@require_http_methods(["GET", "HEAD", "POST"])
@for_moderators
def reply(request: ModeratorRequest, pk: int) -> HttpResponse:
    """Answer a comment in the moderator's own name, and approve it if it waits."""
    seen = Change.objects.filter(comment=pk).newest()
    comment = comment_of(request, pk)
    # The queue has one such form a row: the prefix keeps their texts apart.
    form = CommentTextForm(request.POST if request.method == "POST" else None, prefix=str(pk))
    status = 422 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        try:
            decided = _post_reply(request, comment, form)
        except posting.Refused as refused:
            form.add_error("body", refused.refusal.message)
            status = refused.refusal.status
        else:
            told = Told(messages.SUCCESS, _("Your reply to %(name)s is public.") % {"name": comment.name})
            stays = comment.status == Comment.Status.APPROVED
            response = answer(request, comment, [told], decided, stays=stays)
            begun.forget_answer(request, pk)
            return response
    title = _("Reply to %(name)s") % {"name": comment.name}
    return form_about(request, "reply", title, comment, form, status=status, seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@for_moderators
def edit(request: ModeratorRequest, pk: int) -> HttpResponse:
    """Change what a comment says, or who it is by. What it said before goes on record."""
    seen = Change.objects.filter(comment=pk).newest()
    comment = comment_of(request, pk)
    if comment.is_gone:
        raise Http404("Its author has deleted it, or had it erased")
    sent = request.POST if request.method == "POST" else None
    form = ModeratorEditForm(sent, instance=comment, initial={"seen": seen}, auto_id=f"edit-{pk}-%s")
    status = 422 if form.errors else 200
    if form.is_bound and form.is_valid():
        outcome = decisions.edit(comment_of(request, pk), request.user, **form.cleaned_data)
        if outcome.decision or not outcome.overtaken:
            told = told_of(request, outcome)
            page = reverse("admin:comments_comment_change", args=[pk])
            return answer(request, comment, told, outcome.decision, stays=True, leads_to=page)
        form.overtaken(outcome.overtaken[0], Change.objects.filter(comment=pk).newest())
        status = 409
    title = _("Edit the comment of %(name)s") % {"name": comment.name}
    return form_about(request, "edit", title, comment_of(request, pk), form, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@for_moderators
def ban(request: ModeratorRequest, pk: int) -> HttpResponse:
    """Ban whoever wrote a comment: by e-mail address, IP address, name or website."""
    require_everywhere(request)
    seen = Change.objects.filter(comment=pk).newest()
    comment, own_address = comment_of(request, pk), client_address(request)
    sent, ids = request.POST if request.method == "POST" else None, f"ban-{pk}-%s"
    form = BanForm(sent, comment=comment, own_address=own_address, initial={"seen": seen}, auto_id=ids)
    status = 422 if form.errors else 200
    if form.is_bound and form.is_valid():
        marked, banned = None, form.save(request.user)
        if form.cleaned_data["mark_as_spam"]:
            marked = _mark_as_spam(request, pk, form.cleaned_data["seen"], banned)
        told = [Told(messages.SUCCESS, result_of(banned) if banned else _("That was banned already."))]
        if marked and marked.overtaken:
            told += told_of(request, marked)
        decided = marked.decision if marked else banned
        page = reverse("admin:comments_comment_change", args=[pk])
        stays = marked is None or bool(marked.overtaken)
        return answer(request, comment, told, decided, stays=stays, leads_to=page)
    title = _("Ban %(name)s") % {"name": comment.name}
    return form_about(request, "ban", title, comment, form, status=status)


def _mark_as_spam(request: ModeratorRequest, pk: int, seen: Seen, banned: Decision | None) -> Outcome:
    """Mark the comment of whoever is banned as spam, but for what someone else has decided since."""
    chosen, how = Comment.objects.filter(pk=pk), {"seen": seen, "overrules_self": True, "decision": banned}
    outcome = decisions.decide(chosen, Kind.MARK_AS_SPAM, request.user, **how)
    # Nobody is told of what is as they want it.
    left = [change for change in outcome.overtaken if change.to_status != Comment.Status.SPAM]
    return outcome._replace(changed=0, overtaken=left, same=0)


def _post_reply(request: ModeratorRequest, comment: Comment, form: CommentTextForm) -> Decision | None:
    """Post an answer. None where it was sent twice: then it is posted once."""
    seen = seen_of(request, [str(comment.pk)])
    # Both or nothing: an answer that is refused approves nothing.
    with transaction.atomic():
        decided = Decision.objects.create(by=request.user, kind=Kind.REPLY)
        if comment.status != Comment.Status.APPROVED:
            chosen = Comment.objects.filter(pk=comment.pk)
            how = {"seen": seen, "overrules_self": True, "decision": decided}
            decisions.decide(chosen, Kind.APPROVE, request.user, **how)
        parents = (
            Comment.objects.approved().select_for_update(of=("self",), no_key=True).select_related("article")
        )
        parent = parents.filter(pk=comment.pk).first()
        if parent is None:
            raise posting.Refused(Refusal(409, _("Nothing was posted: the comment is not public.")))
        answer = form.save(commit=False)
        answer.article, answer.parent = parent.article, parent
        people.sign(answer, request.user)
        posting.post(Submission(answer), decided)
        decided.count = decided.changes.count()
        decided.save(update_fields=["count"])
        if not decided.count:
            decided.delete()
            return None
    return decided
