import re
import sys
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsite.markup import (
    COMMENT_TAGS,
    comment_html,
    count_links,
    count_words,
    paragraphs,
    story_html,
    with_paragraphs,
)


def link(href: str, text: str) -> str:
    return f'<a href="{href}" rel="nofollow ugc noopener">{text}</a>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One.\nTwo.\n\nThree.", "<p>One.<br>\nTwo.</p>\n<p>Three.</p>"),
        ("*soft* **loud** `code`", "<p><em>soft</em> <strong>loud</strong> <code>code</code></p>"),
        ("> said", "<blockquote>\n<p>said</p>\n</blockquote>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("```\nif a < b:\n```", "<pre><code>if a &lt; b:\n</code></pre>"),
        ("<b>bold</b> and <i>italic</i>", "<p><b>bold</b> and <i>italic</i></p>"),
        ("<del>one</del> <s>two</s> <cite>three</cite>", "<p><del>one</del> <s>two</s> <cite>three</cite></p>"),
        ("shown <!-- hidden --> too", "<p>shown  too</p>"),
        ("# no heading\n![no picture](https://e.example/x.png)",
         f"<p># no heading<br>\n!{link('https://e.example/x.png', 'no picture')}</p>"),
        ("1 < 2 && 3 > 2 <3", "<p>1 &lt; 2 &amp;&amp; 3 &gt; 2 &lt;3</p>"),
    ],
)  # fmt: skip
def test_a_comment_may_use_markdown_and_a_little_html(text, html):
    assert comment_html(text) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("write to me <bob@example.com>", "<p>write to me &lt;bob@example.com&gt;</p>"),
        ('<b onclick="alert(1)" style="color:red" class="x">hi</b>', "<p><b>hi</b></p>"),
        ('<a href="javascript:alert(1)">x</a>', '<p><a rel="nofollow ugc noopener">x</a></p>'),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
        ("[x](data:text/html,hi)", "<p>[x](data:text/html,hi)</p>"),
    ],
)
def test_what_a_comment_may_not_hold_stays_readable_as_text(text, html):
    assert comment_html(text) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("see https://a.example/x?y=1&z=2.", f"see {link('https://a.example/x?y=1&amp;z=2', 'https://a.example/x?y=1&amp;z=2')}."),
        ("see www.example.org, please", f"see {link('http://www.example.org', 'www.example.org')}, please"),
        ("bob@example.com, readme.md and e.g.so", "bob@example.com, readme.md and e.g.so"),
        ("`https://a.example`", "<code>https://a.example</code>"),
        ("(https://a.example/x).", f"({link('https://a.example/x', 'https://a.example/x')})."),
        ("https://a.example/x_(y)", link("https://a.example/x_(y)", "https://a.example/x_(y)")),
    ],
)  # fmt: skip
def test_web_addresses_become_links_and_nothing_else_does(text, html):
    assert comment_html(text) == f"<p>{html}</p>"


X, DEEP = "https://a.example/x", "https://a.example/x_(y)[1]"


@pytest.mark.parametrize(
    ("before", "address", "after"),
    [
        ("[", X, "]"),
        ("([", X, "]),"),
        ("{", X, "}."),
        ("see (in ", DEEP, "). Next"),
        ("[", DEEP, "]"),
        ("", DEEP, "…"),
        ("", X, "...!"),
        ("", X, "?"),
        ("first ", X, "; then: "),
        ("“", X, "”"),
        ("„", X, "“,"),
        ("«", X, "».)"),
        ("‘", X, "’:"),
        ("“(", X, ".)” (so)"),
        ("", f"{X}?it’s=a.b,c;d:e!f", "!"),
        ("", f"{X}(((", ""),
        ("", f"{X}/](y)", ""),
    ],
)
def test_what_closes_around_a_web_address_stays_outside_the_link(before, address, after):
    assert (
        comment_html(f"{before}{address}{after}")
        == f"<p>{before}{link(address, address)}{after}".strip() + "</p>"
    )


@pytest.mark.parametrize("text", ["https://", "http://.", "(https://)", "www.", "www...", "https://]"])
def test_an_address_that_leads_nowhere_is_no_link(text):
    assert comment_html(text) == f"<p>{text}</p>"


@given(st.text(alphabet="(){}[].,;:!?”’»“/&xé ", max_size=60))
def test_a_web_address_becomes_a_link_without_losing_a_character(end):
    html = comment_html.__wrapped__(f"(https://a.example/x{end}")

    assert unescape(re.sub(r"<[^>]*>", "", html)) == f"(https://a.example/x{end}".strip()
    assert count_links(html) == 1


def test_links_are_counted_as_readers_see_them():
    html = comment_html(
        "https://a.example [b](https://b.example) <a href='https://c.example'>c</a> `www.d.example`"
    )

    assert count_links(html) == 3


def test_an_anchor_that_leads_nowhere_is_no_link():
    assert count_links(comment_html('<a href="javascript:alert(1)">x</a>')) == 0


class TagCollector(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = set()

    def handle_starttag(self, tag, attrs):
        self.found.add((tag, *sorted(name for name, _ in attrs)))


@given(st.text(alphabet="<>/ab*_`[](): \n\"'=&;!#x\x00\u202e", max_size=300))
def test_a_comment_never_holds_other_tags_or_attributes_whatever_is_typed(text):
    collector = TagCollector()
    collector.feed(comment_html(text))

    allowed = {(tag,) for tag in COMMENT_TAGS - {"a"}}
    allowed |= {("a", "rel"), ("a", "href", "rel"), ("a", "rel", "title"), ("a", "href", "rel", "title")}
    assert collector.found - allowed == set()


def test_plain_text_becomes_paragraphs_one_a_line():
    assert story_html("“One.”\nTwo.\n\n\n  \nThree – “four”.") == (
        "<p>“One.”</p><p>Two.</p><p>Three – “four”.</p>"
    )


@pytest.mark.parametrize(
    ("pasted", "html"),
    [
        ("<h1>Top</h1><div>Text <font color=red>red</font></div>", "<h2>Top</h2><p>Text red</p>"),
        ("<p>a</p><script>alert(1)</script><style>p{}</style>", "<p>a</p>"),
        ("<p class=MsoNormal style='margin:0'><span lang=EN>Word<o:p></o:p></span></p><p>&nbsp;</p>", "<p>Word</p>"),
        ("<!--[if gte mso 9]><xml></xml><![endif]--><p>a</p>", "<p>a</p>"),
        ("<p onclick=x()>a <a href='javascript:x()'>b</a></p>", '<p>a <a rel="noopener">b</a></p>'),
        ("<iframe src=https://e.example></iframe><p>a</p>", "<p>a</p>"),
        ("<p><a href='mailto:desk@example.com'>desk</a></p>",
         '<p><a href="mailto:desk@example.com" rel="noopener">desk</a></p>'),
    ],
)  # fmt: skip
def test_pasted_html_is_cleaned_and_keeps_its_text(pasted, html):
    assert story_html(pasted) == html


@pytest.mark.parametrize(
    ("typed", "html"),
    [
        ("<p>One.</p>\n\nTwo.\n\nThree.", "<p>One.</p><p>Two.</p><p>Three.</p>"),
        ("One.\n<h2>Two</h2>\nThree.\n<hr>\nFour.", "<p>One.</p><h2>Two</h2><p>Three.</p><hr><p>Four.</p>"),
        ("<ul>\n<li>a\n<li>b\n</ul>\nc", "<ul>\n<li>a\n</li><li>b\n</li></ul><p>c</p>"),
        ("<p>One\n<p>Two</p>\nThree", "<p>One\n</p><p>Two</p><p>Three</p>"),
        ("<blockquote><p>q</blockquote>\na", "<blockquote><p>q</p></blockquote><p>a</p>"),
        ('See <a\nhref="/x/">list</a>.\nOn.', '<p>See <a href="/x/" rel="noopener">list</a>.</p><p>On.</p>'),
        ("if a<b and c\nthen 1 < 2 <3", "<p>if a&lt;b and c</p><p>then 1 &lt; 2 &lt;3</p>"),
        ("<p>if a<b and c</p>", "<p>if a&lt;b and c</p>"),
        ("write to <bob@example.com>", "<p>write to &lt;bob@example.com&gt;</p>"),
        ("<b>a</b> <br> 2>1\n<!-- one\ntwo -->\n&lt;", "<p><b>a</b> <br> 2&gt;1</p><p>&lt;</p>"),
        ("a\n<script>\nif (a<b) c()\n</script>\nb", "<p>a</p><p>b</p>"),
        ("<article>\n<p>a</p>\n</article>", "<p>a</p>"),
        ('<img src="/media/a.png" alt="">', '<p><img src="/media/a.png" alt=""></p>'),
    ],
)  # fmt: skip
def test_lines_typed_around_tags_become_paragraphs_and_no_text_is_lost(typed, html):
    assert story_html(typed) == html


@given(st.text(alphabet="ab <>/p\n\"'=&;!-", max_size=200))
def test_paragraphs_are_made_once(text):
    assert with_paragraphs(with_paragraphs(text)) == with_paragraphs(text)


def test_pictures_stay_only_from_the_sites_own_media():
    own = '<figure><img src="/media/a.png" alt="5 > 4"><figcaption>Own</figcaption></figure>'
    foreign = (
        '<figure><img src="https://e.example/b.png" alt=""></figure><p><img src="//e.example/c.png"></p>'
    )

    assert story_html(own + foreign) == (
        '<figure><img src="/media/a.png" alt="5 &gt; 4"><figcaption>Own</figcaption></figure>'
    )


def test_a_body_is_split_behind_its_own_paragraphs_only():
    html = "<blockquote><p>q</p></blockquote><p>1</p><ul><li><p>x</p></li></ul><p>2<br>b</p><h2>t</h2>"

    assert paragraphs(html) == [
        "<blockquote><p>q</p></blockquote><p>1</p>",
        "<ul><li><p>x</p></li></ul><p>2<br>b</p>",
        "<h2>t</h2>",
    ]


@given(st.text(alphabet="ab <>/p\n\"'=&;", max_size=200))
def test_the_pieces_of_a_body_make_up_the_body(text):
    html = story_html(text)

    assert "".join(paragraphs(html)) == html


def test_words_are_counted_across_tags():
    assert count_words("<p>one two</p><p>three <em>four</em></p>") == 4


@pytest.mark.parametrize("mark", ["[", "<i>", "<ul><li>", "](", "*a ", "> ", "`a", "&", "https://a.b/("])
def test_hostile_repetition_costs_a_bounded_number_of_steps(mark):
    """Counted in calls of Python functions, so that a busy machine changes nothing."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        comment_html.__wrapped__((mark * 10_000)[:10_000])
    finally:
        sys.setprofile(None)

    assert calls < 1_000_000


ATTACK = "<p onclick=x()>a</p><script>alert(1)</script><a href='javascript:x()'>b</a><iframe src=//e.example>"


@pytest.mark.parametrize("to_html", [story_html, comment_html.__wrapped__])
@pytest.mark.parametrize("gate", ["nh3.clean", "bleach.Cleaner.clean"])
def test_each_sanitiser_alone_would_stop_an_attack(monkeypatch, to_html, gate):
    passed = []

    def let_all_pass(*args, **kwargs):
        passed.append(args[-1])
        return args[-1]

    monkeypatch.setattr(gate, let_all_pass)
    collector = TagCollector()
    collector.feed(to_html(ATTACK))

    assert passed
    assert {tag for tag, *_ in collector.found} <= {"a", "p"}
    assert {name for _, *names in collector.found for name in names} <= {"rel", "href"}
    assert "javascript:" not in to_html("<a href='javascript:x()'>b</a>")
