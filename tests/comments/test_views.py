import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import brotli
import pytest
import time_machine
from django.contrib.staticfiles import finders
from django.utils import timezone

from articles.models import Article, RelatedRead
from comments import moderation, threads, yours
from comments.models import Comment
from newsite.storage import without_comments
from tests.factories import (
    make_article,
    make_author,
    make_comment,
    make_editor,
    make_image,
    make_topic,
    reply_to,
    set_discussion,
)
from tests.givens import NOON, SAME_ORIGIN

pytestmark = pytest.mark.django_db

ADA = {"body": "Well said.", "name": "Ada", "email": "ada@example.com"}


def reply_url(article) -> str:
    return f"{article.get_absolute_url()}reply/"


def post_url(article) -> str:
    return f"/comments{reply_url(article)}"


def post(client, article, headers=SAME_ORIGIN, **fields):
    return client.post(post_url(article), {**ADA, **fields}, headers=headers)


def text_of(response) -> str:
    return response.content.decode()


def value_of(page: str, name: str) -> str:
    """What stands in a text field of a page."""
    return re.search(rf'<input[^>]* name="{name}" value="([^"]*)"', page)[1]


# --- A reply that is taken ---


def test_a_first_comment_is_held_and_shown_to_its_author_only(client):
    article = make_article()

    response = post(client, article, website="ada.example", body="*Well* said.")

    comment = Comment.objects.get()
    private = client.get(response["Location"])
    assert response.status_code == 303
    assert (comment.status, comment.held_because, comment.user) == ("held", "first-comment", None)
    assert (comment.name, comment.email, comment.website) == ("Ada", "ada@example.com", "https://ada.example")
    assert "<em>Well</em> said." in text_of(private)
    assert "A moderator will read your comment" in text_of(private)
    assert "Well" not in text_of(client.get(article.get_absolute_url()))


def test_a_known_persons_comment_is_public_and_answered_with_its_address(client):
    article = make_article()
    make_comment(name="Ada", email="ada@example.com")

    response = post(client, article)

    comment = Comment.objects.get(article=article)
    assert (response.status_code, response["Location"]) == (303, f"/comments/{comment.pk}/")
    assert (
        client.get(response["Location"])["Location"] == f"{article.get_absolute_url()}#comment-{comment.pk}"
    )
    assert "Well said." in text_of(client.get(article.get_absolute_url()))


def test_a_reply_is_placed_below_the_comment_that_it_answers(client):
    make_comment(name="Ada", email="ada@example.com")
    parent = make_comment()

    post(client, parent.article, parent=parent.pk)

    answer = Comment.objects.latest("pk")
    assert (answer.parent, answer.lineage) == (parent, [parent.pk, answer.pk])


def test_where_a_comment_came_from_is_kept_for_moderators(client, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    headers = {
        **SAME_ORIGIN,
        "x-forwarded-for": "6.6.6.6, 198.51.100.7",
        "user-agent": "Browser " + "x" * 300,
    }

    post(client, make_article(), headers=headers)

    comment = Comment.objects.get()
    assert (comment.ip_address, len(comment.user_agent)) == ("198.51.100.7", 254)


def test_who_fills_in_the_hidden_field_is_told_nothing_of_it_and_kept_as_spam(client):
    response = post(client, make_article(), nickname="Ada")

    comment = Comment.objects.get()
    page = text_of(client.get(response["Location"]))
    assert (comment.status, comment.held_because) == ("spam", "trap")
    assert "Your comment is awaiting moderation." in page
    assert "A moderator will read your comment" not in page


def test_a_person_whose_browser_fills_in_the_hidden_field_waits_for_a_moderator(client):
    response = post(client, make_article(), nickname="Ada", seconds="41.5")

    comment = Comment.objects.get()
    assert (comment.status, comment.held_because) == ("held", "trap")
    assert "Your comment is awaiting moderation." in text_of(client.get(response["Location"]))


def test_a_signed_in_visitor_of_the_public_form_is_a_visitor(client):
    client.force_login(make_editor(username="ada"))

    post(client, make_article())

    comment = Comment.objects.get()
    assert (comment.user, comment.status, comment.held_because) == (None, "held", "registered")


def test_only_approved_comments_and_never_an_email_address_are_on_public_pages(client):
    article = make_article()
    shown = make_comment(article=article, email="private@example.com")
    for status in ("held", "spam", "trash"):
        make_comment(article=article, email="private@example.com", name=f"Hidden {status}", status=status)
    reply_to(Comment.objects.get(status="trash"), email="private@example.com")

    pages = [
        text_of(client.get(url, follow=True))
        for url in (
            article.get_absolute_url(),
            reply_url(article),
            f"{reply_url(article)}?to={shown.pk}",
            shown.get_absolute_url(),
            "/",
        )
    ]

    assert "".join(pages).count("private@example.com") == 0
    assert "".join(pages).count("Hidden") == 0


# --- A reply that is not taken ---


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("body", "", "Please write a comment."),
        ("body", " \n ", "Please write a comment."),
        ("body", "\u200b\u202e", "Please write a comment."),
        ("body", "<b> </b>", "Please write a comment."),
        ("body", "\u3164 \u2800 &nbsp; &#8203;", "Please write a comment."),
        ("name", "\u3164", "Please enter a name. It need not be your real one."),
        ("name", "\U000e0041", "Please enter a name. It need not be your real one."),
        ("body", "x" * 10_001, "Ensure this value has at most 10000 characters (it has 10001)."),
        ("name", "", "Please enter a name. It need not be your real one."),
        ("name", "\u200b", "Please enter a name. It need not be your real one."),
        ("name", "é" * 101, "Ensure this value has at most 100 characters (it has 101)."),
        ("name", "Ada\x00", "Null characters are not allowed."),
        ("email", "", "Please enter your email address. It will not be published."),
        ("email", "ada@", "Enter an email address like name@example.com."),
        ("email", "ada@example", "Enter an email address like name@example.com."),
        ("email", "a" * 250 + "@example.com", "Ensure this value has at most 254 characters (it has 262)."),
        ("website", "javascript:alert(1)", "Enter a web address like https://example.com, or leave it empty."),
        ("website", "ftp://example.com", "Enter a web address like https://example.com, or leave it empty."),
        ("website", "https://example.com/" + "x" * 200,
         "Ensure this value has at most 200 characters (it has 220)."),
    ],
)  # fmt: skip
def test_bad_input_is_explained_at_its_field_and_nothing_is_lost(client, field, value, message):
    article = make_article(title="A headline")
    typed = {**ADA, "website": "https://ada.example", field: value}

    response = post(client, article, **typed)

    page = text_of(response)
    assert response.status_code == 422
    assert Comment.objects.count() == 0
    assert "<h1>A headline</h1>" in page
    assert re.findall(r'<ul class="errorlist" id="(\w+)"><li>([^<]+)</li>', page) == [
        (f"id_{field}_error", message)
    ]
    form = response.context["reply_form"]
    assert {name: form[name].value() for name in typed} == typed
    assert f'<li><a href="#id_{field}">' in page


def test_the_summary_of_errors_takes_the_focus(client):
    page = text_of(post(client, make_article(), email=""))

    assert '<div class="error-summary" role="alert" tabindex="-1" autofocus>' in page


@pytest.mark.parametrize(
    ("field", "value"),
    [("body", "0"), ("body", "é" * 10_000), ("body", "a\r\n" * 3333 + "b"), ("name", "é" * 100)],
)
def test_limits_are_counted_in_characters_as_the_browser_counts_them(client, field, value):
    assert post(client, make_article(), **{field: value}).status_code == 303


def test_a_nought_is_a_text(client):
    post(client, make_article(), body="0")

    assert Comment.objects.get().body_html == "<p>0</p>"


def test_a_name_cannot_hide_what_it_is(client):
    post(client, make_article(), name="  Ada\u202e  \u200bByron\n ")

    assert Comment.objects.get().name == "Ada Byron"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Ada\tExample", "Ada Example"),
        ("A\u200dd\u200ca", "Ada"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("👩🏽\u200d⚕\ufe0f Ann\u200d", "👩🏽\u200d⚕\ufe0f Ann"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", None),
        ("葛\U000e0100城", None),
    ],
)
def test_a_name_keeps_what_is_seen_of_it(client, typed, name):
    post(client, make_article(), name=typed)

    assert Comment.objects.get().name == (name or typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ADA@example.com\u200b", "ada@example.com"),
        ("ada@example.com\u2060 ", "ada@example.com"),
        ("x@münchen.example", "x@xn--mnchen-3ya.example"),
        ("ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ada@example.com"),
    ],
)
def test_an_address_is_kept_in_the_one_spelling_of_its_mailbox(client, typed, kept):
    post(client, make_article(), email=typed)

    assert Comment.objects.get().email == kept


@pytest.mark.parametrize(
    ("email", "said"),
    [("jörg@example.com", "“ö” before the @"), ('"a b"@example.com', "with quotation marks")],
)
def test_an_address_that_no_mail_reaches_is_refused_with_its_reason(client, email, said):
    response = post(client, make_article(), email=email)

    assert (response.status_code, Comment.objects.count()) == (422, 0)
    assert said in text_of(response)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("example.com", "https://example.com"),
        (" www.example.com\u200b ", "https://www.example.com"),
        ("//example.com/x", "https://example.com/x"),
        ("https:/example.com", "https://example.com"),
        ("HTTP://example.com:8080", "http://example.com:8080"),
        ("example.com:8080/?to=http://x.example", "https://example.com:8080/?to=http://x.example"),
        ("http://my_site.example.com", "http://my_site.example.com"),
        ("my_name.tumblr.example", "https://my_name.tumblr.example"),
        ("https://bücher.example/", "https://bücher.example/"),
        ("social.example/@me", "https://social.example/@me"),
        ("https://example.com/?q=a@b.example", "https://example.com/?q=a@b.example"),
        ("", ""),
    ],
)
def test_a_website_is_typed_as_people_say_it(client, typed, kept):
    post(client, make_article(), website=typed)

    assert Comment.objects.get().website == kept


@pytest.mark.parametrize(
    ("website", "said"),
    [
        ("me@example.com", "before the @"),
        ("https://me@example.com", "before the @"),
        ("https://user:pass@example.com/", "before the @"),
        ("user:pass@example.com/x", "before the @"),
        ("@me@social.example", "before the @"),
        ("mailto:me@example.com", "before the @"),
        ("https://good.example\\@evil.example", "before the @"),
        ("https://me\uff20example.com", "Enter a web address"),
        ("https://me%40example.com", "Enter a web address"),
        ("javascript://example.com/%0aalert(1)", "Enter a web address"),
        ("data:text/html,x", "Enter a web address"),
        ("tel:+491234", "Enter a web address"),
        ("ftp://example.com", "Enter a web address"),
        ("https://a b.example", "Enter a web address"),
        ("example", "Enter a web address"),
    ],
)
def test_no_website_is_kept_that_tells_who_someone_is_or_opens_no_page(client, website, said):
    response = post(client, make_article(), website=website)

    assert (response.status_code, Comment.objects.count()) == (422, 0)
    assert said in text_of(response)


UNSEEN = [
    *("\u200d", "\u200c", "\u0301", "\ufe0f", "\u180b", "\U000e0100", "\U0001d159", "\U0001bca0", "\ufff9"),
    *("\u206f", "\u0488", "\u2800", "\u3164", "\uffa0", "\u115f", "\ufffc", "\u00a0\u3000", "\U000e0041"),
]


@pytest.mark.parametrize("signs", UNSEEN, ids=ascii)
def test_what_nobody_sees_is_neither_a_name_nor_a_text(client, signs):
    response = post(client, make_article(), name=signs, body=signs)

    assert (response.status_code, Comment.objects.count()) == (422, 0)
    assert list(response.context["reply_form"].errors) == ["body", "name"]


@pytest.mark.parametrize("text", ["&zwj;", "&#8205;", "<b>&nbsp;</b>"])
def test_what_stands_for_nothing_is_no_text(client, text):
    response = post(client, make_article(), body=text)

    assert (response.status_code, Comment.objects.count()) == (422, 0)


@pytest.mark.parametrize("text", ["👍", "🫨", "?", "٣", "字", "#️⃣", "🇩🇪"])
def test_one_sign_that_is_seen_is_a_text(client, text):
    post(client, make_article(), body=text)

    assert Comment.objects.get().body == text


@pytest.mark.parametrize("status", ["held", "spam", "trash", "elsewhere", "unknown", "nonsense"])
def test_an_answer_to_what_is_not_public_here_is_refused_with_its_text_kept(client, status):
    article = make_article()
    if status == "elsewhere":
        parent = make_comment().pk
    elif status in ("unknown", "nonsense"):
        parent = {"unknown": 999_999, "nonsense": "x"}[status]
    else:
        parent = make_comment(article=article, status=status).pk
    before = Comment.objects.count()

    response = post(client, article, parent=parent)

    assert (response.status_code, Comment.objects.count()) == (422, before)
    assert "The comment you were replying to has been removed." in text_of(response)
    assert "Well said.</textarea>" in text_of(response)


def test_a_text_whose_parent_is_gone_can_be_posted_as_a_comment_of_its_own(client):
    article = make_article()
    refused = post(client, article, parent=999_999)
    form = refused.context["reply_form"]

    again = post(client, article, parent=form["parent"].value())

    assert (again.status_code, Comment.objects.get().parent) == (303, None)


@pytest.mark.parametrize(
    "headers", [{}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}]
)
def test_a_reply_from_another_site_is_refused_with_its_text_kept(client, headers):
    response = post(client, make_article(), headers=headers)

    assert (response.status_code, Comment.objects.count()) == (403, 0)
    assert "press the button again" in text_of(response)
    assert "Well said.</textarea>" in text_of(response)


def test_a_closed_conversation_says_so_and_has_no_form(client):
    article = make_article(discussion=Article.Discussion.CLOSED)
    make_comment(article=article)

    for url in (article.get_absolute_url(), reply_url(article)):
        page = text_of(client.get(url))
        assert ("Comments on this story are closed." in page, "<form" in page) == (True, False)
    assert 'class="comment-reply"' not in text_of(client.get(article.get_absolute_url()))


@pytest.mark.parametrize("fields", [{}, {"name": ""}, {"preview": "1"}])
def test_where_an_account_is_needed_a_visitor_is_told_so_before_anything_else(client, fields):
    set_discussion(accounts_only=True)

    response = post(client, make_article(), **fields)

    assert (response.status_code, Comment.objects.count()) == (403, 0)


def test_a_reply_to_a_closed_conversation_is_refused_with_its_text_kept(client):
    response = post(client, make_article(discussion=Article.Discussion.CLOSED))

    assert (response.status_code, Comment.objects.count()) == (403, 0)
    assert "Comments closed while you were writing, so yours could not be posted." in text_of(response)
    assert "Well said.</textarea>" in text_of(response)


@pytest.mark.parametrize("method", ["get", "post"])
def test_unknown_draft_and_scheduled_stories_answer_alike(client, method):
    future = timezone.now() + timedelta(hours=1)
    hidden = [make_article(status="draft"), make_article(published_at=future)]
    urls = ["/2026/11/unknown/reply/", *(reply_url(article) for article in hidden)]
    urls += [f"/comments{url}" for url in urls]

    responses = [getattr(client, method)(url, ADA, headers=SAME_ORIGIN) for url in urls]

    assert [response.status_code for response in responses] == [404] * 6
    assert len({response.content for response in responses}) == 1
    assert Comment.objects.count() == 0


@pytest.mark.parametrize("form", ["reply/", "reply/signed-in/"])
def test_who_was_writing_below_a_story_that_is_taken_off_the_site_gets_the_text_back(client, form):
    article = make_article(status="draft", title="Secret")
    sent = {**ADA, "body": "A long <b>thought</b>."}

    response = client.post(f"{article.get_absolute_url()}{form}", sent, headers=SAME_ORIGIN)

    page = text_of(response)
    assert (response.status_code, Comment.objects.count()) == (404, 0)
    assert "readonly>A long &lt;b&gt;thought&lt;/b&gt;.</textarea>" in page
    assert "Secret" not in page
    assert ("private" in response["Cache-Control"], response["X-Robots-Tag"]) == (True, "noindex")


def test_where_nothing_was_written_nothing_is_given_back(client):
    response = client.post("/2026/11/unknown/reply/", {**ADA, "body": " "}, headers=SAME_ORIGIN)

    assert response.status_code == 404
    assert "<textarea" not in text_of(response)


@pytest.mark.parametrize("method", ["put", "delete", "patch", "trace", "options"])
def test_a_reply_is_shown_or_posted_and_nothing_else(client, method):
    assert getattr(client, method)(reply_url(make_article())).status_code == 405


def test_too_large_a_request_is_refused_in_the_sites_look(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    response = post(client, make_article(), body="x" * 2000)

    assert response.status_code == 413
    assert "<h1>This request could not be read</h1>" in text_of(response)


def test_a_duplicate_is_refused_with_its_text_kept(client):
    article = make_article()
    make_comment(article=article, ip_address="127.0.0.1", **ADA)

    response = post(client, article)

    assert (response.status_code, Comment.objects.count()) == (409, 1)
    assert "You have already posted this comment here." in text_of(response)
    assert "Well said.</textarea>" in text_of(response)


def test_who_posts_too_quickly_is_told_how_long_to_wait_and_keeps_the_text(client):
    with time_machine.travel(NOON, tick=False) as clock:
        article = make_article()
        post(client, article)
        clock.shift(timedelta(seconds=5))
        response = post(client, article, body="One more thing.")

    assert (response.status_code, response["Retry-After"], Comment.objects.count()) == (429, "10", 1)
    assert "Please wait 10 seconds and post again." in text_of(response)
    assert "One more thing.</textarea>" in text_of(response)


def test_a_double_click_is_answered_twice_and_posts_once(client):
    article = make_article()

    first, second = post(client, article), post(client, article)

    assert [first.status_code, second.status_code, Comment.objects.count()] == [303, 303, 1]
    assert "Well said." in text_of(client.get(second["Location"]))


def test_a_reply_to_a_story_that_moved_meanwhile_is_taken(client):
    article = make_article(slug="old")
    old = reply_url(article)
    article.slug = "new"
    article.save()

    others = [old.replace("/reply/", part) for part in ("/feed/", "/replies/", "/replies/count/")]

    posted = client.post(old, ADA, headers=SAME_ORIGIN)
    shown = client.get(f"{old}?to=7")

    assert (posted.status_code, Comment.objects.get().article) == (303, article)
    assert (shown.status_code, shown["Location"]) == (301, f"{reply_url(article)}?to=7")
    assert [client.get(url).status_code for url in others] == [200, 200, 200]


def test_the_form_is_sent_to_where_the_cookies_of_this_browser_go(client):
    article = make_article()
    before = [client.get(url) for url in (article.get_absolute_url(), reply_url(article))]
    after = [post(client, article, email="no address"), post(client, article, headers={})]

    assert [response.status_code for response in after] == [422, 403]
    for response in [*before, *after]:
        assert f'action="{post_url(article)}"' in text_of(response)


def test_a_page_that_was_open_during_an_upgrade_still_posts(client):
    article = make_article()

    response = client.post(reply_url(article), ADA, headers=SAME_ORIGIN)

    assert (response.status_code, Comment.objects.get().article) == (303, article)


def test_who_opens_the_address_that_the_form_is_sent_to_is_led_to_the_form(client):
    article = make_article()

    response = client.get(post_url(article), {"to": "7"})

    assert (response.status_code, response["Location"]) == (301, f"{reply_url(article)}?to=7")


def test_a_bad_reply_to_a_closed_conversation_is_told_that_it_is_closed(client):
    response = post(client, make_article(discussion=Article.Discussion.CLOSED), email="")

    assert (response.status_code, "Comments closed while you were writing" in text_of(response)) == (
        403,
        True,
    )


@pytest.mark.parametrize("typed", [{}, {"email": ""}, {"preview": "1"}])
def test_no_answer_to_a_reply_is_kept(client, typed):
    response = post(client, make_article(), **typed)

    assert "no-store" in response["Cache-Control"]


# --- A preview ---


def test_a_preview_shows_the_comment_as_it_will_look_and_posts_nothing(client):
    article = make_article()
    parent = make_comment(article=article, name="Bo")

    response = post(client, article, body="*Well* said. <script>", preview="1", parent=parent.pk)

    page = text_of(response)
    assert (response.status_code, Comment.objects.count()) == (200, 1)
    assert "<em>Well</em> said. &lt;script&gt;" in page
    assert "*Well* said. &lt;script&gt;</textarea>" in page
    assert "Leave a Reply to Bo" in page


def test_a_preview_of_a_bad_form_explains_what_is_bad(client):
    response = post(client, make_article(), email="", preview="1")

    assert (response.status_code, "Please enter your email address." in text_of(response)) == (422, True)


# --- The form's own page ---


def test_replying_works_on_a_page_of_its_own(client):
    comment = make_comment(name="Bo", body="A *point*.")

    page = text_of(client.get(f"{reply_url(comment.article)}?to={comment.pk}"))

    assert re.search(r"<h2[^>]*>\s*Leave a Reply to Bo\s*</h2>", page)
    assert "A <em>point</em>." in page
    assert value_of(page, "parent") == str(comment.pk)
    assert "Cancel reply" in page


@pytest.mark.parametrize("to", ["999999", "x", "", "held", "elsewhere"])
def test_replying_to_what_is_not_public_here_says_so(client, to):
    article = make_article()
    if to == "held":
        to = make_comment(article=article, status="held", body="Secret").pk
    elif to == "elsewhere":
        to = make_comment(body="Secret").pk

    response = client.get(reply_url(article), {"to": to})

    assert response.status_code == 404
    assert "The comment you want to reply to has been removed." in text_of(response)
    assert "Secret" not in text_of(response)


def test_the_form_has_the_words_order_and_attributes_of_wordpress(client):
    page = text_of(client.get(make_article().get_absolute_url()))
    form = page[page.index('id="respond"') :]

    wanted = [
        "Leave a Reply",
        "Cancel reply",
        "Your email address will not be published.",
        "Required fields are marked",
        'for="id_body">Comment',
        "<textarea",
        'maxlength="10000" required',
        'for="id_name">Name',
        'autocomplete="name"',
        'maxlength="100" required',
        'for="id_email">Email',
        '<input type="email"',
        'autocomplete="email" maxlength="254" required aria-describedby="email-notes"',
        'for="id_website">Website',
        '<input type="text" name="website" inputmode="url" autocomplete="url"',
        'maxlength="200" id',
        "Save my name, email, and website in this browser for the next time I comment.",
        "Post Comment",
    ]
    places = [form.find(part) for part in wanted]
    assert -1 not in places
    assert places == sorted(places)
    assert "csrf" not in form


HELP = "You can write **bold**, *italic*, &gt; quote, and links."


def test_one_line_below_the_box_says_what_can_be_written_and_opens_into_more(client):
    page = text_of(client.get(make_article().get_absolute_url()))

    box = page.index('<textarea name="body"')
    help_ = page.index(f'<summary id="id_body_helptext">{HELP}</summary>')
    assert box < help_ < page.index('id="id_name"')
    assert 'aria-describedby="id_body_helptext"' in page[box : page.index("</textarea>")]
    assert "An empty line begins a new paragraph." in page[help_ : page.index("</details>", help_)]


def test_every_form_for_the_text_of_a_comment_says_what_can_be_written(client):
    comment = make_comment()
    editor = make_editor()
    edit = f"/comments/yours/{yours.token(comment)}/edit/"
    client.force_login(editor)
    addresses = [
        f"{comment.article.get_absolute_url()}reply/",
        f"{comment.article.get_absolute_url()}reply/signed-in/",
        edit,
        f"/admin/comments/comment/{comment.pk}/edit/",
    ]

    pages = [text_of(client.get(address)) for address in addresses]
    assert [unescape(HELP) in unescape(page) for page in pages] == [True] * 4


# --- Addresses ---


def test_a_comment_keeps_its_address_on_whatever_page_it_is(client):
    set_discussion(per_page=2)
    article = make_article()
    first, _, third = [make_comment(article=article) for _ in range(3)]
    before = client.get(third.get_absolute_url())["Location"]

    reply_to(first)

    story = article.get_absolute_url()
    assert before == f"{story}?page=2#comment-{third.pk}"
    assert client.get(first.get_absolute_url())["Location"] == f"{story}#comment-{first.pk}"
    assert f'id="comment-{third.pk}"' in text_of(client.get(before))


def test_where_the_owner_shows_the_newest_first_an_address_leads_to_the_comment_too(client):
    set_discussion(order="newest", per_page=2)
    article = make_article()
    first, _, third = [make_comment(article=article) for _ in range(3)]
    story = article.get_absolute_url()

    page = text_of(client.get(story))
    addresses = [client.get(comment.get_absolute_url())["Location"] for comment in (first, third)]

    assert re.findall(r'id="comment-(\d+)"', page)[0] == str(third.pk)
    assert addresses == [
        f"{story}?order=oldest#comment-{first.pk}",
        f"{story}?order=oldest&page=2#comment-{third.pk}",
    ]
    assert f'id="comment-{third.pk}"' in text_of(client.get(addresses[1]))


def test_a_late_answer_to_an_early_comment_is_found_on_the_early_page(client):
    set_discussion(per_page=2)
    article = make_article()
    first, _, _ = [make_comment(article=article) for _ in range(3)]
    answer = reply_to(first)

    assert (
        client.get(answer.get_absolute_url())["Location"]
        == f"{article.get_absolute_url()}#comment-{answer.pk}"
    )


@pytest.mark.parametrize("status", ["held", "spam", "trash", "draft", "unknown", "huge"])
def test_the_address_of_a_comment_that_is_not_public_is_a_404(client, status):
    if status == "draft":
        pk = make_comment(article=make_article(status="draft")).pk
    elif status in ("unknown", "huge"):
        pk = {"unknown": 999_999, "huge": 10**30}[status]
    else:
        pk = make_comment(status=status).pk

    assert client.get(f"/comments/{pk}/").status_code == 404


@pytest.mark.parametrize("page", ["2", "99", "0", "x"])
def test_a_page_of_a_conversation_that_is_not_there_is_a_404(client, page):
    assert client.get(make_comment().article.get_absolute_url(), {"page": page}).status_code == 404


def test_every_page_of_a_conversation_names_the_story_as_the_page_to_find(client):
    set_discussion(per_page=1)
    article = make_article()
    for _ in range(2):
        make_comment(article=article)

    page = text_of(client.get(article.get_absolute_url(), {"page": "2"}))

    assert f'<link rel="canonical" href="https://news.example{article.get_absolute_url()}">' in page


def test_the_forms_own_page_is_not_for_search_engines(client):
    assert '<meta name="robots" content="noindex">' in text_of(client.get(reply_url(make_article())))


def test_the_count_is_what_is_shown(client):
    article = make_article()
    shown = []
    for expected in ("No comments yet. Be the first.", "One comment", "2 comments"):
        page = text_of(client.get(article.get_absolute_url()))
        heading = re.search(r'<h2 id="comments-heading"[^>]*>\s*(.*?)\s*</h2>', page, re.DOTALL)[1]
        shown.append((expected, heading, len(re.findall(r'id="comment-\d+"', page))))
        make_comment(article=article)
        make_comment(article=article, status="held")

    assert shown == [
        ("No comments yet. Be the first.",) * 2 + (0,),
        ("One comment",) * 2 + (1,),
        ("2 comments",) * 2 + (2,),
    ]


def test_the_link_to_a_website_helps_no_spammer(client):
    comment = make_comment(website="https://ada.example", name="Ada")

    page = text_of(client.get(comment.article.get_absolute_url()))

    assert '<a href="https://ada.example" rel="nofollow ugc noopener external"><bdi>Ada</bdi></a>' in page


# --- Reading a long conversation ---


@pytest.fixture
def long_story(db):
    """A story with the comments 1 to 5, two on a page."""
    set_discussion(per_page=2)
    article = make_article()
    for number in range(1, 6):
        make_comment(article=article, body=f"Comment {number}.")
    return article


def bodies(page: str) -> list[str]:
    return re.findall(r"<p>Comment (\d)\.</p>", page)


def links(page: str) -> list[str]:
    """The links of a page to its conversation."""
    return [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)#comments"', page)]


def test_the_reader_chooses_the_order_and_keeps_it_from_page_to_page(client, long_story):
    story = long_story.get_absolute_url()

    oldest, newest, last = (
        text_of(client.get(story + query)) for query in ("", "?order=newest", "?order=newest&page=3")
    )

    assert [bodies(page) for page in (oldest, newest, last)] == [["1", "2"], ["5", "4"], ["1"]]
    assert links(oldest) == [story, f"{story}?order=newest", *[f"{story}?page={n}" for n in (2, 3, 2)]]
    assert links(newest) == [
        story, f"{story}?order=newest", *[f"{story}?order=newest&page={n}" for n in (2, 3, 2)]
    ]  # fmt: skip
    assert re.findall(r'aria-current="true">(\w+ first)', oldest + newest) == ["Oldest first", "Newest first"]
    assert f'<link rel="canonical" href="https://news.example{story}">' in newest


def test_the_usual_order_can_be_asked_for_by_name(client, long_story):
    page = text_of(client.get(f"{long_story.get_absolute_url()}?order=oldest"))

    assert bodies(page) == ["1", "2"]


@pytest.mark.parametrize(
    ("order", "turned", "opened", "expected"),
    [("oldest", "newest", ["5"], ["5", "4"]), ("newest", "oldest", ["1"], ["1", "2"])],
)
def test_who_turns_the_order_begins_at_its_beginning_whatever_page_is_shown_first(
    client, long_story, order, turned, opened, expected
):
    set_discussion(order=order, first_shown="last")
    story = long_story.get_absolute_url()

    assert bodies(text_of(client.get(story))) == opened
    assert bodies(text_of(client.get(story, {"order": turned}))) == expected


@pytest.mark.parametrize("first_shown", ["first", "last"])
@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_whatever_is_shown_first_pages_and_addresses_lead_to_every_comment(
    client, long_story, order, first_shown
):
    set_discussion(order=order, first_shown=first_shown)
    story = long_story.get_absolute_url()

    pages = [bodies(text_of(client.get(story, {"page": number}))) for number in (1, 2, 3)]
    places = {
        comment.body: text_of(client.get(comment.get_absolute_url(), follow=True))
        for comment in Comment.objects.all()
    }

    in_order = [["1", "2"], ["3", "4"], ["5"]] if order == "oldest" else [["5", "4"], ["3", "2"], ["1"]]
    assert pages == in_order
    assert [body for body, page in places.items() if f"<p>{body}</p>" not in page] == []


@pytest.mark.parametrize("order", ["", "best", "NEWEST", "newest "])
def test_there_is_no_other_order(client, long_story, order):
    assert client.get(long_story.get_absolute_url(), {"order": order}).status_code == 404


def test_one_comment_has_no_order_to_choose(client):
    assert "Newest first" not in text_of(client.get(make_comment().article.get_absolute_url()))


def test_a_form_with_an_error_leads_to_the_pages_of_the_story(client, long_story):
    page = text_of(post(client, long_story, email=""))

    assert f"{long_story.get_absolute_url()}?page=2" in links(page)


def test_answers_stand_in_a_branch_that_can_be_closed(client):
    top = make_comment(body="Comment 1.")
    reply_to(top, body="Comment 2.")
    reply_to(reply_to(top, body="Comment 3."), body="Comment 4.")

    page = text_of(client.get(top.article.get_absolute_url())).partition('id="respond"')[0]

    assert re.findall(r"<summary>(.*?)</summary>", page) == ["3 replies", "1 reply"]
    assert page.count("<details") == page.count('<details class="replies" open>') == page.count("</details>")


def test_a_long_conversation_is_shown_on_one_page_that_search_engines_leave_out(client, long_story):
    story = long_story.get_absolute_url()
    linked = f'href="{story}replies/"' in text_of(client.get(story))

    response = client.get(f"{story}replies/")

    page = text_of(response)
    assert (linked, response.status_code, bodies(page)) == (True, 200, ["1", "2", "3", "4", "5"])
    assert '<meta name="robots" content="noindex">' in page
    assert f'<link rel="canonical" href="https://news.example{story}">' in page
    assert client.get(f"{story}replies/", headers={"if-none-match": response["ETag"]}).status_code == 304


def test_too_long_a_conversation_has_no_such_page_and_no_link_to_it(client, long_story, monkeypatch):
    monkeypatch.setattr(threads, "ON_ONE_PAGE", 4)
    story = long_story.get_absolute_url()

    assert f'href="{story}replies/"' not in text_of(client.get(story))
    assert client.get(f"{story}replies/").status_code == 404


def count_url(article, since) -> str:
    return f"{article.get_absolute_url()}replies/count/?since={since}"


def test_a_page_learns_what_has_come_since_in_words_and_where_that_begins(client):
    article = make_article()
    told = []
    for _ in range(3):
        told.append(client.get(count_url(article, since=0)).json())
        make_comment(article=article)
        make_comment(article=article, status="held")
        make_comment()

    address = article.comments.approved().earliest("pk").get_absolute_url()
    assert told == [
        {"count": 0, "text": "", "address": ""},
        {"count": 1, "text": "1 new comment — show", "address": address},
        {"count": 2, "text": "2 new comments — show", "address": address},
    ]


def test_a_page_that_has_everything_is_told_so_with_an_empty_answer(client):
    article = make_article()
    page = text_of(client.get(article.get_absolute_url()))
    make_comment(article=article)
    later = text_of(client.get(article.get_absolute_url()))
    addresses = [re.search(r'data-address="([^"]+)"', text)[1] for text in (page, later)]

    first, second = (client.get(address) for address in addresses)
    again = client.get(addresses[1], headers={"if-none-match": second["ETag"]})

    assert [first.json()["count"], second.json()["count"]] == [1, 0]
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("since", "status"),
    [("", 400), ("x", 400), ("9" * 5000, 400), ("1e3", 400), ("9" * 30, 200), ("-1", 200)],
)
def test_what_came_after_nonsense_is_a_bad_question(client, since, status):
    assert client.get(count_url(make_comment().article, since)).status_code == status


@pytest.mark.parametrize("page", ["replies/", "replies/count/"])
def test_the_other_pages_of_a_conversation_are_as_public_as_its_story(client, page):
    hidden = [make_article(status="draft"), make_article(published_at=timezone.now() + timedelta(hours=1))]
    urls = ["/2026/11/unknown/", *(reply_url(article).removesuffix("reply/") for article in hidden)]

    assert [client.get(url + page).status_code for url in urls] == [404, 404, 404]


# --- Queries ---


@pytest.mark.parametrize("items", [1, 3])
def test_a_story_with_its_conversation_takes_eleven_queries(client, django_assert_num_queries, items):
    article = make_article(lead_image=make_image())
    for number in range(items):
        article.topics.add(make_topic())
        article.bylines.create(author=make_author(), position=number)
        RelatedRead.objects.create(article=article, target=make_article())
        gone = make_comment(article=article, status="trash")
        reply_to(reply_to(gone))

    with django_assert_num_queries(11):
        client.get(article.get_absolute_url())


@pytest.mark.parametrize("items", [1, 3])
def test_a_conversation_on_one_page_takes_five_queries(client, django_assert_num_queries, items):
    article = make_article()
    for _ in range(items):
        reply_to(reply_to(make_comment(article=article, status="trash")))

    with django_assert_num_queries(5):
        client.get(f"{article.get_absolute_url()}replies/")


@pytest.mark.parametrize("items", [1, 3])
def test_counting_what_is_new_takes_two_queries(client, django_assert_num_queries, items):
    article = make_article()
    for _ in range(items):
        make_comment(article=article)

    with django_assert_num_queries(2):
        client.get(count_url(article, since=0))


def test_the_scripts_of_a_story_weigh_less_than_six_kilobytes(client):
    page = text_of(client.get(make_article().get_absolute_url()))
    scripts = re.findall(r'<script type="module" src="/static/([^"]+)"', page)

    served = [without_comments(Path(finders.find(script)).read_bytes()) for script in scripts]
    packed = [brotli.compress(script) for script in served]

    assert scripts == ["newsite/reply.js", "newsite/drafts.js", "newsite/reading.js", "newsite/times.js"]
    assert sum(map(len, packed)) < 6 * 1024


# --- What is pressed again and again ---


@pytest.mark.parametrize(
    ("sent", "status"), [({"preview": ""}, 200), ({"body": ""}, 422), ({"body": "Too quick."}, 429)]
)
def test_previews_and_what_is_refused_count_for_who_sends_them(client, monkeypatch, sent, status):
    monkeypatch.setattr(moderation, "TRIES", replace(moderation.TRIES, attempts=5))
    with time_machine.travel(NOON, tick=False) as clock:
        article = make_article()
        post(client, article)
        answers = {post(client, article, **sent).status_code for _number in range(4)}
        refused = post(client, article, body="*One* more.", preview="", name="")
        elsewhere = client.post(
            reply_url(article), {**ADA, "body": "Me too."}, headers=SAME_ORIGIN, REMOTE_ADDR="192.0.2.9"
        )
        clock.shift(timedelta(minutes=1))
        later = post(client, article, body="And then.")

    assert answers == {status}
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert "Please wait 60 seconds and try again. Your text is safe below." in text_of(refused)
    assert "*One* more.</textarea>" in text_of(refused)
    # Nothing was made of it: neither is it shown, nor looked through.
    assert ('class="preview"' in text_of(refused), "Please enter a name." in text_of(refused)) == (
        False,
        False,
    )
    assert (elsewhere.status_code, later.status_code) == (303, 303)


def test_what_another_site_sends_with_a_visitors_browser_counts_for_nobody(client, monkeypatch):
    monkeypatch.setattr(moderation, "TRIES", replace(moderation.TRIES, attempts=5))
    article = make_article()
    for _number in range(6):
        post(client, article, headers={"Sec-Fetch-Site": "cross-site"})

    assert post(client, article).status_code == 303
