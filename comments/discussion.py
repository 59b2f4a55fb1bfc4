"""What the owner of the site decides about all conversations: one row, edited in the admin."""

from datetime import timedelta
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from articles.models import Article
from comments import matching
from newsite import markup

# So much text may a list of words or addresses have: each comment is compared with all of it.
LIST_LENGTH = 50_000
# Beyond ten years, nothing is kept or closed after days: it is for ever, or never.
MOST_DAYS = 3_650
# House rules of more characters are shown when they are asked for.
RULES_SHOWN = 300


def default_house_rules() -> str:
    return gettext("Be kind, stay on the subject, and argue with what was said, not with who said it.")


def default_privacy_note() -> str:
    return gettext(
        "We use your email address to recognise you, and to send you the emails you ask for. "
        "We never publish it."
    )


class DiscussionSettings(models.Model):
    """The settings of the conversation. Names and defaults follow WordPress where it has them."""

    class Order(models.TextChoices):
        """Which thread comes first. Inside a thread, an answer always follows what it answers."""

        OLDEST = "oldest", _("Oldest first")
        NEWEST = "newest", _("Newest first")

    class Page(models.TextChoices):
        FIRST = "first", _("The first page")
        LAST = "last", _("The last page")

    class Mails(models.TextChoices):
        NEVER = "never", _("Never")
        AT_ONCE = "at-once", _("At once")
        DAILY = "daily", _("Once a day")

    # --- Who may comment, and where ---

    is_open = models.BooleanField(
        _("take comments"),
        default=True,
        help_text=_("On all stories that say nothing else of themselves."),
    )
    requires_name_and_email = models.BooleanField(
        _("require name and email"),
        default=True,
        help_text=_(
            "Off: whoever leaves the name empty is called “Anonymous”. Without an email address, every "
            "comment counts as a person’s first."
        ),
    )
    accounts_only = models.BooleanField(
        _("only people with an account"),
        default=False,
        help_text=_(
            "Visitors then find a link to sign in, where the form stood. Nobody can register: accounts are "
            "made in the admin."
        ),
    )
    closes_old_stories = models.BooleanField(
        _("close comments on old stories"),
        default=False,
        help_text=_("What was said stays. Stories that say something of themselves are left alone."),
    )
    closes_after_days = models.PositiveSmallIntegerField(
        _("days until then"),
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
        help_text=_("Counted from publication, to the second."),
    )
    offers_to_remember = models.BooleanField(
        _("offer to remember name, email and website"),
        default=True,
        help_text=_("In the commenter’s own browser, if the commenter wants it."),
    )

    # --- What is said before someone writes ---

    house_rules = models.TextField(
        _("house rules"),
        blank=True,
        max_length=2_000,
        default=default_house_rules,
        help_text=_(
            "Shown above the button, long ones behind a line that opens. Links and Markdown as in comments. "
            "Empty: nothing is shown."
        ),
    )
    privacy_note = models.TextField(
        _("privacy note"),
        blank=True,
        max_length=500,
        default=default_privacy_note,
        help_text=_("Written in the same way, for instance with a link to your privacy policy."),
    )

    # --- How a conversation is shown ---

    has_threads = models.BooleanField(
        _("threads"), default=True, help_text=_("Off: all comments stand in the order of their time.")
    )
    levels = models.PositiveSmallIntegerField(
        _("levels of replies"),
        default=5,
        validators=[MinValueValidator(2), MaxValueValidator(10)],
        help_text=_("2 to 10. A deeper reply stands on the last level, and says whom it replies to."),
    )
    per_page = models.PositiveSmallIntegerField(
        _("comments per page"),
        default=50,
        validators=[MinValueValidator(5), MaxValueValidator(200)],
        help_text=_("5 to 200, replies included, so that no page grows with a thread."),
    )
    order = models.CharField(
        _("order"),
        max_length=10,
        choices=Order,
        default=Order.OLDEST,
        help_text=_("Readers may turn it around."),
    )
    # WordPress has the last page, which does nothing there before its pages are switched on.
    first_shown = models.CharField(
        _("page shown first"),
        max_length=10,
        choices=Page,
        default=Page.FIRST,
        help_text=_("Of a conversation of several pages, when its story is opened."),
    )
    shows_avatars = models.BooleanField(
        _("avatars"), default=True, help_text=_("Initials on a colour. Nothing is loaded from elsewhere.")
    )

    # --- What is held ---

    holds_everything = models.BooleanField(
        _("hold every comment"),
        default=False,
        help_text=_("But for those of staff, authors, trusted people and allowed addresses."),
    )
    holds_first_comments = models.BooleanField(
        _("hold a person’s first comment"),
        default=True,
        help_text=_(
            "Comments are shown at once if the same name and email address have an approved comment from "
            "the same browser, for thirty days, or the same network. Others wait, since anybody can type both."
        ),
    )
    links_that_hold = models.PositiveSmallIntegerField(
        _("links that hold a comment"),
        default=2,
        validators=[MaxValueValidator(100)],
        help_text=_("So many or more. 0: links hold nothing."),
    )
    words_that_hold = models.TextField(
        _("words that hold a comment"),
        blank=True,
        max_length=LIST_LENGTH,
        help_text=_(
            "One word or phrase a line. Looked for in text, name, email, website, IP address and browser, "
            "as whole words, in capitals or not: “press” does not find “WordPress”. “*” stands for any "
            "letters: “*press” finds it."
        ),
    )
    words_that_trash = models.TextField(
        _("words that move a comment to the trash"),
        blank=True,
        max_length=LIST_LENGTH,
        help_text=_("Written in the same way. The commenter is told nothing but that it waits."),
    )
    seconds_to_write = models.PositiveSmallIntegerField(
        _("seconds that writing takes"),
        default=3,
        validators=[MaxValueValidator(600)],
        help_text=_("A comment sent sooner after the page was opened is held. 0: off."),
    )
    allowed_addresses = models.TextField(
        _("allowed addresses"),
        blank=True,
        max_length=LIST_LENGTH,
        validators=[matching.validate_addresses],
        help_text=_(
            "One a line: an email address, “@example.com” for all of a domain, an IP address, or a network "
            "like 192.0.2.0/24. Comments from there are shown at once. An email address counts once its "
            "owner has an approved comment, as for first comments: anybody can type it."
        ),
    )
    refused_addresses = models.TextField(
        _("refused addresses"),
        blank=True,
        max_length=LIST_LENGTH,
        validators=[matching.validate_addresses],
        help_text=_("Written in the same way. Comments from there are spam."),
    )
    flood_seconds = models.PositiveSmallIntegerField(
        _("seconds between two comments"),
        default=15,
        validators=[MaxValueValidator(3_600)],
        help_text=_("From one address, or of one account. 0: no pause is asked for."),
    )
    reports_that_hold = models.PositiveSmallIntegerField(
        _("reports that hold a comment"),
        default=3,
        validators=[MaxValueValidator(1_000)],
        help_text=_(
            "From so many different senders. All networks of one line count as one. 0: reports hold nothing, "
            "and are only shown."
        ),
    )

    # --- Mails, editing, and how long things are kept ---

    held_mails = models.CharField(
        _("tell moderators of held comments"),
        max_length=10,
        choices=Mails,
        default=Mails.AT_ONCE,
        help_text=_("By mail to everyone who may decide on the comment."),
    )
    comment_mails = models.CharField(
        _("tell moderators of every comment"),
        max_length=10,
        choices=Mails,
        default=Mails.NEVER,
        help_text=_("Of those too that are shown at once."),
    )
    author_mails = models.CharField(
        _("tell authors of comments on their stories"),
        max_length=10,
        choices=Mails,
        default=Mails.AT_ONCE,
        help_text=_("Once they are public. Authors need an account with an email address."),
    )
    edit_minutes = models.PositiveSmallIntegerField(
        _("minutes to edit or delete one’s own comment"),
        default=15,
        # A week. Who sees the comment later has read it already.
        validators=[MaxValueValidator(10_080)],
        help_text=_("And no longer once someone has replied. 0: nobody can."),
    )
    spam_days = models.PositiveSmallIntegerField(
        _("days that spam is kept"),
        default=30,
        validators=[MaxValueValidator(MOST_DAYS)],
        help_text=_("Then it is deleted for good. 0: it is kept for ever."),
    )
    trash_days = models.PositiveSmallIntegerField(
        _("days that the trash is kept"),
        default=30,
        validators=[MaxValueValidator(MOST_DAYS)],
        help_text=_("Then it is deleted for good. 0: it is kept for ever."),
    )
    address_days = models.PositiveSmallIntegerField(
        _("days that IP address and browser are kept"),
        default=90,
        validators=[MaxValueValidator(MOST_DAYS)],
        help_text=_("With each comment. 0: they are kept for ever."),
    )
    shortens_addresses = models.BooleanField(
        _("shorten IP addresses"),
        default=False,
        help_text=_("Only the network is kept, from now on: 192.0.2.0 for 192.0.2.7, 48 bits of IPv6."),
    )

    class Meta:
        verbose_name = _("discussion settings")
        verbose_name_plural = _("discussion settings")

    def __str__(self) -> str:
        return str(_("Discussion settings"))

    @classmethod
    def load(cls, **also: Any) -> "DiscussionSettings":
        """Return the settings in force. `also` names expressions to be read in the same query."""
        settings = cls.objects.annotate(**also).first()
        if settings is None:
            cls.objects.get_or_create(pk=1)
            settings = cls.objects.annotate(**also).get()
        return settings

    def takes_comments_on(self, article: Article) -> bool:
        """Say whether readers may comment on a story now."""
        own = article.discussion
        if not article.is_public or own == Article.Discussion.CLOSED:
            return False
        if own in {Article.Discussion.OPEN, Article.Discussion.HOLD}:
            return True
        since = timezone.now() - timedelta(days=self.closes_after_days)
        is_old = article.published_at is not None and article.published_at <= since
        return self.is_open and not (self.closes_old_stories and is_old)

    def holds_all_on(self, article: Article) -> bool:
        return self.holds_everything or article.discussion == Article.Discussion.HOLD

    @property
    def house_rules_html(self) -> str:
        return markup.comment_html(self.house_rules)

    @property
    def privacy_note_html(self) -> str:
        return markup.comment_html(self.privacy_note)

    @property
    def has_long_house_rules(self) -> bool:
        return len(self.house_rules) > RULES_SHOWN

    @property
    def edit_window(self) -> timedelta:
        """How long its author may change a comment, unless someone has answered it."""
        return timedelta(minutes=self.edit_minutes)

    @property
    def flood_interval(self) -> timedelta:
        return timedelta(seconds=self.flood_seconds)

    @property
    def shown_levels(self) -> int:
        return self.levels if self.has_threads else 1
