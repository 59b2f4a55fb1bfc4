"""What people typed is what people read: in the preview, in the conversation, on one's own page."""

import pytest
from playwright.sync_api import Page, expect

from comments import yours
from comments.models import Comment
from tests.browser.reply_form import fill_in, preview
from tests.factories import make_article, make_comment
from tests.newsite.test_markup import AS_TYPED, STRAIGHT

FORMATTED = """1. first
2. second

10. Ten
11. Eleven

- a
  - b
- c

> He said this.
> > And she that.
That is wrong, *I* say: **very** `wrong`.

```
if a < b:
    print(1)
```

see https://en.wikipedia.org/wiki/Murphy's_law (or not)"""

# How everything in a text looks, and where it stands within it.
LOOK = """
(root) => [...root.querySelectorAll("*")].map((element) => {
  const style = getComputedStyle(element);
  const { x, width } = element.getBoundingClientRect();
  const left = element.closest("a, em, strong, code") ? 0 : x - root.getBoundingClientRect().x;
  return [element.localName, style.fontSize, style.fontFamily, style.lineHeight, element.localName == "li" && style.listStyleType,
    style.marginBlock, style.paddingInline, style.borderInlineStartWidth, style.color, Math.round(left)].join(" ");
})
"""


def read(page: Page) -> list[str]:
    texts = page.locator(".comment .comment-text").all_inner_texts()
    return [text.translate(STRAIGHT) for text in texts]


def test_in_the_conversation_everyone_reads_what_was_typed(page):
    article = make_article()
    for text in AS_TYPED:
        make_comment(article=article, body=text)

    page.goto(f"{article.get_absolute_url()}replies/")

    assert read(page) == AS_TYPED


def test_in_the_preview_one_reads_what_was_typed(page):
    text = "\n\n".join(AS_TYPED)
    page.goto(make_article().get_absolute_url())
    fill_in(page, body=text, name="Ada", email="ada@example.com")

    preview(page)

    seen = page.locator(".preview .comment-text").inner_text().translate(STRAIGHT)
    assert seen == text


def test_the_preview_the_conversation_and_ones_own_page_look_alike(page):
    comment = make_comment(body=FORMATTED)
    page.goto(comment.article.get_absolute_url())
    text = page.locator(".comment .comment-text")
    public, size = text.evaluate(LOOK), text.evaluate("it => getComputedStyle(it).fontSize")
    words = text.inner_text()

    fill_in(page, body=FORMATTED, name="Ada", email="ada@example.com")
    preview(page)
    shown = page.locator(".preview .comment-text")
    assert (shown.evaluate("it => getComputedStyle(it).fontSize"), shown.inner_text()) == (size, words)
    assert shown.evaluate(LOOK) == public

    page.goto(f"/comments/yours/{yours.token(comment)}/")
    own = page.locator(".comment-text")
    assert (own.evaluate("it => getComputedStyle(it).fontSize"), own.inner_text()) == (size, words)
    assert own.evaluate(LOOK) == public


@pytest.mark.parametrize("is_reply", [False, True])
def test_the_lists_of_the_page_reach_into_none_that_people_write(page, is_reply):
    comment = make_comment(body=FORMATTED)
    if is_reply:
        comment = make_comment(article=comment.article, parent=comment, body=FORMATTED)
    page.goto(comment.article.get_absolute_url())
    lists = page.locator(f"#comment-{comment.pk} .comment-text :is(ol, ul)")

    looks = lists.evaluate_all(
        """lists => lists.map(list => [list.start ?? "", getComputedStyle(list).listStyleType,
          getComputedStyle(list).borderInlineStartWidth])"""
    )

    assert looks == [
        [1, "decimal", "0px"],
        [10, "decimal", "0px"],
        ["", "disc", "0px"],
        ["", "circle", "0px"],
    ]


@pytest.mark.parametrize(
    "text",
    [
        ">" * 12 + " deep enough to be read",
        "\n".join("  " * level + f"- level {level}" for level in range(12)),
    ],
)
def test_what_stands_deep_inside_can_be_read_on_a_narrow_screen(watch, text):
    page = watch.new_visitor(viewport={"width": 320, "height": 700})
    comment = make_comment(body=text)
    page.goto(comment.article.get_absolute_url())

    deepest = page.locator(".comment .comment-text :is(p, li)").last

    expect(deepest).to_be_visible()
    box = deepest.bounding_box()
    assert box["width"] > 100
    assert box["x"] + box["width"] <= 320
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_each_paragraph_runs_in_the_direction_of_its_first_letter(page):
    make_comment(body="مرحبا بالعالم\n\nHello world.\n\n> שלום עולם")
    page.goto(Comment.objects.get().article.get_absolute_url())

    sides = page.locator(".comment-text p").evaluate_all(
        """paragraphs => paragraphs.map((paragraph) => {
          const range = document.createRange();
          range.selectNodeContents(paragraph);
          const words = range.getBoundingClientRect();
          const box = paragraph.getBoundingClientRect();
          return words.left - box.left < box.right - words.right ? "left" : "right";
        })"""
    )

    assert sides == ["right", "left", "right"]
