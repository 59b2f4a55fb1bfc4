"""What other programs put on the clipboard, as text/html, and what a story has of it then."""

from typing import NamedTuple


class Clipboard(NamedTuple):
    html: str
    body_html: str


GOOGLE_DOCS = Clipboard(
    """<meta charset='utf-8'><meta charset="utf-8"><b style="font-weight:normal;" id="docs-internal-guid-5c1f8e1a-7fff-2b1c-9a55-d1a3b4c5d6e7"><h1 dir="ltr" style="line-height:1.38;margin-top:20pt;margin-bottom:6pt;"><span style="font-size:20pt;font-family:Arial,sans-serif;color:#000000;background-color:transparent;font-weight:400;font-style:normal;font-variant:normal;text-decoration:none;vertical-align:baseline;white-space:pre;white-space:pre-wrap;">The river</span></h1><p dir="ltr" style="line-height:1.38;margin-top:0pt;margin-bottom:0pt;"><span style="font-size:11pt;font-family:Arial,sans-serif;color:#000000;font-weight:400;font-style:normal;text-decoration:none;vertical-align:baseline;white-space:pre-wrap;">Plain, </span><span style="font-size:11pt;font-family:Arial,sans-serif;color:#000000;font-weight:700;font-style:normal;text-decoration:none;vertical-align:baseline;white-space:pre-wrap;">bold</span><span style="font-weight:400;font-style:normal;vertical-align:baseline;white-space:pre-wrap;">, </span><span style="font-weight:400;font-style:italic;text-decoration:none;vertical-align:baseline;white-space:pre-wrap;">italic</span><span style="font-weight:400;vertical-align:baseline;white-space:pre-wrap;">, </span><span style="font-weight:700;font-style:italic;vertical-align:baseline;white-space:pre-wrap;">both</span><span style="font-weight:400;vertical-align:baseline;white-space:pre-wrap;">, </span><span style="font-weight:400;font-style:normal;text-decoration:line-through;-webkit-text-decoration-skip:none;text-decoration-skip-ink:none;vertical-align:baseline;white-space:pre-wrap;">struck</span><span style="font-weight:400;vertical-align:baseline;white-space:pre-wrap;">, E=mc</span><span style="font-weight:400;font-style:normal;text-decoration:none;font-size:0.6em;vertical-align:super;white-space:pre-wrap;">2</span><span style="font-weight:400;vertical-align:baseline;white-space:pre-wrap;">, H</span><span style="font-weight:400;font-size:0.6em;vertical-align:sub;white-space:pre-wrap;">2</span><span style="font-weight:400;vertical-align:baseline;white-space:pre-wrap;">O, </span><a href="https://example.com/gauge" style="text-decoration:none;"><span style="font-size:11pt;color:#1155cc;font-weight:400;font-style:normal;text-decoration:underline;-webkit-text-decoration-skip:none;vertical-align:baseline;white-space:pre-wrap;">the gauge</span></a><span style="font-weight:400;vertical-align:baseline;white-space:pre-wrap;">.</span></p><h2 dir="ltr" style="line-height:1.38;margin-top:18pt;margin-bottom:6pt;"><span style="font-size:16pt;font-weight:400;font-style:normal;vertical-align:baseline;white-space:pre-wrap;">Hour by hour</span></h2><ul style="margin-top:0;margin-bottom:0;padding-inline-start:48px;"><li dir="ltr" style="list-style-type:disc;font-size:11pt;font-weight:400;font-style:normal;vertical-align:baseline;white-space:pre;" aria-level="1"><p dir="ltr" style="line-height:1.38;margin-top:0pt;margin-bottom:0pt;" role="presentation"><span style="font-size:11pt;font-weight:400;vertical-align:baseline;white-space:pre-wrap;">First</span></p></li><ul style="margin-top:0;margin-bottom:0;padding-inline-start:48px;"><li dir="ltr" style="list-style-type:circle;font-size:11pt;font-weight:400;white-space:pre;" aria-level="2"><p dir="ltr" style="line-height:1.38;margin-top:0pt;margin-bottom:0pt;" role="presentation"><span style="font-weight:700;vertical-align:baseline;white-space:pre-wrap;">Inside</span></p></li></ul><li dir="ltr" style="list-style-type:disc;font-weight:400;white-space:pre;" aria-level="1"><p dir="ltr" style="line-height:1.38;" role="presentation"><span style="font-weight:400;white-space:pre-wrap;">Second</span></p></li></ul></b><br class="Apple-interchange-newline">""",
    "<h2>The river</h2><p>Plain, <strong>bold</strong>, <em>italic</em>, <strong><em>both</em></strong>, "
    "<s>struck</s>, E=mc<sup>2</sup>, H<sub>2</sub>O, "
    '<a href="https://example.com/gauge" rel="noopener">the gauge</a>.</p><h3>Hour by hour</h3>'
    "<ul><li><p>First</p><ul><li><p><strong>Inside</strong></p></li></ul></li><li><p>Second</p></li></ul>",
)

NOTHING_BOLD_IN_GOOGLE_DOCS = Clipboard(
    """<meta charset='utf-8'><b style="font-weight:normal;" id="docs-internal-guid-1"><p><span style="font-weight:400">Nothing is bold here.</span></p></b>""",
    "<p>Nothing is bold here.</p>",
)

_WORD_HEAD = """<html xmlns:v="urn:schemas-microsoft-com:vml"
xmlns:o="urn:schemas-microsoft-com:office:office"
xmlns:w="urn:schemas-microsoft-com:office:word"
xmlns="http://www.w3.org/TR/REC-html40">

<head>
<meta http-equiv=Content-Type content="text/html; charset=utf-8">
<meta name=ProgId content=Word.Document>
<meta name=Generator content="Microsoft Word 15">
<meta name=Originator content="Microsoft Word 15">
<link rel=File-List href="file:///C:/Users/ada/AppData/Local/Temp/msohtmlclip1/01/clip_filelist.xml">
<!--[if gte mso 9]><xml>
 <o:OfficeDocumentSettings>
  <o:AllowPNG/>
 </o:OfficeDocumentSettings>
</xml><![endif]-->
<style>
<!--
 /* Font Definitions */
 @font-face
	{font-family:Wingdings;
	panose-1:5 0 0 0 0 0 0 0 0 0;}
 /* Style Definitions */
 p.MsoNormal, li.MsoNormal, div.MsoNormal
	{mso-style-unhide:no;
	margin:0cm;
	font-size:12.0pt;
	font-family:"Aptos",sans-serif;}
h1
	{mso-style-priority:9;
	mso-style-link:"Heading 1 Char";
	margin-top:18.0pt;
	font-size:20.0pt;
	font-family:"Aptos Display",sans-serif;
	color:#0F4761;
	font-weight:bold;}
p.MsoListParagraph, li.MsoListParagraph, div.MsoListParagraph
	{mso-style-priority:34;
	margin-left:36.0pt;}
 /* List Definitions */
 @list l0
	{mso-list-id:1203129412;
	mso-list-type:hybrid;}
@list l0:level1
	{mso-level-number-format:bullet;
	mso-level-text:\uf0b7;
	mso-level-number-position:left;
	text-indent:-18.0pt;
	font-family:Symbol;}
ol
	{margin-bottom:0cm;}
ul
	{margin-bottom:0cm;}
-->
</style>
<!--[if gte mso 10]>
<style>
 /* Style Definitions */
 table.MsoNormalTable
	{mso-style-name:"Table Normal";}
</style>
<![endif]-->
</head>

<body lang=EN-GB style='tab-interval:36.0pt;word-wrap:break-word'>
<!--StartFragment-->
"""
_WORD_FOOT = """
<!--EndFragment-->
</body>

</html>
"""
_PAD = """<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;&nbsp;&nbsp;&nbsp;&nbsp; </span>"""


def _word_item(text: str, mark: str, list_and_level: str, place: str = "CxSpMiddle") -> str:
    """A paragraph as Word writes an item of a list."""
    return (
        f"\n<p class=MsoListParagraph{place} style='text-indent:-18.0pt;mso-list:{list_and_level} lfo1'>"
        "<![if !supportLists]><span lang=EN-GB style='font-family:Symbol;mso-fareast-font-family:Symbol;\n"
        f"mso-bidi-font-family:Symbol'><span style='mso-list:Ignore'>{mark}{_PAD}</span></span><![endif]>"
        f"<span lang=EN-GB>{text}<o:p></o:p></span></p>\n"
    )


WORD = Clipboard(
    _WORD_HEAD
    + "\n<h1><span lang=EN-GB>What the gauge\nsays<o:p></o:p></span></h1>\n"
    + "\n<p class=MsoNormal><span lang=EN-GB>The <b>water</b> came, <i>fast</i>, <s>late</s>, to 10 m<sup>3</sup>"
    " a second.<o:p></o:p></span></p>\n\n<h2><span lang=EN-GB>Closed<o:p></o:p></span></h2>\n"
    + _word_item("One <b>bridge</b>", "·", "l0 level1", "CxSpFirst")
    + _word_item("its ramp", "o", "l0 level2")
    + _word_item("its <i>lamps</i>", "§", "l0 level3")
    + _word_item("Two roads", "·", "l0 level1", "CxSpLast")
    + "\n<p class=MsoNormal><span lang=EN-GB>Then:<o:p></o:p></span></p>\n"
    + _word_item("Look", "4.", "l1 level1", "CxSpFirst")
    + _word_item("left", "a.", "l1 level2")
    + _word_item("right", "b.", "l1 level2")
    + _word_item("Go", "5.", "l1 level1", "CxSpLast")
    + _WORD_FOOT,
    "<h2>What the gauge says</h2><p>The <strong>water</strong> came, <em>fast</em>, <s>late</s>, to 10 "
    "m<sup>3</sup> a second.</p><h3>Closed</h3>"
    "<ul><li><p>One <strong>bridge</strong></p><ul><li><p>its ramp</p><ul><li><p>its <em>lamps</em></p></li></ul>"
    "</li></ul></li><li><p>Two roads</p></li></ul><p>Then:</p>"
    '<ol start="4"><li><p>Look</p><ol><li><p>left</p></li><li><p>right</p></li></ol></li><li><p>Go</p></li></ol>',
)

# Lists that begin further in, go on after a paragraph, change their kind, and that lost their marks' cover.
LISTS_OF_WORD = Clipboard(
    _WORD_HEAD
    + _word_item("further in", "o", "l0 level2")
    + _word_item("outside", "·", "l0 level1")
    + _word_item("now counted", "1)", "l1 level1")
    + _word_item("another list", "1.", "l2 level1")
    + "<p class=MsoNormal>Between.</p>"
    + _word_item("goes on", "2.", "l2 level1")
    + "<p class=MsoListParagraph style='text-indent:-18.0pt;mso-list:l3 level1 lfo9'>·<span\n"
    "style='font-size:7.0pt'>&nbsp;&nbsp;&nbsp; </span>First bullet</p>"
    "<p class=MsoListParagraph>Of the second&nbsp;one: no item.</p>"
    "<p class=MsoNormal style='mso-list:none'>No&nbsp;item either.</p>" + _WORD_FOOT,
    "<ul><li><p>further in</p></li><li><p>outside</p></li></ul><ol><li><p>now counted</p></li></ol>"
    '<ol><li><p>another list</p></li></ol><p>Between.</p><ol start="2"><li><p>goes on</p></li></ol>'
    "<ul><li><p>First bullet</p></li></ul><p>Of the second&nbsp;one: no item.</p><p>No&nbsp;item either.</p>",
)

OUTLOOK = Clipboard(
    _WORD_HEAD.replace("Microsoft Word 15", "Microsoft Word 15 (filtered medium)")
    + "<div class=WordSection1><p class=MsoNormal><span style='font-family:\"Calibri\",sans-serif'>Dear all, "
    "the <b><span style='color:red'>bridge</span></b> is <i>closed</i>.<o:p></o:p></span></p>\n"
    "<p class=MsoNormal><o:p>&nbsp;</o:p></p>\n"
    "<ul style='margin-top:0cm' type=disc><li class=MsoListParagraph style='margin-left:0cm;mso-list:l0 level1 lfo1'>"
    "One<o:p></o:p></li><ul style='margin-top:0cm' type=circle><li class=MsoListParagraph "
    "style='mso-list:l0 level2 lfo1'>Inside<o:p></o:p></li></ul></ul>"
    "<ol style='margin-top:0cm' start=3 type=1><li class=MsoListParagraph style='mso-list:l1 level1 lfo2'>"
    "Three<o:p></o:p></li></ol></div>" + _WORD_FOOT,
    "<p>Dear all, the <strong>bridge</strong> is <em>closed</em>.</p>"
    "<ul><li><p>One</p><ul><li><p>Inside</p></li></ul></li></ul>"
    '<ol start="3"><li><p>Three</p></li></ol>',
)

OUTLOOK_ON_THE_WEB = Clipboard(
    """<html><head></head><body><!--StartFragment--><div class="elementToProof" style="font-family: Aptos, Aptos_EmbeddedFont, Calibri, Helvetica, sans-serif; font-size: 12pt; color: rgb(0, 0, 0);">Dear all, the <span style="font-weight: 700;">bridge</span> is <span style="font-style: italic;">closed</span> and <span style="text-decoration: line-through;">open</span>.</div><div style="font-family: Aptos; font-size: 12pt;"><br></div><ul data-editing-info="{&quot;applyListStyleFromLevel&quot;:true}" style="margin-top: 0px;"><li style="font-family: Aptos; font-size: 12pt; color: rgb(0, 0, 0);"><div role="presentation" class="elementToProof">One <b>road</b></div></li></ul><div id="signature" style="display: none;">Sent from nowhere</div><!--EndFragment--></body></html>""",
    "<p>Dear all, the <strong>bridge</strong> is <em>closed</em> and <s>open</s>.</p>"
    "<ul><li><p>One <strong>road</strong></p></li></ul>",
)


def _online_item(kind: str, level: int, text: str, start: int = 1) -> str:
    """An item as Word in a browser writes it: a list of its own."""
    return (
        f'<div class="ListContainerWrapper SCXW1 BCX8" style="margin: 0px; padding: 0px; position: relative;">'
        f'<{kind} class="BulletListStyle{level} SCXW1" role="list" start="{start}" style="margin: 0px; cursor: text;">'
        f'<li aria-setsize="-1" data-leveltext="" data-font="Symbol" data-listid="7{kind}" data-aria-posinset="1" '
        f'data-aria-level="{level}" role="listitem" class="OutlineElement Ltr SCXW1" style="margin: 0px 0px 0px 24px;">'
        f'<p class="Paragraph SCXW1" style="margin: 0px; font-weight: normal; font-style: normal;">{text}'
        '<span class="EOP SCXW1 BCX8" data-ccp-props="{}" style="font-size: 12pt;">&nbsp;</span></p></li>'
        f"</{kind}></div>"
    )


def _run(text: str, style: str = "font-weight: normal") -> str:
    return (
        f'<span data-contrast="auto" xml:lang="EN-GB" lang="EN-GB" class="TextRun SCXW1 BCX8" style="margin: 0px; '
        f'font-size: 12pt; line-height: 20px; {style};"><span class="NormalTextRun SCXW1" style="margin: 0px;">{text}'
        "</span></span>"
    )


WORD_ONLINE = Clipboard(
    '<meta charset="utf-8"><div class="OutlineElement Ltr SCXW1 BCX8" style="margin: 0px; direction: ltr;">'
    '<p class="Paragraph SCXW1" paraid="1" role="heading" aria-level="1" style="margin: 0px; font-weight: normal;">'
    + _run("What the gauge says", "color: rgb(15, 71, 97)")
    + '<span class="EOP SCXW1" data-ccp-props="{}">&nbsp;</span></p></div>'
    '<div class="OutlineElement Ltr SCXW1"><p class="Paragraph SCXW1" style="font-weight: normal;">'
    + _run("The ")
    + _run("water", "font-weight: bold")
    + _run(" came ")
    + _run("fast", "font-style: italic")
    + _run(", 10 m")
    + _run('<span style="vertical-align: super;">3</span>', "font-size: 8pt")
    + '<span class="EOP SCXW1">&nbsp;</span></p></div>'
    + _online_item("ul", 1, _run("One"))
    + _online_item("ul", 2, _run("Inside", "font-weight: bold"))
    + _online_item("ul", 1, _run("Two"))
    + '<div class="OutlineElement Ltr SCXW1"><p class="Paragraph SCXW1" role="heading" aria-level="2">'
    + _run("Then", "font-weight: bold")
    + "</p></div>"
    + _online_item("ol", 1, _run("Three"), 3)
    + _online_item("ol", 1, _run("Four"), 4),
    "<h2>What the gauge says</h2><p>The <strong>water</strong> came <em>fast</em>, 10 m<sup>3</sup></p>"
    "<ul><li><p>One</p><ul><li><p><strong>Inside</strong></p></li></ul></li><li><p>Two</p></li></ul>"
    '<h3>Then</h3><ol start="3"><li><p>Three</p></li><li><p>Four</p></li></ol>',
)

APPLE_MAIL = Clipboard(
    """<meta charset="UTF-8"><div style="caret-color: rgb(0, 0, 0); color: rgb(0, 0, 0); font-family: Helvetica; font-size: 12px; font-style: normal; font-weight: 400; letter-spacing: normal; text-align: start; text-decoration: none;">The <span style="font-weight: bold;">bridge</span> is <span style="font-style: italic;">closed</span>.<span class="Apple-converted-space">&nbsp;</span>H<span style="vertical-align: sub; font-size: smaller;">2</span>O.</div><div style="caret-color: rgb(0, 0, 0); font-weight: 400;"><ul class="MailOutline"><li>One</li><li><b style="font-style: italic;">Two</b></li></ul></div><br class="Apple-interchange-newline">""",
    "<p>The <strong>bridge</strong> is <em>closed</em>. H<sub>2</sub>O.</p>"
    "<ul><li><p>One</p></li><li><p><strong><em>Two</em></strong></p></li></ul>",
)

APPLE_PAGES = Clipboard(
    """<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">
<html>
<head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<meta http-equiv="Content-Style-Type" content="text/css">
<title></title>
<meta name="Generator" content="Cocoa HTML Writer">
<meta name="CocoaVersion" content="2575.5">
<style type="text/css">
p.p1 {margin: 0.0px 0.0px 0.0px 0.0px; font: 11.0px 'Helvetica Neue'; color: #000000}
li.li1 {margin: 0.0px 0.0px 0.0px 0.0px; font: 11.0px 'Helvetica Neue'}
span.s1 {font: bold 11.0px 'Helvetica Neue'}
span.s2 {font: italic 11.0px 'Helvetica Neue'}
span.s3 {text-decoration: line-through}
ul.ul1 {list-style-type: disc}
</style>
</head>
<body>
<p class="p1">The <span class="s1">bridge</span> is <span class="s2">closed</span>, <span class="s3">open</span> and <b>wet</b>.<span class="Apple-converted-space"> </span></p>
<ul class="ul1">
<li class="li1"><span class="s1">One</span></li>
<li class="li1"><i>Two</i></li>
</ul>
</body>
</html>
""",
    "<p>The <strong>bridge</strong> is <em>closed</em>, <s>open</s> and <strong>wet</strong>.</p>"
    "<ul><li><p><strong>One</strong></p></li><li><p><em>Two</em></p></li></ul>",
)

APPLE_NOTES = Clipboard(
    """<html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8"><style type="text/css">
h1.title {margin: 0; font: bold 26.0px 'Helvetica Neue'}
ul.Apple-dash-list {list-style-type: none}
</style></head><body><h1 class="title">The river</h1><div><br></div><div>The <b>bridge</b> is <i>closed</i>, <strike>open</strike>.</div><ul class="Apple-dash-list"><li>One</li><ul class="Apple-dash-list"><li>Inside</li></ul></ul><ol><li>First</li></ol></body></html>""",
    "<h2>The river</h2><p>The <strong>bridge</strong> is <em>closed</em>, <s>open</s>.</p>"
    "<ul><li><p>One</p><ul><li><p>Inside</p></li></ul></li></ul><ol><li><p>First</p></li></ol>",
)

LIBREOFFICE = Clipboard(
    """<!DOCTYPE html>
<html>
<head>
	<meta http-equiv="content-type" content="text/html; charset=utf-8"/>
	<title></title>
	<meta name="generator" content="LibreOffice 24.2 (Linux)"/>
	<style type="text/css">
		@page { size: 21cm 29.7cm; margin: 2cm }
		h1 { margin-bottom: 0.21cm; background: transparent; font-weight: bold }
		h1.western { font-family: "Liberation Sans", sans-serif; font-size: 18pt; font-weight: bold }
		p { line-height: 115%; margin-bottom: 0.25cm; background: transparent }
		a:link { color: #000080; text-decoration: underline }
	</style>
</head>
<body lang="en-GB" link="#000080" vlink="#800000" dir="ltr"><h1 class="western">The river</h1>
<p>The <b>bridge</b> is <i>closed</i>, <strike>late</strike>, <span style="font-weight: normal"><span style="text-decoration: line-through">open</span></span>, <b>all <span style="font-weight: normal">but</span> one</b>,
10 m<sup>3</sup>.</p>
<h2 class="western"><font face="Liberation Sans, sans-serif"><font size="4" style="font-size: 16pt">Closed</font></font></h2>
<ol start="3">
	<li><p style="margin-bottom: 0cm"><font color="#c9211e"><b>Three</b></font></p></li>
	<ul>
		<li><p style="margin-bottom: 0cm">Inside</p></li>
	</ul>
</ol>
<p><br/>
<br/>

</p>
</body>
</html>""",
    "<h2>The river</h2><p>The <strong>bridge</strong> is <em>closed</em>, <s>late</s>, <s>open</s>, "
    "<strong>all </strong>but<strong> one</strong>, 10 m<sup>3</sup>.</p><h3>Closed</h3>"
    '<ol start="3"><li><p><strong>Three</strong></p><ul><li><p>Inside</p></li></ul></li></ol>',
)

GOOGLE_SHEETS = Clipboard(
    """<meta charset='utf-8'><google-sheets-html-origin><style type="text/css"><!--td {border: 1px solid #cccccc;}br {mso-data-placement:same-cell;}--></style><table xmlns="http://www.w3.org/1999/xhtml" cellspacing="0" cellpadding="0" dir="ltr" border="1" style="table-layout:fixed;font-size:10pt;font-family:Arial;width:0px;border-collapse:collapse;border:none" data-sheets-root="1" data-sheets-baot="1"><colgroup><col width="100"/><col width="100"/></colgroup><tbody><tr style="height:21px;"><td style="overflow:hidden;padding:2px 3px 2px 3px;vertical-align:bottom;font-weight:bold;" data-sheets-value="{&quot;1&quot;:2}">Hour</td><td style="overflow:hidden;padding:2px 3px 2px 3px;vertical-align:bottom;font-style:italic;">Metres</td></tr><tr style="height:21px;"><td style="overflow:hidden;padding:2px 3px 2px 3px;vertical-align:bottom;text-align:right;">6</td><td style="text-decoration:line-through;">2</td></tr></tbody></table></google-sheets-html-origin>""",
    "<table><tbody><tr><td><p><strong>Hour</strong></p></td><td><p><em>Metres</em></p></td></tr>"
    "<tr><td><p>6</p></td><td><p><s>2</s></p></td></tr></tbody></table>",
)

EXCEL = Clipboard(
    """<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><meta name=ProgId content=Excel.Sheet>
<style>
<!--table
	{mso-displayed-decimal-separator:"\\.";}
td
	{color:black;
	font-size:12.0pt;
	font-weight:400;
	font-style:normal;
	text-decoration:none;}
.xl65
	{font-weight:700;}
-->
</style>
</head>
<body link="#0563C1">
<table border=0 cellpadding=0 cellspacing=0 width=174 style='border-collapse:collapse;width:130pt'>
<!--StartFragment-->
 <col width=87 span=2 style='width:65pt'>
 <tr height=21 style='height:16.0pt'>
  <td height=21 class=xl65 width=87>Hour</td>
  <td width=87>6</td>
 </tr>
<!--EndFragment-->
</table>
</body>
</html>
""",
    "<table><tbody><tr><td><p><strong>Hour</strong></p></td><td><p>6</p></td></tr></tbody></table>",
)

GMAIL = Clipboard(
    """<meta charset='utf-8'><div style="color: rgb(34, 34, 34); font-family: Arial, Helvetica, sans-serif; font-size: small; font-style: normal; font-weight: 400;"><div>The <b>bridge</b> is <i>closed</i>, <strike>open</strike>.</div><div><br></div><div><ul><li style="margin-left: 15px;">One</li><li style="margin-left: 15px;"><b><i>Two</i></b></li></ul></div><blockquote class="gmail_quote" style="margin: 0px 0px 0px 0.8ex; border-left: 1px solid rgb(204, 204, 204);">Quoted</blockquote></div>""",
    "<p>The <strong>bridge</strong> is <em>closed</em>, <s>open</s>.</p>"
    "<ul><li><p>One</p></li><li><p><strong><em>Two</em></strong></p></li></ul>"
    "<blockquote><p>Quoted</p></blockquote>",
)

A_WEB_PAGE = Clipboard(
    """<meta charset='utf-8'><h2 style="font-family: Georgia; font-weight: 700; font-style: normal;">All <em>of</em> it</h2><h5 style="font-weight: 700;">Small</h5><h1 style="font-style: italic; font-weight: 700;">Down <span style="font-weight: 400;">here</span></h1><p style="font-weight: 500;">A <strong style="font-weight: 600;">word</strong>, <em style="font-style: oblique 10deg;">slanted</em>, <i class="icon" style="font-style: normal;">upright</i>, <code style="font-weight: 400;">code</code>, <span style="font-weight: inherit; vertical-align: 33%;">as it was</span>.</p><dl><dt style="font-weight: bold;">Term</dt></dl>""",
    "<h3>All <em>of</em> it</h3><h4>Small</h4><h2><strong><em>Down </em></strong><em>here</em></h2><p>A <strong>word</strong>, <em>slanted</em>, upright, "
    "<code>code</code>, as it was.</p><p><strong>Term</strong></p>",
)

CLIPBOARDS = {
    name.lower().replace("_", " "): value for name, value in globals().items() if isinstance(value, Clipboard)
}
