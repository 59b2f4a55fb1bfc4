from newsite.sent import Field


def test_a_box_has_about_as_many_lines_as_its_text():
    texts = ["A title", "One line.\n" * 5, "x" * 300, "\n" * 99]

    assert [Field("body", text, "text").rows for text in texts] == [2, 6, 6, 12]
