"""Which hosts may be called: public ones, so that a webhook is no way into our own network."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from django.conf import settings

from approvals.couriers.errors import NotSent

NOT_PUBLIC: Final = "address.not_public"

_TRANSLATED: Final = ip_network("64:ff9b::/96")  # NAT64, RFC 6052: an IPv4 address at its end


def public_address(host: str, port: int) -> str:
    """Return one address of a host; whoever calls it connects to this address and no other.

    A second look-up could say something else than the one that was checked.

    Raises:
        NotSent: the host is not known, or one of its addresses is not public.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotSent("host.unknown") from error
    addresses = [str(one[4][0]).partition("%")[0] for one in found]
    if not settings.ALLOW_PRIVATE_WEBHOOKS and not all(is_public(one) for one in addresses):
        raise NotSent(NOT_PUBLIC, final=True)
    return addresses[0]


def is_public(text: str) -> bool:
    """Say whether everybody on the internet means the same machine by this address."""
    address: IPv4Address | IPv6Address = ip_address(text)
    if isinstance(address, IPv6Address):
        if address.sixtofour or address.teredo:
            return False  # tunnels, with an address inside that is not looked at
        inner = address.ipv4_mapped
        if address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        address = inner or address
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_literal_private(host: str) -> bool:
    """Say whether a host is known to be private without looking it up."""
    if host.lower().rstrip(".").rpartition(".")[2] == "localhost":
        return True
    try:
        return not is_public(host.strip("[]"))
    except ValueError:
        return False
