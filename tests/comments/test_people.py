import hashlib
import re
from collections import Counter
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.utils.html import strip_tags

from comments import people
from comments.models import Comment
from tests.factories import make_article, make_author, make_comment, make_editor, make_user, reply_to
from tests.givens import NOON, SAME_ORIGIN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def staff():
    """Someone of the newsroom who moderates nothing."""
    return make_user(
        is_staff=True, username="stella", first_name="Stella", last_name="Marsh", email="s@news.example"
    )


@pytest.fixture
def writer():
    """Someone with an account and a byline of other stories, who is no staff."""
    account = make_user(username="stella", first_name="Stella", last_name="Marsh", email="s@news.example")
    make_author(name="Stella Marsh", user=account)
    return account


def text_of(response) -> str:
    return response.content.decode()


def form_url(article) -> str:
    return f"{article.get_absolute_url()}reply/signed-in/"


def post(client, article, headers=SAME_ORIGIN, **fields):
    return client.post(form_url(article), {"body": "Thank you.", **fields}, headers=headers)


def state(comment) -> tuple:
    return comment.status, comment.held_because


# --- The form of those who write for the site ---


def test_the_forms_own_page_leads_those_who_write_for_the_site_to_theirs(client):
    comment = make_comment()
    page = text_of(client.get(f"{comment.article.get_absolute_url()}reply/?to={comment.pk}"))

    assert "Do you write for Newsite?" in page
    assert f'<a href="signed-in/?to={comment.pk}" rel="nofollow">Comment as a member of staff.</a>' in page


def test_a_closed_conversation_leads_nobody_there(client, staff):
    article = make_article(discussion="closed")
    client.force_login(staff)

    assert "Do you write for" not in text_of(client.get(f"{article.get_absolute_url()}reply/"))
    assert "Comments on this story are closed." in text_of(client.get(form_url(article)))
    assert (post(client, article).status_code, Comment.objects.count()) == (403, 0)


def test_who_is_not_signed_in_is_asked_to_and_comes_back(client):
    comment = make_comment()
    url = f"{form_url(comment.article)}?to={comment.pk}"

    response = client.get(url)

    assert response.status_code == 302
    assert response["Location"] == f"/sign-in/?next={url.replace('?', '%3F').replace('=', '%3D')}"
    assert client.get(response["Location"]).status_code == 200


def test_the_form_asks_for_the_text_only_and_says_who_is_signed_in(client, staff):
    comment = make_comment(name="Ada", body="A *point*.")
    client.force_login(staff)

    response = client.get(f"{form_url(comment.article)}?to={comment.pk}")

    page = text_of(response)
    form = page[page.index('<form method="post"') : page.index("</form>")]
    assert "Signed in as <strong><bdi>Stella Marsh</bdi></strong>" in form
    assert re.findall(r' name="(\w+)"', form) == ["body", "parent", "preview"]
    assert f'value="{comment.pk}"' in form
    assert "A <em>point</em>." in page
    assert ("no-store" in response["Cache-Control"], response["X-Robots-Tag"]) == (True, "noindex")


def test_an_account_that_does_not_write_for_the_site_has_no_such_form(client):
    client.force_login(make_user())
    article = make_article()

    assert client.get(form_url(article)).status_code == 403
    assert (post(client, article).status_code, Comment.objects.count()) == (403, 0)


@pytest.mark.parametrize("method", ["get", "post"])
def test_unknown_draft_and_scheduled_stories_answer_alike(client, staff, method):
    client.force_login(staff)
    hidden = [make_article(status="draft"), make_article(published_at=NOON + timedelta(hours=1))]
    urls = ["/2026/11/unknown/reply/signed-in/", *(form_url(article) for article in hidden)]

    responses = [getattr(client, method)(url, {"body": "Hello"}, headers=SAME_ORIGIN) for url in urls]

    assert [response.status_code for response in responses] == [404, 404, 404]
    assert Comment.objects.count() == 0


@pytest.mark.parametrize("to", ["999999", "x", "held", "elsewhere"])
def test_answering_what_is_not_public_here_says_so(client, staff, to):
    client.force_login(staff)
    article = make_article()
    if to == "held":
        to = make_comment(article=article, status="held", body="Secret").pk
    elif to == "elsewhere":
        to = make_comment(body="Secret").pk

    response = client.get(form_url(article), {"to": to})

    assert response.status_code == 404
    assert "The comment you want to reply to has been removed." in text_of(response)
    assert "Secret" not in text_of(response)


# --- What becomes of their comments ---


def test_a_moderators_comment_is_public_at_once_under_the_account(client):
    moderator = make_user(is_staff=True, username="mo", email="mo@news.example")
    moderator.user_permissions.add(Permission.objects.get(codename="change_comment"))
    client.force_login(moderator)
    parent = make_comment()

    response = post(client, parent.article, parent=parent.pk, body="https://a.example https://b.example")

    comment = Comment.objects.latest("pk")
    assert (response.status_code, response["Location"]) == (303, comment.get_absolute_url())
    assert (comment.user, comment.name, comment.email) == (moderator, "mo", "mo@news.example")
    assert (state(comment), comment.parent) == (("approved", ""), parent)


def test_the_author_of_a_story_is_shown_at_once_below_it_and_not_below_another(client, clock):
    author = make_author(name="Ida Strand", user=make_user())
    client.force_login(author.user)

    post(client, make_article(authors=[make_author()]))
    clock.shift(timedelta(minutes=1))
    post(client, make_article(authors=[make_author(), author]))

    assert [(comment.name, *state(comment)) for comment in Comment.objects.order_by("pk")] == [
        ("Ida Strand", "held", "first-comment"),
        ("Ida Strand", "approved", ""),
    ]


def test_the_first_comment_of_other_authors_waits_and_not_for_their_own_name(client, writer, clock):
    client.force_login(writer)

    response = post(client, make_article())

    first = Comment.objects.get()
    assert (response.status_code, state(first)) == (303, ("held", "first-comment"))
    assert "A moderator will read your comment" in text_of(client.get(response["Location"]))
    first.approve(by=make_editor())
    clock.shift(timedelta(minutes=1))
    post(client, make_article())
    assert state(Comment.objects.latest("pk")) == ("approved", "")


def test_an_account_is_known_by_itself_whatever_its_address(client, writer, clock):
    make_comment(user=writer, email=writer.email)
    writer.email = "elsewhere@news.example"
    writer.save()
    client.force_login(writer)

    post(client, make_article())

    comment = Comment.objects.latest("pk")
    assert (comment.email, *state(comment)) == ("elsewhere@news.example", "approved", "")


def test_many_links_hold_the_comment_of_other_authors(client, writer):
    make_comment(user=writer)
    client.force_login(writer)

    post(client, make_article(), body="https://a.example https://b.example")

    assert state(Comment.objects.latest("pk")) == ("held", "links")


def test_the_name_of_another_account_holds_the_comment_of_other_authors(client, writer):
    make_comment(user=writer)
    make_user(username="boss", first_name="Stella", last_name="Marsh")
    client.force_login(writer)

    post(client, make_article())

    assert state(Comment.objects.latest("pk")) == ("held", "registered")


def test_a_visitor_is_not_known_by_what_staff_wrote(client, staff):
    make_comment(user=staff, name="Old Name", email="old@news.example")

    client.post(
        f"{make_article().get_absolute_url()}reply/",
        {"body": "Hello", "name": "Old Name", "email": "old@news.example"},
        headers=SAME_ORIGIN,
    )

    assert state(Comment.objects.latest("pk")) == ("held", "first-comment")


def test_an_account_without_an_email_address_waits_for_nobody_elses_comment(client, staff):
    staff.email = ""
    staff.save()
    make_comment(email="", created_at=NOON, ip_address="127.0.0.1")
    client.force_login(staff)

    assert post(client, make_article()).status_code == 303


def test_staff_who_post_too_quickly_are_told_and_keep_the_text(client, staff, clock):
    client.force_login(staff)
    article = make_article()
    post(client, article)
    clock.shift(timedelta(seconds=5))

    response = post(client, article, body="One more thing.")

    assert (response.status_code, response["Retry-After"], Comment.objects.count()) == (429, "10", 1)
    assert "One more thing.</textarea>" in text_of(response)


def test_a_bad_comment_is_explained_and_nothing_is_lost(client, staff):
    client.force_login(staff)

    responses = [post(client, make_article(), body=body) for body in (" ", "x" * 10_001)]

    assert [response.status_code for response in responses] == [422, 422]
    assert "Please write a comment." in text_of(responses[0])
    assert "x" * 10_001 in text_of(responses[1])
    assert Comment.objects.count() == 0


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "cross-site"}])
def test_another_site_posts_nothing_under_an_account(client, staff, headers):
    client.force_login(staff)

    response = post(client, make_article(), headers=headers)

    assert (response.status_code, Comment.objects.count()) == (403, 0)
    assert "Thank you.</textarea>" in text_of(response)


def test_who_was_signed_out_while_writing_keeps_the_text(client):
    response = post(client, make_article())

    assert (response.status_code, Comment.objects.count()) == (403, 0)
    assert "You have been signed out." in text_of(response)
    assert "Thank you.</textarea>" in text_of(response)


# --- Names ---


@pytest.mark.parametrize(
    ("byline", "first_name", "name"),
    [("Ida Strand", "Ida", "Ida Strand"), (None, "Ida", "Ida"), (None, "", "ida")],
)
def test_an_account_is_called_by_its_byline_else_its_full_name_else_its_username(byline, first_name, name):
    user = make_user(username="ida", first_name=first_name)
    if byline:
        make_author(name=byline, user=user)

    assert people.name_of(user) == name


def test_an_answer_from_the_queue_has_the_byline_too(client):
    editor = make_editor(username="ida")
    make_author(name="Ida Strand", user=editor)
    client.force_login(editor)
    comment = make_comment()

    client.post(f"/admin/comments/comment/{comment.pk}/reply/", {f"{comment.pk}-body": "Thank you."})

    assert Comment.objects.latest("pk").name == "Ida Strand"


def test_a_name_longer_than_a_comment_can_bear_is_cut(client):
    client.force_login(make_editor(first_name="A" * 150, last_name="B" * 150))

    post(client, make_article())

    assert Comment.objects.get().name == "A" * 100


def test_nobody_writes_for_the_site_without_an_account():
    accounts = [AnonymousUser(), make_user(), make_user(is_staff=True), make_author(user=make_user()).user]

    assert [people.writes_for_the_site(user) for user in accounts] == [False, False, True, True]


# --- Marks ---


def marks_on(page: str) -> list[tuple[str, str]]:
    """The name and the mark of each comment of a page."""
    headers = re.findall(r"<article class=\"comment\".*?</header>", page, re.DOTALL)
    return [
        (
            re.search(r"<bdi>([^<]*)</bdi>", header)[1],
            "".join(re.findall(r'<span class="comment-mark">([^<]+)</span>', header)),
        )
        for header in headers
    ]


def test_the_author_of_the_story_and_staff_are_marked(client, staff):
    author = make_author(name="Ida", user=make_user(is_staff=True))
    guest = make_author(name="Gus", user=make_user())
    article = make_article(authors=[author, guest])
    for user in (author.user, guest.user, staff, make_user()):
        make_comment(article=article, user=user, name=people.name_of(user))
    other = make_article(authors=[make_author(user=make_user())])
    make_comment(article=other, user=author.user, name="Ida")

    page = text_of(client.get(article.get_absolute_url()))

    assert [mark for _name, mark in marks_on(page)] == ["Author", "Author", "Staff", ""]
    assert marks_on(text_of(client.get(other.get_absolute_url()))) == [("Ida", "Staff")]


def test_no_name_and_no_address_that_a_visitor_types_gives_a_mark(client, staff):
    author = make_author(name="Ida", user=make_user(email="ida@news.example"))
    article = make_article(authors=[author])
    for name, email in (
        ("Ida", "ida@news.example"),
        ("Stella Marsh", "s@news.example"),
        ("Staff", "x@example.com"),
    ):
        make_comment(article=article, name=name, email=email)

    assert marks_on(text_of(client.get(article.get_absolute_url()))) == [
        ("Ida", ""),
        ("Stella Marsh", ""),
        ("Staff", ""),
    ]


@pytest.mark.parametrize("items", [1, 3])
def test_marks_take_no_query_of_their_own(client, django_assert_num_queries, items):
    article = make_article()
    for position in range(items):
        author = make_author(user=make_user())
        article.bylines.create(author=author, position=position)
        comment = make_comment(article=article, user=author.user)
        reply_to(comment, user=make_user(is_staff=True))

    # As many as for a story without any mark.
    with django_assert_num_queries(10):
        page = text_of(client.get(article.get_absolute_url()))

    assert Counter(mark for _name, mark in marks_on(page)) == {"Author": items, "Staff": items}


# --- Avatars ---


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada Lovelace", "AL"),
        ("ada", "A"),
        ("Ada King, Countess of Lovelace", "AL"),
        ("  jean-luc  ", "J"),
        ("E\u0301mile Zola", "ÉZ"),
        ("王小明", "王"),
        ("मीरा नायर", "मन"),
        ("محمد صالح", "مص"),
        ("ნინო", "ნ"),
        ("ßaler", "S"),
        ("(Anna) [B.]", "AB"),
        ("7 of 9", "79"),
        ("\U0001f98a Fox", "F"),
        ("\U0001f98a", "•"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "•"),
        ("Mrs P. Haverstock", "PH"),
        ("Dr. Ada", "A"),
        ("Prof. Dr. Lise Meitner", "LM"),
        ("Martin King, Jr.", "MK"),
        ("Henry James III", "HJ"),
        ("Ada Byron (London)", "AB"),
        ("M. Night", "MN"),
        ("Sir", "S"),
        ("Dr Mr", "DM"),
        ("…", "•"),
        ("", "•"),
        ("<script>", "S"),
    ],
)
def test_initials_are_the_first_letters_of_the_first_and_the_last_name(name, letters):
    assert people.initials(name) == letters


def avatars_on(page: str) -> list[tuple[int, str]]:
    found = re.findall(
        r'<span class="avatar avatar-(\d+)" data-initials="([^"]*)" aria-hidden="true"></span>', page
    )
    return [(int(number), letters) for number, letters in found]


def test_one_person_has_one_colour_under_every_story(client):
    comments = [make_comment(name=name) for name in ("Ada Byron", "ADA  BYRON")]

    avatars = [avatars_on(text_of(client.get(c.article.get_absolute_url()))) for c in comments]

    (first,), (second,) = avatars
    assert first == second == (people.colour(Comment(name="Ada Byron")), "AB")


def test_no_colour_tells_whether_an_address_is_the_right_one():
    addresses = [f"reader{number}@example.com" for number in range(50)]

    assert len({people.colour(Comment(name="Ada", email=address)) for address in addresses}) == 1


def test_colours_are_the_twelve_of_the_stylesheet_and_all_are_used(settings):
    people_of_all_kinds = [Comment(name=f"Reader {number}") for number in range(500)]
    css = (settings.BASE_DIR / "newsite/static/newsite/conversation.css").read_text()

    assert {people.colour(comment) for comment in people_of_all_kinds} == set(range(1, 13))
    assert [int(number) for number in re.findall(r"\.avatar-(\d+) ", css)] == list(range(1, 13))


def test_the_colour_depends_on_the_key_and_not_on_the_bare_address(settings):
    comments = [Comment(email=f"reader{number}@example.com") for number in range(50)]
    before = [people.colour(comment) for comment in comments]
    bare = [int(hashlib.sha256(c.email.encode()).hexdigest(), 16) % 12 + 1 for c in comments]
    settings.SECRET_KEY = "another key"
    after = [people.colour(comment) for comment in comments]

    assert len({tuple(before), tuple(bare), tuple(after)}) == 3


def test_without_an_address_the_name_gives_the_colour():
    colours = {people.colour(Comment(name=f"Reader {number}")) for number in range(500)}

    assert colours == set(range(1, 13))


def test_a_page_holds_neither_the_address_nor_a_hash_of_it(client):
    comment = make_comment(email="ada@example.com")
    page = text_of(client.get(comment.article.get_absolute_url()))

    digests = [hashlib.new(name, b"ada@example.com").hexdigest() for name in ("md5", "sha1", "sha256")]
    assert [word in page for word in ("ada@example.com", *digests)] == [False] * 4
    assert "Reader" in strip_tags(page)


def test_what_a_signed_in_writer_is_about_to_post_is_previewed(client, staff):
    article = make_article()
    client.force_login(staff)

    response = client.post(form_url(article), {"body": "*Well* said.", "preview": "1"}, headers=SAME_ORIGIN)

    page = text_of(response)
    assert (response.status_code, Comment.objects.count()) == (200, 0)
    assert "<em>Well</em> said." in page
    assert "*Well* said.</textarea>" in page
