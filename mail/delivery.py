"""From the outbox to the mail server.

What goes wrong concerns one mail, which then waits for itself, or the server takes none at
all. Then all wait in their turn, one is tried at times for all of them, and with the first
that leaves they all do. That is kept in the database, so that every process knows it.
"""

import logging
import re
import time
from collections.abc import Callable
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPSenderRefused, SMTPServerDisconnected
from threading import Event

from django.conf import settings
from django.core.mail import get_connection

from mail.models import Delay, Mail, Outage, reason_of, written

logger = logging.getLogger(__name__)

# RFC 5321, section 4.2.3, and RFC 7504: no such mailbox here, nor elsewhere, nor such a name, nor any.
UNKNOWN_RECIPIENT = {550, 551, 553, 556}
# RFC 5321, section 3.8: the server ends the conversation, whatever it was about.
CLOSING = 421
# No mail without a sign-in (RFC 4954, section 6), and none to elsewhere, as relays say.
NOT_FOR_THE_SITE = {CLOSING, 530, 554}
# Of a refusal for good, RFC 3463: the second number says what it is about.
STATUS = re.compile(rb"5\.(\d+)\.\d+")
# So many mails in a row the server has to fail at before it is taken for one that takes none.
IN_A_ROW = 2
# So many seconds it may keep the other chores waiting. It goes on after them.
PATIENCE = 60

# What the server has taken, while the database is too busy to note it: one mail for each
# thread that delivers, since nothing else is claimed before. It is lost only with the process.
taken: dict[int, Mail] = {}


def deliver_due(stopped: Event | None = None, discard: Callable[[Mail], bool] | None = None) -> None:
    """Send what is due, one mail after the other, until none is left or `stopped` is set.

    Any number of processes may do so at once: each mail is claimed by one of them. That the
    server has taken a mail is noted before the next is touched, however long the database lets
    that wait. So a process that is killed leaves at most two in doubt, whose Message-IDs the
    server then sees again.

    Just before a mail is sent, `discard` may delete it, since what it tells has changed
    meanwhile, and says so.
    """
    note_taken()
    if not (settings.SENDS_MAIL and Mail.objects.due_or_abandoned().exists()):
        return
    Mail.objects.put_back_abandoned()
    if given_up := Mail.objects.give_up_stale():
        logger.warning("Mails that have waited for three days were given up: %d.", given_up)
    if not Outage.objects.may_try():
        return
    until = time.monotonic() + PATIENCE
    connection = get_connection()
    # The last that failed in a row, still claimed, and why: they or the server may be to blame.
    doubtful: list[tuple[Mail, Exception]] = []
    away, takes_mail = None, False
    try:
        while not (stopped and stopped.is_set()) and Mail.objects.due().exists():
            # Before the claim, so that the claim need not last through greeting and sign-in.
            failure = away = _try(connection.open)
            if (mail := Mail.objects.claim()) and not (discard and discard(mail)):
                failure = away or _try(mail.message(connection).send)
                if failure is None:
                    taken[mail.pk] = mail
                    note_taken()
                    if doubtful or not takes_mail:
                        _blame_mails(doubtful)
                    takes_mail = True
                elif away or _concerns_all(failure):
                    doubtful.append((mail, failure))
                else:
                    mail.mark_failed(failure, for_good=_is_permanent(failure))
            if away is not None or len(doubtful) >= IN_A_ROW:
                # The next mails would fare no better, and each would wait for it in vain.
                break
            if failure is not None:
                _try(connection.close)
            if time.monotonic() > until:
                written.set()
                break
    finally:
        _try(connection.close)
    if away or doubtful:
        _blame_server(doubtful, away)


def tell_of_late() -> None:
    """Tell the log once of mails that are late, though the server takes others or refuses each by itself."""
    late = Mail.objects.late()
    is_told_already = not settings.SENDS_MAIL or Outage.objects.exists()
    count = 0 if is_told_already else late.count()
    if Delay.objects.note(count):
        logger.warning(
            "Mails have waited for longer than an hour: %d. The commonest reason: %s",
            count,
            late.commonest_reason() or "none of them was tried",
        )


def note_taken() -> None:
    """Note which mails the server has taken. What the database refuses now is noted the next time."""
    for mail in list(taken.values()):
        mail.mark_sent()
        taken.pop(mail.pk, None)


def _blame_mails(doubtful: list[tuple[Mail, Exception]]) -> None:
    """Take note that the server takes mails: where it has failed at one, that is a matter of this mail."""
    for mail, failure in doubtful:
        mail.mark_failed(failure, for_good=False)
    doubtful.clear()
    if over := Outage.objects.end():
        waiting = Mail.objects.overdue().count()
        logger.warning("Mails leave again that have waited since %s. Still to go: %d.", over.since, waiting)


def _blame_server(doubtful: list[tuple[Mail, Exception]], away: Exception | None) -> None:
    """Let all mails wait for a server that takes none. The log tells of it once."""
    for mail, failure in doubtful:
        mail.mark_held_up(failure, was_begun=failure is not away)
    reason = reason_of(away) if away else reason_of(doubtful[-1][1], doubtful[-1][0].recipient)
    if begun := Outage.objects.note(reason):
        waiting = Mail.objects.overdue().count()
        logger.warning("Mails wait since %s: %d so far. Their server: %s", begun.since, waiting, begun.reason)


def _concerns_all(failure: Exception) -> bool:
    """Say whether the server would perhaps take no other mail of the site either."""
    if isinstance(failure, SMTPRecipientsRefused):
        return all(_refuses_the_site(*answer) for answer in failure.recipients.values())
    if isinstance(failure, SMTPSenderRefused | SMTPServerDisconnected):
        return True
    if isinstance(failure, SMTPException):
        return getattr(failure, "smtp_code", None) == CLOSING
    return isinstance(failure, OSError)


def _refuses_the_site(code: int, reason: bytes) -> bool:
    # RFC 3463: 5.7.X is about who may send. Where a server does not say, its reply code has to do.
    if detail := STATUS.match(reason):
        return detail[1] == b"7"
    return code in NOT_FOR_THE_SITE


def _try(step) -> Exception | None:
    """Return what went wrong. Whatever it is, it must not keep other mails from being sent."""
    try:
        step()
    except Exception as error:
        return error
    return None


def _is_permanent(failure: Exception) -> bool:
    """Say whether the server knows no such recipient.

    Whatever else it refuses may pass within hours, even where it says that it will not: a
    list that the site's network is on, a full mailbox, a mistake in the site's own set-up.
    RFC 5321, section 4.2.1, asks not to send the same again. Here four attempts more harm
    nobody, and a reader gets a mail that would be lost.
    """
    if not isinstance(failure, SMTPRecipientsRefused):
        return False
    return all(_means_no_such_recipient(*answer) for answer in failure.recipients.values())


def _means_no_such_recipient(code: int, reason: bytes) -> bool:
    # RFC 3463: X.1.X is about the address. Where a server does not say, its reply code has to do.
    if detail := STATUS.match(reason):
        return detail[1] == b"1"
    return code in UNKNOWN_RECIPIENT
