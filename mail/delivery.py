"""From the outbox to the mail server."""

import re
from collections.abc import Callable
from smtplib import SMTPRecipientsRefused
from threading import Event

from django.conf import settings
from django.core.mail import get_connection

from mail.models import Mail

# RFC 5321, section 4.2.3, and RFC 7504: no such mailbox here, nor elsewhere, nor such a name, nor any.
UNKNOWN_RECIPIENT = {550, 551, 553, 556}


def deliver_due(stopped: Event | None = None, discard: Callable[[Mail], bool] | None = None) -> None:
    """Send what is due, one mail after the other, until none is left or `stopped` is set.

    Any number of processes may do so at once: each mail is claimed by one of them. A mail
    that the server has accepted is marked before the next is touched, so a process that is
    killed leaves at most one in doubt, whose Message-ID the server then sees again.

    Just before a mail is sent, `discard` may delete it, since what it tells has changed
    meanwhile, and says so.
    """
    if not (settings.SENDS_MAIL and Mail.objects.due().exists()):
        return
    Mail.objects.give_up_stale()
    connection = get_connection()
    try:
        while not (stopped and stopped.is_set()) and Mail.objects.due().exists():
            # Before the claim, so that the claim need not last through greeting and sign-in.
            failure = unreachable = _try(connection.open)
            if (mail := Mail.objects.claim()) and not (discard and discard(mail)):
                failure = failure or _try(mail.message(connection).send)
                if failure is None:
                    mail.mark_sent()
                else:
                    mail.mark_failed(failure, for_good=_is_permanent(failure))
            if unreachable is not None:
                # The next mails would find no server either, and each would wait for it in vain.
                break
            if failure is not None:
                _try(connection.close)
    finally:
        _try(connection.close)


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
    if detail := re.match(rb"5\.(\d+)\.\d+", reason):
        return detail[1] == b"1"
    return code in UNKNOWN_RECIPIENT
