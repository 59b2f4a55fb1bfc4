"""Whom a ban would hit besides whoever is meant.

Where one is banned, a moderator is asked once more; where many are, those are left out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from comments import matching
from comments.addresses import mailbox, spellings
from comments.models import Comment, CommentQuerySet, Decision, Left, Standing
from comments.people import FULL_NAME, WRITES_FOR_THE_SITE
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

# These comments stay what they are too, where the ban would mark comments as spam.
SPARED = {Left.OWN, Left.STAFF, Left.SHARED, Left.REGISTERED}


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
    is_nameless = matching.name_key(comment.name) == matching.name_key(_("Anonymous"))
    return {
        Kind.EMAIL: comment.email,
        Kind.ADDRESS: network_of(comment.ip_address) if comment.ip_address else "",
        Kind.NAME: "" if is_nameless else comment.name,
        Kind.WEBSITE: comment.website,
    }


def value_of(comment: Comment, kind: str) -> str:
    """Return by what a comment is banned, as a ban has it. Empty where it has none."""
    try:
        return Standing.normal(kind, values_of(comment)[kind])
    except ValueError:
        return ""


def lasting(kind: str, values: Iterable[str], ends_at: datetime | None) -> dict[str, Standing]:
    """Return the bans in force that last as long or longer, by what they ban."""
    known = Standing.objects.in_force().filter(standing=Standing.State.BANNED, kind=kind, key__in=values)
    lasts = Q(ends_at=None) if ends_at is None else Q(ends_at=None) | Q(ends_at__gte=ends_at)
    return {standing.key: standing for standing in known.filter(lasts)}


def on_each(
    comments: list[Comment], terms: Terms, decision: Decision, among: CommentQuerySet
) -> tuple[list[Standing], dict[int, Left]]:
    """Return the bans for each of these comments, and which of them are left, and why."""
    ends_at = parse_datetime(terms.ends_at) if terms.ends_at else None
    values = {comment.pk: value_of(comment, terms.kind) for comment in comments}
    known = lasting(terms.kind, set(values.values()), ends_at)
    # An earlier step may have come upon the same person.
    done = {value for value, standing in known.items() if standing.decision_id == decision.pk}
    spared = _spared(comments, values, terms, among, done)
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
        elif value not in done:
            left[pk] = Left.BANNED_AS_LONG
    return list(banned.values()), left


def _spared(
    comments: list[Comment], values: dict[int, str], terms: Terms, among: CommentQuerySet, done: set[str]
) -> dict[int, Left]:
    """Return the comments for which nobody is banned, since that would hit others than were chosen."""
    newsroom = Newsroom.load()
    hit = hit_by(terms.kind, set(values.values()), among)
    spared = {}
    for comment in comments:
        value = values[comment.pk]
        accounts = {comment.user_id, *(account for account, _address in hit[value].people)}
        if terms.kind == Kind.ADDRESS and _is_own(value, terms.own_address):
            spared[comment.pk] = Left.OWN
        elif accounts & newsroom.accounts or newsroom.has(terms.kind, value):
            spared[comment.pk] = Left.STAFF
        elif terms.sure or value in done:
            continue
        elif hit[value].accounts:
            spared[comment.pk] = Left.REGISTERED
        elif len(hit[value].people) > 1:
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
        rows = list(
            get_user_model()
            .objects.filter(WRITES_FOR_THE_SITE)
            .values_list("pk", "email", "username", FULL_NAME, "author__name")
        )
        return cls(
            {pk for pk, *_names in rows},
            {mailbox(email) for _pk, email, *_names in rows if email},
            {
                look
                for _pk, _email, *names in rows
                for name in names
                if name and (look := matching.look(name))
            },
        )

    def has(self, kind: str, value: str) -> bool:
        """Say whether a name or an e-mail address is that of one of them."""
        name, email = _name_and_email(kind, value)
        return matching.look(name) in self.looks or email in self.emails


class Hit(NamedTuple):
    """Whom a ban by one value would hit, besides those whom it is about."""

    # Who lately wrote comments that are approved, by `person_of()`, and how many they are.
    people: set[tuple[int | None, str]]
    comments: int
    # Whose name or address it is, whatever they write.
    accounts: set[int]


def hit_by(kind: str, values: set[str], chosen: CommentQuerySet | None = None) -> dict[str, Hit]:
    """Return by value whom a ban would hit besides those who wrote the chosen comments."""
    newest = list(_newest_approved())
    accounts = _accounts(kind, values)
    if chosen is not None:
        pks = [comment.pk for comment in newest]
        about = set(chosen.filter(pk__in=pks).values_list("pk", flat=True))
        newest = [comment for comment in newest if comment.pk not in about]
        named = {account for of_one in accounts.values() for account in of_one}
        meant = set(chosen.filter(user__in=named).values_list("user", flat=True)) if named else set()
        accounts = {value: of_one - meant for value, of_one in accounts.items()}
    # Of the networks of an address only those that are as large as one of the values.
    lengths = tuple({ip_network(value).prefixlen for value in values if value and kind == Kind.ADDRESS})
    people, number = defaultdict(set), Counter[str]()
    key_of = {value: Standing.key_of(kind, value) for value in values}
    for comment in newest:
        keys = matching.network_keys(comment.ip_address, lengths) if lengths else Standing.keys(kind, comment)
        for key in set(key_of.values()).intersection(keys):
            people[key].add(person_of(comment))
            number[key] += 1
    return {value: Hit(people[key], number[key], accounts.get(value, set())) for value, key in key_of.items()}


def _accounts(kind: str, values: set[str]) -> dict[str, set[int]]:
    """Return by name or e-mail address which accounts have it."""
    users = get_user_model().objects
    if kind == Kind.ACCOUNT:
        # Anyone else's account is what is meant. Staff's comments are shown whatever is banned.
        named = users.filter(WRITES_FOR_THE_SITE, username__in=values).values_list("username", "pk")
        return {username: {pk} for username, pk in named}
    if kind == Kind.EMAIL and (domains := [value for value in values if value.startswith("@")]):
        # One account is enough to ask.
        return {
            domain: set(users.filter(_ends_with(domain)).values_list("pk", flat=True)[:1])
            for domain in domains
        }
    parts = {value: _name_and_email(kind, value) for value in values}
    names = {name for name, _email in parts.values() if name}
    emails = {its for _name, email in parts.values() for its in spellings(email)}
    if not names and not emails:
        return {}
    # SQLite knows the small letters of ASCII only.
    written = {*names, *(name.title() for name in names)}
    same = Q(lower_email__in=emails) | Q(lower_username__in=written) | Q(username__in=written)
    same |= Q(lower_name__in=written) | Q(full_name__in=written)
    small = {
        "lower_email": Lower("email"),
        "lower_username": Lower("username"),
        "lower_name": Lower("full_name"),
    }
    accounts = users.alias(full_name=FULL_NAME).alias(**small).filter(same)
    found = defaultdict(set)
    for pk, its_email, *called in accounts.values_list("pk", "email", "username", FULL_NAME):
        its_names = {matching.name_key(name) for name in called if name}
        for value, (name, email) in parts.items():
            if name in its_names or (email and email == mailbox(its_email)):
                found[value].add(pk)
    return found


def _ends_with(domain: str) -> Q:
    return Q.create([Q(email__iendswith=its) for its in spellings(domain)], connector=Q.OR)


def _name_and_email(kind: str, value: str) -> tuple[str, str]:
    """Return the name and the e-mail address that a ban is by, as far as it is."""
    if kind == Kind.PERSON:
        name, _space, email = value.rpartition(" ")
        return matching.name_key(name), email.strip("<>")
    return value if kind == Kind.NAME else "", value if kind == Kind.EMAIL else ""


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
    hit = hit_by(kind, {value})[value]
    if hit.accounts or Newsroom.load().has(kind, value):
        found.append(_("Someone with an account on this site has this name or address."))
    if (people := len(hit.people)) > 1:
        found.append(
            ngettext(
                "Of the last %(all)d approved comments, %(comments)d would have been spam, by %(people)d person.",
                "Of the last %(all)d approved comments, %(comments)d would have been spam, by %(people)d people.",
                people,
            )
            % {"all": LOOKED_AT, "comments": hit.comments, "people": people}
        )
    return found


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
