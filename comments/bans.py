"""Whom a ban would hit besides whoever is meant.

Where one is banned, a moderator is asked once more; where many are, those are left out.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q, Value
from django.db.models.functions import Concat
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from comments import matching
from comments.models import Comment, CommentQuerySet, Decision, Left, Standing
from comments.moderation import Submission
from newsite.origin import network_of

Kind = Standing.Kind

# So many approved comments are looked at, the newest.
LOOKED_AT = 1_000
# Where everybody may have an address.
MAIL_PROVIDERS = {
    "126.com", "163.com", "aol.com", "fastmail.com", "free.fr", "gmail.com", "gmx.at", "gmx.ch", "gmx.com",
    "gmx.de", "gmx.net", "googlemail.com", "hotmail.co.uk", "hotmail.com", "hotmail.fr", "hotmail.it",
    "icloud.com", "laposte.net", "libero.it", "live.com", "mac.com", "mail.com", "mail.ru", "me.com", "msn.com",
    "naver.com", "orange.fr", "outlook.com", "outlook.de", "outlook.fr", "pm.me", "posteo.de", "proton.me",
    "protonmail.com", "qq.com", "rediffmail.com", "seznam.cz", "t-online.de", "tuta.com", "uol.com.br", "wanadoo.fr",
    "web.de", "wp.pl", "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr", "yahoo.it", "yandex.ru",
    "ymail.com", "zoho.com",
}  # fmt: skip


WORKS_HERE = Q(is_staff=True) | Q(author__isnull=False)
# These comments stay what they are too, where the ban would mark comments as spam.
SPARED = {Left.OWN, Left.STAFF, Left.SHARED}


class Terms(NamedTuple):
    """By what everyone who wrote one of many comments is banned, until when, and what else is to be done."""

    kind: str
    # As text, since it is stored with the decision. Empty for good.
    ends_at: str
    note: str
    mark_as_spam: bool
    # Whether to ban by what others share as well.
    sure: bool
    # Of the moderator, who is never banned with others.
    own_address: str | None


class SureField(forms.BooleanField):
    """The box to tick where a ban is doubtful. Nobody sees it before."""

    def __init__(self):
        label = gettext_lazy("Ban them all the same")
        super().__init__(label=label, required=False, widget=forms.HiddenInput)


def values_of(comment: Comment) -> dict[str, str]:
    """Return what whoever wrote a comment can be banned by. Empty is what nobody is known by."""
    # The name of whoever had theirs erased, or has left it empty, is that of many.
    if comment.erased_at:
        return dict.fromkeys([Kind.EMAIL, Kind.ADDRESS, Kind.NAME, Kind.WEBSITE], "")
    is_nameless = _normal_name(comment.name) == _normal_name(_("Anonymous"))
    return {
        Kind.EMAIL: comment.email,
        Kind.ADDRESS: network_of(comment.ip_address) if comment.ip_address else "",
        Kind.NAME: "" if is_nameless else comment.name,
        Kind.WEBSITE: comment.website,
    }


def _normal_name(name: str) -> str:
    return " ".join(matching.fold(name).split())


def value_of(comment: Comment, kind: str) -> str:
    """Return by what a comment is banned, as a ban has it. Empty where it has none."""
    try:
        return Standing.normal(kind, values_of(comment)[kind])
    except ValueError:
        return ""


def lasting(kind: str, values: Iterable[str], ends_at: datetime | None) -> dict[str, Standing]:
    """Return the bans in force that last as long or longer, by what they ban."""
    known = Standing.objects.in_force().filter(standing=Standing.State.BANNED, kind=kind, value__in=values)
    lasts = Q(ends_at=None) if ends_at is None else Q(ends_at=None) | Q(ends_at__gte=ends_at)
    return {standing.value: standing for standing in known.filter(lasts)}


def on_each(
    comments: list[Comment], terms: Terms, decision: Decision, among: CommentQuerySet
) -> tuple[list[Standing], dict[int, Left]]:
    """Return the bans for each of these comments, and which of them are left, and why."""
    ends_at = parse_datetime(terms.ends_at) if terms.ends_at else None
    values = {comment.pk: value_of(comment, terms.kind) for comment in comments}
    spared = _spared(comments, values, terms, among)
    known = lasting(terms.kind, set(values.values()), ends_at)
    banned: dict[str, Standing] = {}
    left = {}
    for pk, value in values.items():
        if not value:
            left[pk] = Left.UNKNOWN
        elif pk in spared:
            left[pk] = spared[pk]
        elif value not in known:
            banned[value] = Standing(
                standing=Standing.State.BANNED,
                kind=terms.kind,
                value=value,
                ends_at=ends_at,
                note=terms.note,
            )
        # An earlier step may have come upon the same person.
        elif known[value].decision_id != decision.pk:
            left[pk] = Left.BANNED_AS_LONG
    return list(banned.values()), left


def _spared(
    comments: list[Comment], values: dict[int, str], terms: Terms, among: CommentQuerySet
) -> dict[int, Left]:
    """Return the comments for which nobody is banned, since that would hit others than were chosen."""
    newsroom = Newsroom.load()
    others = _others_hit(set(values.values()), terms.kind, among)
    spared = {}
    for comment in comments:
        value = values[comment.pk]
        accounts = {comment.user_id, *(account for account, _name in others[value])}
        if terms.kind == Kind.ADDRESS and _is_own(value, terms.own_address):
            spared[comment.pk] = Left.OWN
        elif accounts & newsroom.accounts or newsroom.has(terms.kind, value):
            spared[comment.pk] = Left.STAFF
        elif len(others[value]) > 1 and not terms.sure:
            spared[comment.pk] = Left.SHARED
    return spared


class Newsroom(NamedTuple):
    """Everyone who writes for the site, to be told from many comments at once."""

    accounts: set[int]
    emails: set[str]
    # What their names look like.
    looks: set[str]

    @classmethod
    def load(cls) -> "Newsroom":
        full_name = Concat("first_name", Value(" "), "last_name")
        rows = list(
            get_user_model()
            .objects.filter(WORKS_HERE)
            .values_list("pk", "email", "username", full_name, "author__name")
        )
        return cls(
            {pk for pk, *_names in rows},
            {email.lower() for _pk, email, *_names in rows if email},
            {
                look
                for _pk, _email, *names in rows
                for name in names
                if name and (look := matching.look(name))
            },
        )

    def has(self, kind: str, value: str) -> bool:
        """Say whether a name or an e-mail address is that of one of them."""
        if kind == Kind.NAME:
            return matching.look(value) in self.looks
        return kind == Kind.EMAIL and value in self.emails


def _others_hit(values: set[str], kind: str, among: CommentQuerySet) -> dict[str, set]:
    """Return by value who else had approved comments that a ban would have hit lately."""
    newest = list(_newest_approved())
    chosen = set(among.filter(pk__in=[comment.pk for comment in newest]).values_list("pk", flat=True))
    # Of the networks of an address only those that are as large as one of the values.
    lengths = tuple({ip_network(value).prefixlen for value in values if value and kind == Kind.ADDRESS})
    people = defaultdict(set)
    for comment in newest:
        if comment.pk not in chosen:
            keys = (
                matching.network_keys(comment.ip_address, lengths)
                if lengths
                else Standing.keys(kind, comment)
            )
            for value in values.intersection(keys):
                people[value].add(person_of(comment))
    return people


def ask_twice(form: forms.Form | forms.ModelForm, kind: str, value: str, own_address: str | None) -> None:
    """Refuse a ban that is doubtful, unless the moderator has ticked the form's box for that."""
    if form.cleaned_data.get("sure"):
        form.fields["sure"].widget = forms.CheckboxInput()
    elif found := doubts(kind, value, own_address):
        form.fields["sure"].widget = forms.CheckboxInput()
        form.add_error("value", [*found, _("If you mean it, tick “Ban them all the same”.")])


def doubts(kind: str, value: str, own_address: str | None) -> list[str]:
    """Say what speaks against a ban, in sentences for a moderator. The value is a normal one."""
    found = []
    if kind == Kind.EMAIL and value.removeprefix("@") in MAIL_PROVIDERS:
        found.append(_("Everybody may have an address of this provider."))
    if kind == Kind.ADDRESS and _is_own(value, own_address):
        found.append(_("Your own address, %s, is in this network.") % own_address)
    if _is_of_an_account(kind, value):
        found.append(_("Someone with an account on this site has this name or address."))
    comments, people = _hit(kind, value)
    if people > 1:
        found.append(
            ngettext(
                "Of the last %(all)d approved comments, %(comments)d would have been spam, by %(people)d person.",
                "Of the last %(all)d approved comments, %(comments)d would have been spam, by %(people)d people.",
                people,
            )
            % {"all": LOOKED_AT, "comments": comments, "people": people}
        )
    return found


def _is_of_an_account(kind: str, value: str) -> bool:
    users = get_user_model().objects
    if kind == Kind.EMAIL and value.startswith("@"):
        return users.filter(email__iendswith=value).exists()
    if kind == Kind.ACCOUNT:
        # Anyone else's account is what is meant. Staff's comments are shown whatever is banned.
        return users.filter(WORKS_HERE, username=value).exists()
    named = Comment(
        name=value if kind == Kind.NAME else value.rpartition(" ")[0] if kind == Kind.PERSON else "",
        email=value
        if kind == Kind.EMAIL
        else value.rpartition("<")[2].strip(">")
        if kind == Kind.PERSON
        else "",
    )
    return Submission(named).is_registered


def _hit(kind: str, value: str) -> tuple[int, int]:
    """Return how many approved comments a ban would have hit lately, and of how many people."""
    hit = [comment for comment in _newest_approved() if value in Standing.keys(kind, comment)]
    return len(hit), len({person_of(comment) for comment in hit})


def _newest_approved() -> CommentQuerySet:
    approved = Comment.objects.approved().filter(erased_at=None).select_related("user")
    # In the order of an index.
    return approved.defer("body", "body_html").order_by("-created_at", "-pk")[:LOOKED_AT]


def person_of(comment: Comment) -> tuple[int | None, str]:
    """Return what tells a comment's author from others. A name alone does not: many may have it."""
    if comment.user_id:
        return comment.user_id, ""
    address = network_of(comment.ip_address) if comment.ip_address else ""
    return None, comment.email or address or str(comment.pk)


def _is_own(value: str, own_address: str | None) -> bool:
    return bool(value) and own_address is not None and ip_address(own_address) in ip_network(value)
