"""What other settings would have done to the comments of the past, before they are saved.

The rules are those that decide on new comments, and they are asked by the same function.
Only what they need to know is read differently: for all comments at once.

What nobody has kept cannot be known again. How long writing took is kept only where that
held the comment, and what a service elsewhere said only where it objected.
"""

import copy
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import get_user_model
from django.db.models import Min

from comments import matching, moderation
from comments.discussion import DiscussionSettings
from comments.models import Change, Comment, Firing, Rule, Standing
from comments.moderation import Ruling, Submission, Verdict

# So many comments are looked at, the newest.
LOOKED_AT = 1_000

# The settings that decide on comments, each with the rule that it is for.
DECIDING: dict[str, Rule] = {
    "holds_everything": Rule.EVERYTHING,
    "holds_first_comments": Rule.FIRST_COMMENT,
    "links_that_hold": Rule.LINKS,
    "words_that_hold": Rule.WORDS,
    "words_that_trash": Rule.TRASH_WORDS,
    "seconds_to_write": Rule.TOO_FAST,
    "allowed_addresses": Rule.ALLOWED,
    "refused_addresses": Rule.REFUSED,
    "reports_that_hold": Rule.REPORTED,
}

APPROVED, SPAM = Comment.Status.APPROVED, Comment.Status.SPAM


@dataclass
class Finding:
    """A comment on which the settings decide against a moderator's word."""

    comment: Comment
    ruling: Ruling
    # Whether the settings in force do so too.
    is_as_now: bool

    @property
    def status(self) -> str:
        return str(self.ruling.status.label)

    @property
    def decided_by(self) -> Rule:
        """What decides: also where it is a rule that approves."""
        return self.ruling.fired[0][0] if self.ruling.fired else Rule.NOTHING

    @property
    def rule(self) -> str:
        return str(self.decided_by.label)

    @property
    def detail(self) -> str:
        """What the rule has found: a word, an address, a number."""
        return self.ruling.fired[0][1].detail if self.ruling.fired else ""

    @property
    def found(self) -> str:
        return self.ruling.fired[0][0].in_words(self.detail) if self.ruling.fired else ""


@dataclass
class Outcome:
    """What settings decide wrongly: what they hold that was approved, and the spam they let pass."""

    held: list[Finding]
    passed: list[Finding]

    def held_by(self, rule: Rule) -> int:
        return sum(1 for finding in self.held if finding.ruling.because == rule)

    def passed_by(self, rule: Rule) -> int:
        """Return how much spam a rule lets pass by itself: most of it passes since no rule fires."""
        return sum(1 for finding in self.passed if finding.decided_by == rule)


@dataclass
class Trial:
    """What came of trying settings on the past."""

    # How many comments were looked at, and on how many of them there is a moderator's word.
    comments: int
    approved: int
    spam: int
    in_force: Outcome
    tried: Outcome
    # With the settings in force but for one, which is as it was tried.
    alone: dict[str, Outcome]
    changed: set[str]


@dataclass
class Case:
    submission: Submission
    was_approved: bool

    def is_wrong(self, ruling: Ruling) -> bool:
        return (ruling.status == APPROVED) != self.was_approved


def attempt(tried: DiscussionSettings, in_force: DiscussionSettings) -> Trial:
    """Try settings on the newest comments, all together and each by itself."""
    comments = list(newest())
    cases = list(cases_of(comments, in_force))
    alone = {name: _with_one(in_force, tried, name) for name in DECIDING}
    # Settings that are alike in all that decides are tried once.
    different = {_key(settings): settings for settings in [in_force, tried, *alone.values()]}
    wrong = _wrongly_decided(cases, different)
    now = wrong[_key(in_force)]
    outcomes = {key: _outcome(cases, rulings, now) for key, rulings in wrong.items()}
    return Trial(
        comments=len(comments),
        approved=sum(1 for case in cases if case.was_approved),
        spam=sum(1 for case in cases if not case.was_approved),
        in_force=outcomes[_key(in_force)],
        tried=outcomes[_key(tried)],
        alone={name: outcomes[_key(settings)] for name, settings in alone.items()},
        changed={name for name in DECIDING if getattr(tried, name) != getattr(in_force, name)},
    )


def newest():
    """Return the comments that settings are tried on, newest first.

    What its author has deleted, and what nobody can know the writer of any more, is left out.
    """
    return (
        Comment.objects.filter(erased_at=None)
        .exclude(status=Comment.Status.WITHDRAWN)
        .order_by("-created_at", "-pk")
        .select_related("article", "user")
        .prefetch_related("article__bylines__author", "firings", "reports")
        .defer("article__body", "article__body_html")[:LOOKED_AT]
    )


def was_approved(comment: Comment, history: Iterable[Change]) -> bool | None:
    """Say what moderators think of a comment: True for good, False for spam, None for neither.

    Good is what is public now, whether a moderator approved it or let it stand; and what
    a moderator approved, as the last thing that any of them did with it, although it has
    left the page since by readers' reports or by an edit of its author. Spam is what is
    spam now because a moderator said so. What rules alone have held or caught, and what is
    in the trash for whatever reason, is neither: nobody has said that a rule was wrong.

    `history` begins with the oldest change.
    """
    words = [change.to_status for change in history if change.actor == Change.Actor.MODERATOR]
    last = words[-1] if words else None
    if comment.status == APPROVED or last == APPROVED:
        return True
    return False if comment.status == last == SPAM else None


def cases_of(comments: list[Comment], settings: DiscussionSettings) -> Iterator[Case]:
    """Return what there is a moderator's word on, with all that the rules need to know of it."""
    histories = defaultdict(list)
    for change in Change.objects.filter(comment__in=comments).order_by("pk").defer("body_before", "before"):
        histories[change.comment_id].append(change)
    words = {comment.pk: was_approved(comment, histories[comment.pk]) for comment in comments}
    judged = [comment for comment in comments if words[comment.pk] is not None]
    standings, known, registered = _standings(), _known(judged), _registered(judged)
    for comment in judged:
        firings = {firing.rule: firing for firing in comment.firings.all()}
        submission = Submission(
            comment,
            settings,
            trap="filled in" if Rule.TRAP in firings else "",
            seconds=_seconds(firings),
            answers={
                rule: Verdict(Comment.Status(firings[rule].verdict), firings[rule].detail)
                for rule in (Rule.AKISMET, Rule.WEBHOOK)
                if rule in firings
            },
        )
        submission.standings = _standings_of(comment, standings)
        submission.is_known = comment.pk in known
        # Who came from where is forgotten by and by: what was typed has to do.
        submission.earlier = []
        submission.is_registered = comment.pk in registered
        submission.reporters = _most_reporters(comment, histories[comment.pk])
        submission.html = comment.body_html
        yield Case(submission, was_approved=bool(words[comment.pk]))


def _seconds(firings: dict[str, Firing]) -> float | None:
    """Return how long writing took, as far as anything tells it."""
    if Rule.TOO_FAST in firings:
        return float(firings[Rule.TOO_FAST].detail)
    was_held = Rule.TRAP in firings and firings[Rule.TRAP].verdict == Comment.Status.HELD
    return math.inf if was_held else None


# --- What the rules need to know, for all comments at once ---


def _standings() -> dict[tuple[str, str], list[Standing]]:
    found = defaultdict(list)
    for standing in Standing.objects.in_force():
        found[standing.kind, standing.key].append(standing)
    return found


def _standings_of(comment: Comment, standings: dict[tuple[str, str], list[Standing]]) -> list[Standing]:
    if not standings:
        return []
    keys = [(kind, value) for kind, values in Standing.keys_of(comment).items() for value in values]
    found = [standing for key in keys for standing in standings.get(key, [])]
    return sorted(found, key=lambda standing: (standing.standing, standing.pk))


def _known(comments: list[Comment]) -> set[int]:
    """Return the comments before which the same person had one that is approved."""
    approved = Comment.objects.approved().order_by()
    users = {comment.user_id for comment in comments if comment.user_id}
    emails = {comment.email for comment in comments if comment.is_found_by_address}
    by_account = approved.filter(user__in=users).values_list("user").annotate(Min("created_at"))
    # A condition on `user` would have SQLite read all that visitors ever wrote.
    by_address = approved.filter(email__in=emails).values_list("email", "spelling", "user")
    first: dict[tuple, datetime] = {(user,): at for user, at in by_account}
    found = by_address.annotate(Min("created_at"))
    first |= {(email, spelling): at for email, spelling, user, at in found if user is None}

    def is_known(comment: Comment) -> bool:
        person = (comment.user_id,) if comment.user_id else (comment.email, comment.spelling)
        return person in first and first[person] < comment.created_at

    return {comment.pk for comment in comments if is_known(comment)}


def _registered(comments: list[Comment]) -> set[int]:
    """Return the comments under the name of someone else's account."""
    names, looks = defaultdict(set), defaultdict(set)
    accounts = get_user_model().objects.values_list(
        "pk", "username", "first_name", "last_name", "is_staff", "author__name"
    )
    for pk, username, first_name, last_name, is_staff, byline in accounts.iterator():
        full_name = f"{first_name} {last_name}".strip()
        for name in (username, full_name):
            names[name.casefold()].add(pk)
        if is_staff or byline:
            for name in (username, full_name, byline or ""):
                looks[matching.look(name)].add(pk)

    def is_registered(comment: Comment) -> bool:
        by_name = names[comment.name.casefold()] if comment.name else set()
        look = matching.look(comment.name)
        by_look = looks[look] if look else set()
        return bool((by_name | by_look) - {comment.user_id})

    return {comment.pk for comment in comments if is_registered(comment)}


def _most_reporters(comment: Comment, history: list[Change]) -> int:
    """Return from how many senders there ever were reports without an answer, at most.

    Today, most reports are answered. What counts is how many there were before that.
    """
    # An edited comment that stays public is no moderator's word, as in `reports_since_approval()`.
    answers = [
        change.at
        for change in history
        if change.to_status == APPROVED
        and not (change.from_status == APPROVED and change.actor == Change.Actor.COMMENTER)
    ]
    senders = defaultdict(set)
    for report in comment.reports.all():
        answered = sum(1 for at in answers if at < report.created_at)
        senders[answered].add(report.neighbourhood)
    return max(map(len, senders.values()), default=0)


# --- Asking the rules ---


def _with_one(in_force: DiscussionSettings, tried: DiscussionSettings, name: str) -> DiscussionSettings:
    settings = copy.copy(in_force)
    setattr(settings, name, getattr(tried, name))
    return settings


def _key(settings: DiscussionSettings) -> tuple:
    return tuple(getattr(settings, name) for name in DECIDING)


def _wrongly_decided(
    cases: list[Case], different: dict[tuple, DiscussionSettings]
) -> dict[tuple, dict[int, Ruling]]:
    wrong: dict[tuple, dict[int, Ruling]] = {key: {} for key in different}
    for case in cases:
        # All settings one after the other, while what was worked out for a comment is at hand.
        for key, settings in different.items():
            case.submission.settings = settings
            ruling = moderation.decide(case.submission)
            if case.is_wrong(ruling):
                wrong[key][case.submission.comment.pk] = ruling
    return wrong


def _outcome(cases: list[Case], wrong: dict[int, Ruling], now: dict[int, Ruling]) -> Outcome:
    """Return what is wrongly decided: first what is right with the settings in force, newest first."""
    held: list[Finding] = []
    passed: list[Finding] = []
    for case in cases:
        comment = case.submission.comment
        if comment.pk in wrong:
            finding = Finding(comment, wrong[comment.pk], is_as_now=comment.pk in now)
            (held if case.was_approved else passed).append(finding)
    for findings in (held, passed):
        findings.sort(key=lambda finding: finding.is_as_now)
    return Outcome(held, passed)
