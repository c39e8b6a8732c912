"""Where the server listens."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from server.refusal import RefusedError

BACKLOG = 2048  # connections that wait to be accepted while every process is busy


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Listen until the block ends; whoever connects waits until somebody accepts. Raises RefusedError."""
    try:
        family, address = _resolve(host, port)
        listener = socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        raise RefusedError(f"Cannot listen on {host}, port {port}: {_reason(error)}") from error
    with listener:
        yield listener


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, Any]:
    """Find the address that a name means; of several an IPv4 one, which every client can reach."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, *_, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    return family, address


def url(listener: socket.socket) -> str:
    """Give the address that people type into a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address; choose another one with --host."
    if error.errno == errno.EADDRINUSE:
        return "another program uses this port; stop it, or choose another port with --port."
    if error.errno == errno.EACCES:
        return "this user may not use the port; choose one above 1023 with --port."
    return os.strerror(error.errno or 0)
