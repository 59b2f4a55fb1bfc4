"""Whether a new comment is taken at all, and then shown, held, spam or trash.

Two ordered lists of small rules. A rule takes a submission and returns its refusal or
verdict, or None where it has nothing to say; the first that says something counts, and
what the others say of it is kept for the moderators.

What a rule needs to know is on the submission, which asks the database for it when it is
first needed. So the same rules decide on a new comment and, when an owner tries a setting,
on a thousand old ones, for which all that is known is read at once.
"""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import takewhile
from typing import NamedTuple
from urllib.parse import unquote

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from comments import addresses, matching, search
from comments.discussion import DiscussionSettings
from comments.models import ELSEWHERE, Comment, CommentQuerySet, Rule, Standing
from comments.people import FULL_NAME, WRITES_FOR_THE_SITE
from comments.rights import may_decide
from newsite import markup
from newsite.limits import Limit
from newsite.origin import same_network, shortened

# So often one sender may press a button below a text, Preview among them. A class may share an address.
TRIES = Limit("comments.tried", attempts=60, interval=timedelta(minutes=1))
# The same text from the same visitor within this time is the same click, or one sent again.
SAME_POST_INTERVAL = timedelta(minutes=1)

# So long a person takes at least, where the owner has switched off that rule.
DEFAULT_SECONDS_TO_WRITE: int = DiscussionSettings._meta.get_field("seconds_to_write").default

# Of all that one person has said, so many of the newest are looked at.
EARLIER_READ = 100
# Of all that says the same under one name, so many of the newest are looked at.
TWINS_READ = 1000


@dataclass
class Submission:
    """A comment, not yet saved or just edited, and what else the form sent with it."""

    comment: Comment
    settings: DiscussionSettings = field(default_factory=DiscussionSettings.load)
    trap: str = ""
    # How long the page was open, as the browser says. None where it does not say.
    seconds: float | None = None
    # The ids of comments that were posted from the same browser, as its signed cookies say.
    own: Collection[int] = ()
    wants_mail_about: str = ""
    # What services elsewhere have answered, asked before the transaction began.
    answers: dict[Rule, "Verdict"] = field(default_factory=dict)

    @cached_property
    def standings(self) -> list[Standing]:
        """What moderators have said of the person: bans first."""
        return list(Standing.objects.of(self.comment))

    @cached_property
    def is_known(self) -> bool:
        """Whether the person, an account or a name with an address, has an approved comment.

        Anybody may type a name and an address. So one of these comments has to be of the same
        browser, or of the neighbourhood that this one comes from.
        """
        if self.comment.user_id:
            return bool(self.earlier)
        places = {shortened(address) for address in self.earlier if address}
        return shortened(self.comment.ip_address) in places or self._approved.filter(pk__in=self.own).exists()

    @cached_property
    def earlier(self) -> list[str | None]:
        """From where the newest approved comments came of who this one says that it is of."""
        newest = self._approved.order_by("-created_at", "-pk")
        return list(newest.values_list("ip_address", flat=True)[:EARLIER_READ])

    @property
    def _approved(self) -> CommentQuerySet:
        comment, approved = self.comment, Comment.objects.approved()
        if comment.user_id:
            known = approved.filter(user=comment.user_id)
        else:
            known = approved.written_with(comment.email).filter(spelling=matching.spelling(comment.name))
        # An edited comment is no proof of itself.
        return known.exclude(pk=comment.pk)

    @property
    def is_proved(self) -> bool:
        """Whether who sends this is who it says: an account, or somebody known."""
        return bool(self.comment.user_id) or self.is_known

    @property
    def is_perhaps_somebody_else(self) -> bool:
        """Whether someone has been here before under this name and address, and nothing proves who it is."""
        return bool(self.earlier) and not self.is_known

    @cached_property
    def is_registered(self) -> bool:
        """Whether the name is that of someone else's account.

        The name of someone who writes for the site is theirs in every spelling that looks
        the same. An e-mail address is not asked for: the answer would tell whose has an account.
        """
        name, others = self.comment.name, get_user_model().objects.filter(~Q(pk=self.comment.user_id))
        same = Q(pk__in=[])
        for spelling in search.spellings(name) if name else []:
            same |= Q(username__iexact=spelling) | Q(full_name__iexact=spelling)
        is_same = others.alias(full_name=FULL_NAME).filter(same).exists()
        newsroom = others.filter(WRITES_FOR_THE_SITE).annotate(full_name=FULL_NAME)
        names = newsroom.values_list("username", "full_name", "author__name")
        look = matching.look(name)
        looks = {matching.look(its) for of_one in names for its in of_one if its}
        return is_same or bool(look) and look in looks

    @cached_property
    def reporters(self) -> int:
        """From how many senders there are reports that no moderator has answered."""
        if self.comment.pk is None:
            return 0
        return self.comment.reports_since_approval().values("neighbourhood").distinct().count()

    def is_of_sender(self, other: Comment) -> bool:
        """Say whether a comment was sent by who sends this one: by account, or else browser or network."""
        comment = self.comment
        if comment.user_id or other.user_id:
            return comment.user_id == other.user_id
        if other.pk in self.own:
            return True
        # It may have been kept with a shortened address.
        kept = shortened(comment.ip_address) if self.settings.shortens_addresses else None
        address = other.ip_address
        return same_network(address, comment.ip_address) or bool(kept and address == kept)

    @property
    def took_time(self) -> bool:
        """Whether the browser says that writing took as long as it takes a person."""
        enough = self.settings.seconds_to_write or DEFAULT_SECONDS_TO_WRITE
        return self.seconds is not None and self.seconds >= enough

    @cached_property
    def html(self) -> str:
        """The text as readers would see it."""
        return markup.comment_html(self.comment.body)

    @cached_property
    def texts(self) -> list[str]:
        """All that words are looked for in: the text with its marks and without, and who wrote it."""
        comment = self.comment
        seen = markup.text_of(self.html)
        bare = seen.translate(NO_MARKS)
        targets = " ".join(map(unquote, markup.links(self.html)))
        person = [comment.name, comment.email, comment.website, comment.ip_address or "", comment.user_agent]
        return [comment.body, seen, bare, targets, *person]


# Marks inside of a word stay text, and readers look past them.
NO_MARKS = str.maketrans("", "", "*_~`\\")


class Verdict(NamedTuple):
    """What a rule says, and the word or number that it found."""

    status: Comment.Status
    detail: str = ""


class Ruling(NamedTuple):
    """What is decided, the rule that has decided, and all that fired, in their order."""

    status: Comment.Status
    because: Rule
    fired: list[tuple[Rule, Verdict]]


class Refusal(NamedTuple):
    """Why a comment is not taken. `status` is an HTTP status, `seconds` how long to wait."""

    status: int
    message: str
    seconds: int | None = None


# --- Refusals ---


def closed(submission: Submission) -> Refusal | None:
    comment = submission.comment
    if submission.settings.takes_comments_on(comment.article):
        return None
    if comment.article.is_public and _is_moderator(comment):
        return None
    text = _(
        "Comments closed while you were writing, so yours could not be posted. Here is your text, to copy."
    )
    return Refusal(403, text)


def account(submission: Submission) -> Refusal | None:
    """Take comments of signed-in people only, where the owner wants that."""
    if submission.comment.user or not submission.settings.accounts_only:
        return None
    text = _(
        "Only people with an account may comment here, so yours could not be posted. Here is your text, to copy."
    )
    return Refusal(403, text)


def duplicate(submission: Submission) -> Refusal | None:
    """Refuse what the same sender has said here before, whatever e-mail address was typed.

    What others have said, a sender is told nothing of: the answer would tell who they are.
    """
    comment = submission.comment
    if not any(submission.is_of_sender(twin) for twin in _twins(comment)[:TWINS_READ]):
        return None
    return Refusal(409, _("You have already posted this comment here. It was not posted twice."))


def flood(submission: Submission) -> Refusal | None:
    """Make one account, or one network, wait between two comments."""
    comment = submission.comment
    now, interval = timezone.now(), submission.settings.flood_interval
    # Where nobody at all has just posted, as most of the time, nobody has to be looked for.
    recent = Comment.objects.filter(created_at__gt=now - interval, created_at__lte=now)
    if _is_moderator(comment) or not recent.exists():
        return None
    seconds = pause(submission.settings).seconds_left(comment.ip_address, comment.user_id)
    if not seconds:
        return None
    text = ngettext(
        "Please wait %d second and post again. Your text is safe below.",
        "Please wait %d seconds and post again. Your text is safe below.",
        seconds,
    )
    return Refusal(429, text % seconds, seconds)


def tried_too_often(address: str | None, account: int | None = None) -> Refusal | None:
    """Count what somebody sends, taken or not, and refuse what is more than people write.

    It is asked before anything is made of the text: that takes more time than all else.
    """
    seconds = TRIES.take(address, account)
    if not seconds:
        return None
    text = ngettext(
        "Please wait %d second and try again. Your text is safe below.",
        "Please wait %d seconds and try again. Your text is safe below.",
        seconds,
    )
    return Refusal(429, text % seconds, seconds)


def pause(settings: DiscussionSettings) -> Limit:
    """Return how often one sender may post a comment."""
    return Limit("comments.posted", attempts=1, interval=settings.flood_interval)


def seconds_left(last: datetime, interval: timedelta) -> int:
    """Return how long somebody has to wait after the last time, 0 for no longer."""
    return max(0, math.ceil((last + interval - timezone.now()).total_seconds()))


# --- Verdicts ---


def at_home(submission: Submission) -> Verdict | None:
    """Show at once what staff writes, or the author of the story, signed in."""
    user = submission.comment.user
    if user and (user.is_staff or submission.comment.article.is_by(user)):
        return Verdict(Comment.Status.APPROVED)
    return None


def banned(submission: Submission) -> Verdict | None:
    """Take for spam what someone sends whom a moderator has banned."""
    bans = [one for one in submission.standings if one.standing == Standing.State.BANNED]
    return Verdict(Comment.Status.SPAM, bans[0].who) if bans else None


def refused(submission: Submission) -> Verdict | None:
    """Take for spam what comes from an address that the owner refuses."""
    comment, listed = submission.comment, submission.settings.refused_addresses
    found = matching.find_address(listed, email=comment.email, ip=comment.ip_address)
    return Verdict(Comment.Status.SPAM, found) if found else None


def trap(submission: Submission) -> Verdict | None:
    """Take whoever fills in the field that people do not see for a robot.

    A browser or a password manager may have filled it in for a person. So who took a person's
    time is only held, unless another rule thinks badly of the comment too.
    """
    if not submission.trap:
        return None
    suspicions = (trash_words, akismet, webhook)
    is_like_a_person = submission.took_time and not any(rule(submission) for rule in suspicions)
    return Verdict(Comment.Status.HELD if is_like_a_person else Comment.Status.SPAM)


def trash_words(submission: Submission) -> Verdict | None:
    """Throw away what has a word that the owner does not want to see."""
    found = _word(submission, submission.settings.words_that_trash)
    return Verdict(Comment.Status.TRASH, found) if found else None


def trusted(submission: Submission) -> Verdict | None:
    """Show at once what someone writes whom a moderator trusts. A registered name is not typed."""
    trust = [one for one in submission.standings if one.standing == Standing.State.TRUSTED]
    # Asked of everybody: the time must not tell who is trusted.
    if not submission.is_proved or submission.is_registered or not trust:
        return None
    return Verdict(Comment.Status.APPROVED, trust[0].value)


def allowed(submission: Submission) -> Verdict | None:
    """Show at once what comes from an address that the owner allows. An e-mail address may be typed."""
    comment, listed = submission.comment, submission.settings.allowed_addresses
    email = comment.email if submission.is_proved else ""
    found = matching.find_address(listed, email=email, ip=comment.ip_address)
    return Verdict(Comment.Status.APPROVED, found) if found and not submission.is_registered else None


def akismet(submission: Submission) -> Verdict | None:
    """Take for spam what Akismet does, where the owner has a key for it."""
    return submission.answers.get(Rule.AKISMET)


def webhook(submission: Submission) -> Verdict | None:
    """Do what the owner's own moderation service says. It can object, and not approve."""
    return submission.answers.get(Rule.WEBHOOK)


def everything(submission: Submission) -> Verdict | None:
    """Hold every comment, where the site or the story is set to that."""
    held = submission.settings.holds_all_on(submission.comment.article)
    return Verdict(Comment.Status.HELD) if held else None


def reported(submission: Submission) -> Verdict | None:
    """Hold what enough readers have reported since a moderator approved it."""
    enough = submission.settings.reports_that_hold
    if not enough or submission.reporters < enough:
        return None
    return Verdict(Comment.Status.HELD, str(submission.reporters))


def registered(submission: Submission) -> Verdict | None:
    """Hold whoever has the name of someone else's account."""
    return Verdict(Comment.Status.HELD) if submission.is_registered else None


def words(submission: Submission) -> Verdict | None:
    """Hold what has a word that the owner wants to be asked about."""
    found = _word(submission, submission.settings.words_that_hold)
    return Verdict(Comment.Status.HELD, found) if found else None


def links(submission: Submission) -> Verdict | None:
    """Hold many links, counted as readers would see them."""
    enough = submission.settings.links_that_hold
    count = markup.count_links(submission.html)
    return Verdict(Comment.Status.HELD, str(count)) if enough and count >= enough else None


def too_fast(submission: Submission) -> Verdict | None:
    """Hold what is sent sooner than a person types. A browser without JavaScript does not say."""
    seconds = submission.seconds
    if seconds is None or seconds >= submission.settings.seconds_to_write:
        return None
    return Verdict(Comment.Status.HELD, f"{seconds:g}")


def first_comment(submission: Submission) -> Verdict | None:
    """Hold the first comment of a person: an account, or a name and an e-mail address together."""
    if submission.settings.holds_first_comments and not submission.is_known:
        return Verdict(Comment.Status.HELD, ELSEWHERE if submission.is_perhaps_somebody_else else "")
    return None


REFUSALS: list[Callable[[Submission], Refusal | None]] = [closed, account, duplicate, flood]
# In the order in which they are asked. What approves stands above what only holds, and below
# what a moderator or the owner has said against this very person, address or word: a trusted
# name and e-mail address can be typed by whoever knows them.
RULES: dict[Rule, Callable[[Submission], Verdict | None]] = {
    Rule.AT_HOME: at_home,
    Rule.BANNED: banned,
    Rule.REFUSED: refused,
    Rule.TRAP: trap,
    Rule.TRASH_WORDS: trash_words,
    Rule.TRUSTED: trusted,
    Rule.ALLOWED: allowed,
    Rule.AKISMET: akismet,
    Rule.WEBHOOK: webhook,
    Rule.EVERYTHING: everything,
    Rule.REPORTED: reported,
    Rule.REGISTERED: registered,
    Rule.WORDS: words,
    Rule.LINKS: links,
    Rule.TOO_FAST: too_fast,
    Rule.FIRST_COMMENT: first_comment,
}


def refuse(submission: Submission) -> Refusal | None:
    return next(filter(None, (rule(submission) for rule in REFUSALS)), None)


def decide(submission: Submission) -> Ruling:
    """Ask all rules. The first that fires decides; where none does, the comment is shown."""
    said = [(name, rule(submission)) for name, rule in RULES.items()]
    fired = [(name, verdict) for name, verdict in said if verdict]
    if not fired:
        return Ruling(Comment.Status.APPROVED, Rule.NOTHING, [])
    name, verdict = fired[0]
    # What is shown at once was held by nothing, whoever wrote it.
    because = Rule.NOTHING if verdict.status == Comment.Status.APPROVED else name
    return Ruling(verdict.status, because, fired)


def is_decided_before(submission: Submission, rule: Rule) -> bool:
    """Say whether a rule above this one decides, whatever this one would say.

    What is held up there may yet be spam by this one's word.
    """
    above = takewhile(lambda name: name != rule, RULES)
    said = filter(None, (RULES[name](submission) for name in above))
    return any(verdict.status != Comment.Status.HELD for verdict in said)


def sent_before(submission: Submission) -> Comment | None:
    """Return what a double click, or a form sent again, has made already."""
    comment = submission.comment
    same = _twins(comment).filter(
        email=addresses.mailbox(comment.email),
        user_agent=comment.user_agent,
        created_at__gte=timezone.now() - SAME_POST_INTERVAL,
    )
    return next((twin for twin in same[:TWINS_READ] if submission.is_of_sender(twin)), None)


def _twins(comment: Comment) -> CommentQuerySet:
    """Return what says the same under the same name in the same place, newest first, whoever sent it."""
    said = Comment.objects.exclude(status__in=[Comment.Status.TRASH, Comment.Status.WITHDRAWN])
    return said.filter(
        article=comment.article,
        parent=comment.parent,
        spelling=matching.spelling(comment.name),
        body=comment.body,
    )


def _word(submission: Submission, words: str) -> str:
    """Return the entry of a list of words that is found in a comment."""
    return matching.find_word(words, *submission.texts) if words else ""


def _is_moderator(comment: Comment) -> bool:
    """Say whether someone may decide on what they write themselves."""
    return comment.user is not None and may_decide(comment.user, comment)
