"""Where a request comes from: which site sent it, and which address."""

from ipaddress import ip_address, ip_network
from itertools import takewhile
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

# Whoever has one address of IPv6 has this whole network.
IPV6_NETWORK = 64
# So many bits are left of an address that is kept without naming one person, by its version.
SHORTENED_TO = {4: 24, 6: 48}

# What a person reads whose browser did not say that one of our own pages sent a form.
SENT_FROM_ELSEWHERE = _("For safety this was not sent. Please press the button again.")


def is_same_origin(request: HttpRequest) -> bool:
    """Say whether one of our own pages sent this request.

    It takes the place of a CSRF token, which would make every page differ. Browsers send
    at least one of the three headers with a form; who sends none is refused.
    """
    if site := request.headers.get("Sec-Fetch-Site"):
        return site == "same-origin"
    sender = request.headers.get("Origin") or request.headers.get("Referer") or ""
    try:
        return urlsplit(sender).netloc == request.get_host()
    except ValueError:
        return False


def client_address(request: HttpRequest) -> str | None:
    """Return the visitor's IP address, or None where the server does not give one.

    X-Forwarded-For is read from its end, and only as far as each address that wrote it
    belongs to TRUSTED_PROXIES: what stands before that anyone may have made up.
    """
    trusted = [ip_network(network, strict=False) for network in settings.TRUSTED_PROXIES]
    hops = [request.META.get("REMOTE_ADDR", "")]
    hops += reversed(request.headers.get("X-Forwarded-For", "").split(","))
    client = None
    for hop in hops:
        try:
            # The part behind "%" names a cable of the server.
            address = ip_address(hop.strip().partition("%")[0])
        except ValueError:
            break
        # A server that speaks IPv6 sees all of IPv4 in one network, as if it were one sender.
        address = getattr(address, "ipv4_mapped", None) or address
        client = str(address)
        if not any(address in network for network in trusted):
            break
    return client


def sender_of(address: str | None, purpose: str) -> str:
    """Return what tells two senders apart, for one purpose, and tells nobody who they are."""
    return salted_hmac(purpose, _network(address), algorithm="sha256").hexdigest()


def same_network(one: str | None, other: str | None) -> bool:
    """Say whether two addresses are known, and one sender's."""
    return bool(one and other) and _network(one) == _network(other)


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
