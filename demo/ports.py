"""Ports for the programs of a mesh: no two meshes of one user are given the same, however close they start."""

import fcntl
import os
import socket
import sys

from demo.fetch import cache_folder

HOST = "127.0.0.1"
FIRST, BLOCK, BLOCKS = 20_000, 16, 700
"""Up to 31,200: from 32,768 on a system gives ports to connections, which might take one before its service listens."""


class PortsError(Exception):
    """There are no ports to be had."""


def choose(usual: dict[str, int]) -> dict[str, int]:
    """For each name its usual port where nobody has that (0: there is none), else one of our own. Raises PortsError."""
    may_be_usual = _hold("usual")
    ports = {name: port if may_be_usual and port and _keep(port) else 0 for name, port in usual.items()}
    own = iter(block(len(ports)))
    return {name: port or next(own) for name, port in ports.items()}


def block(count: int) -> list[int]:
    """Return `count` free ports that no other process is given before this one has ended. Raises PortsError."""
    for first in range(FIRST, FIRST + BLOCK * BLOCKS, BLOCK):
        if _hold(str(first)):
            free = [port for port in range(first, first + BLOCK) if _is_free(port)]
            if len(free) >= count:
                return free[:count]
    raise PortsError(f"from {FIRST} on no {count} ports beside each other are free: end what listens there")


def _hold(name: str) -> bool:
    """Whether nobody has what goes by this name; then it is this process's until it ends."""
    path = cache_folder() / "ports" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)  # held while open
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return False
    return True


def _keep(port: int) -> bool:
    """Whether it is free; then the system gives it to no connection before this process ends.

    The usual ones of the gRPC services are among those that connections get, and one to Redis that came first kept
    its service from ever listening. Bound, and listening to nobody, it is left to whoever binds it as servers do.
    """
    place = _bound(port)
    if place is None:
        return False
    if sys.platform == "linux":
        place.detach()  # held while open
    else:  # only Linux lets a second socket in
        place.close()
    return True


def _is_free(port: int) -> bool:
    place = _bound(port)
    if place is None:
        return False
    place.close()
    return True


def _bound(port: int) -> socket.socket | None:
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((HOST, port))
    except OSError:
        place.close()
        return None
    return place
