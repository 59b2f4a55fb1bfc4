import pytest
from django.test import RequestFactory

from newsite.origin import (
    client_address,
    is_same_origin,
    neighbourhood_of,
    network_of,
    same_network,
    sender_networks,
    sender_of,
    why_foreign,
)


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, False),
        ({"Origin": "http://testserver"}, True),
        # Behind a proxy that does not say that it speaks HTTPS.
        ({"Origin": "https://testserver"}, True),
        ({"Origin": "ftp://testserver"}, False),
        ({"Origin": "http://testserver:8000"}, False),
        ({"Origin": "http://testserver.evil.example"}, False),
        ({"Origin": "null"}, False),
        # A browser, or something on the way, that keeps origins to itself.
        ({"Origin": "null", "Referer": "http://testserver/2026/11/story/"}, True),
        ({"Origin": "null", "Referer": "https://evil.example/"}, False),
        ({"Origin": "null", "Referer": "null"}, False),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site", "Referer": "http://testserver/"}, False),
        ({"Origin": "http://[broken"}, False),
        ({"Origin": "https://evil.example", "Referer": "http://testserver/"}, False),
        ({"Referer": "http://testserver/2026/11/story/"}, True),
        ({"Referer": "https://evil.example/http://testserver/"}, False),
        ({}, False),
    ],
)
def test_only_our_own_pages_are_same_origin(headers, same):
    assert is_same_origin(RequestFactory().post("/", headers=headers)) == same


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "client"),
    [
        ([], "203.0.113.9", "", "203.0.113.9"),
        ([], "203.0.113.9", "198.51.100.7", "203.0.113.9"),
        (["127.0.0.1"], "127.0.0.1", "198.51.100.7", "198.51.100.7"),
        (["127.0.0.1"], "127.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        (["127.0.0.1", "10.0.0.0/8"], "127.0.0.1", "6.6.6.6, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
        (["127.0.0.1"], "127.0.0.1", "nonsense", "127.0.0.1"),
        (["127.0.0.1"], "127.0.0.1", "", "127.0.0.1"),
        (["::1"], "::1", "2001:db8::5", "2001:db8::5"),
        # With ports, in brackets, in quotes.
        (["127.0.0.1"], "127.0.0.1", "198.51.100.7:54321", "198.51.100.7"),
        (["127.0.0.1"], "127.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
        (["127.0.0.1"], "127.0.0.1", "[2001:db8::7]", "2001:db8::7"),
        (["127.0.0.1"], "127.0.0.1", '"198.51.100.7"', "198.51.100.7"),
        (["127.0.0.1"], "127.0.0.1", '"[2001:db8::7]:443"', "2001:db8::7"),
        (["127.0.0.1"], "127.0.0.1", "[::ffff:198.51.100.7]:443", "198.51.100.7"),
        (["127.0.0.1"], "127.0.0.1", "[fe80::1%eth0]:443", "fe80::1"),
        (["127.0.0.1"], "127.0.0.1", "6.6.6.6, 198.51.100.7:1", "198.51.100.7"),
        (["127.0.0.1", "10.0.0.0/8"], "127.0.0.1", "198.51.100.7:1, 10.1.2.3:80", "198.51.100.7"),
        (["127.0.0.1"], "127.0.0.1", "198.51.100.7:port", "127.0.0.1"),
        (["127.0.0.1"], "127.0.0.1", "198.51.100.7:", "198.51.100.7"),
        (["127.0.0.1"], "127.0.0.1", "6.6.6.6, 198.51.100.7,", "198.51.100.7"),
        (["127.0.0.1", "10.0.0.0/8"], "127.0.0.1", "198.51.100.7, ,10.1.2.3", "198.51.100.7"),
        (["127.0.0.1"], "127.0.0.1", "[198.51.100.7", "127.0.0.1"),
        (["127.0.0.1"], "127.0.0.1", "unknown", "127.0.0.1"),
        ([], "", "198.51.100.7", None),
        # A server that speaks IPv6 sees all of IPv4 in one of its networks.
        ([], "::ffff:203.0.113.9", "", "203.0.113.9"),
        (["127.0.0.1"], "::ffff:127.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        # The part behind "%" names a cable of the server.
        ([], "fe80::1%eth0", "", "fe80::1"),
    ],
)
def test_the_visitors_address_is_taken_only_from_named_proxies(settings, proxies, peer, forwarded, client):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR=peer, headers={"X-Forwarded-For": forwarded})

    assert client_address(request) == client


def test_a_proxy_whose_header_cannot_be_read_is_told_of_once(settings, caplog):
    settings.TRUSTED_PROXIES = ["127.0.0.0/8"]

    for peer, forwarded in [
        ("127.0.0.71", "unknown"),
        ("127.0.0.71", "hidden"),
        ("127.0.0.72", "198.51.100.7, _secret"),
        ("127.0.0.73", ""),
        ("127.0.0.74", "nonsense, 198.51.100.7"),
        ("203.0.113.9", "nonsense"),
        ("", "nonsense"),
    ]:
        client_address(RequestFactory().get("/", REMOTE_ADDR=peer, headers={"X-Forwarded-For": forwarded}))

    assert [record.args for record in caplog.records] == [("127.0.0.71",), ("127.0.0.72",)]
    assert "cannot be read" in caplog.text


def test_whose_browser_hides_the_page_is_not_told_to_press_the_button_again():
    assert "your browser hides" in why_foreign(RequestFactory().post("/", headers={"Origin": "null"}))


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null", "Referer": "x"},
    ],
)
def test_what_another_page_sent_can_be_sent_again_from_ours(headers):
    assert "press the button again" in why_foreign(RequestFactory().post("/", headers=headers))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.0", "192.0.2.0/24"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("2001:db8:1::", "2001:db8:1::/48"),
    ],
)
def test_a_ban_by_address_names_one_sender_or_all_that_is_known_of_one(address, network):
    assert network_of(address) == network


def test_a_server_that_gives_no_address_gives_none():
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "198.51.100.7"})
    del request.META["REMOTE_ADDR"]

    assert client_address(request) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        (None, "192.0.2.7", False),
        ("192.0.2.7", None, False),
        # Nobody knows whether two whose addresses are unknown are one.
        (None, None, False),
    ],
)
def test_two_known_addresses_are_one_senders_in_one_network(one, other, same):
    assert same_network(one, other) == same


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        ("192.0.2.7", [("192.0.2.7/32", 1)]),
        (
            "2001:db8:77:1234::7",
            [("2001:db8:77:1234::/64", 1), ("2001:db8:77:1200::/56", 4), ("2001:db8:77::/48", 16)],
        ),
        # An address of IPv6 that stands for one of IPv4: mapped, NAT64, 6to4, Teredo.
        ("::ffff:192.0.2.7", [("192.0.2.7/32", 1)]),
        ("64:ff9b::192.0.2.7", [("192.0.2.7/32", 1)]),
        ("64:ff9b:1:2:3:4:c000:207", [("192.0.2.7/32", 1)]),
        ("2002:c000:207:99::1", [("192.0.2.7/32", 1)]),
        ("2001:0:4136:e378:8000:63bf:3fff:fdf8", [("192.0.2.7/32", 1)]),
        (None, []),
    ],
)
def test_a_sender_is_a_network_of_the_sizes_that_providers_give(address, networks):
    assert sender_networks(address) == networks


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        ("64:ff9b::c633:6407", "198.51.100.7"),
        ("2002:c633:6407::1", "198.51.100.7"),
        ("2001:0:4136:e378:8000:63bf:39cc:9bf8", "198.51.100.7"),
        ("2001:db8::c633:6407", "2001:db8::c633:6407"),
    ],
)
def test_an_address_that_stands_for_one_of_ipv4_is_kept_as_that(peer, client):
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=peer)) == client


def test_voices_are_counted_by_the_widest_network_and_kept_by_the_narrowest():
    one, other, elsewhere = "2001:db8:1:2::7", "2001:db8:1:3::7", "2001:db8:2:2::7"

    assert sender_of(one, "x") != sender_of(other, "x")
    assert neighbourhood_of(one, "x") == neighbourhood_of(other, "x") != neighbourhood_of(elsewhere, "x")
    assert sender_of(one, "x") != sender_of(one, "y")


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({"Origin": "https://testserver"}, True),
        ({"Origin": "http://testserver"}, False),
        ({"Referer": "http://testserver/2026/11/story/"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, True),
    ],
)
def test_where_a_proxy_answers_https_a_page_without_it_is_foreign(settings, headers, same):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    sent = {**headers, "Host": "testserver", "X-Forwarded-Proto": "https"}
    request = RequestFactory().post("/", headers=sent)

    assert is_same_origin(request) == same
