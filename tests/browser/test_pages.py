"""What readers see and press on the pages of stories, at the widths of phones, tablets and screens."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.browser import newspaper
from tests.factories import make_article, make_author, make_comment, make_image, make_section, make_topic

NAMES = ["The Philadelphia Inquirer", "Frankfurter Allgemeine Zeitung", 'Müller, "The News" & Co: O’Brien']
WIDTHS = [320, 375, 480, 640, 768, 800, 1000, 1280, 1440, 1920]
LONG = "Rechtsschutzversicherungsgesellschaften" * 4
ARABIC = "المدينة تفتح الجسر الجديد بعد عشر سنوات من الانتظار"

# What lies under the middle of each line of a link, where that is not the link itself.
COVERED = """links => links.flatMap((link) => {
  link.scrollIntoView({ block: "center" });
  return [...link.getClientRects()].filter((line) => line.width).map((line) => {
    const found = document.elementFromPoint(line.x + line.width / 2, line.y + line.height / 2);
    return link.contains(found) ? null : `${link.textContent}: ${found?.outerHTML.slice(0, 80)}`;
  });
}).filter(Boolean)"""

# How many letters stand in each line of the text but the last of each paragraph.
LETTERS = """paragraphs => paragraphs.flatMap((paragraph) => {
  const lines = [];
  let top = null;
  let letters = 0;
  const text = paragraph.firstChild;
  for (let place = 0; place < text.length; place += 1) {
    const range = document.createRange();
    range.setStart(text, place);
    range.setEnd(text, place + 1);
    const box = range.getBoundingClientRect();
    if (box.width && top !== null && box.top - top > 8) {
      lines.push(letters);
      letters = 0;
    }
    if (box.width) top = box.top;
    letters += 1;
  }
  return lines;
})"""

# For each row of the grid, how much of its width is left empty at the end.
HOLES = """grid => {
  const rows = new Map();
  for (const card of grid.children) {
    const box = card.getBoundingClientRect();
    rows.set(Math.round(box.top), Math.max(box.right, rows.get(Math.round(box.top)) ?? 0));
  }
  return [...rows.values()].map((end) => Math.round(grid.getBoundingClientRect().right - end));
}"""


def width_of(page) -> int:
    return page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.parametrize("width", [320, 1280])
def test_every_label_and_name_on_a_card_can_be_pressed(watch, width):
    news = newspaper.found()
    page = watch.new_visitor(viewport={"width": width, "height": 800})

    def covered(address: str) -> list[str]:
        page.goto(address)
        links = page.locator(":is(.card, .lead, .line) :is(.kicker, .byline, h2, h3) a")
        assert links.count() > 3
        return links.evaluate_all(COVERED)

    lists = ["home", "section list", "topic", "author", "year", "month"]
    assert newspaper.each_with({name: news.addresses[name] for name in lists}, covered) == {}
    for name in ("home", "author"):
        page.goto(news.addresses[name])
        page.locator(".kicker").get_by_role("link", name=news.section.name).first.click()
        page.wait_for_url(f"**{news.section.get_absolute_url()}")


@pytest.mark.parametrize("name", NAMES)
def test_the_masthead_bears_the_names_of_papers_at_every_width(watch, settings, name):
    settings.SITE_NAME = name
    make_article()
    page = watch.new_visitor()
    page.goto("/")
    heights, lines = {}, {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        heights[width] = page.locator(".masthead").bounding_box()["height"]
        boxes = [p.bounding_box() for p in page.locator(".masthead-date, .masthead-description").all()]
        lines[width] = max(box["height"] for box in boxes if box)
        assert width_of(page) == width

    assert {width: height for width, height in heights.items() if height >= 200} == {}
    assert {width: height for width, height in lines.items() if height > 45} == {}


@pytest.mark.parametrize("count", [5, 15])
def test_the_sections_are_one_line_on_a_phone_however_many(watch, count):
    for number in range(count):
        make_section(name=f"Section no. {number}", position=number)
    page = watch.new_visitor(viewport={"width": 320, "height": 640})
    page.goto("/")

    assert page.locator(".sections").bounding_box()["height"] < 60
    assert width_of(page) == 320
    last = page.locator(".sections a").last
    last.focus()
    box = last.bounding_box()
    assert [box["x"] >= 0, box["x"] + box["width"] <= 320] == [True, True]


def test_the_lines_of_a_story_have_60_to_66_letters_on_a_screen(watch):
    sentence = "The council met for four hours and left the oldest crossing of the river to those who walk. "
    story = make_article(body="\n\n".join([sentence * 8] * 3))
    page = watch.new_visitor(viewport={"width": 1280, "height": 800})
    page.goto(story.get_absolute_url())

    letters = page.locator(".story-body p").evaluate_all(LETTERS)

    assert 60 <= sum(letters) / len(letters) <= 66


@pytest.mark.parametrize("width", [768, 1280])
@pytest.mark.parametrize("cards", [1, 2, 3, 4, 5])
def test_the_grid_of_the_front_page_has_no_hole(watch, width, cards):
    for _ in range(cards + 1):
        make_article(lead_image=make_image())
    page = watch.new_visitor(viewport={"width": width, "height": 800})
    page.goto("/")

    assert page.locator(".grid .card").count() == cards
    assert set(page.locator(".grid").evaluate(HOLES)) == {0}


@pytest.mark.parametrize("words", [LONG, ARABIC, "W" * 190], ids=["one word", "Arabic", "wide"])
def test_no_headline_standfirst_or_name_makes_a_page_scroll_sideways(watch, words):
    section = make_section(name=words[:60])
    author = make_author(name=words[:100], biography=words, picture=make_image())
    topic = make_topic(name=words[:80])
    shared = {"section": section, "authors": [author], "topics": [topic], "standfirst": words}
    stories = [make_article(title=words, lead_image=make_image(), **shared) for _ in range(3)]
    make_comment(article=stories[0])
    page = watch.new_visitor(viewport={"width": 320, "height": 640})
    lists = [row.get_absolute_url() for row in (section, author, topic)]

    wide = {}
    for address in ["/", "/archive/", "/topics/", "/authors/", *lists, stories[0].get_absolute_url()]:
        page.goto(address)
        wide[address] = width_of(page)

    assert {address: width for address, width in wide.items() if width != 320} == {}


def test_a_headline_in_another_script_ends_with_its_full_stop(watch):
    """In a page that goes from left to right, the full stop of Arabic stands at the left."""
    story = make_article(title=f"{ARABIC}.", standfirst=f"{ARABIC}.", body=f"{ARABIC}.")
    page = watch.new_visitor(viewport={"width": 1280, "height": 800})

    for address, parts in [
        ("/", ".lead h2 a, .standfirst"),
        (story.get_absolute_url(), "h1, .standfirst, .story-body p"),
    ]:
        page.goto(address)
        stops = page.locator(parts).evaluate_all("""parts => parts.map((part) => {
          const range = document.createRange();
          range.selectNodeContents(part);
          const boxes = [...range.getClientRects()];
          const line = boxes.filter((box) => Math.abs(box.bottom - boxes.at(-1).bottom) < 8);
          range.setStart(part.firstChild, part.firstChild.length - 1);
          return Math.round(range.getBoundingClientRect().left - Math.min(...line.map((box) => box.left)));
        })""")
        assert set(stops) == {0}


@pytest.mark.parametrize("width", range(320, 620, 20))
def test_no_line_of_a_byline_begins_with_a_comma_or_a_dot(watch, width):
    names = ["Maximiliane Hohenstein-Wolkenburg", "Bo Li", "Anne-Sophie de la Rochefoucauld"]
    story = make_article(authors=[make_author(name=name) for name in names], lead_image=make_image())
    make_comment(article=story)
    page = watch.new_visitor(viewport={"width": width, "height": 640})
    page.goto(story.section.get_absolute_url())

    gaps = page.locator(".byline .by").evaluate("""by => [...by.childNodes].filter(
      (node) => node.nodeType === Node.TEXT_NODE && node.data.startsWith(",")
    ).map((node) => {
      const range = document.createRange();
      range.setStart(node, 0);
      range.setEnd(node, 1);
      return Math.round(range.getBoundingClientRect().left - [...node.previousSibling.getClientRects()].at(-1).right);
    })""")
    dots = page.locator(".byline").evaluate("""byline => [...byline.querySelectorAll(".dot")].filter((dot) => {
      const edge = byline.getBoundingClientRect().left;
      const box = dot.getBoundingClientRect();
      return box.left < edge && box.right > edge - 4;
    }).length""")

    assert (gaps, dots) == ([0], 0)


def test_a_browser_without_light_dark_shows_borders_and_buttons(watch):
    story = make_article()

    def as_unknown(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("light-dark(", "no-such-function("))

    page = watch.new_visitor(color_scheme="dark")
    page.route("**/*.css", as_unknown)
    page.goto(story.get_absolute_url())
    styles = "e => { const s = getComputedStyle(e); return [s.borderTopWidth, s.borderTopStyle, s.borderTopColor, s.backgroundColor] }"

    assert page.locator("html").evaluate(styles)[3] == "rgb(253, 252, 250)"
    field = page.get_by_label("Comment *").evaluate(styles)
    assert field[:3] == ["1px", "solid", "rgb(133, 126, 115)"]
    assert page.get_by_role("button", name="Post Comment").evaluate(styles)[3] == "rgb(28, 26, 23)"


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(253, 252, 250)"), ("dark", "rgb(22, 21, 20)")])
def test_a_page_has_the_colours_that_the_reader_has_chosen(watch, scheme, paper):
    page = watch.new_visitor(color_scheme=scheme)
    page.goto("/")

    assert page.locator("html").evaluate("e => getComputedStyle(e).backgroundColor") == paper


def test_a_printed_story_says_where_it_stands_and_leads_nowhere_else(watch):
    section = make_section()
    story = make_article(section=section, authors=[make_author(biography="Writes.")])
    make_article(section=section, published_at=timezone.now() - timedelta(days=1))
    page = watch.new_visitor()
    page.goto(story.get_absolute_url())
    printed = "e => getComputedStyle(e, '::after').content"
    assert page.locator(".story").evaluate(printed) == "none"

    page.emulate_media(media="print")

    assert page.locator(".story").evaluate(printed) == f'"https://news.example{story.get_absolute_url()}"'
    assert [page.locator(part).is_visible() for part in (".way-on", ".site-footer", ".about-author")] == [
        False, False, True
    ]  # fmt: skip


def test_a_printed_story_says_when_it_was_published_and_not_how_long_ago(watch):
    page = watch.new_visitor()
    page.goto(make_article().get_absolute_url())
    told = page.locator(".times .moment")
    full = told.get_attribute("title")

    page.emulate_media(media="print")

    assert told.evaluate("e => [getComputedStyle(e).fontSize, getComputedStyle(e, '::after').content]") == [
        "0px", f'"{full}"'
    ]  # fmt: skip


def test_the_facts_of_a_printed_story_stand_on_one_line(watch):
    story = make_article(updated_at=timezone.now())
    make_comment(article=story)
    page = watch.new_visitor()
    page.goto(story.get_absolute_url())
    page.emulate_media(media="print")

    # An empty box stands on the line of the letters.
    lines = page.locator(".times").evaluate("""times => [...times.children].map((fact) => {
      const foot = document.createElement("span");
      foot.style.display = "inline-block";
      fact.append(foot);
      return Math.round(foot.getBoundingClientRect().bottom);
    })""")

    assert lines == lines[:1] * 4


def test_the_section_of_a_page_is_told_by_more_than_its_colour(watch):
    section = make_section(name="World")
    make_article(section=section)
    page = watch.new_visitor(forced_colors="active")
    page.goto(section.get_absolute_url())

    line = page.locator(".sections [aria-current]").evaluate("e => getComputedStyle(e).borderBottomStyle")

    assert (re.sub(r"\s", "", page.locator(".sections [aria-current]").inner_text()), line) == (
        "World",
        "solid",
    )
