"""Requests in JSON, read except for the documents in them, which are handed on as they came.

What is read is what `body.parse` would make of it; a request that this module cannot take apart is left to that.
"""

import codecs
from typing import Any

import msgspec
import orjson
from msgspec import Raw

from resolvers.saves import Text
from server import body

INTEGERS = range(-(2**53), 2**53)  # others may be read in another way
CHUNK = 65_536  # bytes; it costs more to make room for large texts than to read them

Names = frozenset[str]
Members = dict[str, Raw]
Variable = Members | list[Members] | str | int | bool | None


class Params(msgspec.Struct):
    """A GraphQL request, as most are: its variables are objects, lists of objects, or small."""

    query: str
    variables: dict[str, Variable] | None = None
    operationName: str | None = None  # noqa: N815 -- its name in the protocol
    extensions: Members | None = None


_params = msgspec.json.Decoder(Params)
_members = msgspec.json.Decoder(Members)

# What is refused here may still be JSON: with half a surrogate pair, say, or another type in it.
_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def params(data: bytes) -> Params | None:
    """Take a GraphQL request apart; None where it is to be parsed as a whole."""
    try:
        _check_utf8(data)
        found = _params.decode(data)
    except _ERRORS:
        return None
    return found if all(map(_is_plain, (found.variables or {}).values())) else None


def members(data: bytes) -> Members | None:
    """Take an object apart; None where it is to be parsed as a whole."""
    try:
        _check_utf8(data)
        return _members.decode(data)
    except _ERRORS:
        return None


def _check_utf8(data: bytes) -> None:
    """Raise UnicodeDecodeError for what is no UTF-8: msgspec does not look inside of what it passes over."""
    if data.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), CHUNK):
        decoder.decode(data[start : start + CHUNK])
    decoder.decode(b"", final=True)


def _is_plain(value: Variable) -> bool:
    return not isinstance(value, int) or value in INTEGERS


def variable(value: Variable, unread: Names) -> object:
    """Read a variable; of an object, or of each in a list, the members named in `unread` stay texts."""
    match value:
        case dict():
            return read(value, unread)
        case list():
            return [read(item, unread) for item in value]
        case _:
            return value


def read(given: Members, unread: Names) -> dict[str, Any]:
    """Read an object; its members named in `unread` stay texts. Raises BadUserInputError for what is too deep."""
    parts = [b"%b:%b" % (orjson.dumps(key), raw) for key, raw in given.items() if key not in unread]
    found = body.parse(b"{%b}" % b",".join(parts))
    assert isinstance(found, dict)
    return found | {key: Text(bytes(given[key])) for key in unread if key in given}
