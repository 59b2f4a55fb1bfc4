"""Numbers that no database holds, wherever a request may have one."""

import re
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from articles.models import Article, Topic
from comments.models import Change, Comment
from tests.factories import make_article, make_author, make_comment, make_editor, make_image, make_topic

HUGE = "9" * 30
ENDLESS = "9" * 5000

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client):
    editor = make_editor()
    client.force_login(editor)
    return editor


def patterns(resolver=None, before: str = "") -> Iterator[str]:
    for entry in (resolver or get_resolver()).url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, route)
        elif isinstance(entry, URLPattern):
            yield route


# What Django's own pages take, which look a row up by whatever stands there.
OF_DJANGO = {"<path:object_id>", "<id>"}


def test_every_id_in_an_address_has_as_many_digits_as_databases_hold():
    parts = {part for route in patterns() for part in re.findall("<[^>]*>", route)}

    assert {part for part in parts if part.startswith("<int:")} == set()
    assert {part for part in parts if re.search(r"(^|[<:_])(id|pk)>", part)} <= {"<id:pk>", *OF_DJANGO}


@pytest.mark.parametrize("number", [HUGE, ENDLESS])
def test_no_address_of_the_admin_with_a_number_of_many_digits_is_an_error_of_ours(client, editor, number):
    routes = [route for route in patterns() if "<" in route and route.startswith(("admin/", "comments/"))]
    asked = [re.sub("<[^>]*>", number, route) for route in routes if "(?P" not in route]

    answers = {f"/{route}": client.get(f"/{route}").status_code for route in asked}
    answers |= {f"/{route} POST": client.post(f"/{route}").status_code for route in asked}

    assert len(asked) > 60
    assert {route: status for route, status in answers.items() if status >= 500} == {}


LISTS = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]
DESK = ["", "more/", "news/", "numbers/", "many/", "decisions/", "history/"]
NAMES = [
    "id", "id__exact", "id__in", "pk", "pk__in", "by", "by__id__exact", "decision", "story", "section", "author", "comment",
    "section__id__exact", "authors__id__exact", "topics__id__exact", "page", "p", "o", "rows", "before", "newest",
    "comments", "seen", "user", "user__id__exact", "to", "since",
]  # fmt: skip


def test_no_list_of_the_admin_fails_at_a_number_of_many_digits(client, editor):
    make_comment(article=make_article(authors=[make_author()], topics=[make_topic()]))
    pages = LISTS + [f"/admin/comments/comment/{page}" for page in DESK]

    # What is no filter of a list leads back to the list without any: each is asked for by itself.
    def answer(page: str, name: str) -> int:
        number = f"1.5-{HUGE}" if name in {"before", "newest"} else HUGE
        return client.get(page, {name: number}).status_code

    answers = {(page, name): answer(page, name) for page in pages for name in NAMES}

    assert {asked: status for asked, status in answers.items() if status >= 500} == {}


@pytest.mark.parametrize("row", [HUGE, "abc", "²", "1.5"])
def test_a_row_that_cannot_be_is_an_error_beside_its_field(client, editor, row):
    fields = {
        "title": "A", "slug": "a", "body": "A", "status": "draft", "discussion": "open",
        "section": row, "lead_image": row, "topics": [row, ENDLESS],
        "bylines-TOTAL_FORMS": "1", "bylines-INITIAL_FORMS": "0", "bylines-0-author": row,
        "related_reads-TOTAL_FORMS": "1", "related_reads-INITIAL_FORMS": "0", "related_reads-0-target": row,
    }  # fmt: skip

    response = client.post("/admin/articles/article/add/", fields)

    bylines, reads = [inline.formset for inline in response.context["inline_admin_formsets"]]
    assert {"section", "lead_image", "topics"} <= response.context["adminform"].form.errors.keys()
    assert ("author" in bylines.errors[0], "target" in reads.errors[0]) == (True, True)
    assert not Article.objects.exists()


def test_no_form_that_is_filled_by_its_address_fails_at_what_is_no_number(client, editor):
    forms = [f"{page}add/" for page in LISTS]
    names = ["section", "lead_image", "topics", "picture", "user", "author", "target", "groups"]

    answers = {page: client.get(page, dict.fromkeys(names, "abc")).status_code for page in forms}

    assert {page: status for page, status in answers.items() if status >= 500} == {}


@pytest.mark.parametrize("name", ["_selected_action", "ticked", "shown", "newest", "seen"])
def test_no_decision_on_many_fails_at_a_number_of_many_digits(client, editor, name):
    make_comment()
    sent = {"decision": "approve", "action": "delete_selected", name: [HUGE, "1"]}
    pages = [*LISTS, "/admin/comments/comment/many/"]

    answers = {
        page: client.post(page, {**sent, "scope": scope}).status_code
        for page in pages
        for scope in ("", "all")
    }

    assert {page: status for page, status in answers.items() if status >= 500} == {}


def test_a_number_that_no_column_holds_finds_nothing_and_hides_nothing():
    comment, topic, image = make_comment(), make_topic(), make_image()
    story = make_article(topics=[topic], lead_image=image)

    assert list(Comment.objects.filter(pk__in=[int(HUGE), comment.pk, -int(HUGE)])) == [comment]
    assert list(Comment.objects.filter(article__in=[int(HUGE), comment.article_id])) == [comment]
    assert list(Comment.objects.exclude(article__in=[int(HUGE)])) == [comment]
    assert list(Article.objects.filter(topics__in=[int(HUGE), topic.pk])) == [story]
    assert list(Article.objects.filter(lead_image=int(HUGE))) == []
    assert list(Article.objects.exclude(lead_image=int(HUGE)).filter(pk=story.pk)) == [story]
    assert list(Topic.objects.filter(pk__in=[int(HUGE)])) == []
    assert not Change.objects.filter(comment=2**63).exists()


@pytest.mark.parametrize("page", ["edit", "reply", "ban", "decide", "everything"])
def test_a_page_about_a_comment_that_cannot_be_is_not_found(client, editor, page):
    address = reverse("admin:comments_comment_changelist") + f"{HUGE}/{page}/"

    assert client.get(address).status_code in {302, 404}
    assert client.get(address, follow=True).status_code in {200, 404}
