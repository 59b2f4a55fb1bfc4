from django.conf import settings
from django.contrib import admin, messages
from django.utils.translation import gettext_lazy, ngettext

from mail.models import Mail
from newsite.logs import without_tokens


@admin.register(Mail)
class MailAdmin(admin.ModelAdmin):
    """The outbox, to be looked at: what waits, and what was given up and why."""

    list_display = ["subject", "recipient", "state", "attempts", "created_at", "sent_at", "last_error"]
    list_filter = ["state"]
    search_fields = ["recipient", "subject"]
    show_full_result_count = False
    fields = readonly_fields = (
        "subject", "recipient", "state", "attempts", "created_at", "due_at", "tried_until", "sent_at",
        "last_error", "shown_text",
    )  # fmt: skip
    actions = ["send_again"]

    def has_add_permission(self, request):
        return False

    def lookup_allowed(self, lookup, value, request):
        """Let addresses filter by the state alone: a filter by the text would tell the tokens in it."""
        return lookup.partition("__")[0] in self.list_filter

    @admin.display(description=gettext_lazy("text"))
    def shown_text(self, mail: Mail) -> str:
        """Return the text, with its links only where no mail leaves: nobody else could open them there."""
        return without_tokens(mail.text) if settings.EMAIL_URL_IS_SET else mail.text

    def change_view(self, request, object_id, form_url="", extra_context=None):
        extra = {"show_save": False, "show_save_and_continue": False}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    @admin.action(description=gettext_lazy("Send again what was given up"), permissions=["change"])
    def send_again(self, request, queryset):
        count = queryset.send_again()
        text = ngettext("%d mail is sent again now.", "%d mails are sent again now.", count) % count
        self.message_user(request, text, messages.SUCCESS if count else messages.WARNING)
