import pytest
from django.test import RequestFactory

from newsite.origin import client_address, is_same_origin, network_of


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, False),
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "https://testserver"}, True),
        ({"Origin": "http://testserver:8000"}, False),
        ({"Origin": "http://testserver.evil.example"}, False),
        ({"Origin": "null"}, False),
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
