"""Where a request comes from: which site sent it, and which address."""

import logging
import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import takewhile
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger(__name__)

# Some proxies add the port, which needs brackets in IPv6, and some put the whole into quotes.
WITH_PORT = re.compile(r"\[([^\[\]]+)\](?::\d*)?|([\d.]+):\d*")
# Whoever has one address of IPv6 has this whole network.
IPV6_NETWORK = 64
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
    at least one of the three headers with a form; who sends none is refused.
    """
    if site := request.headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    try:
        return urlsplit(_sender(request)).netloc == request.get_host()
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
        # A server that speaks IPv6 sees all of IPv4 in one network, as if it were one sender.
        address = getattr(address, "ipv4_mapped", None) or address
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


def sender_of(address: str | None, purpose: str) -> str:
    """Return what tells two senders apart, for one purpose, and tells nobody who they are."""
    return salted_hmac(purpose, _network(address), algorithm="sha256").hexdigest()


def same_network(one: str | None, other: str | None) -> bool:
    """Say whether two addresses are known, and one sender's."""
    return bool(one) and _network(one) == _network(other)


def network_text(address: str) -> str | None:
    """Return how every address of one IPv6 sender's network begins, where it is written out.

    Neighbours may begin like that too: zeros can be left out, so the text ends before them.
    Returns None for IPv4, where a sender has one address.
    """
    whole = ip_address(address)
    if whole.version == 4:
        return None
    groups = [f"{int(group, 16):x}" for group in whole.exploded.split(":")[: IPV6_NETWORK // 16]]
    return "".join(f"{group}:" for group in takewhile(lambda group: group != "0", groups))


def shortened(address: str | None) -> str | None:
    """Return the first address of the network that an address belongs to."""
    if not address:
        return address
    length = SHORTENED_TO[ip_address(address).version]
    return str(ip_network((address, length), strict=False).network_address)


def network_of(address: str) -> str:
    """Return the network to ban for an address: the shortened one, or the sender's IPv6 /64."""
    version = ip_address(address).version
    if shortened(address) == address:
        return f"{address}/{SHORTENED_TO[version]}"
    return _network(address)


def _network(address: str | None) -> str:
    if address and ip_address(address).version == 6:
        return str(ip_network((address, IPV6_NETWORK), strict=False))
    return address or ""
