import pytest
from django.core.exceptions import ValidationError

from comments import matching


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        ("press", "Free the press!", "press"),
        ("press", "WordPress", ""),
        ("*press", "WordPress", "*press"),
        ("press*", "A pressing matter", "press*"),
        ("press*", "WordPress", ""),
        ("*press*", "impressive", "*press*"),
        ("PRESS", "free the press", "PRESS"),
        ("strasse", "Hauptstraße 1, Straße", "strasse"),
        ("казино", "Лучшее КАЗИНО!", "казино"),
        ("buy now", "Please BUY NOW.", "buy now"),
        ("buy now", "Please buy nowhere", ""),
        ("casino.example", "see casino.example/win", "casino.example"),
        ("192.0.2.", "192.0.2.44", "192.0.2."),
        ("ｃａｓｉｎｏ", "casino", "ｃａｓｉｎｏ"),
        ("casino", "ca\u200bsi\u00adno", "casino"),
        ("博彩", "这是博彩网站", "博彩"),
        ("कम", "कमी", ""),
        ("c++", "I write c++ at night", "c++"),
        ("m*n", "moon", "m*n"),
        ("*", "anything", ""),
        ("\n\n  \n", "anything", ""),
        ("one\ntwo", "number two", "two"),
    ],
)
def test_words_are_found_whole_and_in_every_script(words, text, found):
    assert matching.find_word(words, text) == found


def test_a_word_is_looked_for_in_every_text():
    assert matching.find_word("needle", "hay", "", "a needle") == "needle"


@pytest.mark.parametrize(
    ("line", "email", "ip", "found"),
    [
        ("ada@example.com", "Ada@Example.com", None, True),
        ("@example.com", "ada@example.com", None, True),
        ("@example.com", "ada@sub.example.com", None, False),
        ("192.0.2.7", "", "192.0.2.7", True),
        ("192.0.2.0/24", "", "192.0.2.200", True),
        ("192.0.2.9/24", "", "192.0.2.200", True),
        ("192.0.2.0/24", "", "192.0.3.1", False),
        ("2001:db8::/32", "", "2001:db8:1::1", True),
        ("192.0.2.7", "", "::ffff:192.0.2.7", True),
        ("192.0.2.7", "", None, False),
    ],
)
def test_an_address_is_found_by_itself_its_domain_or_its_network(line, email, ip, found):
    assert matching.find_address(f"other@example.org\n{line}", email=email, ip=ip) == (line if found else "")


def test_a_line_that_is_no_address_is_named():
    with pytest.raises(ValidationError, match="bogus, 192.0.2.300"):
        matching.validate_addresses("ada@example.com\nbogus\n@example.com\n192.0.2.300\n10.0.0.0/8")


@pytest.mark.parametrize(
    ("website", "keys"),
    [
        ("https://www.shop.example.com/x", ["shop.example.com", "example.com"]),
        ("example.com", ["example.com"]),
        ("", []),
        ("https://[broken", []),
    ],
)
def test_a_website_is_found_by_its_host_and_the_domains_above_it(website, keys):
    assert matching.host_keys(website) == keys
