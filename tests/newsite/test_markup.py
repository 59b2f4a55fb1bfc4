import re
import sys
from html import escape, unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsite.markup import (
    COMMENT_TAGS,
    comment_html,
    count_links,
    count_words,
    links,
    paragraphs,
    story_html,
    text_of,
    with_paragraphs,
)
from tests.browser.test_attacks import OURS, collected


def escape_text(text: str) -> str:
    return escape(text, quote=False)


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
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>"),
        (
            "see <?php echo 1; ?> and <!-- this --> too",
            "<p>see &lt;?php echo 1; ?&gt; and &lt;!-- this --&gt; too</p>",
        ),
        ("<!DOCTYPE html>", "<p>&lt;!DOCTYPE html&gt;</p>"),
        ("<![CDATA[x]]>", "<p>&lt;![CDATA[x]]&gt;</p>"),
        ("</ul>\nafter\nit", "<p>&lt;/ul&gt;<br>\nafter<br>\nit</p>"),
        ("if a<b and c>d then", "<p>if a&lt;b and c&gt;d then</p>"),
        ("a<i and b>j", "<p>a&lt;i and b&gt;j</p>"),
        ("Vec<S> is a type", "<p>Vec&lt;S&gt; is a type</p>"),
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
        ("http://a.example?x=1&par=1&copy=2", link("http://a.example?x=1&amp;par=1&amp;copy=2", "http://a.example?x=1&amp;par=1&amp;copy=2")),
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


AS_TYPED = [
    # Numbers that are no list.
    "1984. What a book that was.",
    "1986. A great year",
    "3. Oktober ist Feiertag.",
    "10. Downing Street is a joke",
    "24. Dezember: zu.",
    "2024. gada 5. maijā",
    "1984. Orwell.\n2001. Clarke.",
    "1. one\n1. one again",
    "007. Bond\n008. Bill",
    "1) one\n2) two",
    "- only one, as a dash",
    "+ cheap\n+ fast\n- slow",
    # Marks inside of words, or about nothing.
    "Leser*innen und Autor*innen",
    "ONE F*CKING … the f*ck",
    "f**k … s**t",
    "2*3*4=24",
    "2**3**4",
    "2 * 3 * 4",
    "(a)*(b)*(c)",
    "snake_case_name and _private_name",
    "@_ann_",
    "東京_(曖昧)と大阪_(曖昧)",
    "* * *",
    "*",
    "- - -",
    "---",
    "*_* (*_*) and _*_",
    "_|_",
    "*21*+4930123456",
    "*.txt|*.md",
    "~~~ no code ~~~",
    "two ~ tildes ~ and ~one~",
    # Backslashes.
    r"¯\_(ツ)_/¯",
    r"C:\Users\_ann\*.txt and \\server\share",
    # What points to the right and quotes nobody.
    ">_> yes",
    ">:( no",
    ">.< and >_<",
    ">D",
    ">50% of us",
    ">",
    ">" * 100,
    # Tags that are none, and those that are never used as such.
    "if a<b and c>d then",
    "a<i and b>j",
    "Vec<S> is a type and Map<S> another",
    "T<S> is one too",
    "see <?php echo 1; ?> and <!-- this --> too",
    "<!DOCTYPE html>",
    "<![CDATA[x]]>",
    "J<aime <3 <Hello>",
    "</ul> after </b> it",
    "the <a> tag, and <a name=b>c</a>",
    # Codes that are no sign.
    "&#0; &#7; &#55296; &#1114112;",
    # Code that is never closed.
    "```\nnot closed",
    "a ` b",
    "п`ять та сім`я",
]


STRAIGHT = str.maketrans("“”‘’", "\"\"''")


def seen(html: str) -> str:
    """What a reader sees of a comment, with straight quotation marks."""
    return unescape(re.sub(r"<[^>]*>", "", html)).translate(STRAIGHT)


@pytest.mark.parametrize("text", AS_TYPED)
def test_who_knows_no_markdown_reads_what_they_typed(text):
    lines = "<br>\n".join(map(escape_text, text.splitlines()))

    assert comment_html(text) == f"<p>{lines}</p>"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("1. first\n2. second", "<ol>\n<li>first</li>\n<li>second</li>\n</ol>"),
        ("10. Ten\n11. Eleven", '<ol start="10">\n<li>Ten</li>\n<li>Eleven</li>\n</ol>'),
        ("In short:\n- a\n- b\nThat is all.", "<p>In short:</p>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<p>That is all.</p>"),
        ("1. a\n2. b\n\ntext\n\n3. c\n4. d",
         '<ol>\n<li>a</li>\n<li>b</li>\n</ol>\n<p>text</p>\n<ol start="3">\n<li>c</li>\n<li>d</li>\n</ol>'),
        ("- a\n  - b\n    - c\n- d", "<ul>\n<li>a\n<ul>\n<li>b\n<ul>\n<li>c</li>\n</ul></li>\n</ul></li>\n<li>d</li>\n</ul>"),
        ("- a\n\n- b", "<ul>\n<li><p>a</p></li>\n<li><p>b</p></li>\n</ul>"),
        ("> He said this.\nThat is wrong, I say.",
         "<blockquote>\n<p>He said this.</p>\n</blockquote>\n<p>That is wrong, I say.</p>"),
        (">quoted\n>> deeper", "<blockquote>\n<p>quoted</p>\n<blockquote>\n<p>deeper</p>\n</blockquote>\n</blockquote>"),
        (">\u00a0a\nb", "<blockquote>\n<p>a</p>\n</blockquote>\n<p>b</p>"),
        ("> a\n>\n> b", "<blockquote>\n<p>a</p>\n<p>b</p>\n</blockquote>"),
        ("> - a\n> - b", "<blockquote>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n</blockquote>"),
        ("これは**「重要なこと」**です。", "<p>これは<strong>「重要なこと」</strong>です。</p>"),
        ("**중요**합니다", "<p><strong>중요</strong>합니다</p>"),
        ("***both*** *a **b** c* ~~gone~~ __x__", "<p><em><strong>both</strong></em> <em>a <strong>b</strong> c</em> <del>gone</del> <strong>x</strong></p>"),
        ("(*a*), “**b**”!", "<p>(<em>a</em>), “<strong>b</strong>”!</p>"),
        ("Intro\n\n    a poem line", "<p>Intro</p>\n<p>a poem line</p>"),
        ("a\n\n* * *\n\nb", "<p>a</p>\n<p>* * *</p>\n<p>b</p>"),
        ("[*words*](https://a.example/x_(y) \"Title\")",
         '<p><a href="https://a.example/x_(y)" title="Title" rel="nofollow ugc noopener"><em>words</em></a></p>'),
        ("<https://a.example/x>", f"<p>{link('https://a.example/x', 'https://a.example/x')}</p>"),
        ("vt\x0bff\x0cls\u2028ps\u2029nel\x85cr\rbell\x07", "<p>vt<br>\nff<br>\nls<br>\nps<br>\nnel<br>\ncr<br>\nbell</p>"),
        ("&lt;b&gt; &copy; &#65; AT&T &nothing;", "<p>&lt;b&gt; © A AT&amp;T &amp;nothing;</p>"),
        ("`&lt; *x*`", "<p><code>&amp;lt; *x*</code></p>"),
        ("`` `a` ``, ` b`", "<p><code>`a`</code>, <code> b</code></p>"),
        ("a\n \t\nb", "<p>a</p>\n<p>b</p>"),
        ("- a\n \n- b\n\n  c", "<ul>\n<li><p>a</p></li>\n<li><p>b</p>\n<p>c</p></li>\n</ul>"),
        ("```SELECT\n```", "<pre><code>SELECT</code></pre>"),
        ("```python\nx\n  ````\n```\n```\nafter", "<pre><code>x\n</code></pre>\n<p>after</p>"),
    ],
)  # fmt: skip
def test_marks_count_where_someone_means_them(text, html):
    assert comment_html(text) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<blockquote>He said this.</blockquote>\nI do not *agree*.\nNo.",
         "<blockquote>\n<p>He said this.</p>\n</blockquote>\n<p>I do not <em>agree</em>.<br>\nNo.</p>"),
        ("He: <blockquote>*a*\nb</blockquote> and I", "<p>He:</p>\n<blockquote>\n<p><em>a</em><br>\nb</p>\n</blockquote>\n<p>and I</p>"),
        ("<p>one\ntwo</p>", "<p>one<br>\ntwo</p>"),
        ("<p>one\n<p>two\n\nthree", "<p>one</p>\n<p>two</p>\n<p>three</p>"),
        ("a<br>\nb<br/>c", "<p>a<br>\nb<br>\nc</p>"),
        ("<code>\nif a < b:\n    print(1)\n</code>", "<pre><code>if a &lt; b:\n    print(1)\n</code></pre>"),
        ("<pre>\n  a\n\n  b &lt;\n</pre>", "<pre><code>  a\n\n  b &lt;\n</code></pre>"),
        ("so <code>Vec<S> *x*</code>.", "<p>so <code>Vec&lt;S&gt; *x*</code>.</p>"),
        ("a ``<ul><li>b</ul>` c", "<p>a ``</p>\n<ul>\n<li>b</li>\n</ul>\n<p>` c</p>"),
        ("`<blockquote>` is a tag", "<p><code>&lt;blockquote&gt;</code> is a tag</p>"),
        ("<ul><li>a<li>b\n<ol start=3><li>c</ol></ul>after",
         '<ul>\n<li>a</li>\n<li>b\n<ol start="3">\n<li>c</li>\n</ol></li>\n</ul>\n<p>after</p>'),
        ("<b>one\ntwo\n\nthree", "<p><b>one<br>\ntwo</b></p>\n<p>three</p>"),
        ("<blockquote>one\n\ntwo", "<blockquote>\n<p>one</p>\n</blockquote>\n<p>two</p>"),
        ("<b>one\n\ntwo</b> three</b>", "<p><b>one</b></p>\n<p>two three&lt;/b&gt;</p>"),
        ("<b>a <i>b</b> c</i> d", "<p><b>a <i>b</i></b><i> c</i> d</p>"),
        ("an <a> tag: https://a.example", f"<p>an &lt;a&gt; tag: {link('https://a.example', 'https://a.example')}</p>"),
        ('<a href="www.example.com">x</a>', f"<p>{link('http://www.example.com', 'x')}</p>"),
        ('<a href="example.com/y?a=1&amp;b=2">x</a>', f"<p>{link('http://example.com/y?a=1&amp;b=2', 'x')}</p>"),
        ('<a href="https://a.example">https://b.example</a>', f"<p>{link('https://a.example', 'https://b.example')}</p>"),
        ('<a href="http://a.example?x=1&copy=2&lang=de&amp;y=3">x</a>',
         f"<p>{link('http://a.example?x=1&amp;copy=2&amp;lang=de&amp;y=3', 'x')}</p>"),
        ("<code>&lt;b&gt; &copy=</code>", "<p><code>&lt;b&gt; &amp;copy=</code></p>"),
        ("[https://a.example](https://b.example)", f"<p>{link('https://b.example', 'https://a.example')}</p>"),
        ("<BLOCKQUOTE><B>a</B><BLOCKQUOTE>b</BLOCKQUOTE></BLOCKQUOTE>c",
         "<blockquote>\n<p><b>a</b></p>\n<blockquote>\n<p>b</p>\n</blockquote>\n</blockquote>\n<p>c</p>"),
        ("<PRE><CODE>a</CODE></PRE>b<BR>c", "<pre><code>a\n</code></pre>\n<p>b<br>\nc</p>"),
        ('<A HREF="https://a.example">x</A>', f"<p>{link('https://a.example', 'x')}</p>"),
    ],
)  # fmt: skip
def test_html_switches_nothing_off_and_reaches_no_further_than_it_should(text, html):
    assert comment_html(text) == html


def test_quotes_and_lists_in_one_another_end_where_a_screen_has_no_room():
    quotes = comment_html(">" * 12 + " deep")
    lists = comment_html("\n".join("  " * level + f"- l{level}" for level in range(12)))

    assert (quotes.count("<blockquote>"), seen(quotes).strip()) == (10, ">> deep")
    assert lists.count("<ul>") == 10
    assert seen(lists).split() == [*(f"l{level}" for level in range(10)), "-", "l10", "-", "l11"]


def test_a_long_address_is_shown_in_part_and_leads_where_it_should():
    address = "https://a.example/" + "x" * 482

    html = comment_html(f"see {address}.")

    assert links(html) == [address]
    assert f' title="{address}"' in html
    assert seen(html) == f"see https://a.example/{'x' * 42}…{'x' * 19}."


PLAIN = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=80)
# At the edge of a word these may be marks, and an entity stands for something else.
AT_AN_EDGE = re.compile(
    r"(?<!\w)[*_~`>+\[\]<&'\"-]|[*_~`>\[\]<&'\"-](?!\w)|[0-9]\.|&|http|www", re.IGNORECASE
)


@given(st.lists(PLAIN.filter(lambda words: not AT_AN_EDGE.search(words)), max_size=4))
def test_words_without_marks_at_their_edges_are_read_as_they_were_typed(lines):
    text = "\n".join(lines)

    assert seen(comment_html.__wrapped__(text)).split() == text.translate(STRAIGHT).split()


@given(
    before=st.sampled_from(
        ["", "(", "「", "看", "см.", "1.", "*", "**", "[", "“", "'", '"', "~~", "> ", "- ", "__", "see "]
    ),
    path=st.text(alphabet="aé/_*~`'()[]-.,;:!?=&%#東Ж\\", max_size=40),
)
def test_an_address_leads_to_itself_whatever_stands_around_it(before, path):
    address = f"https://a.example/{path}"

    found = links(comment_html.__wrapped__(f"{before}{address} x"))

    assert len(found) == 1
    assert address.startswith(found[0])
    assert found[0].startswith("https://a.example/")


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


@given(st.text(alphabet="<>/abliou123.-*_`~[](): \n\"'=&;!#x\x00\u202e", max_size=300))
def test_a_comment_never_holds_other_tags_or_attributes_whatever_is_typed(text):
    collector = TagCollector()
    collector.feed(comment_html(text))

    allowed = {(tag,) for tag in COMMENT_TAGS - {"a"}} | {("ol", "start")}
    allowed |= {("a", "rel"), ("a", "href", "rel"), ("a", "rel", "title"), ("a", "href", "rel", "title")}
    assert collector.found - allowed == set()


@pytest.mark.parametrize("gate", ["nh3.clean", "bleach.Cleaner.clean"])
def test_both_sanitisers_let_the_same_through_of_what_attacks(monkeypatch, gate):
    """Each is taken away in turn. Addresses that lead elsewhere are looked at in the browser."""
    payloads = [*OURS, *collected()]
    both = [tags_of(comment_html.__wrapped__(payload)) for payload in payloads]

    monkeypatch.setattr(gate, lambda *args, **kwargs: args[-1])
    alone = [tags_of(comment_html.__wrapped__(payload)) for payload in payloads]

    assert [payload for payload, one, two in zip(payloads, both, alone, strict=True) if one != two] == []


def tags_of(html: str) -> set[tuple[str, ...]]:
    """Return the tags with their attributes, but for where links lead and what nh3 adds to them."""
    collector = TagCollector()
    collector.feed(html)
    return {tuple(name for name in tag if name not in {"href", "rel"}) for tag in collector.found}


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
        ("One.\n<P>Two</P>\nThree.\n<HR>Four.", "<p>One.</p><p>Two</p><p>Three.</p><hr><p>Four.</p>"),
        ("one\x0btwo\u2028three\x07", "<p>one</p><p>two</p><p>three</p>"),
        ("<p>one\x0btwo\x0cthree\u2028four\u2029five\x85six\x07</p>", "<p>one<br>two<br>three<br>four<br>five<br>six</p>"),
        ("<p>one\ntwo\r\nthree</p>", "<p>one\ntwo\nthree</p>"),
        ('<p>a <a\x0bhref="/x/">b</a></p>', '<p>a <a href="/x/" rel="noopener">b</a></p>'),
    ],
)  # fmt: skip
def test_lines_typed_around_tags_become_paragraphs_and_no_text_is_lost(typed, html):
    assert story_html(typed) == html


@given(st.text(alphabet="ab <>/p\n\x0b\u2028\x07\"'=&;!-", max_size=200))
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


@pytest.mark.parametrize(("html", "pieces"), [("", []), ("<p>1</p>", ["<p>1</p>"]), ("1", ["1"])])
def test_a_body_is_split_into_no_empty_pieces(html, pieces):
    assert paragraphs(html) == pieces


@given(st.text(alphabet="ab <>/p\n\"'=&;", max_size=200))
def test_the_pieces_of_a_body_make_up_the_body(text):
    html = story_html(text)

    assert "".join(paragraphs(html)) == html


def test_words_are_counted_across_tags():
    assert count_words("<p>one two</p><p>three <em>four</em></p>") == 4


@pytest.mark.parametrize(
    "mark",
    [
        "[",
        "<i>",
        "<ul><li>",
        "](",
        "*a ",
        "> ",
        "`a",
        "&",
        "https://a.b/(",
        ">a\n\n",
        ">",
        ">\n",
        "- a\n",
        "<p>\n",
        "<b>a</b>",
        "``` x\n",
        "[a](https://b.c/",
        "<code>\n",
        "'a ",
        "\n[",
        "<ol>\n\n",
    ],
)
def test_hostile_repetition_costs_a_bounded_number_of_steps(mark):
    """Counted in calls of functions, so that a busy machine changes nothing."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        comment_html.__wrapped__((mark * 10_000)[:10_000])
    finally:
        sys.setprofile(None)

    assert calls < 300_000


def test_tags_that_are_never_closed_are_text_before_looking_for_their_ends_takes_long():
    assert comment_html("<ol>a\n\n" * 100).endswith("&lt;ol&gt;a<br>\n<br>\n&lt;ol&gt;a</p>")
    assert comment_html("<ol>a</ol>\n\n" * 100).endswith("\n<ol>\n<li>a</li>\n</ol>")


@pytest.mark.parametrize("line", [">a", "- a", "a", "<p>a</p>", "www.a.example", "1. a"])
def test_what_nobody_writes_so_many_of_is_text_in_the_lines_that_it_had(line):
    html = comment_html(f"{line}\n\n" * 700)

    typed = escape(line, quote=False)
    assert html.startswith(comment_html(f"{line}\n\n" * 2)[:9])
    assert html.endswith(f"{typed}<br>\n<br>\n{typed}</p>")
    assert text_of(html).count("a") == 700 * line.replace("<p>", "").count("a")


def test_what_stands_for_a_line_end_or_a_sign_of_html_cannot_be_typed():
    typed = "a\u2028b\u2029l &#x2028; &#8233;l <a href='https://a.example/&#8232;l'>c</a> `\u2029g`"

    assert comment_html(typed) == (
        "<p>a<br>\nb<br>\nl &amp;#x2028; &amp;#8233;l "
        '<a href="https://a.example/&amp;#8232;l" rel="nofollow ugc noopener">c</a> '
        "<code><br>\ng</code></p>"
    )


def test_lists_and_tables_whose_items_are_not_closed_are_of_any_length():
    items, cells = "<li>one" * 300, "<tr><td>one<td>two" * 300

    assert story_html(f"<ul>{items}</ul>").count("<li>") == 300
    assert story_html(f"<table>{cells}</table>").count("<td>") == 600


def test_what_is_too_deep_in_a_story_loses_its_tag_and_keeps_its_words():
    html = story_html("<blockquote><p>a</p>" * 300)

    assert html.count("<blockquote>") == 100
    assert text_of(html).count("a") == 300


def test_signs_of_html_in_a_story_stay_what_they_are():
    typed = "<p title='&lt;'>1 &lt; 2 &amp;&amp; 3 &gt; 2 &amp;lt; <a href='/x?a=1&amp;b=2'>b</a> &#x2029;l&#8232;</p>"

    assert story_html(typed) == (
        '<p>1 &lt; 2 &amp;&amp; 3 &gt; 2 &amp;lt; <a href="/x?a=1&amp;b=2" rel="noopener">b</a>  l </p>'
    )


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
