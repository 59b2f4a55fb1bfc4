"""Readers tell the moderators of a comment. Enough reports hold it, and none removes it."""

import math
import re
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from articles.models import Article
from articles.views import story_at
from comments import lost, moderation, posting
from comments.forms import ReportForm
from comments.models import Comment, Report
from comments.moderation import Refusal, Submission
from newsite.freshness import private_page, public_page
from newsite.limits import Limit
from newsite.lookups import ID
from newsite.origin import client_address, is_same_origin, neighbourhood_of, sender_of, why_foreign

PURPOSE = "comments.reports"
# One sender may report so many comments within an hour.
SENT = Limit(PURPOSE, attempts=10, interval=timedelta(hours=1))


@csrf_exempt  # is_same_origin() does a token's work
@require_http_methods(["GET", "HEAD", "POST"])
@lost.with_text
@private_page
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what is about to be reported and the form for it, and take the report."""
    comment = get_object_or_404(Comment.objects.public().select_related("article"), pk=pk)
    if request.method == "POST":
        return take_report(request, comment)
    return report_page(request, comment, ReportForm())


def take_report(request: HttpRequest, comment: Comment) -> HttpResponse:
    form = ReportForm(request.POST)
    is_valid = form.is_valid()
    if not is_same_origin(request):
        return refused_page(request, comment, form, Refusal(403, why_foreign(request)))
    if not is_valid:
        return report_page(request, comment, form, status=422)
    try:
        file(form.instance, comment, client_address(request))
    except posting.Refused as refused:
        return refused_page(request, comment, form, refused.refusal)
    address = str(comment.article.address).split("/")
    thanks = f"{reverse('comments:reported', args=address)}?comment={comment.pk}"
    return HttpResponseRedirect(thanks, status=303)


def report_page(
    request: HttpRequest, comment: Comment, form: ReportForm, *, status: int = 200
) -> HttpResponse:
    return render(request, "comments/report.html", {"comment": comment, "form": form}, status=status)


def refused_page(request: HttpRequest, comment: Comment, form: ReportForm, refusal: Refusal) -> HttpResponse:
    form.add_error(None, refusal.message)
    response = report_page(request, comment, form, status=refusal.status)
    if refusal.seconds:
        response["Retry-After"] = str(refusal.seconds)
    return response


@require_safe
@public_page
def reported(request: HttpRequest, year: str, month: str, slug: str) -> HttpResponse:
    """Thank a reader, and lead back to the comment, if it is not held by now."""
    article = story_at(Article.objects.published(), year, month, slug)
    asked = request.GET.get("comment", "")
    comment = article.comments.approved().filter(pk=asked).first() if re.fullmatch(ID, asked) else None
    return render(request, "comments/reported.html", {"article": article, "comment": comment})


def file(report: Report, comment: Comment, address: str | None) -> None:
    """Keep a report, one from each sender, and hold the comment when there are enough.

    Of senders that may all be one person's, the reports are kept, and count as one.

    A second report from the same sender is answered like the first, and not kept; nor is one
    on a comment that was thrown away meanwhile. Raises `Refused` where a sender reports too many.
    """
    report.sender, report.neighbourhood = sender_of(address, PURPOSE), neighbourhood_of(address, PURPOSE)
    with transaction.atomic():
        # Two reports wait for each other, or both might be the one before the last.
        comment = Comment.objects.select_for_update(of=("self",), no_key=True).get(pk=comment.pk)
        report.comment = comment
        if comment.status not in (Comment.Status.HELD, Comment.Status.APPROVED):
            return
        if comment.reports_since_approval().filter(sender=report.sender).exists():
            return
        if seconds := SENT.take(address):
            raise posting.Refused(too_many(seconds))
        report.save()
        Comment.objects.filter(pk=comment.pk).update(open_reports=F("open_reports") + 1)
        if comment.status == Comment.Status.APPROVED and moderation.reported(Submission(comment)):
            comment.hold_as_reported()


def too_many(seconds: int) -> Refusal:
    minutes = math.ceil(seconds / 60)
    text = ngettext(
        "You have reported many comments. Please wait %d minute and send it again. Your text is safe below.",
        "You have reported many comments. Please wait %d minutes and send it again. Your text is safe below.",
        minutes,
    )
    return Refusal(429, text % minutes, seconds)
