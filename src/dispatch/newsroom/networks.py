"""Where an IP address belongs: what is counted as one place, by every limit and every count."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

_IPV6_SITE = 64  # bits: what one subscriber of a provider has for themselves (RFC 6177)


def network(ip: str) -> str:
    """Itself; of IPv6, the network of its site; of IPv4 that is written as IPv6, the IPv4 address.

    What is no IP address, such as the name that a test has for a client, stays as it is.
    """
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if not isinstance(address, IPv6Address):
        return ip
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), _IPV6_SITE), strict=False))
