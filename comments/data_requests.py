"""What staff do for someone who asks for their data: see how much there is, export it, erase it.

It starts at a comment, and covers everything that was written with the same address, or at
addresses that somebody has written in a letter. The admin's log tells who did it and when,
and neither name nor address: those may be erased.
"""

from typing import cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from comments import admin_log, matching, privacy, rights
from comments.addresses import mailbox, readable
from comments.desk.answers import ModeratorRequest, desk_page
from comments.forms import EraseForm
from comments.mine import export_file
from comments.models import Comment

# One person has so many addresses at most.
MOST_ADDRESSES = 50


class AddressesForm(forms.Form):
    """The addresses that one person has written with."""

    error_title = gettext_lazy("Nothing has been looked for.")

    addresses = forms.CharField(
        label=gettext_lazy("Email addresses"),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("Of one person, one a line. Capitals make no difference."),
        error_messages={"required": gettext_lazy("Enter an email address.")},
        max_length=MOST_ADDRESSES * 254,
    )

    def clean_addresses(self) -> list[str]:
        lines = matching.lines(self.cleaned_data["addresses"])
        if len(lines) > MOST_ADDRESSES:
            raise ValidationError(_("Enter %d addresses at most.") % MOST_ADDRESSES)
        if wrong := [line for line in lines if not _is_address(line)]:
            raise ValidationError(_("Not an email address: %s") % ", ".join(wrong[:5]))
        return list(dict.fromkeys(mailbox(line) for line in lines))


class EraseForGoodForm(EraseForm):
    """Asks once more: what has told who wrote it cannot be had back."""

    sure = forms.BooleanField(
        label=gettext_lazy("I know that nobody can undo this."),
        error_messages={"required": gettext_lazy("Tick this box to erase for good.")},
    )
    lift_bans = forms.BooleanField(
        label=gettext_lazy("Lift this person’s bans too."),
        required=False,
        help_text=gettext_lazy(
            "Otherwise they stay as codes: they go on working, and nobody can read any more whom they are about."
        ),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Whoever erases here is not who wrote.
        keep = _("Keep it, without the name, so that conversations stay complete.")
        self.fields["texts"].choices = [(self.Texts.KEEP, keep), (self.Texts.REMOVE, self.Texts.REMOVE.label)]


may_see = permission_required(rights.EVERYWHERE, raise_exception=True)
may_erase = permission_required("comments.delete_comment", raise_exception=True)


@require_safe
@may_see
def everything(request: HttpRequest, pk: int) -> HttpResponse:
    return page(request, _comment(pk), EraseForGoodForm())


@require_POST
@may_see
def export(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    comment = _comment(pk)
    admin_log.note(request.user, _("Exported everything from the address of this comment."), [pk])
    return export_file(comment.email)


@require_POST
@may_see
@may_erase
def erase(request: HttpRequest, pk: int) -> HttpResponse:
    comment = _comment(pk)
    form = EraseForGoodForm(request.POST)
    if not form.is_valid():
        return page(request, comment, form, status=422)
    text = _erase(request, [comment.email], form, [pk])
    messages.success(request, text)
    return redirect("admin:comments_comment_change", pk)


def page(request: HttpRequest, comment: Comment, form: EraseForGoodForm, status: int = 200) -> HttpResponse:
    title = _("Everything from %(email)s") % {"email": comment.readable_email}
    facts = {
        "comment": comment,
        "form": form,
        "held": [(comment.readable_email, privacy.held(comment.email))],
    }
    return desk_page(cast(ModeratorRequest, request), "everything", title, status=status, **facts)


@require_http_methods(["GET", "HEAD", "POST"])
@may_see
def by_address(request: HttpRequest) -> HttpResponse:
    """Ask for the addresses of a person, and show what is held about them.

    They come in the body of a request: what stands in its address is kept by logs.
    """
    asked = AddressesForm(request.POST if request.method == "POST" else None)
    return addresses_page(request, asked, EraseForGoodForm(), status=422 if asked.errors else 200)


@require_POST
@may_see
def export_by_address(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    asked = AddressesForm(request.POST)
    if not asked.is_valid():
        return addresses_page(request, asked, EraseForGoodForm(), status=422)
    admin_log.note(request.user, _("Exported everything from an address."))
    return export_file(*asked.cleaned_data["addresses"])


@require_POST
@may_see
@may_erase
def erase_by_address(request: HttpRequest) -> HttpResponse:
    asked, form = AddressesForm(request.POST), EraseForGoodForm(request.POST)
    if not asked.is_valid() or not form.is_valid():
        return addresses_page(request, asked, form, status=422)
    messages.success(request, _erase(request, asked.cleaned_data["addresses"], form))
    return redirect("admin:comments_comment_by_address")


def addresses_page(
    request: HttpRequest, asked: AddressesForm, form: EraseForGoodForm, status: int = 200
) -> HttpResponse:
    emails = asked.cleaned_data["addresses"] if asked.is_bound and asked.is_valid() else []
    facts = {
        "asked": asked,
        "form": form,
        "held": [(readable(email), privacy.held(email)) for email in emails],
        "addresses": "\n".join(emails),
    }
    title = _("Export or erase by address")
    return desk_page(cast(ModeratorRequest, request), "by_address", title, status=status, **facts)


def _erase(
    request: HttpRequest, emails: list[str], form: EraseForGoodForm, comments: list[int] | None = None
) -> str:
    """Erase what was written with these addresses, and return what the person can be told."""
    how = {"keep_texts": form.keep_texts, "lift_bans": form.cleaned_data["lift_bans"]}
    with transaction.atomic():
        erased = [privacy.erase(email, by=request.user, **how) for email in emails]
        count, bans = (sum(numbers) for numbers in zip(*erased, strict=True))
        text = ngettext("Erased who wrote %d comment.", "Erased who wrote %d comments.", count) % count
        if bans:
            stays = ngettext(
                "%d ban stays, and names nobody any more.", "%d bans stay, and name nobody any more.", bans
            )
            text = f"{text} {stays % bans}"
        admin_log.note(request.user, text, comments or [None])
    return text


def _comment(pk: int) -> Comment:
    comment = get_object_or_404(Comment, pk=pk)
    if not comment.is_found_by_address:
        raise Http404("No address leads to this comment")
    return comment


def _is_address(line: str) -> bool:
    try:
        validate_email(mailbox(line))
    except ValidationError:
        return False
    return True
