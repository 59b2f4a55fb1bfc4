"""Where web addresses begin and end: what a person would copy into the address bar, and no more."""

import pytest

from newsite.web_addresses import next_address


def addresses(text: str) -> list[str]:
    found, place = [], 0
    while place_of := next_address(text, place):
        found.append(text[slice(*place_of)])
        place = place_of[1]
    return found


@pytest.mark.parametrize(
    "address",
    [
        "https://en.wikipedia.org/wiki/Murphy's_law",
        "http://en.wikipedia.org/wiki/Zeno's_paradoxes",
        "https://github.com/x/y/blob/main/pkg/__init__.py",
        "https://www.instagram.com/_ann_smith_/",
        "https://t.me/_channel_",
        "https://example.com/a*b*c",
        "http://example.org/a_b_c*d*e",
        "https://example.com/~~x~~",
        "https://example.com/x`y`z",
        r"https://example.com/a\.b",
        "https://example.com/?x=&lt;y",
        "http://test.example?a=1&par=1&parameterA=2",
        "http://test.example?array[]=1&params_in[]=2",
        "https://example.com/Berlin/!5706546/",
        "https://example.com/full.path;query",
        "https://en.wikipedia.org/wiki/Foo_(bar)",
        "https://example.com/PIIS2215-0366(26)00130-6/abstract",
        "https://user:word@example.com:8080/x?y#z",
        "https://[2001:db8::1]:443/x",
        "https://a.example",
        "www.example.org/x",
        "HTTPS://EXAMPLE.COM/X",
        "https://de.wikipedia.org/wiki/Größe",
        "https://ru.wikipedia.org/wiki/Москва",
        "https://ar.wikipedia.org/wiki/القاهرة",
        "https://fa.wikipedia.org/wiki/می\u200cشود",
        "https://hi.wikipedia.org/wiki/हिन्दी",
        "https://th.wikipedia.org/wiki/กรุงเทพ",
        "https://ja.wikipedia.org/wiki/東京",
        "https://ja.wikipedia.org/wiki/東京2020オリンピック",
        "https://ja.wikipedia.org/wiki/ジョン・レノン",
        "https://zh.wikipedia.org/wiki/Python_(程式語言)",
        "https://zh.wikipedia.org/wiki/北京（消歧义）",
        "https://ko.wikipedia.org/wiki/서울",
        "https://ja.wikipedia.org/wiki/%E6%9D%B1%E4%BA%AC",
        "https://例え.テスト/パス?名=値",
        "https://münchen.example/",
        "https://en.wikipedia.org/wiki/Michelson–Morley_experiment",
        "https://abc中文.com/x",
        "https://7日.example",
        "https://i❤.ws/x",
        "https://a.example/a|b",
        "https://a.example/x$",
        "https://a.example/[x]",
    ],
)
def test_an_address_is_taken_whole(address):
    assert addresses(address) == [address]
    assert addresses(f"See {address}, and ({address}).") == [address, address]


X, DEEP = "https://a.example/x", "https://a.example/x_(y)[1]"


@pytest.mark.parametrize(
    ("before", "address", "after"),
    [
        ("看", X, ""),
        ("주소는", X, "입니다"),
        ("「", X, "」"),
        ("（", X, "）"),
        ("【", X, "】です"),
        ("", X, "。次"),
        ("", X, "、b"),
        ("", X, "，然后"),
        ("", X, "を見て"),
        ("", "https://ar.wikipedia.org/wiki/قطة", "، ثم"),
        ("", "https://hi.wikipedia.org/wiki/हिन्दी", "।"),
        ("", X, "（分享自"),
        ("", X, "👍"),
        ("", X, "‥"),
        ("|", X, "|"),
        ("||", X, "||"),
        ("$", X, "$"),
        ("[url]", X, "[/url]"),
        ("", X, "→"),
        ("", X, "।अगला"),
        ("", "https://a.example", "’s page"),
        ("", "https://a.example", "'den"),
        ("", "https://a.example", "看这个.不错"),
        ("", X, "—yes"),
        ("", X, " – yes"),
        ("", X, "\u200b"),
        ("1.", X, ""),
        ("см.", X, ""),
        ("siehe:", X, ""),
        ("'", X, "' and 'so'"),
        ("'", X, "','b'"),
        ("‘", X, "’ and"),
        ("'", "https://a.example/it's", "' and 'so'"),
        ("'", X, "':"),
        ("(", X, ")[1]"),
        ("(see ", X, ")?"),
        ("*", X, "*"),
        ("**", X, "**。"),
        ("_see ", X, "_"),
        ("~~", X, "~~"),
        ("`", X, "`"),
        ("", DEEP, ")."),
        ("看", "www.example.org", "。"),
    ],
)
def test_the_sentence_goes_on_outside_of_the_address(before, address, after):
    assert addresses(f"{before}{address}{after}") == [address]


def test_addresses_in_a_row_are_so_many_and_one_in_another_is_one():
    assert addresses(f"{X},{X};{X} {X}|{X}→{X}") == [X] * 6
    assert addresses("https://web.archive.org/web/2026/https://a.example/") == [
        "https://web.archive.org/web/2026/https://a.example/"
    ]


@pytest.mark.parametrize("mark", ["*", "_", "~", "`"])
def test_no_address_ends_at_a_mark_that_another_one_has(mark):
    assert addresses(f"{X}/{mark}a and {X}{mark}") == [f"{X}/{mark}a", f"{X}{mark}"]


def test_no_address_ends_at_a_mark_that_was_never_set():
    assert addresses(f"5 ** 3, so {X}*") == [f"{X}*"]


def test_one_wave_is_no_mark():
    assert addresses(f"~5 times {X}~") == [f"{X}~"]


@pytest.mark.parametrize(
    "text",
    ["https://", "http://.", "(https://)", "www.", "www...", "https://]", "_https://_", "bob@www.example.com",
     "bob@example.com", "readme.md", "e.g.so", "awww.example.com", "xhttps://a.example"],
)  # fmt: skip
def test_what_leads_nowhere_is_no_address(text):
    assert addresses(text) == []
