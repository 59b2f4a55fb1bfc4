"""Who may decide on which comments: one place for it, for the queue, the buttons and the mails.

Whoever loses the staff status is a reader from then on, whatever rights the account has kept.
"""

from typing import Any

from django.db.models import Exists, OuterRef, Q

from articles.models import Article, ArticleQuerySet
from comments.models import Comment, CommentQuerySet

EVERYWHERE = "comments.change_comment"
BELOW_OWN_STORIES = "comments.moderate_own_stories"


def moderates(user: Any) -> bool:
    """Say whether someone moderates at all: everywhere, or below their own stories."""
    return moderates_everywhere(user) or _moderates_own(user)


def moderates_everywhere(user: Any) -> bool:
    return user.is_staff and user.has_perm(EVERYWHERE)


def moderated_by(user: Any) -> CommentQuerySet:
    """Return the comments that someone may see in the queue and decide on."""
    return Comment.objects.filter(condition(user))


def condition(user: Any) -> Q:
    """Return what has to be true of a comment that someone may decide on."""
    if moderates_everywhere(user):
        return Q()
    if _moderates_own(user) and hasattr(user, "author"):
        return Q(article__in=user.author.articles.all())
    return Q(pk__in=[])


def stories_moderated_by(user: Any) -> ArticleQuerySet:
    """Return the stories that someone may ask for comments below. Drafts of others are not told of."""
    below = moderated_by(user).filter(article=OuterRef("pk"))
    return Article.objects.published() | Article.objects.filter(Exists(below))


def may_decide(user: Any, comment: Comment) -> bool:
    return moderates_everywhere(user) or (_moderates_own(user) and comment.article.is_by(user))


def _moderates_own(user: Any) -> bool:
    return user.is_staff and user.has_perm(BELOW_OWN_STORIES)
