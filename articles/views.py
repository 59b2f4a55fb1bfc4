import datetime

from django.contrib.admin.views.decorators import staff_member_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from articles import rights
from articles.models import Article, ArticleQuerySet, Author, Section, Topic
from newsite.freshness import private_page, public_page

STORIES_PER_PAGE = 20
STORIES_ON_HOME = 6  # one leads, five stand in the grid, the first of them twice as wide
STORIES_PER_SECTION_ON_HOME = 4
STORIES_AT_THE_FOOT = 4
NAMES_PER_PAGE = 200


@require_safe
@public_page
def home(request: HttpRequest) -> HttpResponse:
    """Show the front page, and on its numbered pages the stories before those, newest first."""
    page = stories_page(request, Article.objects.published(), STORIES_ON_HOME)
    if page.number > 1:
        return render(request, "articles/story_list.html", {"page": page, "heading": _("All stories")})
    by_section = (
        Article.objects.published()
        .exclude(pk__in=[article.pk for article in page])
        .latest_of_each_section(STORIES_PER_SECTION_ON_HOME)
        .for_listing()
        .order_by("section__position", "section__name", "-published_at", "-pk")
    )
    return render(request, "articles/home.html", {"page": page, "by_section": by_section})


@require_safe
@public_page
def section(request: HttpRequest, slug: str) -> HttpResponse:
    section = get_object_or_404(Section, slug=slug)
    page = stories_page(request, section.articles.published())
    context = {"page": page, "heading": section.name, "description": section.description, "section": section}
    return render(request, "articles/story_list.html", context)


@require_safe
@public_page
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    topic = get_object_or_404(Topic, slug=slug)
    page = stories_page(request, topic.articles.published())
    return render(request, "articles/topic.html", {"page": page, "heading": topic.name})


@require_safe
@public_page
def author(request: HttpRequest, slug: str) -> HttpResponse:
    author = get_object_or_404(Author.objects.select_related("picture"), slug=slug)
    page = stories_page(request, author.articles.published())
    return render(request, "articles/author.html", {"page": page, "heading": author.name, "author": author})


@require_safe
@public_page
def archive(request: HttpRequest) -> HttpResponse:
    """Show every year and month that has stories."""
    return render(request, "articles/archive.html", {"months": Article.objects.published().months()})


@require_safe
@public_page
def topics(request: HttpRequest) -> HttpResponse:
    page = page_of(request, Topic.objects.with_stories(), NAMES_PER_PAGE)
    return render(request, "articles/names.html", {"page": page, "heading": _("Topics")})


@require_safe
@public_page
def authors(request: HttpRequest) -> HttpResponse:
    page = page_of(request, Author.objects.with_stories(), NAMES_PER_PAGE)
    return render(request, "articles/names.html", {"page": page, "heading": _("Authors")})


@require_safe
@public_page
def year(request: HttpRequest, year: str) -> HttpResponse:
    stories = Article.objects.published().of_year(int(year))
    months = stories.datetimes("published_at", "month")
    page = stories_page(request, stories)
    if not page.paginator.count:
        raise Http404
    return render(request, "articles/year.html", {"page": page, "heading": year, "months": months})


@require_safe
@public_page
def month(request: HttpRequest, year: str, month: str) -> HttpResponse:
    page = stories_page(request, Article.objects.published().of_month(int(year), int(month)))
    if not page.paginator.count:
        raise Http404
    context = {"page": page, "month": datetime.date(int(year), int(month), 1)}
    return render(request, "articles/month.html", context)


@require_safe
@public_page
def story(request: HttpRequest, year: str, month: str, slug: str) -> HttpResponse:
    article = story_at(Article.objects.published().for_reading(), year, month, slug)
    if article.address != f"{year}/{month}/{slug}":
        return redirect(article, permanent=True)
    return story_page(request, article)


def story_at(stories: ArticleQuerySet, year: str, month: str, slug: str) -> Article:
    """Return the story that has or had this address, or raise 404."""
    article = stories.at(f"{year}/{month}/{slug}")
    if article is None:
        raise Http404
    return article


def story_page(request: HttpRequest, article: Article, *, status: int = 200, **extra) -> HttpResponse:
    """Show a story with its conversation; `extra` is for the tag that draws the latter."""
    context = {"article": article, **way_on(article), **extra}
    return render(request, "articles/story.html", context, status=status)


def way_on(article: Article) -> dict:
    """Return where readers go from the foot of a story."""
    stories = Article.objects.published().exclude(pk=article.pk).for_lines()
    of_section = stories.filter(section=article.section_id)
    ways = {"more_of_section": of_section[:STORIES_AT_THE_FOOT]}
    if article.published_at:
        ways |= {"earlier": stories.before(article).first(), "later": stories.after(article).first()}
    return ways


@staff_member_required
@require_safe
@private_page
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a story as readers will see it, whatever its status, to those who write it."""
    article = get_object_or_404(Article.objects.for_reading(), pk=pk)
    if not rights.may_see(request.user, article):
        raise PermissionDenied
    return story_page(request, article, is_preview=True)


def stories_page(request: HttpRequest, stories: ArticleQuerySet, per_page: int = STORIES_PER_PAGE) -> Page:
    """Return the page of a list that `?page=` asks for, or raise 404 where there is none."""
    return page_of(request, stories.for_listing(), per_page)


def page_of(request: HttpRequest, rows: QuerySet, per_page: int) -> Page:
    paginator = Paginator(rows, per_page)
    try:
        return paginator.page(request.GET.get("page", 1))
    except InvalidPage as error:
        raise Http404(str(error)) from error
