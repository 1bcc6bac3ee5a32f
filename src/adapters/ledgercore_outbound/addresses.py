"""Which addresses outside may be called: public ones, by names and numbers that mean the same to everybody.

Checked twice: the URL when somebody enters it, and what its name resolves to at the moment of connecting. The
connection goes to the addresses that were checked, so a name that changes its mind in between gains nothing.
"""

import re
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

from attrs import frozen

from ledgercore.errors import ExternalDependencyError, ValidationError, shortened
from ledgercore.errors.catalog import FORBIDDEN_ADDRESS, SERVICE_UNAVAILABLE

IpAddress: TypeAlias = IPv4Address | IPv6Address
Resolver: TypeAlias = Callable[[str, int], Sequence[str]]
"""Gives every address of a name; raises `OSError` when there is none."""

URL_LENGTH_MAX: Final = 2048
PORTS: Final = frozenset({443, 8443})
DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_PLAIN: Final = re.compile(r"[!-~]+", re.ASCII)
_NAME: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
# What ends in digits or 0x is a number to some programs and a name to others (WHATWG URL, "ends in a number").
_NUMBER_AT_END: Final = re.compile(r"(^|\.)([0-9]+|0x[0-9a-f]*)\.?$")
_PRIVATE_ENDINGS: Final = frozenset({"localhost", "local", "internal", "intranet", "lan", "home", "corp"})
_PUBLIC_IPV6: Final = IPv6Network("2000::/3")
# Addresses of IPv4 in disguise: 6to4 and Teredo. NAT64 and mapped ones are not public to begin with.
_IPV4_IN_IPV6: Final = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))


def resolve(host: str, port: int) -> Sequence[str]:
    """Every address that this machine's resolver gives a name."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@frozen(kw_only=True)
class AddressGuard:
    """Tells addresses that may be called from those that must not.

    `allow_private` is for development and tests: http, any port, and hosts of the own machine and network. Even
    then link-local addresses are refused, where clouds keep their machines' credentials.
    """

    allow_private: bool = False
    resolver: Resolver = resolve

    def check(self, url: str) -> SplitResult:
        """Judge a URL by its looks, and give its parts; raises `ValidationError` (`forbidden_address`) with why."""
        if len(url) > URL_LENGTH_MAX or not _PLAIN.fullmatch(url) or "\\" in url:
            raise _forbidden("at most 2048 printable ASCII characters without blanks and backslashes are allowed", url)
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _forbidden("it is no URL", url) from error
        if parts.scheme not in (DEFAULT_PORTS if self.allow_private else ("https",)):
            raise _forbidden("only https is called", url)
        if "@" in parts.netloc:
            raise _forbidden("a user has no place in it", url)
        if not self.allow_private and (DEFAULT_PORTS[parts.scheme] if port is None else port) not in PORTS:
            raise _forbidden(f"only the ports {', '.join(map(str, sorted(PORTS)))} are called", url)
        self._check_host(parts.hostname or "", url)
        return parts

    def check_reachable(self, url: str) -> None:
        """Judge a URL by its looks and by what its name resolves to now.

        Raises `ValidationError` (`forbidden_address`), and `ExternalDependencyError` (`service_unavailable`) for a
        name that nobody knows.
        """
        parts = self.check(url)
        self.addresses_of(parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme])

    def addresses_of(self, host: str, port: int) -> tuple[IpAddress, ...]:
        """Where a host is: all of its addresses, each of them allowed; raises as `check_reachable` does."""
        literal = _ip_literal(host)
        try:
            found = (literal,) if literal else tuple(ip_address(told) for told in self.resolver(host, port))
        except (OSError, ValueError, UnicodeError) as error:
            raise ExternalDependencyError(SERVICE_UNAVAILABLE, host=host, why="the name does not resolve") from error
        if not found:
            raise ExternalDependencyError(SERVICE_UNAVAILABLE, host=host, why="the name does not resolve")
        # One bad address among good ones is an attempt to be connected to it sooner or later.
        for address in found:
            self._check_address(address, host)
        return found

    def _check_host(self, host: str, url: str) -> None:
        if (literal := _ip_literal(host)) is not None:
            self._check_address(literal, host)
        elif not _NAME.fullmatch(host):
            raise _forbidden("the host is no name in ASCII, nor an address in its usual form", url)
        elif _NUMBER_AT_END.search(host):
            raise _forbidden("the host is a number in an unusual form", url)
        elif not self.allow_private and ("." not in host or host.rpartition(".")[2] in _PRIVATE_ENDINGS):
            raise _forbidden("the host is not a public name", url)

    def _check_address(self, address: IpAddress, host: str) -> None:
        if not _is_public(address) and not (self.allow_private and _is_ours(address)):
            # The address itself is not told: it may be the answer that somebody is after.
            raise _forbidden("the host has an address that is not public", host)


def _ip_literal(host: str) -> IpAddress | None:
    try:
        found = ip_address(host)
    except ValueError:
        return None
    return None if isinstance(found, IPv6Address) and found.scope_id else found


def _is_public(address: IpAddress) -> bool:
    if isinstance(address, IPv6Address) and (
        address not in _PUBLIC_IPV6 or any(address in network for network in _IPV4_IN_IPV6)
    ):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_ours(address: IpAddress) -> bool:
    forbidden = address.is_link_local or address.is_unspecified or address.is_reserved or address.is_multicast
    return address.is_loopback or (address.is_private and not forbidden)


def _forbidden(why: str, url: str) -> ValidationError:
    return ValidationError(FORBIDDEN_ADDRESS, url=shortened(url), why=why)
