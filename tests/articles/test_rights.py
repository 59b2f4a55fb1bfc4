import pytest

from articles import rights
from articles.models import Article
from tests.factories import make_article, make_author, make_staff

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("roles", "has_byline", "seen"),
    [
        (["Editor"], False, ["Own draft", "Other draft", "Public"]),
        (["Administrator"], True, ["Own draft", "Other draft", "Public"]),
        (["Author"], True, ["Own draft", "Public"]),
        (["Author"], False, []),
        (["Moderator"], True, []),
        ([], True, []),
    ],
)
def test_one_story_and_many_agree_on_who_sees_them(roles, has_byline, seen):
    user = make_staff(*roles)
    byline = make_author(user=user if has_byline else None)
    make_article(title="Own draft", status="draft", authors=[byline])
    make_article(title="Other draft", status="draft", authors=[make_author()])
    make_article(title="Public")

    assert list(rights.seen_by(user).order_by("pk").values_list("title", flat=True)) == seen
    assert [a.title for a in Article.objects.order_by("pk") if rights.may_see(user, a)] == seen
