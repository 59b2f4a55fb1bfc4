"""How often strangers may make the site write to an address, in all.

Anybody can type anybody's address, below a comment or to ask for a link. What the owner of the
address does not answer becomes rarer and then stops, and the owner may end it for good. What
is kept of that is a hash with the site's secret key. It tells nobody an address, so it may
stay when everything else about a person is gone.
"""

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from comments.addresses import mailbox

# Whether mails are wanted is asked again after these pauses, and then no more.
QUESTION_PAUSES = [timedelta(hours=1), timedelta(days=1), timedelta(days=7)]
# The same for a link to “My comments” that nobody has opened. Whoever has ever answered the site
# may have one after the last pause again and again, for it may be a stranger who has asked.
LINK_PAUSES = [timedelta(minutes=10), timedelta(minutes=10), timedelta(days=7)]
# So many links are sent in a day, opened or not.
LINKS_A_DAY = 3
DAY = timedelta(days=1)


def digest_of(email: str) -> str:
    return salted_hmac("comments.mailboxes", mailbox(email), algorithm="sha256").hexdigest()


class MailboxQuerySet(models.QuerySet["Mailbox"]):
    def of(self, email: str) -> "Mailbox":
        """Return what is known of an address, not saved where that is nothing."""
        digest = digest_of(email)
        return self.filter(digest=digest).first() or Mailbox(digest=digest)

    def forget(self, email: str) -> None:
        """Keep nothing but the wish never to be written to."""
        self.filter(digest=digest_of(email), closed_at=None).delete()


class Mailbox(models.Model):
    # Of the address, with the secret key.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # Questions since the owner last answered anything, and when the last was asked.
    questions = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField(null=True)
    # Links since then, and when the last LINKS_A_DAY were mailed, in ISO 8601.
    links = models.PositiveSmallIntegerField(default=0)
    linked_at = models.JSONField(default=list)
    # When the owner last did what only a link in a mail lets one do.
    answered_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(_("wants no mails"), null=True)

    objects = MailboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")

    def __str__(self) -> str:
        return self.digest[:8]

    def may_be_asked(self) -> bool:
        """Say whether a question may be mailed now."""
        if self.closed_at or self.questions > len(QUESTION_PAUSES):
            return False
        pause = QUESTION_PAUSES[self.questions - 1] if self.questions else timedelta()
        return self.asked_at is None or self.asked_at + pause <= timezone.now()

    def may_get_link(self) -> bool:
        """Say whether a link to “My comments” may be mailed now."""
        if self.closed_at or (self.links > len(LINK_PAUSES) and not self.answered_at):
            return False
        now = timezone.now()
        times = [datetime.fromisoformat(time) for time in self.linked_at]
        pause = LINK_PAUSES[max(0, min(self.links, len(LINK_PAUSES)) - 1)]
        lately = [time for time in times if time > now - DAY]
        return len(lately) < LINKS_A_DAY and (not times or times[-1] + pause <= now)

    def note_question(self) -> None:
        self.questions, self.asked_at = self.questions + 1, timezone.now()
        self._keep("questions", "asked_at")

    def note_link(self) -> None:
        times = [*self.linked_at, timezone.now().isoformat()]
        self.links, self.linked_at = self.links + 1, times[-LINKS_A_DAY:]
        self._keep("links", "linked_at")

    def note_no_link(self) -> None:
        """Take as long as for a link, and keep nothing."""
        Mailbox.objects.filter(digest=self.digest).update(digest=self.digest)

    def note_answer(self) -> None:
        """Begin anew: the owner reads what is sent here."""
        self.questions = self.links = 0
        self.answered_at = timezone.now()
        self._keep("questions", "links", "answered_at")

    def close(self) -> None:
        self.closed_at = timezone.now()
        self._keep("closed_at")

    def open(self) -> None:
        self.closed_at = None
        self._keep("closed_at")
        self.note_answer()

    def _keep(self, *fields: str) -> None:
        # In one query, whether there is a row or not.
        Mailbox.objects.bulk_create(
            [Mailbox(**{name: getattr(self, name) for name in ("digest", *fields)})],
            update_conflicts=True,
            unique_fields=["digest"],
            update_fields=fields,
        )
