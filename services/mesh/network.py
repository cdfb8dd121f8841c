"""Where this machine is in its network."""

import socket

SOMEWHERE = ("192.0.2.1", 9)
"""No packet is sent there: it is only asked which of our addresses would be used."""


def own_address() -> str | None:
    """The address by which others in its network reach this machine; None: it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(SOMEWHERE)
        except OSError:
            return None
        return str(probe.getsockname()[0])
