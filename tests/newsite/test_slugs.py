import unicodedata
from urllib.parse import unquote

import pytest
from django.core.exceptions import ValidationError
from django.urls import Resolver404, resolve, reverse
from hypothesis import given
from hypothesis import strategies as st

from newsite.slugs import SlugFormField, is_slug, normal

WORDS = [
    "हिन्दी-समाचार-में-बाढ़",
    "தமிழ்-செய்தி",
    "ภาษาไทย-น้ำท่วม",
    "ශ්‍රී-ලංකා",
    "می‌خواهم",
    "שָׁלוֹם",
    "東京で地震",
    "خبر-عاجل",
    "überschwemmung",
    "x̂-axis",
    "a_b--c-",
    "2026",
]


@pytest.mark.parametrize("slug", WORDS)
def test_a_slug_of_any_script_is_taken_as_it_was_typed(slug):
    assert SlugFormField().clean(slug) == unicodedata.normalize("NFC", slug)


@pytest.mark.parametrize("slug", WORDS)
def test_a_slug_of_any_script_leads_to_its_page(slug):
    address = unquote(reverse("articles:section", args=[slug]))

    assert resolve(address).kwargs == {"slug": unicodedata.normalize("NFC", slug)}


@pytest.mark.parametrize(
    ("typed", "slug"),
    [
        ("u\u0308ber", "über"),
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8", "한국"),
        (" vote\u200b ", "vote"),
        ("\u200fخبر\u200e", "خبر"),
        ("vo\u00adte\u202e", "vote"),
        ("a\u200db", "ab"),
    ],
)
def test_a_slug_has_one_spelling_and_nothing_that_nobody_sees(typed, slug):
    assert SlugFormField().clean(typed) == slug


@pytest.mark.parametrize(
    "typed", ["two words", "a.b", "a/b", "50%", "😀", "❤\ufe0f", "a-\u0301b", "\u0308a", "1\ufe0f\u20e3"]
)
def test_what_is_no_slug_is_refused_with_what_to_do(typed):
    with pytest.raises(ValidationError) as caught:
        SlugFormField().clean(typed)

    assert caught.value.messages == [
        "Use letters and numbers of any script, hyphens and underscores, and no spaces."
    ]


@pytest.mark.parametrize("slug", ["", "a.b", "a b", "\u0308", "%00"])
def test_what_is_no_slug_leads_nowhere(slug):
    with pytest.raises(Resolver404):
        resolve(f"/section/{slug}/")


@given(st.text())
def test_a_slug_that_is_normal_stays_as_it_is(text):
    assert normal(normal(text)) == normal(text)


@given(st.from_regex(r"[-\w]+", fullmatch=True))
def test_what_was_a_slug_before_is_one_still(text):
    assert is_slug(normal(text)) or normal(text) == ""
