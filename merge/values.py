"""JSON values: read, written, compared, and checked for what Postgres or a 64-bit number cannot hold."""

import json
import math
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import NoReturn, TypeAlias

import orjson

Value: TypeAlias = bool | int | float | str | list["Value"] | dict[str, "Value"] | None
Document: TypeAlias = dict[str, Value]

INTEGERS = range(-(2**63), 2**64)  # what orjson reads back from JSONB as integers
SAFE_CHARACTERS = 19  # an integer literal that is no longer is one of INTEGERS
EXACT_FLOATS = 2**53  # from here on not every integer is a float, and Postgres writes floats as integers
PLAIN_FLOATS = 10**21  # below, JavaScript writes a float that has no fraction like an integer
PLAIN_EXPONENTS = 50  # of 2: numbers within have no more digits than JSON has characters for them, or hardly more
MOST_PROBLEMS = 10  # enough to mend a document by
SHOWN_CHARACTERS = 200  # of each key on the path of a problem


class MalformedError(ValueError):
    """The text is not JSON; the message says what is wrong, and where."""


class _ConstantError(Exception):
    """NaN, Infinity or -Infinity, which Python's parser would take."""


def parse(text: bytes | str) -> Value:
    """Read JSON that comes from outside: UTF-8 without a byte order mark. Of duplicate keys the last one counts.

    Takes what `problems` can name by its path: NUL characters, lone surrogates, numbers out of range.
    Raises MalformedError for anything else that is wrong, and for nesting too deep to read.
    """
    if isinstance(text, bytes):
        text = _decode(text)
    try:
        return _read(text)  # type: ignore[no-any-return]
    except json.JSONDecodeError as error:
        raise _malformed(error.msg, text, error.pos) from None
    except _ConstantError as error:
        raise _malformed(f"{error} is no JSON number", text, _constant_position(text)) from None
    except RecursionError:
        raise MalformedError("Malformed JSON: nested too deep to be read.") from None


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError(f"Malformed JSON: invalid UTF-8 at byte {error.start}.") from None


def _malformed(reason: str, text: str, position: int) -> MalformedError:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return MalformedError(f"Malformed JSON: {reason}: line {line} column {column}.")


_STRING_OR_CONSTANT = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|NaN|-?Infinity')


def _constant_position(text: str) -> int:
    tokens = _STRING_OR_CONSTANT.finditer(text)
    return next(token.start() for token in tokens if not token[0].startswith('"'))


def _refuse(constant: str) -> NoReturn:
    raise _ConstantError(constant)


def number(text: str) -> int | float:
    """Read a JSON number so that it equals what Postgres and orjson make of it later."""
    return _integer(text) if text.lstrip("-").isdecimal() else _float(text)


def _integer(text: str) -> int | float:
    """Read an integer literal. Beyond 64 bits `problems` names it, unless JavaScript writes a float so."""
    if len(text) <= SAFE_CHARACTERS:
        return int(text)
    if len(text) > sys.int_info.str_digits_check_threshold:  # Python may refuse to read longer ones
        return math.inf
    value = int(text)
    if value in INTEGERS or abs(value) >= PLAIN_FLOATS:
        return value
    nearest = float(value)
    return nearest if _spelled(nearest) == value else value


def _float(text: str) -> int | float:
    """Read a float literal. What JSONB hands back as an integer of 64 bits becomes that integer."""
    value = float(text)
    if -EXACT_FLOATS < value < EXACT_FLOATS or abs(value) > INTEGERS.stop:
        return value
    spelled = _spelled(value)
    return spelled if spelled in INTEGERS else value


def _spelled(value: float) -> int:
    """Give the integer that the shortest spelling of a float means, which is what Postgres stores."""
    return int(Decimal(repr(value)))


_decoder = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_refuse)
_read = _decoder.decode


def scan(text: str, begin: int) -> tuple[Value, int]:
    """Read as `parse` does the value that begins at a place in a text; tell where it ends. Raises MalformedError."""
    try:
        return _decoder.scan_once(text, begin)  # type: ignore[attr-defined,no-any-return]
    except (json.JSONDecodeError, StopIteration, _ConstantError, RecursionError):
        raise MalformedError from None


def dump(value: object) -> bytes:
    """Write compact JSON. The value is one that `problems` finds nothing in."""
    return orjson.dumps(value)


def canonical(value: object) -> bytes:
    """Write compact JSON with sorted keys, for digests: the order of keys is no content."""
    return _sorted(value)


_sorted = partial(orjson.dumps, option=orjson.OPT_SORT_KEYS)


def weight(text: bytes) -> int:
    """Estimate what a document takes in memory as Python values, in bytes, from its text.

    Fitted to CPython 3.11 with documents of editors, where it is up to a half too much, and with lists of nothing but
    empty lists, small objects or numbers, where it is hardly too little.
    """
    containers = 140 * text.count(b"{") + 56 * text.count(b"[")
    return len(text) + 15 * text.count(b'"') + 32 * text.count(b",") + containers


def load(data: bytes | str) -> Value:
    """Read JSON that our own database or `dump` wrote."""
    return orjson.loads(data)  # type: ignore[no-any-return]


def has_long_numbers(text: bytes) -> bool:
    """Say whether JSON may have an integer of so many digits that `dump` would write it with an exponent."""
    return _LONG_NUMBER_END in text and _LONG_NUMBER.search(text) is not None


_LONG_NUMBER_END = b"00000"  # a float has 17 digits that are not zeros, and PLAIN_FLOATS has 22
_LONG_NUMBER = re.compile(rb"[0-9]{17}00000")


def equal(a: Value, b: Value) -> bool:
    """Say whether two values are one: 1 and 1.0 are, 1 and true are not; the order of keys is no content.

    `problems` finds nothing in either.
    """
    return surely_equal(a, b) or (a == b and _same_booleans(a, b))


def surely_equal(a: Value, b: Value) -> bool:
    """Say fast that two values are one; where the same numbers are written in two ways, that they may not be."""
    if a is b or isinstance(a, str):
        return a == b
    return a == b and (dump(a) == dump(b) or canonical(a) == canonical(b))


def unlike(keys: list[str], a: Mapping[str, Value], b: Mapping[str, Value]) -> list[str]:
    """Leave out of the keys of `a` those of members that surely equal theirs in `b`."""
    for write in (orjson.dumps, _sorted):
        texts = zip(keys, map(write, map(a.__getitem__, keys)), map(write, map(b.get, keys)), strict=True)
        keys = [key for key, one, other in texts if one != other or key not in b]
    return keys


def _same_booleans(a: Value, b: Value) -> bool:
    """Say whether two values that Python holds equal, as it does 1 and True, have their booleans at the same places."""
    if isinstance(a, dict) and isinstance(b, dict):
        return all(_same_booleans(member, b[key]) for key, member in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return all(map(_same_booleans, a, b))
    return isinstance(a, bool) is isinstance(b, bool)


def by_id(items: list[Value]) -> dict[str, Document] | None:
    """Give the items of a keyed list by their ids, in order; None where the list is not keyed.

    A list is keyed when every item is an object with a non-empty string `id` of its own. An empty one gives {}: it is
    keyed when the list it is compared with is, or when an item is added to it by id.
    """
    try:
        members: dict[str, Document] = {item["id"]: item for item in items}  # type: ignore[index,call-overload,misc]
    except (TypeError, KeyError):
        return None  # an item that is no object, or has no id, or a container for one
    is_keyed = len(members) == len(items) and set(map(type, members)) <= {str} and "" not in members
    return members if is_keyed else None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a document cannot be stored: where (keys, ids, list indices), a code, and a sentence."""

    path: tuple[str, ...]
    code: str
    message: str


_MESSAGES = {
    "NOT_AN_OBJECT": "A document is a JSON object.",
    "TOO_DEEP": "Objects and lists are nested too deep here.",
    "NUL_CHARACTER": "A key or text here holds the NUL character (\\u0000), which Postgres cannot store.",
    "LONE_SURROGATE": "A key or text here holds half of a surrogate pair (\\ud800 to \\udfff), which is not Unicode.",
    "NUMBER_OUT_OF_RANGE": "The number here is neither an integer of 64 bits nor a finite double.",
}


def problems(value: object, *, max_depth: int, max_bytes: int) -> list[Problem]:
    """Find what keeps a parsed value from being stored as a document: the first 10 problems.

    `max_depth` counts objects and lists inside one another, the document itself too; `max_bytes` what Postgres writes:
    compact JSON, with exponents as digits. In the paths, what JSON cannot carry is escaped, and long keys are cut.
    """
    if not isinstance(value, dict):
        return [Problem((), "NOT_AN_OBJECT", _MESSAGES["NOT_AN_OBJECT"])]
    measured = size(value, max_depth)
    if measured is None:
        found = islice(_flaws((), value, max_depth), MOST_PROBLEMS)
        return [Problem(tuple(map(_printable, path)), code, _MESSAGES[code]) for path, code in found]
    too_large = Problem((), "TOO_LARGE", f"The document has more than {max_bytes:,} bytes.")
    return [too_large] if measured > max_bytes else []


def size(document: Document, max_depth: int) -> int | None:
    """Measure a document as `problems` does; None where it has others than its size."""
    try:  # orjson refuses lone surrogates and integers too large
        text = orjson.dumps(document)
    except orjson.JSONEncodeError:
        return None
    zeros = _zeros(document, max_depth)
    return None if zeros is None or _holds_nul(text) else len(text) + zeros


def _holds_nul(text: bytes) -> bool:
    return b"\\u0000" in text and _NUL.search(text) is not None


_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # an even number of backslashes before it spell only backslashes


def _zeros(document: Document, max_depth: int) -> int | None:
    """Count the zeros that Postgres writes for exponents; None where a number is infinite or the nesting too deep."""
    zeros = 0
    level: list[dict[str, Value] | list[Value]] = [document]
    while level:
        if max_depth == 0:
            return None
        max_depth -= 1
        members = [member for container in level for member in _members(container) if type(member) in _NOT_FLAT]
        floats = [member for member in members if isinstance(member, float)]
        if not all(map(math.isfinite, floats)):
            return None
        zeros += sum(abs(exponent) for _, exponent in map(math.frexp, floats) if abs(exponent) > PLAIN_EXPONENTS)
        level = [member for member in members if isinstance(member, (dict, list))]
    return zeros * 3 // 10  # the exponents are those of 2


_NOT_FLAT = frozenset({dict, list, float})


def _members(container: dict[str, Value] | list[Value]) -> Iterable[Value]:
    return container.values() if isinstance(container, dict) else container


def _printable(text: str) -> str:
    if len(text) > SHOWN_CHARACTERS:
        text = f"{text[:SHOWN_CHARACTERS]}…"
    return text.replace("\0", "\\u0000").encode(errors="backslashreplace").decode()


def _flaws(
    path: tuple[str, ...], container: dict[str, Value] | list[Value], levels_left: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Find paths and codes, keys before values; goes down no further than it has levels left."""
    if levels_left == 0:
        yield path, "TOO_DEEP"
        return
    if isinstance(container, dict) and _text_flaw("".join(container)):
        yield from (((*path, key), code) for key in container if (code := _text_flaw(key)))
    for segment, member in _segments(container):
        if isinstance(member, (dict, list)):
            yield from _flaws((*path, segment), member, levels_left - 1)
        elif code := _scalar_flaw(member):
            yield (*path, segment), code


def _segments(container: dict[str, Value] | list[Value]) -> Iterable[tuple[str, Value]]:
    """Give the members of an object by key, of a keyed list by id, of any other list by index."""
    if isinstance(container, dict):
        return container.items()
    return zip(by_id(container) or map(str, range(len(container))), container, strict=True)


def _scalar_flaw(value: Value) -> str | None:
    if isinstance(value, str):
        return _text_flaw(value)
    if isinstance(value, int):
        return None if value in INTEGERS else "NUMBER_OUT_OF_RANGE"
    if isinstance(value, float):
        return None if math.isfinite(value) else "NUMBER_OUT_OF_RANGE"
    return None


def _text_flaw(text: str) -> str | None:
    if "\0" in text:
        return "NUL_CHARACTER"
    return None if text.isascii() or _is_unicode(text) else "LONE_SURROGATE"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
