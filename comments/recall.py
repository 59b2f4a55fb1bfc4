"""The last look at a mail before it leaves: what nobody may see any more is not sent.

Whoever hides or deletes a comment in the admin takes its mails back at once. This is for
what a script hides or deletes, a comment or its story.
"""

from django.db import transaction

from comments.models import Comment
from comments.subscriptions import Notice
from mail.models import Mail


@transaction.atomic
def take_back(mail: Mail) -> bool:
    """Delete a mail about anything that is not public any more, and say whether it was such a mail.

    What it tells besides goes into the next daily mail.
    """
    public = Comment.objects.public().filter(pk__in=mail.about)
    if public.count() == len(mail.about):
        return False
    notices = Notice.objects.filter(mail=mail)
    notices.exclude(comment__in=public).delete()
    notices.update(mail=None, told_at=None)
    mail.delete()
    return True
