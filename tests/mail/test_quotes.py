import pytest

from mail import quotes

LONG = "The bridge was closed on Monday for a good reason."


@pytest.mark.parametrize("end", ["\n", "\r\n", "\x0b", "\u2028"])
def test_every_line_of_a_strangers_text_is_marked(end):
    assert quotes.quoted(f"Hm.{end}{end}-- {end}> So.") == "> Hm.\n>\n> --\n> > So."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"{LONG} Then it rained.", f"{LONG} …"),
        (LONG, LONG),
        ("No. I do not believe that it was closed. They say so.", "No. I do not believe that it was closed. …"),
        ("“It was closed on Monday for a good reason.” So he said.", "“It was closed on Monday for a good reason.” …"),
        ("> Is it open?\n>_> It is,\nof course.", "of course."),
        ("> Only what another said.", "> Only what another said."),
        (f"{'橋' * 45}。そして。", f"{'橋' * 45}。 …"),
        ("See https://news.example/2026/11/the-bridge.html?page=2 for that", "See https://news.example/2026/11/the-bridge.html?page=2 for that"),
        ("x" * 500, f"{'x' * 299}…"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_first_sentence_is_what_somebody_says_first_themselves(text, sentence):
    assert quotes.first_sentence(text) == sentence
