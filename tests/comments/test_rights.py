import pytest
from django.contrib.auth.models import Group, User

from comments import rights
from comments.discussion import DiscussionSettings
from comments.recipients import Staff
from tests.factories import make_article, make_author, make_comment, make_staff

pytestmark = pytest.mark.django_db


def test_there_are_these_roles():
    assert set(Group.objects.values_list("name", flat=True)) == {
        "Administrator",
        "Author",
        "Editor",
        "Moderator",
    }


@pytest.mark.parametrize(
    ("roles", "fields", "expected"),
    [
        ([], {}, []),
        ([], {"is_superuser": True}, ["own", "other"]),
        (["Moderator"], {}, ["own", "other"]),
        (["Editor"], {}, ["own", "other"]),
        (["Administrator"], {}, ["own", "other"]),
        (["Author"], {}, ["own"]),
        (["Author", "Moderator"], {}, ["own", "other"]),
        (["Moderator"], {"is_active": False}, []),
        (["Author"], {"is_active": False}, []),
        (["Moderator"], {"is_staff": False}, []),
        (["Author"], {"is_staff": False}, []),
        (["Administrator"], {"is_staff": False}, []),
        ([], {"is_staff": False, "is_superuser": True}, []),
    ],
)
@pytest.mark.parametrize("has_byline", [True, False])
def test_the_queue_the_buttons_and_the_mails_agree_on_who_may_decide(roles, fields, expected, has_byline):
    user = User.objects.get(pk=make_staff(*roles, **fields).pk)
    own_story = make_article(authors=[make_author(user=user)] if has_byline else [])
    comments = {"own": make_comment(article=own_story), "other": make_comment()}
    staff = Staff(DiscussionSettings.load(), {comment.article_id for comment in comments.values()})

    in_queue = set(rights.moderated_by(user))
    found = [
        [name for name, comment in comments.items() if comment in in_queue],
        [name for name, comment in comments.items() if rights.may_decide(user, comment)],
        [name for name, comment in comments.items() if staff.moderates(user.pk, comment.article_id)],
    ]

    if roles == ["Author"] and not has_byline:
        expected = []
    assert found == [expected] * 3
