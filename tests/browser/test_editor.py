"""The rich-text editor of the admin: under the site's policy, without JavaScript, and pasting."""

import pytest
from playwright.sync_api import Page, expect

from articles.models import Article
from newsite.markup import story_html
from tests.browser.clipboards import CLIPBOARDS, OUTLOOK_ON_THE_WEB
from tests.factories import make_article, make_editor, make_section

ADD = "/admin/articles/article/add/"

# Hands a paste to the editor as the browser does, with what another program put on the clipboard.
PASTE = """
(editor, clipboard) => {
  const data = new DataTransfer();
  for (const [type, text] of Object.entries(clipboard)) data.setData(type, text);
  editor.dispatchEvent(
    new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
  );
}
"""

DROP = """
(editor, html) => {
  const data = new DataTransfer();
  data.setData("text/html", html);
  const { x, y } = editor.getBoundingClientRect();
  editor.dispatchEvent(
    new DragEvent("drop", { dataTransfer: data, clientX: x + 9, clientY: y + 9, bubbles: true, cancelable: true })
  );
}
"""

# Has the next copy put on the system's clipboard what another program would.
COPY = """
(html) => document.addEventListener("copy", (event) => {
  event.clipboardData.setData("text/html", html);
  event.clipboardData.setData("text/plain", "not this");
  event.preventDefault();
}, { once: true })
"""

# What a word processor puts on the clipboard for three paragraphs, a heading, a list and a table.
WORD = """<html xmlns:v="urn:schemas-microsoft-com:vml"
xmlns:o="urn:schemas-microsoft-com:office:office"
xmlns:w="urn:schemas-microsoft-com:office:word"
xmlns:m="http://schemas.microsoft.com/office/2004/12/omml"
xmlns="http://www.w3.org/TR/REC-html40">

<head>
<meta http-equiv=Content-Type content="text/html; charset=utf-8">
<meta name=ProgId content=Word.Document>
<meta name=Generator content="Microsoft Word 15">
<!--[if gte mso 9]><xml>
 <o:OfficeDocumentSettings>
  <o:AllowPNG/>
 </o:OfficeDocumentSettings>
</xml><![endif]-->
<!--[if gte mso 9]><xml>
 <w:WordDocument>
  <w:View>Normal</w:View>
  <w:LidThemeOther>EN-GB</w:LidThemeOther>
 </w:WordDocument>
</xml><![endif]-->
<style>
<!--
 /* Font Definitions */
 @font-face
	{font-family:Calibri;
	panose-1:2 15 5 2 2 2 4 3 2 4;}
p.MsoNormal, li.MsoNormal, div.MsoNormal
	{mso-style-unhide:no;
	margin:0cm;
	mso-pagination:widow-orphan;
	font-size:12.0pt;
	font-family:"Calibri",sans-serif;}
-->
</style>
<!--[if gte mso 10]>
<style>
 table.MsoNormalTable
	{mso-style-name:"Table Normal";}
</style>
<![endif]-->
</head>

<body lang=EN-GB link="#0563C1" vlink="#954F72" style='tab-interval:36.0pt;word-wrap:break-word'>
<!--StartFragment-->

<h2 style='mso-margin-top-alt:auto'><span lang=EN-US style='font-family:"Calibri Light",sans-serif;
color:#2F5496;mso-ansi-language:EN-US'>What the gauge says<o:p></o:p></span></h2>

<p class=MsoNormal style='margin-bottom:8.0pt;line-height:107%'><span lang=EN-US
style='mso-bidi-font-family:Calibri;mso-ansi-language:EN-US'>\u201cWe saw the <b>water</b> come,\u201d said
the <i>keeper</i>.</span><span lang=EN-US><o:p></o:p></span></p>

<p class=MsoNormal><o:p>&nbsp;</o:p></p>

<p class=MsoNormal><font color="#C00000" face="Comic Sans MS" size=4><span style='background:yellow;
mso-highlight:yellow'>See </span></font><a href="https://example.com/gauge"><span lang=EN-US
style='mso-ansi-language:EN-US'>the gauge</span></a><span class=GramE><span
style='mso-spacerun:yes'> </span>at</span> noon.<o:p></o:p></p>

<!--[if !supportLists]--><!--[endif]-->

<ul style='margin-top:0cm' type=disc>
 <li class=MsoListParagraph style='margin-left:0cm;mso-list:l0 level1 lfo1'><span lang=EN-US>One
     bridge<o:p></o:p></span></li>
 <li class=MsoListParagraph style='margin-left:0cm;mso-list:l0 level1 lfo1'><span lang=EN-US>Two
     roads<o:p></o:p></span></li>
</ul>

<p class=MsoNormal>The <span style='mso-fareast-font-family:Calibri'>end.</span><o:p></o:p></p>

<!--EndFragment-->
</body>

</html>
"""


@pytest.fixture
def page(watch) -> Page:
    page = watch.new_editor(make_editor())
    page.goto(ADD)
    return page


def fill_in_the_rest(page: Page) -> None:
    make_section(name="World")
    page.get_by_label("Headline:").fill("The river took the bridge")
    page.get_by_label("Slug:").fill("the-river-took-the-bridge")
    page.locator("#id_section + .select2 .select2-selection").click()
    page.locator(".select2-results__option", has_text="World").click()


def saved(page: Page) -> Article:
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    return Article.objects.get()


def test_the_editor_takes_the_place_of_the_text_area_and_the_policy_lets_it(page):
    expect(page.locator(".tiptap")).to_be_editable()
    expect(page.locator(".tiptap")).to_have_accessible_name("Body")
    expect(page.locator("textarea[name=body]")).to_be_hidden()
    # Without its style the editor would swallow spaces.
    expect(page.locator(".tiptap")).to_have_css("white-space", "break-spaces")


def test_what_is_written_in_the_editor_is_saved_and_comes_back_into_it(page):
    fill_in_the_rest(page)
    page.locator(".tiptap").click()
    page.keyboard.type("One ")
    page.keyboard.press("Control+b")
    page.keyboard.type("bold")
    page.keyboard.press("Control+b")
    page.keyboard.type(" word & a < sign")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="unordered list").click()
    page.keyboard.type("First")

    article = saved(page)

    html = "<p>One <strong>bold</strong> word &amp; a &lt; sign</p><ul><li><p>First</p></li></ul>"
    assert article.body_html == html
    expect(page.locator(".tiptap > p").first).to_have_text("One bold word & a < sign")
    expect(page.locator(".tiptap li")).to_have_text("First")


def test_pasted_plain_text_becomes_paragraphs_at_single_and_double_line_ends(page):
    fill_in_the_rest(page)
    text = "One “quoted” <b>line</b>.\nAnother & one.\n\nA third – after a blank line.\r\n\r\nA fourth."
    page.locator(".tiptap").evaluate(PASTE, {"text/plain": text})
    expect(page.locator(".tiptap > p")).to_have_count(4)
    assert saved(page).body_html == (
        "<p>One “quoted” &lt;b&gt;line&lt;/b&gt;.</p><p>Another &amp; one.</p>"
        "<p>A third – after a blank line.</p><p>A fourth.</p>"
    )


def test_text_pasted_from_a_word_processor_becomes_clean_html(page, watch):
    # The browser reads the pasted page, and tells that the policy keeps its styles out.
    watch.expect("Applying inline style violates")
    watch.expect("CSP violation: style-src-(attr|elem)")
    fill_in_the_rest(page)
    page.locator(".tiptap").evaluate(PASTE, {"text/html": WORD, "text/plain": "not this"})
    assert saved(page).body_html == (
        "<h2>What the gauge says</h2>"
        "<p>“We saw the <strong>water</strong> come,” said the <em>keeper</em>.</p>"
        '<p>See <a href="https://example.com/gauge" rel="noopener">the gauge</a> at noon.</p>'
        "<ul><li><p>One bridge</p></li><li><p>Two roads</p></li></ul>"
        "<p>The end.</p>"
    )


def copied_elsewhere(page: Page, html: str) -> None:
    page.get_by_label("Headline:").click()
    page.evaluate(COPY, html)
    page.keyboard.press("Control+c")


def in_the_story(page: Page) -> str:
    return story_html(page.locator("textarea[name=body]").input_value())


@pytest.mark.parametrize("program", CLIPBOARDS)
def test_what_other_programs_copy_keeps_its_meaning_by_the_systems_clipboard(page, watch, program):
    clipboard = CLIPBOARDS[program]
    # The browser tells that the policy keeps the styles out. They are read as text.
    if " style=" in clipboard.html:
        watch.expect("CSP violation: style-src-attr")
        watch.expect("Applying inline style violates")
    copied_elsewhere(page, clipboard.html)

    page.locator(".tiptap").click()
    page.keyboard.press("Control+v")

    expect(page.locator(".tiptap")).not_to_have_text("")
    assert in_the_story(page) == clipboard.body_html


def test_what_is_dropped_into_the_editor_keeps_its_meaning_too(page, watch):
    watch.expect("CSP violation: style-src-attr")
    watch.expect("Applying inline style violates")
    page.locator(".tiptap").evaluate(DROP, OUTLOOK_ON_THE_WEB.html)
    assert in_the_story(page) == OUTLOOK_ON_THE_WEB.body_html


# The editor hears of what is selected, or that nothing is, a moment after the browser.
HAS_HEARD = """(dom, isEmpty) => new Promise((heard) => {
  const look = () => (dom.editor.state.selection.empty === isEmpty ? heard() : requestAnimationFrame(look));
  look();
})"""


def test_what_is_copied_inside_the_editor_comes_out_as_it_went_in(watch):
    body = (
        '<h3>One</h3><p>A <strong>b</strong> <s>c</s></p><ol start="3"><li><p>D</p><ul><li><p>E</p></li></ul>'
        "</li></ol><table><tbody><tr><td><p>6</p></td></tr></tbody></table><p>F</p>"
    )
    page = watch.new_editor(make_editor())
    page.goto(f"/admin/articles/article/{make_article(body=body).pk}/change/")
    page.locator(".tiptap h3").click()
    page.keyboard.press("Control+a")
    editor = page.locator(".tiptap")
    editor.evaluate(HAS_HEARD, False)
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+End")
    editor.evaluate(HAS_HEARD, True)
    page.keyboard.press("Enter")
    page.keyboard.press("Control+v")
    expect(page.locator(".tiptap h3")).to_have_count(2)
    assert in_the_story(page) == body + body


def test_without_javascript_a_plain_text_area_takes_the_body_as_paragraphs(watch):
    # Without JavaScript the section cannot be chosen from the autocomplete field.
    article = make_article(title="Old", body="Old.")
    page = watch.new_editor(make_editor(), java_script_enabled=False)
    page.goto(f"/admin/articles/article/{article.pk}/change/")
    expect(page.locator(".tiptap")).to_have_count(0)

    page.get_by_label("Body:").fill("One “quoted” line.\nAnother.\n\nA third & last.")
    article = saved(page)

    assert article.body_html == "<p>One “quoted” line.</p><p>Another.</p><p>A third &amp; last.</p>"


def test_opening_and_saving_a_story_again_does_not_change_its_text(watch):
    body = (
        "<h2>One</h2><p>A <em>b</em> <strong>c</strong> <s>d</s> <sub>e</sub> <sup>f</sup> <code>g</code>"
        ' <a href="https://example.com/" rel="noopener">h</a><br>i</p>'
        "<blockquote><p>Quoted</p></blockquote><ol><li><p>First</p></li></ol>"
        '<ol start="5"><li><p>Fifth</p><ul><li><p>Inside</p><ol><li><p>Deeper</p></li></ol></li></ul></li></ol>'
        "<hr><pre><code>x = 1\ny = 2</code></pre>"
        "<table><tbody><tr><th><p>Hour</p></th></tr><tr><td><p>6</p></td></tr></tbody></table>"
    )
    article = make_article(body=body)
    before = article.body_html
    page = watch.new_editor(make_editor())
    page.goto(f"/admin/articles/article/{article.pk}/change/")
    expect(page.locator(".tiptap h2")).to_have_text("One")
    page.locator(".tiptap h2").click()
    page.keyboard.press("End")
    page.keyboard.type("!")
    page.keyboard.press("Backspace")
    assert saved(page).body_html == before


@pytest.mark.parametrize(
    ("headline", "slug"),
    [
        ("हिन्दी समाचार में बाढ़!", "हिन्दी-समाचार-में-बाढ\u093c"),
        ("தமிழ் செய்தி", "தமிழ்-செய்தி"),
        ("ภาษาไทย น้ำท่วม", "ภาษาไทย-น้ำท่วม"),
        ("ශ්\u200dරී ලංකා", "ශ්\u200dරී-ලංකා"),
        ("U\u0308berschwemmung in İzmir – heute", "überschwemmung-in-izmir-heute"),
        ("東京で地震", "東京で地震"),
        ("❤\ufe0f 👩\u200d🚒 1\ufe0f\u20e3 \u0301", "1"),
        ("Don’t panic: 50% off", "dont-panic-50-off"),
        ("கி" * 60, "கி" * 50),
        ("😀🎉", ""),
    ],
)
def test_a_headline_suggests_a_slug_that_is_made_of_words(page, headline, slug):
    page.get_by_label("Headline:").fill(headline)
    page.get_by_label("Headline:").press("End")

    expect(page.get_by_label("Slug:")).to_have_value(slug)
