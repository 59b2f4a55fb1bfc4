"""Where a request comes from: which site sent it, and which address."""

import logging
import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger(__name__)

# Some proxies add the port, which needs brackets in IPv6, and some put the whole into quotes.
WITH_PORT = re.compile(r"\[([^\[\]]+)\](?::\d*)?|([\d.]+):\d*")
# Of IPv6 nobody has less than a network of 64 bits. A line at home has 256 of these (RFC 6177),
# an office or a tunnel 65,536, and a mobile network gives them to thousands of people. So the
# wider ones may do more, by the factor beside their length, and never without end.
IPV6_NETWORKS = {64: 1, 56: 4, 48: 16}
# RFC 6052 and RFC 8215: behind these, the last 32 bits are an address of IPv4.
TRANSLATED = [ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48")]
# So many bits are left of an address that is kept without naming one person, by its version.
SHORTENED_TO = {4: 24, 6: 48}

# What a person reads whose browser did not say that one of our own pages sent a form.
SENT_FROM_ELSEWHERE = _("For safety this was not sent. Please press the button again.")
# Pressing the button again would help nobody whose browser hides it the next time too.
SENDER_IS_HIDDEN = _(
    "For safety this was not sent: your browser hides which page it came from. Please allow it to "
    "tell this site (the setting may be called “referrer”), or use another browser."
)


def is_same_origin(request: HttpRequest) -> bool:
    """Say whether one of our own pages sent this request.

    It takes the place of a CSRF token, which would make every page differ. Browsers send
    at least one of the three headers with a form; who sends none is refused. A page without
    HTTPS is foreign where the site has it: who sits on the line may have written it.
    """
    if site := request.headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    try:
        sender = urlsplit(_sender(request))
        # A proxy may speak HTTPS without saying so: then this site does not know its own scheme.
        is_as_safe = sender.scheme in {request.scheme, "https"}
        return is_as_safe and sender.netloc == request.get_host()
    except ValueError:
        return False


def why_foreign(request: HttpRequest) -> str:
    """Tell a person why what they sent is not taken for sent from one of our own pages."""
    is_hidden = request.headers.get("Origin") == "null" and not _sender(request)
    return str(SENDER_IS_HIDDEN if is_hidden else SENT_FROM_ELSEWHERE)


def _sender(request: HttpRequest) -> str:
    """Return what a browser says of the page that sent a form, empty where it hides it.

    An origin of "null" hides it: any site can send that, and a browser that is asked to keep
    addresses to itself. No site can send an address of ours as its own.
    """
    origin = request.headers.get("Origin", "")
    return origin if origin not in {"", "null"} else request.headers.get("Referer", "")


def client_address(request: HttpRequest) -> str | None:
    """Return the visitor's IP address, or None where the server does not give one.

    X-Forwarded-For is read from its end, and only as far as each address that wrote it
    belongs to TRUSTED_PROXIES: what stands before that anyone may have made up.
    """
    trusted = [ip_network(network, strict=False) for network in settings.TRUSTED_PROXIES]
    hops = [request.META.get("REMOTE_ADDR", "")]
    # RFC 9110, section 5.6.1.2: a list may have empty elements, which say nothing.
    hops += filter(str.strip, reversed(request.headers.get("X-Forwarded-For", "").split(",")))
    client = None
    for hop in hops:
        try:
            address = _address_in(hop)
        except ValueError:
            if client:
                _tell_of(client)
            break
        address = _unfolded(address)
        client = str(address)
        if not any(address in network for network in trusted):
            break
    return client


def _address_in(hop: str) -> IPv4Address | IPv6Address:
    hop = hop.strip().strip('"')
    if with_port := WITH_PORT.fullmatch(hop):
        hop = with_port[1] or with_port[2]
    # The part behind "%" names a cable of the server.
    return ip_address(hop.partition("%")[0])


@lru_cache(maxsize=100)
def _tell_of(proxy: str) -> None:
    """Tell the owner, once, of a proxy behind which nobody can be told from another."""
    logger.warning(
        "The proxy %s sends an X-Forwarded-For that cannot be read: everybody behind it counts as one "
        "person, and bans, pauses and wrong passwords are shared. Let it write IP addresses.",
        proxy,
    )


def _unfolded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that one of IPv6 stands for, where it does.

    A server that speaks IPv6 may see all of IPv4 in one network, as if it were one sender; and
    whoever has one address of IPv4 has a whole /48 of 6to4, and as many addresses of Teredo as
    there are servers of it.
    """
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in TRANSLATED):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


class Network(NamedTuple):
    """A network that a sender is taken for, and how many times more than one sender it may do."""

    text: str
    factor: int


def sender_networks(address: str | None) -> list[Network]:
    """Return which networks a sender is, the narrowest first: none where the address is unknown.

    The one place that says so. What is limited for one sender is limited for each of these,
    for the wider ones with a count that is larger by their factor.
    """
    if not address:
        return []
    known = _unfolded(ip_address(address))
    if known.version == 4:
        return [Network(f"{known}/32", 1)]
    return [
        Network(str(ip_network((known, bits), strict=False)), factor)
        for bits, factor in IPV6_NETWORKS.items()
    ]


def sender_hash(text: str, purpose: str) -> str:
    """Return what tells two senders apart, for one purpose, and tells nobody who they are."""
    return salted_hmac(purpose, text, algorithm="sha256").hexdigest()


def sender_of(address: str | None, purpose: str) -> str:
    """Return the hash of the smallest network that a sender is taken for."""
    return sender_hash("".join(network.text for network in sender_networks(address)[:1]), purpose)


def neighbourhood_of(address: str | None, purpose: str) -> str:
    """Return the hash of the widest network that may be one sender's alone.

    Two senders whose voices are counted differ in this.
    """
    return sender_hash("".join(network.text for network in sender_networks(address)[-1:]), purpose)


def same_network(one: str | None, other: str | None) -> bool:
    """Say whether two addresses are known, and one sender's."""
    return bool(one) and sender_networks(one)[:1] == sender_networks(other)[:1]


def shortened(address: str | None) -> str | None:
    """Return the first address of the network that an address belongs to."""
    if not address:
        return address
    length = SHORTENED_TO[ip_address(address).version]
    return str(ip_network((address, length), strict=False).network_address)


def network_of(address: str) -> str:
    """Return the network to ban for an address: the shortened one, or the sender's IPv6 /64."""
    if shortened(address) == address:
        return f"{address}/{SHORTENED_TO[ip_address(address).version]}"
    return sender_networks(address)[0].text.removesuffix("/32")
