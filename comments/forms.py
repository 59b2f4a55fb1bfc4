from functools import cached_property
from typing import cast

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Div, Layout, Submit
from django import forms
from django.db import models
from django.forms.utils import ErrorDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from articles.models import Article
from comments import addresses, websites
from comments.discussion import DiscussionSettings
from comments.models import Comment, Report
from comments.subscriptions import Subscription
from newsite import markup, visible


class TextField(forms.CharField):
    """A text of several lines, whose line ends count as one character, as in the browser."""

    widget = forms.Textarea

    def to_python(self, value):
        return super().to_python(value).replace("\r\n", "\n").replace("\r", "\n")


class CommentField(TextField):
    """The text of a comment, with a short help on how to write it."""

    help_template = "comments/_how_to_write.html"


class NameField(forms.CharField):
    """What someone is called, without what nobody would see of it."""

    def to_python(self, value):
        return visible.as_name(super().to_python(value))


class MailboxField(forms.EmailField):
    """An e-mail address, in the one spelling that its mailbox is known under."""

    default_validators = [addresses.validate_mailbox]

    def to_python(self, value):
        return addresses.mailbox(super().to_python(value))


class EmailBoundField(forms.BoundField):
    @property
    def aria_describedby(self) -> str:
        """Read the note above the form with the field, and behind it the field's error."""
        return " ".join(filter(None, ["email-notes", super().aria_describedby]))


class WebsiteField(forms.CharField):
    """An address that a browser opens as a page, with its scheme or without."""

    default_validators = [websites.validate]

    def to_python(self, value):
        return websites.whole(super().to_python(value))


def website_field() -> WebsiteField:
    return WebsiteField(
        label=_("Website"),
        required=False,
        max_length=Comment._meta.get_field("website").max_length,
        # Not of the type "url": browsers refuse one without its scheme.
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "url", "autocapitalize": "none"}),
        error_messages={"invalid": _("Enter a web address like https://example.com, or leave it empty.")},
    )


class SecondsField(forms.FloatField):
    """How long something took, if the browser says so. A person cannot see it, nor put it right."""

    def clean(self, value):
        try:
            return super().clean(value)
        except forms.ValidationError:
            return None


class CommentTextForm(forms.ModelForm):
    """The text of a comment, as visitors and moderators write it."""

    error_title = _("Your comment has not been posted.")

    body = CommentField(
        label=_("Comment"),
        max_length=Comment._meta.get_field("body").max_length,
        help_text=_("You can write **bold**, *italic*, > quote, and links."),
        widget=forms.Textarea(attrs={"rows": 8, "cols": 45, "dir": "auto"}),
        error_messages={"required": _("Please write a comment.")},
    )

    class Meta:
        model = Comment
        fields = ["body"]

    @property
    def preview_html(self) -> str:
        """How the text will look, where the button for that was pressed and nothing is wrong."""
        if "preview" not in self.data or not self.is_valid():
            return ""
        return markup.comment_html(self.cleaned_data["body"])

    def set_aside(self) -> None:
        """Show what was sent as it is, and make nothing of it: a reason to refuse it is at hand."""
        self._errors, self.cleaned_data = ErrorDict(renderer=self.renderer), {}

    def clean_body(self) -> str:
        body = self.cleaned_data["body"]
        if not visible.is_visible(markup.text_of(markup.comment_html(body))):
            raise forms.ValidationError(self.fields["body"].error_messages["required"], code="required")
        return body


class EditForm(CommentTextForm):
    """Another text for a comment, from the person who wrote it."""

    error_title = _("Your changes have not been saved.")


class AddressForm(forms.Form):
    """Whose comments someone wants to see."""

    error_title = _("No link has been sent.")

    email = MailboxField(
        label=_("Email"),
        max_length=Comment._meta.get_field("email").max_length,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": _("Please enter the email address you comment with."),
            "invalid": _("Enter an email address like name@example.com."),
        },
    )


class EraseForm(forms.Form):
    """What is to become of the texts, when nothing tells any more who wrote them."""

    error_title = _("Nothing has been removed.")

    class Texts(models.TextChoices):
        KEEP = "keep", _("Keep it, without your name, so that conversations stay complete.")
        REMOVE = "remove", _("Remove it too. Replies to it stay.")

    texts = forms.ChoiceField(
        label=_("What should happen to the text?"),
        choices=Texts,
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose what should happen to the text.")},
    )

    @property
    def keep_texts(self) -> bool:
        return self.cleaned_data["texts"] == self.Texts.KEEP


class MailsForm(forms.Form):
    """What the author of a comment wants to be told of by mail, and how often."""

    error_title = _("Nothing has been changed.")

    scope = forms.ChoiceField(
        label=_("Email me about"),
        choices=[("", _("Nothing")), *Subscription.Scope.choices],
        required=False,
    )
    rhythm = forms.ChoiceField(label=_("How often"), choices=Subscription.Rhythm)


class ReportForm(forms.ModelForm):
    """What a reader finds wrong with a comment."""

    error_title = _("Your report has not been sent.")

    reason = forms.ChoiceField(
        label=_("Why are you reporting it?"),
        choices=[("", _("Choose a reason")), *Report.Reason.choices],
        error_messages={
            "required": _("Please choose a reason."),
            "invalid_choice": _("Please choose a reason."),
        },
    )
    text = TextField(
        label=_("Details (optional)"),
        required=False,
        max_length=Report._meta.get_field("text").max_length,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 45, "dir": "auto"}),
    )

    class Meta:
        model = Report
        fields = ["reason", "text"]

    def clean(self):
        cleaned = super().clean()
        says_nothing = not visible.is_visible(cleaned.get("text", ""))
        if cleaned.get("reason") == Report.Reason.OTHER and says_nothing and "text" not in self.errors:
            self.add_error("text", _("Please say what is wrong with the comment."))
        return cleaned


class ReplyForm(CommentTextForm):
    """A text below a story. It knows the story, so no reply can answer a comment elsewhere."""

    parent = forms.ModelChoiceField(
        queryset=Comment.objects.none(),
        required=False,
        widget=forms.HiddenInput,
        error_messages={
            "invalid_choice": _(
                "The comment you were replying to has been removed. "
                "You can still post your text as a new comment."
            )
        },
    )

    class Meta(CommentTextForm.Meta):
        fields = ["body", "parent"]

    def __init__(self, *args, article: Article, settings: DiscussionSettings, **kwargs):
        super().__init__(*args, **kwargs)
        self.article = article
        self.settings = settings
        self.instance.article = article
        cast(forms.ModelChoiceField, self.fields["parent"]).queryset = article.comments.approved()

    @property
    def wants_mail_about(self) -> str:
        """Return what the sender of the form wants to be told of: nothing, where it does not ask."""
        return ""

    @property
    def is_open(self) -> bool:
        """Whether the story takes comments now."""
        return self.settings.takes_comments_on(self.article)

    @property
    def waits_for_a_moderator(self) -> bool:
        """Whether every comment on this story is read before it appears."""
        return self.settings.holds_all_on(self.article)

    @property
    def reply_url(self) -> str:
        return reply_url(self.article)

    @cached_property
    def answered(self) -> Comment | None:
        """The comment that this form replies to, if there is one and it is public."""
        parent = self.fields["parent"]
        try:
            return parent.to_python(self["parent"].value())
        except forms.ValidationError:
            return None

    def clean(self):
        """Turn a parent that is gone into a message for all to read, and let go of it."""
        cleaned = super().clean()
        if "parent" in self.errors:
            self.add_error(None, self.errors.pop("parent").as_data())
            self.data = self.data.copy()
            self.data["parent"] = ""
        return cleaned


class CommentForm(ReplyForm):
    """Leave a Reply."""

    website = website_field()
    # The stylesheet hides this field. Robots fill in every field that they find.
    nickname = forms.CharField(
        label=_("Leave this field empty"),
        required=False,
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )
    # How long the page has been open, in seconds: reply.js says it.
    seconds = SecondsField(required=False, min_value=0, widget=forms.HiddenInput)

    tell_answers = forms.BooleanField(label=_("Email me when someone replies"), required=False)
    tell_all = forms.BooleanField(label=_("Email me all new comments on this story"), required=False)

    class Meta(ReplyForm.Meta):
        fields = ["body", "name", "email", "website", "parent"]
        field_classes = {"name": NameField, "email": MailboxField}
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name", "dir": "auto"}),
            "email": forms.EmailInput(attrs={"autocomplete": "email"}),
        }
        error_messages = {
            "name": {"required": _("Please enter a name. It need not be your real one.")},
            "email": {
                "required": _("Please enter your email address. It will not be published."),
                "invalid": _("Enter an email address like name@example.com."),
            },
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("name", "email"):
            self.fields[name].required = self.settings.requires_name_and_email
        self.fields["email"].bound_field_class = EmailBoundField
        self.helper = self._helper()

    @property
    def wants_mail_about(self) -> str:
        if self.cleaned_data.get("tell_all"):
            return Subscription.Scope.STORY
        return Subscription.Scope.ANSWERS if self.cleaned_data.get("tell_answers") else ""

    def clean_name(self) -> str:
        return self.cleaned_data["name"] or str(_("Anonymous"))

    def _helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_id = "commentform"
        helper.form_class = "comment-form"
        # No fragment: browsers would go there instead of to what has the autofocus.
        helper.form_action = post_url(self.article)
        # The page is the same for every visitor: the view asks where the request comes from.
        helper.disable_csrf = True
        helper.layout = Layout(
            HTML("{% include 'comments/_form_notes.html' %}"),
            "body",
            "name",
            "email",
            "website",
            Div("nickname", css_class="trap", aria_hidden="true"),
            HTML("{% include 'comments/_remember.html' %}"),
            Div("tell_answers", "tell_all", css_class="remember"),
            "parent",
            "seconds",
            HTML("{% include 'comments/_before_posting.html' %}"),
            HTML("{% include 'comments/_preview.html' with form=reply_form comment=reply_form.instance %}"),
            Div(
                Submit("post", _("Post Comment"), data_busy_label=_("Posting…")),
                Submit("preview", _("Preview")),
                css_class="form-submit",
            ),
        )
        return helper


def reply_url(article: Article) -> str:
    """Return where Leave a Reply stands on a page of its own."""
    return reverse("comments:reply", args=str(article.address).split("/"))


def post_url(article: Article) -> str:
    """Return where Leave a Reply is sent: the browser's cookies of its own comments go there."""
    return reverse("comments:post_reply", args=str(article.address).split("/"))
