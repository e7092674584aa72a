"""Turns away who speaks another version of the protocol, before a word is misunderstood."""

from trimtab.errors import ProtocolMismatch
from trimtab.protocol import PROTOCOL, PROTOCOL_HEADER

_SHOWN = 20


def check(spoken: str | None) -> None:
    """Return if the service speaks this version of the protocol; None, said of no version, is understood as ours.

    Raises:
        ProtocolMismatch: It does not.
    """
    if spoken is None or spoken.partition(".")[0] == str(PROTOCOL):
        return
    raise ProtocolMismatch(
        f"the service speaks protocol {PROTOCOL}, and this request protocol {spoken[:_SHOWN]!r}: {_remedy(spoken)}"
    )


def _remedy(spoken: str) -> str:
    major = spoken.partition(".")[0]
    if not (major.isascii() and major.isdecimal()):
        return f"send {PROTOCOL_HEADER}: {PROTOCOL}, or no such header"
    if int(major[:_SHOWN]) > PROTOCOL:
        return "upgrade the service"
    return "upgrade trimtab where the request comes from"
