"""Decisions on one comment, and what is written about it: an answer, other words, a ban."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from comments import decisions, people, posting
from comments.desk.answers import (
    ModeratorRequest,
    answer,
    back,
    comment_of,
    desk_page,
    for_moderators,
    require_everywhere,
    result_of,
    tell,
    told_of,
)
from comments.desk.forms import BanForm, ModeratorEditForm, SeenForm
from comments.forms import CommentTextForm
from comments.models import Change, Comment, Decision
from comments.moderation import Refusal, Submission
from newsite.origin import client_address

Kind = Decision.Kind


@require_POST
@for_moderators
def decide(request: ModeratorRequest, pk: int) -> HttpResponse:
    """Carry out the decision of a button beside one comment."""
    comment = comment_of(request, pk)
    kind, seen = request.POST.get("decision", ""), SeenForm.read(request)
    if kind == Kind.TRUST:
        require_everywhere(request)
    elif kind not in decisions.STATUS_KINDS:
        raise BadRequest("Unknown decision")
    chosen = Comment.objects.filter(pk=pk)
    outcome = decisions.decide(chosen, kind, request.user, seen=seen, overrules_self=True)
    return answer(request, comment, told_of(request, kind, outcome), outcome.decision)


@require_http_methods(["GET", "HEAD", "POST"])
@for_moderators
def reply(request: ModeratorRequest, pk: int) -> HttpResponse:
    """Answer a comment in the moderator's own name, and approve it if it waits."""
    seen = Change.objects.newest()
    comment = comment_of(request, pk)
    # The queue has one such form a row: the prefix keeps their texts apart.
    form = CommentTextForm(request.POST if request.method == "POST" else None, prefix=str(pk))
    status = 422 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        try:
            _post_reply(request, comment, form)
            return redirect(back(request))
        except posting.Refused as refused:
            form.add_error(None, refused.refusal.message)
            status = refused.refusal.status
    title = _("Reply to %(name)s") % {"name": comment.name}
    return desk_page(request, "reply", title, status=status, comment=comment, form=form, seen=seen)


@require_http_methods(["GET", "HEAD", "POST"])
@for_moderators
def edit(request: ModeratorRequest, pk: int) -> HttpResponse:
    """Change what a comment says, or who it is by. What it said before goes on record."""
    seen = Change.objects.newest()
    comment = comment_of(request, pk)
    if comment.is_gone:
        raise Http404("Its author has deleted it, or had it erased")
    sent = request.POST if request.method == "POST" else None
    form = ModeratorEditForm(sent, instance=comment, initial={"seen": seen})
    status = 422 if form.errors else 200
    if form.is_bound and form.is_valid():
        outcome = decisions.edit(comment_of(request, pk), request.user, **form.cleaned_data)
        if outcome.decision or not outcome.untouched:
            tell(request, Kind.EDIT, outcome)
            return redirect("admin:comments_comment_change", pk)
        form.overtaken(outcome.untouched[0], Change.objects.newest())
        status = 409
    title = _("Edit the comment of %(name)s") % {"name": comment.name}
    return desk_page(request, "edit", title, status=status, comment=comment_of(request, pk), form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@for_moderators
def ban(request: ModeratorRequest, pk: int) -> HttpResponse:
    """Ban whoever wrote a comment: by e-mail address, IP address, name or website."""
    require_everywhere(request)
    comment = comment_of(request, pk)
    sent = request.POST if request.method == "POST" else None
    form = BanForm(sent, comment=comment, own_address=client_address(request))
    if form.is_bound and form.is_valid():
        with transaction.atomic():
            decision = form.save(request.user)
            if form.cleaned_data["mark_as_spam"]:
                chosen = Comment.objects.filter(pk=pk)
                decisions.decide(chosen, Kind.MARK_AS_SPAM, request.user, decision=decision)
        text = result_of(decision) if decision else _("That was banned already.")
        messages.success(request, text)
        return redirect("admin:comments_comment_change", pk)
    title = _("Ban %(name)s") % {"name": comment.name}
    status = 422 if form.is_bound else 200
    return desk_page(request, "ban", title, status=status, comment=comment, form=form)


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
