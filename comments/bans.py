"""Whom a ban would hit besides whoever is meant: a moderator is asked once more."""

from ipaddress import ip_address, ip_network

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from comments.models import Comment, Standing
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


class SureField(forms.BooleanField):
    """The box to tick where a ban is doubtful. Nobody sees it before."""

    def __init__(self):
        label = gettext_lazy("Ban them all the same")
        super().__init__(label=label, required=False, widget=forms.HiddenInput)


def values_of(comment: Comment) -> dict[str, str]:
    """Return what whoever wrote a comment can be banned by. Empty is what it has not."""
    return {
        Kind.EMAIL: comment.email,
        Kind.ADDRESS: network_of(comment.ip_address) if comment.ip_address else "",
        Kind.NAME: comment.name,
        Kind.WEBSITE: comment.website,
    }


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
    if kind == Kind.ADDRESS and own_address and ip_address(own_address) in ip_network(value):
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
        works_here = Q(is_staff=True) | Q(author__isnull=False)
        return users.filter(works_here, username=value).exists()
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
    newest = Comment.objects.approved().filter(erased_at=None).select_related("user").order_by("-pk")
    newest = newest.defer("body", "body_html")[:LOOKED_AT]
    hit = [comment for comment in newest if value in Standing.keys_of(comment).get(kind, [])]
    return len(hit), len({(comment.user_id, comment.email or comment.name) for comment in hit})
