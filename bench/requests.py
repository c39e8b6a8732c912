"""Requests as bytes with holes, a name between two bytes of 1, filled with text of a fixed width for each save."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

# Widths in bytes: the length of a body must not depend on what fills it. JSON may have spaces after numbers.
WIDTHS = {"id": 36, "base": 9, "sequence": 9, "client": 24, **{f"x{spot}": 9 for spot in range(4)}}
HOLE = re.compile(rb"\x01(\w+)\x01")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a system, and what is found in an answer that grants it."""

    path: str
    body: bytes
    expected: str  # a pattern that Lua and Python read alike
    method: str = "POST"

    def taken(self) -> "Request":
        """The same, where any version is a good answer: the first one, or one with edits of others in it."""
        return replace(self, expected='"version":')


def graphql(query: str, variables: bytes, expected: str) -> Request:
    """Ask for a GraphQL operation."""
    return Request("/graphql", b'{"query":%b,"variables":%b}' % (json.dumps(query).encode(), variables), expected)


def message(request: Request, host: str, token: str) -> bytes:
    """Write a request as HTTP has it."""
    length = len(filled(request.body, {name: "0" * width for name, width in WIDTHS.items()}))
    head = (
        f"{request.method} {request.path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    return head.encode() + request.body


def filled(template: bytes, holes: Mapping[str, str]) -> bytes:
    """Fill the holes."""
    return HOLE.sub(lambda hole: holes[hole[1].decode()].encode(), template)
