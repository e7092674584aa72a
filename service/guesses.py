"""Wrong tokens at the sign-in: how many may come from one address before it has to wait."""

import ipaddress
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.pace import Pace
from trimtab.errors import TooManyRequests, Unauthorized

BURST = 10
"""Wrong tokens that may come at once: more than somebody pastes by mistake."""

SECONDS_EACH = 5.0
"""After those, one wrong token in so long."""

_NETWORK_BITS = 64


class Guesses:
    """Counts the wrong tokens of each address, in this replica. Right ones cost nothing, nor do those of others.

    Args:
        clock: Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = Pace(1 / SECONDS_EACH, clock, burst_seconds=BURST * SECONDS_EACH)

    @contextmanager
    def one(self, address: str) -> Iterator[None]:
        """Look at a token within; it counts as wrong if that ends with Unauthorized.

        Raises:
            TooManyRequests: The address has to wait: its token is not looked at.
        """
        place = _place(address)
        # Taken before the look: many that come at the same time are counted too.
        if seconds := self._pace.wait_for(place):
            raise TooManyRequests("too many wrong tokens came from this address", retry_after=math.ceil(seconds))
        try:
            yield
        except Unauthorized:
            raise
        except BaseException:
            self._pace.give_back(place)
            raise
        self._pace.give_back(place)


def _place(address: str) -> str:
    """Return what is counted as one address: of IPv6 the network, of which anybody has all addresses (RFC 6177)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    # Where one socket listens for both, addresses of IPv4 come as ones of a single network of IPv6 (RFC 4291, 2.5.5.2).
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _NETWORK_BITS), strict=False))
