"""The website that a commenter gives: an address that readers can follow, and nothing about its owner."""

import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

from newsite import visible

PUBLIC_SCHEMES = ["http", "https"]
# With as many slashes as were typed, of either kind.
PUBLIC_SCHEME = re.compile(r"(https?):[/\\]*", re.IGNORECASE)
ANY_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
TELLS_A_NAME = _(
    "What stands before the @ would be published, as in an email address. Enter a web address "
    "like https://example.com, or leave it empty."
)


def whole(typed: str) -> str:
    """Return a web address as a browser needs it, from one as people say it: without its scheme."""
    address = visible.without_hidden(typed).strip()
    if scheme := PUBLIC_SCHEME.match(address):
        return f"{scheme[1].lower()}://{address[scheme.end() :]}"
    if not address or ANY_SCHEME.match(address):
        return address
    return f"https://{address.lstrip('/')}"


def validate(address: str) -> None:
    """Refuse what opens no page, and what tells who someone is before the host.

    Hosts may have underscores, which Django's own validator knows nothing of.
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise ValidationError(str(error), code="invalid") from error
    if "@" in parts.netloc:
        raise ValidationError(TELLS_A_NAME, code="tells_a_name")
    below, dot, top = parts.netloc.rpartition(".")
    plain = parts._replace(netloc=f"{below.replace('_', 'x')}{dot}{top}").geturl()
    URLValidator(schemes=PUBLIC_SCHEMES)(plain)
