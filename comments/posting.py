"""From what a form sent to a saved comment: one flow, in one transaction."""

from collections.abc import Collection
from copy import copy

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from articles.models import Article
from comments import moderation, notifications, opinions, staff_notices
from comments.discussion import DiscussionSettings
from comments.models import Change, Comment, Decision, Firing
from comments.moderation import Refusal, Ruling, Submission
from comments.staff_notices import StaffNotice
from newsite.origin import shortened

# So many times in a row an author may change a comment before a pause is asked for.
EDITS_AT_ONCE = 3


class Refused(Exception):
    """A comment was not taken; says why, to the person who wrote it."""

    def __init__(self, refusal: Refusal):
        super().__init__(refusal.message)
        self.refusal = refusal


def post(submission: Submission, decision: Decision | None = None) -> Comment:
    """Save a comment with its verdict, and return it.

    `decision` is a moderator's, where this is an answer from the queue: it can be undone.

    What has been sent twice is saved once: the second time returns the first comment.
    Raises `Refused` where a rule refuses it.
    """
    comment = submission.comment
    # Outside of the transaction: no other comment waits for services elsewhere.
    if opinions.are_wanted() and not (moderation.sent_before(submission) or moderation.refuse(submission)):
        opinions.ask(submission)
    with transaction.atomic():
        # Two posts to a story wait for each other, or a double click would pass as two. What
        # only refers to the story does not wait.
        Article.objects.select_for_update(no_key=True).get(pk=comment.article_id)
        if earlier := moderation.sent_before(submission):
            return earlier
        if refusal := moderation.refuse(submission):
            raise Refused(refusal)
        ruling = moderation.decide(submission)
        comment.status, comment.held_because = ruling.status, ruling.because
        moderation.pause(submission.settings).count(comment.ip_address, comment.user_id)
        if submission.settings.shortens_addresses:
            comment.ip_address = shortened(comment.ip_address)
        comment.save()
        _keep(ruling, comment)
        # The actor stays the commenter: that an answer arrived is no decision on it.
        by = decision.by if decision else None
        _record(comment, because=ruling.because, from_status="", decision=decision, by=by)
        if submission.wants_mail_about:
            notifications.subscribe(comment, submission.wants_mail_about)
        if comment.status == Comment.Status.APPROVED:
            notifications.announce([comment])
            staff_notices.note([comment], StaffNotice.Kind.PUBLIC)
        elif comment.status == Comment.Status.HELD:
            staff_notices.note([comment], StaffNotice.Kind.HELD)
    return comment


def edit(comment: Comment, body: str, *, ip_address: str | None = None, own: Collection[int] = ()) -> Comment:
    """Give a comment another text, as its author may for a while, and return it.

    The new text is decided on like a new comment from the address and the browser that it comes
    from now, but never shown where the old one was not. Raises `Refused` where it is too late.
    """
    asked = _ask_about_edit(comment, body, ip_address, own) if opinions.are_wanted() else None
    with transaction.atomic():
        comment = Comment.objects.select_for_update(of=("self",), no_key=True).get(pk=comment.pk)
        if not comment.is_editable:
            raise Refused(
                Refusal(403, _("This comment can no longer be edited. Your new text is below, to copy."))
            )
        if body == comment.body:
            return comment
        settings = DiscussionSettings.load()
        if refusal := _edited_too_quickly(comment, settings):
            raise Refused(refusal)
        before = {"body_before": comment.body, "from_status": comment.status}
        comment.body = body
        comment.edited_at = timezone.now()
        comment.akismet_says_spam = asked.comment.akismet_says_spam if asked else None
        # The whole address, which may be kept in part only. It is not saved.
        comment.ip_address = ip_address
        answers = asked.answers if asked else {}
        ruling = moderation.decide(Submission(comment, settings, answers=answers, own=own))
        if ruling.status != Comment.Status.APPROVED:
            # What waits already goes on waiting for the reason that the moderators know.
            if comment.status != Comment.Status.HELD:
                comment.held_because = ruling.because
            comment.status = ruling.status
            notifications.cancel([comment.pk])
            if comment.status != Comment.Status.HELD:
                comment.open_reports = 0
        changed = ["body", "body_html", "edited_at", "status", "held_because", "akismet_says_spam"]
        comment.save(update_fields=[*changed, "open_reports"])
        _keep(ruling, comment)
        _record(comment, because=ruling.because, **before)
        if comment.status == before["from_status"]:
            # What has not left yet is written again, with the new text.
            comment.staff_notices.rewrite()
        else:
            staff_notices.cancel([comment.pk])
        if comment.status == Comment.Status.HELD != before["from_status"]:
            staff_notices.note([comment], StaffNotice.Kind.HELD)
    return comment


def withdraw(comment: Comment) -> None:
    """Delete a comment for its author. Answers to it stay, below a placeholder.

    Raises `Refused` where it is too late.
    """
    with transaction.atomic():
        comment = Comment.objects.select_for_update(of=("self",), no_key=True).get(pk=comment.pk)
        if not comment.is_editable:
            raise Refused(Refusal(403, _("This comment can no longer be deleted.")))
        before = {"from_status": comment.status}
        comment.status, comment.open_reports = Comment.Status.WITHDRAWN, 0
        comment.save(update_fields=["status", "open_reports"])
        notifications.cancel([comment.pk])
        staff_notices.cancel([comment.pk])
        _record(comment, **before)


def _edited_too_quickly(comment: Comment, settings: DiscussionSettings) -> Refusal | None:
    """Refuse one edit after the other, but not the second look that finds a slip of the pen."""
    edits = comment.changes.filter(actor=Change.Actor.COMMENTER).exclude(from_status="")
    lately = list(edits.order_by("-pk").values_list("at", flat=True)[:EDITS_AT_ONCE])
    if len(lately) < EDITS_AT_ONCE:
        return None
    seconds = moderation.seconds_left(lately[-1], settings.flood_interval)
    if not seconds:
        return None
    text = ngettext(
        "Please wait %d second and save again. Your text is safe below.",
        "Please wait %d seconds and save again. Your text is safe below.",
        seconds,
    )
    return Refusal(429, text % seconds, seconds)


def _ask_about_edit(
    comment: Comment, body: str, ip_address: str | None, own: Collection[int]
) -> Submission | None:
    settings = DiscussionSettings.load()
    if body == comment.body or not comment.is_editable or _edited_too_quickly(comment, settings):
        return None
    edited = copy(comment)
    edited.body, edited.ip_address = body, ip_address
    submission = Submission(edited, settings, own=own)
    opinions.ask(submission)
    return submission


def _keep(ruling: Ruling, comment: Comment) -> None:
    """Store all that fired with the comment, in place of what an earlier text made fire."""
    comment.firings.all().delete()
    length = Firing._meta.get_field("detail").max_length
    Firing.objects.bulk_create(
        Firing(
            comment=comment,
            rule=rule,
            verdict=verdict.status,
            detail=verdict.detail[:length],
            has_decided=number == 0,
        )
        for number, (rule, verdict) in enumerate(ruling.fired)
    )


def _record(comment: Comment, **facts) -> None:
    Change.objects.create(comment=comment, actor=Change.Actor.COMMENTER, to_status=comment.status, **facts)
