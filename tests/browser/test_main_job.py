"""An editor publishes a story, a visitor replies, the editor approves and answers."""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from articles.models import Article
from comments.models import Comment
from tests.browser.links import follow
from tests.browser.reply_form import fill_in, post, post_unchecked
from tests.factories import make_article, make_author, make_editor, make_section

REAL_STORY = Path(__file__).parents[3] / "shared/data/stories/xi-visits-putin.txt"

# A story of the same shape, for where the real one is absent.
OUR_STORY = """The Ferry Comes Back: What It Means For The Islands?

For the first time in eleven years, a boat crosses the sound in winter

When the first passengers stepped ashore on Monday, the harbour master rang a bell that he had last rung in 2015.

The council called the line “a promise kept,” and said that it would run “at least until spring.”

Also Read | A Short History Of The Line

The old boat carried forty people and one lorry.
Its successor takes two hundred, and the islanders’ cars.

“We stopped counting the winters,” said Marit, who keeps the shop. “Now we count the boats.”

What the line costs is disputed: the county says 3 million a year, its critics say 5.
A report is due in May.

Related Read | The Shop At The End Of The Quay

Leave a Reply

Your email address will not be published. Required fields are marked *
"""

FORM = [
    "Leave a Reply",
    "Your email address will not be published. Required fields are marked *",
    "Comment *",
    "Name *",
    "Email *",
    "Website",
    "Save my name, email, and website in this browser for the next time I comment.",
    "Email me when someone replies",
    "Email me all new comments on this story",
    "Post Comment",
    "Preview",
]
FORM_SHOWN = """
respond => [...respond.querySelectorAll("h2, p.comment-notes, label, button")]
  .filter(element => !element.closest(".trap") && element.checkVisibility())
  .map(element => element.textContent.replace(/\\s+/g, " ").trim())
"""

EMAIL = "noor.from.the.quay@mailbox.example"
COMMENT = "I was on that boat.\n\nThe bell rang *twice*, didn’t it?"


class Read(NamedTuple):
    label: str
    title: str
    after_paragraph: int


class Story(NamedTuple):
    headline: str
    standfirst: str
    body: str
    lines: list[str]  # the paragraphs and related reads in their order
    reads: list[Read]


def read_story(text: str) -> Story:
    """Take a story page as text apart. Its last two lines are the page's form."""
    text = text.strip().removesuffix("\n\n".join(FORM[:2]))
    headline, standfirst, body = text.strip().split("\n\n", 2)
    reads: list[Read] = []
    kept: list[str] = []
    lines = [line for line in body.splitlines() if line]
    for line in lines:
        label, bar, title = line.partition(" | ")
        if bar:
            reads.append(Read(label, title, after_paragraph=len(kept)))
        else:
            kept.append(line)
    pasted = re.sub(r"^\w+ Read \| .*\n+", "", f"{body}\n", flags=re.MULTILINE).strip()
    return Story(headline, standfirst, pasted, lines, reads)


@pytest.fixture(params=["the real story", "a story of the same shape"])
def story(request) -> Story:
    if request.param == "a story of the same shape":
        return read_story(OUR_STORY)
    if not REAL_STORY.exists():
        pytest.skip("the real story is not here")
    return read_story(REAL_STORY.read_text())


def choose(page: Page, field: str, text: str) -> None:
    """Choose from one of the admin's autocomplete fields, as a person does."""
    page.locator(f"#id_{field} + .select2 .select2-selection").click()
    asked = text[:30]
    # Each letter may bring another list, which takes the place of the one before.
    with page.expect_response(lambda response: parse_qs(urlsplit(response.url).query).get("term") == [asked]):
        page.locator(".select2-dropdown .select2-search__field").press_sequentially(asked)
    expect(page.locator(".loading-results")).to_have_count(0)
    page.locator(".select2-results__option", has_text=text).click()
    expect(page.locator(f"#id_{field} + .select2")).to_contain_text(text)


def write_story(page: Page, story: Story) -> None:
    page.goto("/admin/articles/article/add/")
    page.get_by_label("Headline:").fill(story.headline)
    page.get_by_label("Standfirst:").fill(story.standfirst)
    choose(page, "section", "World")
    page.evaluate("text => navigator.clipboard.writeText(text)", story.body)
    page.locator(".tiptap").click()
    page.keyboard.press("Control+v")
    choose(page, "bylines-0-author", "Ida Strand")
    page.get_by_role("button", name="Add another Related read").click()
    for row, read in enumerate(story.reads):
        page.locator(f"#id_related_reads-{row}-label").select_option(read.label)
        choose(page, f"related_reads-{row}-target", read.title)
    also, related = story.reads
    page.locator("#id_related_reads-0-after_paragraph").fill(str(also.after_paragraph))
    assert related.label == "Related Read"  # stands at the end, so its paragraph stays empty
    page.get_by_label("Status:").select_option("Published")
    follow(page.get_by_role("button", name="Save", exact=True))
    expect(page.locator(".messagelist .success")).to_contain_text("was added successfully")


def read_as_visitor(page: Page, story: Story) -> str:
    """Find the story from the front page, read it, and return its address."""
    page.goto("/")
    follow(page.get_by_role("link", name=story.headline).first)
    expect(page.get_by_role("heading", level=1)).to_have_text(story.headline)
    expect(page.locator(".story-header .standfirst")).to_have_text(story.standfirst)
    expect(page.locator(".story-header")).to_contain_text("World")
    expect(page.locator(".story-header")).to_contain_text("By Ida Strand")
    expect(page.locator(".story-body > *")).to_have_text(story.lines)
    assert "“" in page.locator(".story-body").inner_text()
    for read in story.reads:
        link = page.locator(".story-body > aside").get_by_role("link", name=read.title)
        expect(link).to_have_attribute("href", Article.objects.get(title=read.title).get_absolute_url())
    assert page.locator("#respond").evaluate(FORM_SHOWN) == FORM
    return page.url


def reply_with_an_error_and_then_right(page: Page) -> None:
    story_page = page.url
    fill_in(page, body=COMMENT, name="Noor", email="noor at mailbox", website="https://noor.example/")
    assert post_unchecked(page).status == 422

    expect(page.locator(".error-summary")).to_be_focused()
    email = page.get_by_label("Email *")
    expect(email).to_have_attribute("aria-invalid", "true")
    expect(email).to_have_accessible_description(
        re.compile(r"will not be published.*Enter an email address like name@example\.com")
    )
    expect(page.get_by_label("Comment *")).to_have_value(COMMENT)
    expect(page.get_by_label("Name *")).to_have_value("Noor")
    expect(email).to_have_value("noor at mailbox")
    expect(page.get_by_label("Website", exact=True)).to_have_value("https://noor.example/")

    email.fill(EMAIL)
    assert post(page).status == 200
    expect(page).to_have_url(re.compile("/comments/yours/"))
    expect(page.get_by_role("status")).to_contain_text("A moderator will read your comment")
    expect(page.locator(".comment-text")).to_have_text(re.compile("I was on that boat"))
    assert EMAIL not in page.content()
    assert page.context.cookies(story_page) == []


def sign_in(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_label("Username:").fill("editor")
    page.get_by_label("Password:").fill("a long password")
    follow(page.get_by_role("button", name="Log in"))
    expect(page.get_by_role("heading", name="Site administration")).to_be_visible()


def test_a_story_is_published_read_answered_moderated_and_no_email_address_gets_out(watch, story):
    make_editor(username="editor", password="a long password", email="editor@newsroom.example")
    section = make_section(name="World", slug="world")
    author = make_author(name="Ida Strand", slug="ida-strand")
    for read in story.reads:
        make_article(title=read.title, section=section, authors=[author])

    editor = watch.new_visitor(permissions=["clipboard-read", "clipboard-write"])
    sign_in(editor)
    write_story(editor, story)
    visitor = watch.new_visitor()
    address = read_as_visitor(visitor, story)
    watch.expect_status(422)
    reply_with_an_error_and_then_right(visitor)

    stranger = watch.new_visitor()
    stranger.goto(address)
    expect(stranger.locator("#comments-heading")).to_have_text("No comments yet. Be the first.")
    expect(stranger.locator("body")).not_to_contain_text("I was on that boat")

    editor.goto("/admin/")
    follow(editor.get_by_role("link", name="Comments (1) waiting for a decision"))
    waiting = editor.locator(".queue-row")
    expect(waiting).to_have_count(1)
    expect(waiting).to_contain_text("I was on that boat.")
    expect(waiting).to_contain_text(EMAIL)
    expect(waiting).to_contain_text(story.headline)
    expect(waiting).to_contain_text("First comment under this name and email address")
    waiting.get_by_role("button", name="Approve", exact=True).click()
    expect(editor.locator(".queue-done")).to_contain_text("Approved: ")
    expect(waiting).to_have_count(0)

    comment = Comment.objects.get()
    stranger.reload()
    expect(stranger.locator("#comments-heading")).to_have_text("One comment")
    shown = stranger.locator(f"#comment-{comment.pk}")
    expect(shown.locator(".comment-name")).to_have_text("Noor")
    expect(shown.locator(".comment-text em")).to_have_text("twice")

    follow(editor.locator("#queue-tabs").get_by_role("link", name="Approved (1)"))
    row = editor.locator(".queue-row")
    row.locator("summary", has_text="Reply").click()
    row.get_by_label("Reply to Noor").fill("It did. The second time was for you.")
    row.get_by_role("button", name="Reply", exact=True).click()
    expect(editor.locator("#queue-status")).to_contain_text("Your reply to Noor is public.")

    stranger.reload()
    expect(stranger.locator("#comments-heading")).to_have_text("2 comments")
    nested = stranger.locator(f"li:has(> #comment-{comment.pk}) > details > ol > li > .comment")
    expect(nested.locator(".comment-text")).to_have_text("It did. The second time was for you.")

    story_path = address.removeprefix(watch.site)
    addresses = [
        "/",
        story_path,
        f"{story_path}reply/",
        f"{story_path}reply/?to={comment.pk}",
        *(f"/comments/{pk}/" for pk in Comment.objects.values_list("pk", flat=True)),
        section.get_absolute_url(),
        author.get_absolute_url(),
        story_path[:6],
        story_path[:9],
    ]
    for address in addresses:
        response = stranger.request.get(address)
        assert response.status == 200, address
        text = response.text().lower()
        for secret in [EMAIL, "mailbox.example", "newsroom.example"]:
            assert secret not in text, f"{secret} is on {address}"
    assert stranger.context.cookies() == []
