"""Who may see and change which stories: one place for it, for the admin and for previews."""

from typing import Any

from articles.models import Article, ArticleQuerySet, Byline

SEE_ALL = ["articles.view_article", "articles.change_article"]
CHANGE_ALL = "articles.change_article"
DELETE_ALL = "articles.delete_article"
WRITE_OWN = "articles.write_own_stories"


def sees_all(user: Any) -> bool:
    return any(user.has_perm(name) for name in SEE_ALL)


def writes_own(user: Any) -> bool:
    """Say whether someone writes stories under a byline of their own, and of these alone."""
    return user.has_perm(WRITE_OWN) and hasattr(user, "author")


def seen_by(user: Any) -> ArticleQuerySet:
    """Return the stories that someone may see: an author their own, and what readers see."""
    if sees_all(user):
        return Article.objects.all()
    if writes_own(user):
        own = Byline.objects.filter(author=user.author).values("article")
        return Article.objects.filter(pk__in=own) | Article.objects.published()
    return Article.objects.none()


def may_see(user: Any, article: Article) -> bool:
    return sees_all(user) or (writes_own(user) and (article.is_public or article.is_by(user)))


def may_change(user: Any, article: Article) -> bool:
    return user.has_perm(CHANGE_ALL) or may_write(user, article)


def may_delete(user: Any, article: Article) -> bool:
    return user.has_perm(DELETE_ALL) or may_write(user, article)


def may_write(user: Any, article: Article) -> bool:
    """Say whether a story is someone's own, and theirs to change."""
    return writes_own(user) and article.is_by(user)
