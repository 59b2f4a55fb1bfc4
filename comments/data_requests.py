"""What staff do for someone who asks for their data: see how much there is, export it, erase it.

It starts at a comment, and covers everything that was written with the same address. The
admin's log tells who did it and when, and neither name nor address: those may be erased.
"""

from typing import cast

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from comments import privacy, rights
from comments.desk.answers import ModeratorRequest, desk_page
from comments.forms import EraseForm
from comments.mine import export_file
from comments.models import Comment


class EraseForGoodForm(EraseForm):
    """Asks once more: what has told who wrote it cannot be had back."""

    sure = forms.BooleanField(
        label=gettext_lazy("I know that nobody can undo this."),
        error_messages={"required": gettext_lazy("Tick this box to erase for good.")},
    )


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
    _log(request, comment, _("Exported everything from the address of this comment."))
    return export_file(comment.email)


@require_POST
@may_see
@may_erase
def erase(request: HttpRequest, pk: int) -> HttpResponse:
    comment = _comment(pk)
    form = EraseForGoodForm(request.POST)
    if not form.is_valid():
        return page(request, comment, form, status=422)
    with transaction.atomic():
        erased = privacy.erase(comment.email, keep_texts=form.keep_texts, by=request.user)
        count = erased.comments
        text = ngettext("Erased who wrote %d comment.", "Erased who wrote %d comments.", count) % count
        _log(request, comment, text)
    messages.success(request, text)
    return redirect("admin:comments_comment_change", pk)


def page(request: HttpRequest, comment: Comment, form: EraseForGoodForm, status: int = 200) -> HttpResponse:
    counted = Comment.objects.ever_written_with(comment.email).order_by("status").values_list("status")
    facts = {
        "comment": comment,
        "form": form,
        "counts": [(Comment.Status(value).label, count) for value, count in counted.annotate(Count("pk"))],
    }
    title = _("Everything from %(email)s") % {"email": comment.readable_email}
    return desk_page(cast(ModeratorRequest, request), "everything", title, status=status, **facts)


def _comment(pk: int) -> Comment:
    comment = get_object_or_404(Comment, pk=pk)
    if not comment.is_found_by_address:
        raise Http404("No address leads to this comment")
    return comment


def _log(request: HttpRequest, comment: Comment, message: str) -> None:
    LogEntry.objects.create(
        user=cast(User, request.user),
        content_type=ContentType.objects.get_for_model(Comment),
        object_id=str(comment.pk),
        object_repr=_("Comment %(id)d") % {"id": comment.pk},
        action_flag=CHANGE,
        change_message=message,
    )
