"""Who tried to sign in, from where, and what came of it: one line in the log for each.

fail2ban reads them: docs/fail2ban.md has the form of the lines, which stays as it is.
"""

import json
import logging
from functools import partial

from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

from newsite.origin import client_address

logger = logging.getLogger("staff.sign_in")

SIGNED_IN = "signed-in"
FAILED = "failed"
WRONG_CODE = "wrong-code"
LOCKED_OUT = "locked-out"
REFUSED = "refused"


def write(event: str, request: HttpRequest, account: User | None, **more: str) -> None:
    """Write one line. Nothing in quotes can end it, or look like another.

    Without an account no name is written: what was typed there may be a password.
    """
    name = account.get_username() if account else None
    parts = [f"address={client_address(request) or '-'}", f"account={_quoted(name)}"]
    parts += [f"{key}={_quoted(value)}" for key, value in more.items()]
    facts = " ".join(parts)
    if event == SIGNED_IN:
        # Nobody is signed in where the session could not be saved. An attempt was one all the same.
        transaction.on_commit(partial(logger.info, "%s %s", event, facts))
    else:
        logger.warning("%s %s", event, facts)


def _quoted(text: str | None) -> str:
    return "-" if text is None else json.dumps(text)
