"""The last look at a mail before it leaves: what nobody may see any more is not sent.

Whoever hides or deletes a comment in the admin withdraws its mails at once. This is for what
a script hides or deletes, a comment or its story, and for members of the staff who have left,
lost a right, or got another address since the mail was written.
"""

from typing import Any

from django.db import transaction

from comments.discussion import DiscussionSettings
from comments.models import Comment
from comments.recipients import Staff
from comments.staff_notices import StaffNotice, StaffNoticeQuerySet
from comments.subscriptions import Notice, Subscription
from mail.models import Mail


@transaction.atomic
def discard(mail: Mail) -> bool:
    """Delete a mail that may not leave any more, and say whether it was such a mail.

    What it tells besides goes into the next.
    """
    notices = StaffNotice.objects.filter(mail=mail)
    # Read once: a comment that is deleted meanwhile takes its notices along.
    if told := list(notices.with_comments().select_related("user")):
        return _discard_from_staff(mail, notices, told)
    if question := Subscription.objects.filter(question=mail).first() if mail.about else None:
        return _discard_question(mail, question)
    # Without notices, what it tells is deleted, or the account that it is for.
    return bool(mail.about) and _discard_from_reader(mail)


def _discard_from_staff(mail: Mail, notices: StaffNoticeQuerySet, told: list[StaffNotice]) -> bool:
    staff = Staff(DiscussionSettings.load(), {notice.comment.article_id for notice in told})
    user: Any = told[0].user  # a mail was to somebody
    is_theirs = user.email == mail.recipient
    if is_theirs and all(staff.wants(notice) for notice in told):
        return False
    notices.wait_again()
    mail.delete()
    return True


def _discard_question(mail: Mail, subscription: Subscription) -> bool:
    if Comment.objects.public().filter(pk=subscription.comment_id).exists():
        return False
    mail.delete()
    return True


def _discard_from_reader(mail: Mail) -> bool:
    notices = Notice.objects.filter(mail=mail)
    public = Comment.objects.public().filter(pk__in=mail.about)
    # A daily mail that was being written when somebody was erased has lost a notice, and still their words.
    if notices.count() == public.count() == len(mail.about):
        return False
    notices.exclude(comment__in=public).delete()
    notices.update(mail=None, told_at=None)
    mail.delete()
    return True
