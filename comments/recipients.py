"""Who of the staff is told of which comments by mail, and how soon."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber

from articles.models import Byline
from comments import rights
from comments.addresses import mailbox
from comments.discussion import DiscussionSettings
from comments.models import Comment
from comments.staff_notices import MailChoice, StaffNotice

Kind = StaffNotice.Kind
Reason = MailChoice.Reason
Rhythm = DiscussionSettings.Mails

# So many are handed out in one transaction.
HANDED_OUT = 500
# Of more than this that wait, nobody needs to be told one by one.
MOST_WAITING = 1000
# So many comments stand in one mail. Of the others it tells how many they are.
LISTED = 30

# The account of the story's author.
OWNER = F("article__authors__user")


class Staff:
    """Who may be told of the comments on some stories, as things stand now."""

    def __init__(self, discussion: DiscussionSettings, stories: Collection[int]):
        self.discussion = discussion
        self.everywhere = {user.pk: user for user in _with_right(rights.EVERYWHERE)}
        below_own = _with_right(rights.BELOW_OWN_STORIES).filter(author__bylines__article__in=stories)
        self.below_own = set(below_own.values_list("pk", flat=True))
        self.authors: dict[int, dict[int, Any]] = defaultdict(dict)
        bylines = Byline.objects.filter(article__in=stories, author__user__is_active=True)
        bylines = bylines.exclude(author__user__email="").select_related("author__user__mail_choice")
        for byline in bylines:
            user: Any = byline.author.user
            self.authors[byline.article_id][user.pk] = user
        self.people = {pk: user for own in self.authors.values() for pk, user in own.items()}
        self.people |= self.everywhere

    def of(self, story: int) -> list[Any]:
        """Return whom a comment on a story may concern, those who moderate it first."""
        people = {**self.everywhere, **self.authors[story]}
        return sorted(people.values(), key=lambda user: (not self.moderates(user.pk, story), user.pk))

    def moderates(self, user: int, story: int) -> bool:
        return user in self.everywhere or (user in self.below_own and user in self.authors[story])

    def rhythms(self, user: Any, story: int, kind: str) -> dict[str, str]:
        """Return why someone is told of a comment, and for each reason how soon. Empty: not at all."""
        choice = user.mail_choice if hasattr(user, "mail_choice") else MailChoice()
        mails = self.discussion
        asked: dict[str, list[str]] = {}
        if choice.moderation and self.moderates(user.pk, story):
            asked[Reason.MODERATION] = [mails.comment_mails]
            if kind != Kind.PUBLIC:
                asked[Reason.MODERATION].append(mails.held_mails)
        if choice.own_stories and kind == Kind.PUBLIC and user.pk in self.authors[story]:
            asked[Reason.OWN_STORIES] = [mails.author_mails]
        quickest = {
            reason: next((rhythm for rhythm in (Rhythm.AT_ONCE, Rhythm.DAILY) if rhythm in rhythms), None)
            for reason, rhythms in asked.items()
        }
        return {reason: rhythm for reason, rhythm in quickest.items() if rhythm}

    def wants(self, notice: StaffNotice) -> bool:
        """Say whether somebody is still to be told of this, and it is still so."""
        user = self.people.get(notice.user_id) if notice.user_id else None
        if user is None or not is_true(notice, notice.comment):
            return False
        return bool(self.rhythms(user, notice.comment.article_id, notice.kind))


class Held:
    """What waits for each of some moderators: how much it is, and which is the oldest of it."""

    def __init__(self, staff: Staff):
        held = Comment.objects.held()
        self.staff = staff
        self.count = held.count()
        self.oldest = list(held.order_by("created_at", "pk").values_list("pk", flat=True)[:LISTED])
        own = held.filter(article__authors__user__in=staff.below_own).annotate(owner=OWNER)
        self.own_counts = dict(own.order_by().values_list("owner").annotate(count=Count("pk")))
        number = Window(RowNumber(), partition_by=OWNER, order_by=["created_at", "pk"])
        numbered = own.annotate(number=number).filter(number__lte=LISTED).order_by("number")
        self.own_oldest: dict[int, list[int]] = defaultdict(list)
        for owner, pk in numbered.values_list("owner", "pk"):
            self.own_oldest[owner].append(pk)

    def count_for(self, user: int) -> int:
        return self.count if user in self.staff.everywhere else self.own_counts.get(user, 0)

    def oldest_for(self, user: int) -> list[int]:
        return self.oldest if user in self.staff.everywhere else self.own_oldest[user]


def _with_right(right: str):
    """Return who of the staff has a right, by a group, in person, or as a superuser, and can be written to."""
    users = get_user_model().objects.with_perm(right, backend="django.contrib.auth.backends.ModelBackend")
    return users.filter(is_staff=True).exclude(email="").select_related("mail_choice")


def hand_out() -> None:
    """Find out whom the new notices concern, and give each person a notice."""
    while StaffNotice.objects.news().exists() and _hand_out_some():
        pass


@transaction.atomic
def _hand_out_some() -> bool:
    """Hand out the oldest news, and say whether more may be left.

    Comments are locked first, as decisions do it. What is being decided on is left for the
    next time: so nobody waits here who may hold what a decision needs.
    """
    oldest = dict(StaffNotice.objects.news().order_by("pk").values_list("pk", "comment")[:HANDED_OUT])
    free = Comment.objects.filter(pk__in=oldest.values()).order_by("pk").select_related("article")
    free = free.defer("body", "body_html", "article__body", "article__body_html")
    comments = {one.pk: one for one in free.select_for_update(of=("self",), no_key=True, skip_locked=True)}
    news = StaffNotice.objects.news().filter(pk__in=oldest, comment__in=comments).order_by("pk")
    news = list(news.select_for_update(skip_locked=True))
    notices = _addressed(news, comments)
    StaffNotice.objects.bulk_create(notices)
    StaffNotice.objects.filter(pk__in=[notice.pk for notice in news]).delete()
    return len(news) == HANDED_OUT


def _addressed(news: list[StaffNotice], comments: dict[int, Comment]) -> list[StaffNotice]:
    """Return what is noted of these news for each person who wants to be told."""
    staff = Staff(DiscussionSettings.load(), {comment.article_id for comment in comments.values()})
    told = StaffNotice.objects.filter(comment__in=comments, user__isnull=False)
    known = set(told.values_list("user", "comment"))
    waiting = StaffNotice.objects.handed_out().values_list("user").annotate(count=Count("pk"))
    counts = defaultdict(int, dict(waiting.order_by()))
    notices = []
    for notice in news:
        comment = comments[notice.comment_id]
        addresses = set()
        for user in staff.of(comment.article_id) if is_true(notice, comment) else ():
            rhythms = staff.rhythms(user, comment.article_id, notice.kind)
            # Two accounts of one address get one mail.
            if not rhythms or mailbox(user.email) in addresses:
                continue
            addresses.add(mailbox(user.email))
            has_part = user.pk in {notice.decided_by_id, comment.user_id}
            is_known = notice.kind == Kind.PUBLIC and (user.pk, comment.pk) in known
            if has_part or is_known or counts[user.pk] >= MOST_WAITING:
                continue
            counts[user.pk] += 1
            at_once = Rhythm.AT_ONCE in rhythms.values()
            notices.append(StaffNotice(user=user, comment=comment, kind=notice.kind, at_once=at_once))
    return notices


def is_true(notice: StaffNotice, comment: Comment) -> bool:
    """Say whether what a notice tells is still so."""
    if notice.kind == Kind.PUBLIC:
        return comment.is_public
    return comment.status == Comment.Status.HELD
