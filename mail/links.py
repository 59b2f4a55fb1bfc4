"""What links in mails, and the mails themselves, have in common."""

from typing import Any

from django.conf import settings
from django.core import signing
from django.urls import reverse


def url(name: str, token: str) -> str:
    return settings.SITE_URL + reverse(name, args=[token])


def read(token: str, salt: str, *kinds: Any, max_age: int | None = None) -> list[Any]:
    """Return what a link was signed with, a value of each kind.

    Raises `BadSignature` for what this site did not sign, and for what it signs otherwise today.
    """
    values = signing.loads(token, salt=salt, max_age=max_age)
    if not isinstance(values, list) or len(values) != len(kinds):
        raise signing.BadSignature
    if not all(isinstance(value, kind) for value, kind in zip(values, kinds, strict=True)):
        raise signing.BadSignature
    return values


def one_click(stop_url: str) -> dict[str, str]:
    """Let mail programs show a button that stops these mails: RFC 8058."""
    return {"List-Unsubscribe": f"<{stop_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def conversation(about: str, answered: str = "") -> dict[str, str]:
    """Let mail programs show the mails about one thing as one conversation.

    They all refer to a message that was never sent, which is how RFC 5322 joins siblings.
    """
    root = f"<{about}@{settings.MAIL_DOMAIN}>"
    return {"In-Reply-To": answered or root, "References": f"{root} {answered}".strip()}
