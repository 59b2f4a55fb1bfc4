"""The pages that links in the mails to moderators lead to. Opening one changes nothing; its button does.

Whoever opens one need not be signed in: the signed token says who it is, for which decision
and on which comment. It works once, for seven days, while that person may decide, and
until the account gets another address or password.
"""

import re
from typing import Any

from django.contrib.auth import get_user_model
from django.core import signing
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from comments import decisions, rights
from comments.models import Change, Comment, Decision
from comments.moderator_texts import Link, beginning_of, read_stop, reports_of, why_held
from comments.staff_notices import MailChoice
from newsite.freshness import private_page
from newsite.lookups import ID
from newsite.origin import is_same_origin, why_foreign
from staff import second_factor

Kind = Decision.Kind
Status = Comment.Status
# What each decision makes of a comment, and what its button says.
STATUSES = {Kind.APPROVE: Status.APPROVED, Kind.MARK_AS_SPAM: Status.SPAM, Kind.TRASH: Status.TRASH}
BUTTONS = {
    Kind.APPROVE: gettext_lazy("Approve this comment"),
    Kind.MARK_AS_SPAM: gettext_lazy("Mark this comment as spam"),
    Kind.TRASH: gettext_lazy("Move this comment to the trash"),
}
NOTHING_TO_DO: dict[str, Any] = {
    Status.APPROVED: gettext_lazy("It is public already."),
    Status.SPAM: gettext_lazy("It is marked as spam already."),
    Status.TRASH: gettext_lazy("It is in the trash already."),
}


@csrf_exempt  # is_same_origin() does a token's work
@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def moderate(request: HttpRequest, token: str) -> HttpResponse:
    """Show a comment with one button, and do what the button says."""
    try:
        link = Link.read(token)
    except signing.SignatureExpired:
        return _gone(request, "expired", 410)
    except signing.BadSignature:
        return _gone(request, "broken", 403)
    moderator = get_user_model().objects.filter(pk=link.user, is_active=True).first()
    comment, seen = _load(link)
    if why := _why_not(moderator, link, comment):
        return _gone(request, why, 403)
    if comment is None:
        return _gone(request, "deleted", 410)
    if decided := _decided(comment, link):
        return _gone(request, "decided", 410, comment=comment, **decided)
    if request.method == "POST":
        return _carry_out(request, link, moderator, comment, seen)
    return _ask(request, link, comment, seen)


@csrf_exempt  # mail programs press this button without asking for the page before
@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether the mails to a member of staff are to end, and end them. The link never expires."""
    try:
        pk, reasons = read_stop(token)
    except signing.BadSignature:
        return _gone(request, "broken", 403)
    user = get_user_model().objects.filter(pk=pk).first()
    if request.method == "POST" and user:
        MailChoice.stop(user, reasons)
    choice = MailChoice.objects.filter(user=pk).first() or MailChoice()
    context = {
        "labels": [MailChoice.Reason(reason).label for reason in reasons],
        "is_done": user is None or not any(getattr(choice, reason) for reason in reasons),
        "may_choose": user is not None and user.is_staff,
    }
    return render(request, "comments/moderate_stop.html", context)


def _load(link: Link) -> tuple[Comment | None, int]:
    """Return the comment, None where it is deleted, and the newest change that is surely seen with it.

    The change is read first: what comes between counts as unseen, and is shown before anything is decided.
    """
    seen = Change.objects.filter(comment=link.comment).values_list("pk", flat=True).first() or 0
    comments = Comment.objects.select_related("article", "parent").exclude(status=Status.WITHDRAWN)
    return comments.filter(pk=link.comment).first(), seen


def _ask(
    request: HttpRequest, link: Link, comment: Comment, seen: int, *, status: int = 200, refusal: str = ""
) -> HttpResponse:
    """Show the comment as readers would see it, and the one button."""
    context = {
        "comment": comment,
        "answered": beginning_of(comment.parent),
        "button": BUTTONS[Kind(link.kind)],
        "why_held": why_held(comment) if comment.status == Status.HELD else [],
        "reports": reports_of(comment),
        # The button decides on what this page shows, even where that is not what the mail did.
        "seen": seen,
        "is_edited": comment.changes.filter(pk__gt=link.seen).exclude(body_before="").exists(),
        "refusal": refusal,
    }
    return render(request, "comments/moderate.html", context, status=status)


def _carry_out(request: HttpRequest, link: Link, moderator: Any, comment: Comment, seen: int) -> HttpResponse:
    if not is_same_origin(request):
        return _ask(request, link, comment, seen, status=403, refusal=why_foreign(request))
    shown = request.POST.get("seen", "")
    outcome = decisions.decide(
        Comment.objects.filter(pk=comment.pk),
        link.kind,
        moderator,
        seen=int(shown) if re.fullmatch(ID, shown) else link.seen,
        note=_("by a link in a mail"),
    )
    after, seen = _load(link)
    if after is None:
        return _gone(request, "deleted", 410)
    if outcome.changed:
        return render(request, "comments/moderate_done.html", {"comment": after})
    if decided := _decided(after, link):
        return _gone(request, "decided", 410, comment=after, **decided)
    text = _("The comment has changed since this page was opened. Read it again, then press the button.")
    return _ask(request, link, after, seen, status=409, refusal=text)


def _why_not(moderator: Any, link: Link, comment: Comment | None) -> str:
    """Return why somebody may not decide by this link. Empty where they may."""
    if moderator is None:
        return "forbidden"
    may_decide = rights.may_decide(moderator, comment) if comment else rights.moderates(moderator)
    if not may_decide:
        return "forbidden"
    if not link.is_for(moderator):
        return "account-changed"
    # Without one they would not get into the queue either.
    return "second-factor" if second_factor.is_missing(moderator) else ""


def _decided(comment: Comment, link: Link) -> dict[str, Any]:
    """Return the decision that was taken since the mail was written, or why none is needed. Empty for neither.

    That its author has changed it, or readers have reported it, is no decision.
    """
    later = comment.changes.filter(pk__gt=link.seen, actor=Change.Actor.MODERATOR)
    is_edit = Q(decision__kind__in=[Kind.EDIT, Kind.UNDO], from_status=F("to_status"))
    if change := later.exclude(is_edit).select_related("by", "decision").first():
        # A link is good for one decision. What was put back is decided on in the queue.
        return {"change": change, "waits_again": comment.status == Status.HELD}
    if comment.status == STATUSES[Kind(link.kind)] and not comment.open_reports:
        return {"nothing_to_do": NOTHING_TO_DO[comment.status]}
    return {}


def _gone(request: HttpRequest, why: str, status: int, **context: Any) -> HttpResponse:
    return render(request, "comments/moderate_gone.html", {"why": why, **context}, status=status)
