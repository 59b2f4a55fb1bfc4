"""Everything that is held about one email address: handed over, and removed.

What someone wrote while signed in is not among it: it belongs to the account.

An export is one JSON object in UTF-8; staff may ask for several addresses, and get a list of them. Its keys stay what they are; more may come.

    site, email, exported_at
    comments    oldest first:
        id, url, story {title, url}, in_reply_to (the address of the answered comment, or null),
        name, email, website, text, status, held_because,
        posted_at, edited_at, ip_address, user_agent,
        akismet_says_spam   what Akismet has said of it or been told (null where it was not asked),
        rules       what rules of moderation said of it: rule, verdict, detail
        history     oldest first: at, from ("" at its arrival), to,
            text_before (null where the text did not change)
    confirmations   whether the site may write to the address: asked_at, confirmed_at, stopped_at
    subscriptions   comment (its url), story (its url), scope, rhythm
    notices     what the person was or will be told of: comment (its url), kind, told_at
    mails       to the address, of the last thirty days: subject, state, written_at, sent_at
                (not their texts: those are what other people wrote)
    links       to "My comments", of the last hours: asked_at, opened_at
    standings   what moderators have said of the address, alone or with a name, and of a name, website
        or IP address that nobody else has commented with: standing, of, since, until, note

Times are ISO 8601, in UTC.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Prefetch, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from comments import admin_log, matching, notifications, search, staff_notices
from comments.addresses import mailbox, spellings
from comments.discussion import DiscussionSettings
from comments.mailboxes import Mailbox
from comments.models import (
    AccessLink,
    Change,
    Comment,
    CommentQuerySet,
    Decision,
    Firing,
    Housekeeping,
    Report,
    Standing,
    recount,
)
from comments.subscriptions import Notice, Subscriber, Subscription
from mail.models import Mail, Outage
from newsite import write_ahead
from newsite.origin import sender_of
from staff import attempts

CHUNK = 500
# Where a mail may name an address that it was not sent to.
TEXTS_OF_MAILS = ["recipient", "subject", "text", "html", "headers", "last_error"]


class Erased(NamedTuple):
    """What was done: of how many comments it was erased who wrote them, and how many bans stay, hidden."""

    comments: int
    bans: int


def is_known(email: str) -> bool:
    """Say whether anything is held about an address that its owner might ask for."""
    written = Comment.objects.ever_written_with(email).exists()
    asked = Subscriber.objects.filter(email=email).exists()
    return written or asked


def held(email: str) -> list[tuple[str, int]]:
    """Return what is held about an address, and how much of each: comments by their status, and the rest."""
    email = mailbox(email)
    comments = Comment.objects.ever_written_with(email)
    counted = comments.order_by("status").values_list("status").annotate(Count("pk"))
    others = {
        _("Subscriptions"): Subscription.objects.filter(subscriber__email=email),
        _("Confirmations"): Subscriber.objects.filter(email=email),
        _("Mails"): Mail.objects.sent_to(email),
        _("Links by email"): AccessLink.objects.filter(email=email),
        _("Bans and trust"): Standing.objects.about_the_writer_of(comments, email),
    }
    rows = [(_("Comments: %s") % Comment.Status(status).label, count) for status, count in counted]
    return rows + [(name, count) for name, found in others.items() if (count := found.count())]


def exports_of(emails: Sequence[str]) -> Iterator[str]:
    """Return what is held about the addresses of one person: of several, a list with an object for each."""
    if len(emails) == 1:
        yield from export_of(emails[0])
        return
    separator = "[\n"
    for email in emails:
        yield separator
        yield from export_of(email)
        separator = ",\n"
    yield "]\n"


def export_of(email: str) -> Iterator[str]:
    """Return what is held about an address as JSON, piece by piece."""
    email = mailbox(email)
    head = {"site": settings.SITE_NAME, "email": email, "exported_at": _time(timezone.now())}
    yield _json(head).removesuffix("\n}")
    lists = {
        "comments": _comments(email),
        "confirmations": _confirmations(email),
        "subscriptions": _subscriptions(email),
        "notices": _notices(email),
        "mails": _mails(email),
        "links": _links(email),
        "standings": _standings(email),
    }
    for key, rows in lists.items():
        yield f',\n  "{key}": ['
        separator = "\n    "
        for row in rows:
            yield separator + _json(row).replace("\n", "\n    ")
            separator = ",\n    "
        yield "\n  ]"
    yield "\n}\n"


@transaction.atomic
def erase(email: str, *, keep_texts: bool, lift_bans: bool = False, by=None) -> Erased:
    """Remove everything that tells who wrote with this address.

    Their texts stay, or go too. Answers to them stay in any case. Bans stay, hidden, or
    whoever is banned would lift a ban by asking to be forgotten; with `lift_bans` they end.
    `by` is the member of staff who does it for the person.
    """
    email = mailbox(email)
    if not email:
        return Erased(0, 0)
    comments = Comment.objects.ever_written_with(email)
    # Locked first, so that nobody edits a comment between these steps.
    locked = comments.order_by("pk").select_for_update(no_key=True).values_list("pk", "status", "article")
    statuses = {pk: status for pk, status, _story in locked}
    stories = {story for _pk, _status, story in locked}
    bans = _judge_no_more(email, comments, lift_bans=lift_bans)
    _forget_reports_from(comments)
    Change.objects.filter(comment__in=comments).erase()
    Change.objects.filter(pk__in=_edits_of(email)).erase_who()
    # A rule may have found the address itself.
    Firing.objects.filter(comment__in=comments).update(detail="")
    # What readers wrote to the moderators may tell who it is.
    Report.objects.filter(comment__in=comments).update(text="")
    # Mails to others that quote these comments.
    notifications.forget(comments)
    staff_notices.forget(comments)
    _mails_of_unknown_content().delete()
    _erase_text(comments, statuses, keep_texts=keep_texts, by=by)
    if not keep_texts:
        recount(stories)
    AccessLink.objects.filter(email=email).delete()
    subscribers = Subscriber.objects.filter(email=email)
    # Whoever writes a mail to them at this moment is waited for.
    list(subscribers.select_for_update())
    subscribers.delete()
    # Whoever wants no mails from strangers goes on getting none: that is kept without the address.
    Mailbox.objects.forget(email)
    _forget_mentions(email)
    # Not as a part of this: it cannot be undone any more, and nothing may fail because of it.
    transaction.on_commit(_leave_nothing_in_the_file, robust=True)
    return Erased(len(statuses), bans)


def _judge_no_more(email: str, comments: CommentQuerySet, *, lift_bans: bool) -> int:
    """Delete the trust in someone, and hide or delete their bans. Return how many bans stay."""
    settings = DiscussionSettings.load()
    listed = {"allowed_addresses": False, "refused_addresses": not lift_bans}
    for name, is_ban in listed.items():
        lines = matching.lines(getattr(settings, name))
        others = [line for line in lines if mailbox(line) != email]
        if len(others) < len(lines):
            DiscussionSettings.objects.filter(pk=settings.pk).update(**{name: "\n".join(others)})
            if is_ban:
                ban = {"standing": Standing.State.BANNED, "kind": Standing.Kind.EMAIL}
                Standing.objects.create(**ban, value=email)
    judged = Standing.objects.about_the_writer_of(comments, email)
    values = [standing.value[:200] for standing in judged if standing.value]
    # Others whom the same has hit say what it was.
    Firing.objects.filter(detail__in=values).update(detail="")
    doomed = judged if lift_bans else judged.filter(standing=Standing.State.TRUSTED)
    Standing.objects.filter(pk__in=list(doomed.values_list("pk", flat=True))).delete()
    bans = [] if lift_bans else list(judged)
    for ban in bans:
        ban.hide()
    return len(bans)


def _forget_reports_from(comments: CommentQuerySet) -> None:
    """Forget what was reported from where these comments came from, and nobody else's."""
    addresses = set(comments.exclude(ip_address=None).values_list("ip_address", flat=True))
    others = Comment.objects.exclude(pk__in=comments.values("pk"))
    addresses -= set(others.filter(ip_address__in=addresses).values_list("ip_address", flat=True))
    senders = [sender_of(address, "comments.reports") for address in addresses]
    for report in Report.objects.filter(sender__in=senders):
        report.forget_sender()


def _erase_text(comments: CommentQuerySet, statuses: dict[int, str], *, keep_texts: bool, by) -> None:
    """Take out of the comments themselves who wrote them, and their texts, and record it."""
    gone: dict[str, Any] = {
        "name": _("Anonymous"),
        "spelling": matching.spelling(_("Anonymous")),
        "email": "",
        "website": "",
        "ip_address": None,
        "user_agent": "",
    }
    note = _("It was erased who wrote this.")
    if not keep_texts:
        gone |= {"body": "", "body_html": "", "status": Comment.Status.WITHDRAWN, "open_reports": 0}
        note = _("The text was erased, and who wrote it.")
    Change.objects.bulk_create(
        Change(
            comment_id=pk,
            by=by,
            # Whoever carries it out does so at the commenter's wish, and decides nothing.
            actor=Change.Actor.COMMENTER,
            from_status=status,
            to_status=status if keep_texts else Comment.Status.WITHDRAWN,
            note=note,
        )
        for pk, status in statuses.items()
    )
    comments.update(erased_at=timezone.now(), **gone)


def _forget_mentions(email: str) -> None:
    """Remove the address from whatever may name it: mails, searches, the admin's log, failed sign-ins."""
    terms = spellings(email)
    for term in terms:
        naming = Mail.objects.filter(search.having(term, TEXTS_OF_MAILS))
        # What else an unsent one tells goes into the next.
        staff_notices.StaffNotice.objects.filter(mail__in=naming).rewrite()
        Mail.objects.filter(pk__in=list(naming.values_list("pk", flat=True))).delete()
        # A server's answer names whom it was about.
        Outage.objects.filter(search.having(term, ["reason"])).update(reason="")
    for decision in Decision.objects.unfinished().select_for_update(of=("self",)):
        about = _json([decision.filters, decision.terms]).lower()
        if any(term.lower() in about for term in terms):
            decision.finish()
            decision.save(update_fields=["finished_at", "filters", "terms"])
    admin_log.erase(terms)
    attempts.forget_names(terms)


def _leave_nothing_in_the_file() -> None:
    """Empty SQLite's log, now or, where others read it at this moment, at the next housekeeping."""
    if not write_ahead.empty():
        Housekeeping.put_off(timedelta())


def _edits_of(email: str) -> list[int]:
    """Return the edits that tell who had this address before a moderator replaced it by another."""
    replaced = Change.objects.filter(email_before=email)
    edits = Change.objects.filter(comment__in=replaced.values("comment"))
    edits = edits.filter(before__has_any_keys=["name", "email", "website"]).order_by("-pk")
    found = []
    is_theirs: dict[int, bool] = {}
    for pk, comment, before in edits.values_list("pk", "comment", "before"):
        if "email" in before:
            is_theirs[comment] = before["email"] == email
        if is_theirs.get(comment):
            found.append(pk)
    return found


def _mails_of_unknown_content() -> QuerySet[Mail]:
    """Return the mails about comments of which nobody can tell any more whose words they hold.

    The account that they were sent to is deleted, or the comments.
    """
    return Mail.objects.exclude(about=[]).filter(notices=None, staff_notices=None, asks_of=None)


def _comments(email: str) -> Iterator[dict]:
    """Read the comments in chunks, so that ten thousand need no more memory than a few."""
    comments = (
        Comment.objects.ever_written_with(email)
        .order_by("pk")
        .select_related("article")
        .prefetch_related(Prefetch("changes", Change.objects.order_by("pk")), "firings")
        .defer("body_html", "article__body", "article__body_html")
    )
    for comment in comments.iterator(chunk_size=CHUNK):
        yield {
            "id": comment.pk,
            "url": _permalink(comment.pk),
            "story": {
                "title": comment.article.title,
                "url": settings.SITE_URL + comment.article.get_absolute_url(),
            },
            "in_reply_to": _permalink(comment.parent_id) if comment.parent_id else None,
            "name": comment.name,
            "email": comment.email,
            "website": comment.website,
            "text": comment.body,
            "status": comment.status,
            "held_because": comment.held_because,
            "posted_at": _time(comment.created_at),
            "edited_at": _time(comment.edited_at),
            "ip_address": comment.ip_address,
            "user_agent": comment.user_agent,
            "akismet_says_spam": comment.akismet_says_spam,
            "rules": [
                {"rule": firing.rule, "verdict": firing.verdict, "detail": firing.detail}
                for firing in comment.firings.all()
            ],
            "history": [_change(change) for change in comment.changes.all()],
        }


def _change(change: Change) -> dict:
    """Tell of a change what concerns the commenter: not which moderator made it."""
    return {
        "at": _time(change.at),
        "from": change.from_status,
        "to": change.to_status,
        "text_before": change.body_before or None,
    }


def _confirmations(email: str) -> Iterator[dict]:
    for subscriber in Subscriber.objects.filter(email=email):
        yield {
            "asked_at": _time(subscriber.confirmation_sent_at),
            "confirmed_at": _time(subscriber.confirmed_at),
            "stopped_at": _time(subscriber.stopped_at),
        }


def _subscriptions(email: str) -> Iterator[dict]:
    subscriptions = Subscription.objects.filter(subscriber__email=email).order_by("pk")
    for subscription in subscriptions.select_related("article").iterator(chunk_size=CHUNK):
        yield {
            "comment": _permalink(subscription.comment_id),
            "story": settings.SITE_URL + subscription.article.get_absolute_url(),
            "scope": subscription.scope,
            "rhythm": subscription.rhythm,
        }


def _notices(email: str) -> Iterator[dict]:
    notices = Notice.objects.filter(subscriber__email=email).order_by("pk")
    for notice in notices.iterator(chunk_size=CHUNK):
        yield {
            "comment": _permalink(notice.comment_id),
            "kind": notice.kind,
            "told_at": _time(notice.told_at),
        }


def _links(email: str) -> Iterator[dict]:
    for link in AccessLink.objects.filter(email=email).order_by("pk"):
        yield {"asked_at": _time(link.created_at), "opened_at": _time(link.opened_at)}


def _standings(email: str) -> Iterator[dict]:
    comments = Comment.objects.ever_written_with(email)
    for standing in Standing.objects.about_the_writer_of(comments, email).order_by("pk"):
        yield {
            "standing": standing.standing,
            "of": standing.who,
            "since": _time(standing.created_at),
            "until": _time(standing.ends_at),
            "note": standing.note,
        }


def _mails(email: str) -> Iterator[dict]:
    mails = Mail.objects.sent_to(email).order_by("pk").defer("text", "html", "headers")
    for mail in mails.iterator(chunk_size=CHUNK):
        yield {
            "subject": mail.subject,
            "state": mail.state,
            "written_at": _time(mail.created_at),
            "sent_at": _time(mail.sent_at),
        }


def _permalink(comment: int) -> str:
    return settings.SITE_URL + reverse("comments:permalink", args=[comment])


def _time(time: datetime | None) -> str | None:
    return time.astimezone(UTC).isoformat() if time else None


def _json(value: dict | list) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
