"""E-mail addresses and hosts: one spelling each, however they were typed."""

import re
import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from newsite.visible import JOINERS, without_hidden

# In a domain they can make another word, in Persian for one.
JOINER = re.compile(f"[{JOINERS}\ufe00-\ufe0f]")
# Phones put a space behind a full stop, and people one before.
LOOSE = re.compile(r"\s*([@.])\s*")
# RFC 5321, section 4.1.2: what needs no quotation marks is the same mailbox with them.
NEEDLESSLY_QUOTED = re.compile(r'"([\w!#$%&\'*+/=?^`{|}~.-]+)"@', re.ASCII)


def mailbox(typed: str) -> str:
    """Return the one spelling of an e-mail address, which mails can be sent to.

    The domain is written in ASCII, as it is looked up. Capitals are folded before the @ too:
    RFC 5321 lets a server tell them apart, none does, and people type their address as their
    keyboard wants it. What is no address comes back no better than it was.
    """
    email = without_hidden(unicodedata.normalize("NFKC", typed)).strip(f" {JOINERS}")
    email = NEEDLESSLY_QUOTED.sub(r"\1@", LOOSE.sub(r"\1", email).lower())
    local, at, domain = email.rpartition("@")
    return f"{JOINER.sub('', local)}{at}{ascii_host(domain).rstrip('.')}"


def spellings(email: str) -> set[str]:
    """Return how a mailbox may be written where it was not typed here, capitals aside: by accounts."""
    return {mailbox(email), readable(email)} if email else set()


def readable(email: str) -> str:
    """Return an address with its domain as people know it."""
    local, at, domain = mailbox(email).rpartition("@")
    try:
        return f"{local}{at}{idna.decode(domain)}" if "xn--" in domain else f"{local}{at}{domain}"
    except UnicodeError:
        return f"{local}{at}{domain}"


def validate_mailbox(email: str) -> None:
    """Refuse what is no address, and what no mail would reach."""
    local, _at, domain = email.rpartition("@")
    if domain and local and not local.isascii():
        strange = "".join(dict.fromkeys(sign for sign in local if not sign.isascii()))
        text = _(
            "Mails from here do not reach an address with “%(signs)s” before the @. Use another address."
        )
        raise ValidationError(text, code="local_part", params={"signs": strange})
    if domain and local.startswith('"'):
        text = _("Mails from here do not reach an address with quotation marks. Use another address.")
        raise ValidationError(text, code="quoted")
    validate_email(email)


def ascii_host(host: str) -> str:
    """Return a host as it is looked up: there is one way to do so, and many to write it."""
    try:
        labels = idna.uts46_remap(host, std3_rules=False, transitional=False).split(".")
        return ".".join(label if label.isascii() else idna.alabel(label).decode() for label in labels)
    except UnicodeError:
        return _ascii_host_of_before(host)


def _ascii_host_of_before(host: str) -> str:
    """Return a host by the older standard, which knows signs that the newer one has given up."""
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host
