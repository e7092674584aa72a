"""The service itself."""

from trimtab.client.calls import Calls
from trimtab.protocol import Version
from trimtab.requests import Request


class ServiceCalls(Calls):
    """What there is to know of the service."""

    def version(self) -> Version:
        """Return the versions of the service, of its schema and of its protocol.

        Raises:
            ProtocolMismatch: It speaks another one than this client.
        """
        return self._call(Version, Request("GET", "/v1/version"))
