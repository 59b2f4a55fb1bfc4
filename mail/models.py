"""The outbox: a mail is a row, written in the transaction of what it tells.

No task library stands beside it: the row has to be there anyway, to be written with its
cause, tried again and seen in the admin, and a second queue would be a second truth.
"""

import re
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.header import Header
from email.utils import make_msgid
from smtplib import SMTPRecipientsRefused
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import models, transaction
from django.db.models.functions import Lower
from django.template import Context, Engine
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from newsite.logs import without_tokens

# After a failure of its own a mail waits so long for the next attempt, and then every hour,
PAUSES = [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=1)]
# until it was due for so long. What could not even be tried tells no news any more by then.
TRIED_FOR = timedelta(days=3)
# While the server takes nothing one mail is tried after these pauses, for all that wait.
SERVER_PAUSES = [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=10)]
# Longer than four answers of a server that each take EMAIL_TIMEOUT: MAIL, RCPT, DATA, the text.
CLAIM = timedelta(minutes=2)
# When a claim is over, so long whoever has it may still say that the mail has left. Their
# database was perhaps busy until now.
DOUBT = timedelta(minutes=1)
# A mail is kept so long, to be looked up, whether it was sent or not.
KEPT = timedelta(days=30)
# What should have left so long ago is late, and its owner is told. Greylisting takes minutes.
LATE = timedelta(hours=1)
# Once some are late, the log tells of it again when there are so many times more.
WORSE = 10
SUBJECT_LENGTH = 200
# RFC 2047, section 2: so long is a line with encoded words, and such a word one less.
LINE_LENGTH = 76

# Set when this process has written a mail: who delivers beside its requests waits for it.
written = threading.Event()


def three_days_on() -> datetime:
    return timezone.now() + TRIED_FOR


class Message(EmailMultiAlternatives):
    def message(self):
        """Leave headers in one line: not every mail program finds a link in the next."""
        message = super().message()
        message.policy = message.policy.clone(max_line_length=None)
        message.replace_header("Subject", subject_header(self.subject))
        return message


def subject_header(subject: str) -> str:
    """Return a subject as it is sent. Django's own lines are too long.

    What only looks like an encoded word is encoded, or mail programs would take it for one.
    """
    is_plain = subject.isascii() and "=?" not in subject
    return Header(
        subject, "us-ascii" if is_plain else "utf-8", header_name="Subject", maxlinelen=LINE_LENGTH
    ).encode()


def reason_of(error: Exception, recipient: str = "") -> str:
    """Return a server's words, by which equal ones can be counted: without whom the mail was for."""
    text = str(error) or type(error).__name__
    if isinstance(error, SMTPRecipientsRefused):
        answers = error.recipients.values()
        text = "; ".join(f"{code} {words.decode(errors='replace')}" for code, words in answers)
    return re.sub(re.escape(recipient), "…", text, flags=re.IGNORECASE) if recipient else text


def _is_due() -> models.Q:
    return models.Q(state=Mail.State.WAITING, due_at__lte=timezone.now())


def _is_abandoned() -> models.Q:
    """Return the condition for what a process has claimed that did not say in time what came of it."""
    return models.Q(state=Mail.State.SENDING, claimed_until__lte=timezone.now())


class MailQuerySet(models.QuerySet):
    def queue(self, **content: Any) -> "Mail":
        """Write one mail, to be delivered once the transaction is committed. See `Mail.compose`."""
        return self.queue_all([Mail.compose(**content)])[0]

    def queue_all(self, mails: list["Mail"], *, skip_known: bool = False) -> list["Mail"]:
        """Write mails. With `skip_known`, those stay as they are whose Message-ID is there already."""
        Mail.objects.bulk_create(mails, ignore_conflicts=skip_known)
        if skip_known:
            stored = self.filter(message_id__in=[mail.message_id for mail in mails])
            pks = dict(stored.values_list("message_id", "pk"))
            for mail in mails:
                mail.pk, mail._state.adding = pks[mail.message_id], False
        # Outside a transaction this happens at once, so the rows have to be there.
        transaction.on_commit(written.set)
        return mails

    def due(self):
        return self.filter(_is_due()).order_by("due_at", "pk")

    def due_or_abandoned(self):
        return self.filter(_is_due() | _is_abandoned())

    def put_back_abandoned(self) -> int:
        """Let mails wait, for a little, that a process has claimed and died over, and return how many."""
        return self.filter(_is_abandoned()).update(
            state=Mail.State.WAITING, claimed_until=None, due_at=timezone.now() + DOUBT
        )

    def overdue(self):
        """Return what would have left by now if the mail server took it."""
        states = [Mail.State.WAITING, Mail.State.SENDING]
        return self.filter(state__in=states, due_at__lte=timezone.now())

    def late(self):
        """Return what should have left an hour ago or more, for whatever reason it has not."""
        states = [Mail.State.WAITING, Mail.State.SENDING]
        return self.filter(state__in=states, tried_until__lte=timezone.now() + TRIED_FOR - LATE)

    def commonest_reason(self) -> str:
        """Return why most of these mails have not left. Empty where none was tried."""
        reasons = self.exclude(last_error="").order_by().values_list("last_error")
        commonest = reasons.annotate(mails=models.Count("pk")).order_by("-mails", "last_error").first()
        return commonest[0] if commonest else ""

    def unsent(self):
        """Return what has not left, and what nobody is sending at this moment."""
        return self.filter(models.Q(state__in=[Mail.State.WAITING, Mail.State.GIVEN_UP]) | _is_abandoned())

    def claim(self) -> "Mail | None":
        """Take the next due mail, which nobody else gets while the claim lasts."""
        while mail := self.due().first():
            now = timezone.now()
            # Whoever else has read the same row finds another number of attempts there.
            mine = self.filter(pk=mail.pk, state=mail.state, attempts=mail.attempts).update(
                state=Mail.State.SENDING, attempts=mail.attempts + 1, claimed_until=now + CLAIM
            )
            if mine:
                mail.attempts += 1
                return mail
        return None

    def give_up_stale(self) -> int:
        """Give up what has waited for three days, before it all leaves, and return how many."""
        old = self.filter(state=Mail.State.WAITING, tried_until__lt=timezone.now())
        old.filter(last_error="").update(last_error=_("It waited too long to be sent."))
        return old.update(state=Mail.State.GIVEN_UP)

    def send_again(self) -> int:
        """Try mails once more that were given up, and return how many."""
        given_up = self.filter(state=Mail.State.GIVEN_UP)
        count = given_up.update(
            state=Mail.State.WAITING,
            attempts=0,
            due_at=timezone.now(),
            tried_until=three_days_on(),
            last_error="",
        )
        # Whoever asks for it has perhaps mended what was wrong with the server.
        Outage.objects.update(tried_at=timezone.now() - SERVER_PAUSES[-1])
        transaction.on_commit(written.set)
        return count

    def sent_to(self, address: str):
        """Return what has left or is to leave for an address, however that is written."""
        return self.alias(address=Lower("recipient")).filter(address=address.lower())

    def forgettable(self):
        """Return what was kept long enough to be looked up. Where nothing is sent, it has waited in vain."""
        return self.filter(created_at__lt=timezone.now() - KEPT)


class Mail(models.Model):
    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        GIVEN_UP = "given-up", _("Given up")

    recipient = models.EmailField(_("recipient"), max_length=254)
    subject = models.CharField(_("subject"), max_length=SUBJECT_LENGTH)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"), blank=True)
    headers = models.JSONField(_("headers"), default=dict, blank=True)
    # Ids that mean something to the app which wrote the mail: see `deliver_due`.
    about = models.JSONField(default=list, blank=True, editable=False)
    # The same at every attempt, so that a server which gets a mail twice can tell.
    message_id = models.CharField(max_length=254, unique=True, editable=False)
    created_at = models.DateTimeField(_("written"), default=timezone.now, editable=False)
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    tried_until = models.DateTimeField(_("tried until"), default=three_days_on)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    claimed_until = models.DateTimeField(_("claimed until"), null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    last_error = models.TextField(_("last error"), blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        indexes = [
            models.Index(fields=["state", "due_at"], name="mail_due"),
            models.Index(Lower("recipient"), name="mail_recipient_lower"),
            models.Index(fields=["created_at"], name="mail_written"),
        ]

    def __str__(self) -> str:
        return self.subject

    @classmethod
    def compose(
        cls,
        *,
        recipient: str,
        subject: str,
        template: str,
        context: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        about: Sequence[int] = (),
        message_id: str = "",
    ) -> "Mail":
        """Return an unsaved mail with the texts of `template`.txt and `template`.html.

        Both know `site_name` and `site_url`, which every link in a mail begins with.
        """
        # A line break in a headline or a name would start a header of a stranger's own.
        subject = Truncator(" ".join(subject.split())).chars(SUBJECT_LENGTH)
        site = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
        context = {**site, "subject": subject, **(context or {})}
        # Plain text is not HTML: nothing in it is escaped.
        plain = (
            Engine.get_default().get_template(f"{template}.txt").render(Context(context, autoescape=False))
        )
        return cls(
            recipient=recipient,
            subject=subject,
            text=f"{plain.strip()}\n",
            html=render_to_string(f"{template}.html", context),
            headers=headers or {},
            about=list(about),
            message_id=message_id or make_msgid(domain=settings.MAIL_DOMAIN),
        )

    def message(self, connection) -> Message:
        return Message(
            self.subject,
            self.text,
            to=[self.recipient],
            connection=connection,
            # No vacation notice answers a mail that a program wrote: RFC 3834, section 5.
            headers={"Message-ID": self.message_id, "Auto-Submitted": "auto-generated", **self.headers},
            alternatives=[(self.html, "text/html")] if self.html else None,
        )

    def mark_sent(self) -> None:
        """Note that the server has taken the mail, whoever else may have claimed it meanwhile.

        What its links open is for the recipient alone from now on: no page, no table and no
        backup keeps their tokens.
        """
        Mail.objects.filter(pk=self.pk).update(
            state=self.State.SENT,
            sent_at=timezone.now(),
            claimed_until=None,
            last_error="",
            text=without_tokens(self.text),
            html=without_tokens(self.html),
            headers={name: without_tokens(value) for name, value in self.headers.items()},
        )

    def mark_failed(self, error: Exception, *, for_good: bool) -> None:
        """Let the mail wait for its next attempt, or give it up after the last or `for_good`."""
        due_at = timezone.now() + PAUSES[min(self.attempts, len(PAUSES)) - 1]
        is_over = for_good or due_at > self.tried_until
        self._put_back(error, {"state": self.State.GIVEN_UP} if is_over else {"due_at": due_at})

    def mark_held_up(self, error: Exception, *, was_begun: bool) -> None:
        """Let the mail wait for the server, which takes none. What `was_begun` comes after the others.

        It may be this very mail that the server dies of, and then another is tried first.
        """
        self._put_back(error, {"due_at": timezone.now()} if was_begun else {})

    def date_back(self, moment: datetime) -> None:
        """Let the mail count as due since then, which is when its news was new."""
        self.due_at, self.tried_until = moment, moment + TRIED_FOR

    def _put_back(self, error: Exception, change: dict[str, Any]) -> None:
        mine = Mail.objects.filter(pk=self.pk, state=self.State.SENDING, attempts=self.attempts)
        waiting = {"state": self.State.WAITING, "claimed_until": None}
        mine.update(**{**waiting, "last_error": reason_of(error, self.recipient), **change})


class OutageQuerySet(models.QuerySet["Outage"]):
    def may_try(self) -> bool:
        """Say whether to try the server: always, but while it takes nothing one process does at times.

        A mail that is written meanwhile is a reason to look sooner.
        """
        outage, now = self.first(), timezone.now()
        if outage is None:
            return True
        pause = SERVER_PAUSES[min(outage.tries, len(SERVER_PAUSES)) - 1]
        if Mail.objects.filter(created_at__gt=outage.tried_at).exists():
            pause = SERVER_PAUSES[0]
        if outage.tried_at + pause > now:
            return False
        # Whoever else has read the same row finds another time there.
        mine = self.filter(tried_at=outage.tried_at)
        return bool(mine.update(tried_at=now, tries=outage.tries + 1))

    def note(self, reason: str) -> "Outage | None":
        """Keep why the server takes nothing. Return the row only where nobody has known it yet."""
        now = timezone.now()
        row = {"since": now, "reason": reason, "tried_at": now}
        outage, is_new = self.get_or_create(pk=1, defaults=row)
        if is_new:
            return outage
        self.filter(pk=1).update(reason=reason)
        return None

    def end(self) -> "Outage | None":
        """Let all that wait leave. Return what is over, to the one process that ends it."""
        outage = self.first()
        return outage if outage and self.filter(pk=outage.pk).delete()[0] else None


class Outage(models.Model):
    """The mail server takes nothing from the site: one row while that lasts, by which all processes know."""

    since = models.DateTimeField()
    # In the words of the server, or of the network.
    reason = models.TextField()
    tried_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=1)

    objects = OutageQuerySet.as_manager()

    def __str__(self) -> str:
        return self.reason


class DelayQuerySet(models.QuerySet["Delay"]):
    def note(self, count: int) -> bool:
        """Keep how many mails are late, and say whether that is news."""
        delay = self.first()
        if not count:
            if delay:
                self.all().delete()
            return False
        if delay is None:
            return self.get_or_create(pk=1, defaults={"told": count})[1]
        is_worse = count >= delay.told * WORSE
        # Whoever else has read the same row finds another number there.
        return is_worse and bool(self.filter(told=delay.told).update(told=count))


class Delay(models.Model):
    """Mails are late: one row while some are, by which all processes know what the log has said."""

    told = models.PositiveIntegerField()

    objects = DelayQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.told)
