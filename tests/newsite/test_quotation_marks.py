import pytest

from newsite.markup import comment_html


@pytest.mark.parametrize(
    ("typed", "set_"),
    [
        ('She said "yes".', "She said “yes”."),
        ("She said 'yes'.", "She said ‘yes’."),
        ("\"He said 'no', you know.\"", "“He said ‘no’, you know.”"),
        ("don't, O'Brien's, the Smiths' house", "don’t, O’Brien’s, the Smiths’ house"),
        ("the '90s, rock 'n' roll, 'twas", "the ’90s, rock ’n’ roll, ’twas"),
        ("'Twas night, he said, 'and dark'", "’Twas night, he said, ‘and dark’"),
        ('("x") - "y"-z', "(“x”) - “y”-z"),
        ('说"你好"吧', "说“你好”吧"),
        ('「"引用"」です', "「“引用”」です"),
        ('引用"」', '引用"」'),
        ('¿"Cómo"?', "¿“Cómo”?"),
        ("'He said \"no\"'", "‘He said “no”’"),
        # In doubt, and where the mark means something else, it stays.
        ('5\'10" tall, a 7" single', '5\'10" tall, a 7" single'),
        (":'( and ;'-)", ":'( and ;'-)"),
        ('a = "', 'a = "'),
        ('nothing in ""', 'nothing in ""'),
        ("''so'' and \"\"so\"\"", "''so'' and \"\"so\"\""),
        ('x="y"', 'x="y"'),
        ("x='y' and f(x)=y'' as well", "x='y' and f(x)=y'' as well"),
        ('`"a" don\'t`', '<code>"a" don\'t</code>'),
        ('<code>"a"</code>', '<code>"a"</code>'),
    ],
)
def test_straight_marks_become_those_of_print(typed, set_):
    assert comment_html(typed) == f"<p>{set_}</p>"


def test_marks_beside_emphasis_and_over_several_lines_find_each_other():
    assert comment_html('"*One.*\n\nTwo."') == "<p>“<em>One.</em></p>\n<p>Two.”</p>"
    assert comment_html('**"Bold"** and *"soft"*') == ("<p><strong>“Bold”</strong> and <em>“soft”</em></p>")


def test_an_address_keeps_its_marks():
    address = "https://en.wikipedia.org/wiki/Murphy's_law"

    assert f">{address}</a>" in comment_html(f'"{address}"')
