"""Texts of documents: one that is much like a known text is read where it differs, and shares the rest of its document.

    known  {"blocks": {"a": {...}, "b": {"x": 1, ...}, "c": {...}}, "edges": [...]}
    new    {"blocks": {"a": {...}, "b": {"x": 42, ...}, "c": {...}}, "edges": [...]}
            alike ---------------- read anew --------- alike -----------------------

Each byte of a text is either alike the known one, from a place where both are between two members of the same object or
list, or it is parsed and checked. So what is read here is what `values.parse` reads, and has no `values.problems`.
"""

import codecs
import re
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeAlias

from merge import values
from merge.values import Document, Value

FEW_MEMBERS = 16  # of a document or a block: a map of blocks or a list of edges has more, and is looked into
LARGE = 2_048  # bytes of an object or list that is looked into; a smaller one is read anew as a whole
MOST_MEMBERS = 256  # that are read anew; where more differ, it costs no more to read everything
STEP = 4_096  # bytes that are compared first; each further step is twice as long
MARGIN = 256  # bytes that a member may have grown; where it has grown more, it is read again

_SPACE = b" \t\n\r"
_CLOSED = b'"]}'  # what ends with one of them cannot go on, as a number can
_FOLLOWING = _SPACE + b",]}"  # one of them comes behind each member
_GAP = re.compile(rb"[ \t\n\r]*(?:([\]}])|(,?)[ \t\n\r]*)")  # a closing bracket, or what comes before a member
_KEY = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+")[ \t\n\r]*:[ \t\n\r]*', re.DOTALL)

Container: TypeAlias = dict[str, Value] | list[Value]


class _UnclearError(ValueError):
    """The text is too different, or wrong: whoever reads it as a whole finds out."""


@dataclass(slots=True)
class Known:
    """A text that was read and checked, its document, and what is found out about them on the way.

    The document has no more than `size` bytes, as `values.size` measures them; None where nobody did.
    """

    text: bytes
    document: Document
    size: int | None = None
    outline: "_Outline | None" = field(default=None, repr=False)


def read(text: bytes, known: Known, *, max_depth: int, max_bytes: int) -> Known | None:
    """Read a text where it differs from a known one; the documents share whatever is alike.

    None where it is to be parsed and checked as a whole. Otherwise that would give the same document, and no problems
    with these limits, which the known document was checked with, too.
    """
    if text == known.text:
        return known
    try:
        return _Reading(known, text, max_bytes).read(max_depth)
    except (ValueError, RecursionError):
        return None


class _Member(NamedTuple):
    """One member of an object or list: its key, or the id of an item that has one, and what is in it.

    `inner` is the outline of a large object or list that was looked into.
    """

    name: str
    value: Value
    inner: "_Outline | None" = None


@dataclass(frozen=True, slots=True)
class _Outline:
    """Where the members of an object or list are in its text.

    The widths count the bytes from the end of the member before, or from the opening bracket.
    """

    container: Container
    members: list[_Member]
    widths: list[int]

    @classmethod
    def of(cls, text: bytes, container: Container) -> "_Outline":
        """Find the members in the text. Raises _UnclearError where a key is there twice."""
        characters = text.decode("latin-1")  # one for each byte: only the places where values end are of interest
        return cls._traced(text, characters, 0, container)[0]

    @classmethod
    def _traced(cls, text: bytes, characters: str, begin: int, container: Container) -> tuple["_Outline", int]:
        """Find the members, and theirs where there are many, in one go; tell where the text of the container ends."""
        keyed = isinstance(container, dict)
        if text[begin : begin + 1] != (b"{" if keyed else b"["):
            raise _UnclearError
        members, ends = [], [begin + 1]
        for name, value in (
            container.items() if isinstance(container, dict) else ((_id(item), item) for item in container)
        ):
            inner, at = None, _begin(text, ends[-1], keyed=keyed)
            if isinstance(value, (dict, list)) and len(value) > FEW_MEMBERS:
                inner, end = cls._traced(text, characters, at, value)
            else:
                _, end = values.scan(characters, at)
            members.append(_Member(name, value, inner))
            ends.append(end)
        gap = _gap(text, ends[-1])
        if not gap[1]:
            raise _UnclearError
        return cls(container, members, [end - before for before, end in pairwise(ends)]), gap.end()

    def copy(self) -> "_Outline":
        """Copy it, to be changed."""
        return _Outline(self.container.copy(), self.members.copy(), self.widths.copy())

    def put(self, place: int, member: _Member, width: int) -> None:
        """Put another member in a place; in an object, under the same key."""
        self.members[place], self.widths[place] = member, width
        if isinstance(self.container, dict):
            self.container[member.name] = member.value
        else:
            self.container[place] = member.value

    def begun(self, length: int) -> "_Outline":
        """Copy the first members, to be followed by others."""
        members = self.members[:length]
        if isinstance(self.container, list):
            return _Outline(self.container[:length], members, self.widths[:length])
        return _Outline({member.name: member.value for member in members}, members, self.widths[:length])

    def add(self, member: _Member, width: int) -> None:
        """Put a member behind the others. Raises _UnclearError where its key is there already."""
        self.members.append(member)
        self.widths.append(width)
        if isinstance(self.container, list):
            self.container.append(member.value)
        elif member.name in self.container:
            raise _UnclearError
        else:
            self.container[member.name] = member.value


def _id(item: Value) -> str:
    """Give the id of an item, "" where it has none."""
    found = item.get("id") if isinstance(item, dict) else None
    return found if isinstance(found, str) else ""


def _gap(text: bytes, end: int) -> "re.Match[bytes]":
    """Find what follows the end of a member, or an opening bracket."""
    gap = _GAP.match(text, end)
    assert gap is not None  # nothing is a gap, too
    return gap


def _key(text: bytes, begin: int) -> "re.Match[bytes]":
    """Find a key with its colon. Raises _UnclearError where there is none."""
    key = _KEY.match(text, begin)
    if key is None:
        raise _UnclearError
    return key


def _begin(text: bytes, end: int, *, keyed: bool) -> int:
    """Find where the value of a member begins, by the end of the member before it."""
    begin = _gap(text, end).end()
    return _key(text, begin).end() if keyed else begin


class _Part:
    """An object or list in the known text, between two places, with the places where its members end."""

    def __init__(self, text: bytes, outline: _Outline, begin: int, end: int) -> None:
        self.text = text
        self.outline = outline
        self.members = outline.members
        self.keyed = isinstance(outline.container, dict)
        self.end = end
        self.ends = [*accumulate(outline.widths, initial=begin + 1)]

    def holding(self, at: int, first: int) -> int:
        """Say in which member, or before which, a place is. It is behind those that come before the `first` one."""
        found = max(bisect_left(self.ends, at) - 1, first)
        is_behind = found < len(self.members) and self.ends[found + 1] == at and self.text[at - 1] in _CLOSED
        return found + is_behind

    def value_begin(self, place: int) -> int:
        """Find where the value of a member begins, or the end where there are no more members."""
        return _begin(self.text, self.ends[place], keyed=self.keyed) if place < len(self.members) else self.end

    def member_text(self, place: int) -> bytes:
        """Give the text of a member with its key."""
        return self.text[_gap(self.text, self.ends[place]).end() : self.ends[place + 1]]

    def inside(self, place: int, begin: int) -> "_Part | None":
        """Look into the member whose value begins at `begin`; None where it is small, or neither object nor list."""
        member, end = self.members[place], self.ends[place + 1]
        if end - begin <= LARGE or not isinstance(member.value, (dict, list)):
            return None
        outline = member.inner
        if outline is None:
            outline = _Outline.of(self.text[begin:end], member.value)
            self.members[place] = member._replace(inner=outline)  # for whoever comes next
        return _Part(self.text, outline, begin, end)


class _Reading:
    """A text that is being read beside a known one."""

    def __init__(self, known: Known, text: bytes, max_bytes: int) -> None:
        self.known = known
        self.old, self.new = known.text, text
        self.max_bytes = max_bytes
        self.count = 0  # of members that were read anew
        self.added = 0  # bytes of them

    def read(self, max_depth: int) -> Known:
        """Read the text. Raises ValueError where it must be read as a whole."""
        begin, end = self.old.index(b"{"), len(self.old.rstrip(_SPACE))
        at = _alike(self.old, 0, self.new, 0, end)
        if at <= begin:
            raise _UnclearError
        if self.known.outline is None:
            self.known.outline = _Outline.of(self.old[begin:end], self.known.document)
        part = _Part(self.old, self.known.outline, begin, end)
        outline, stop = self._container(part, at, at, max_depth) if at < end else (part.outline, end)
        if self.new[stop:].strip(_SPACE):
            raise _UnclearError
        assert isinstance(outline.container, dict)  # it begins like one
        return Known(self.new, outline.container, self._size(max_depth), outline)

    def _size(self, max_depth: int) -> int:
        """Say what the document does not exceed. What it has lost still counts: only a full check measures anew."""
        if self.known.size is None:
            self.known.size = values.size(self.known.document, max_depth)
        if self.known.size is None or self.known.size + self.added > self.max_bytes:
            raise _UnclearError
        return self.known.size + self.added

    def _container(self, part: _Part, at: int, here: int, levels: int) -> tuple[_Outline, int]:
        """Read an object or list that differs from a part of the known text first at `at`; tell where it ends."""
        outline, first = part.outline.copy(), 0
        while at < part.end:
            place, shift = part.holding(at, first), here - at
            begin = part.value_begin(place)
            if at < begin or (at == begin and self.new[here : here + 1] == b"]"):
                return self._rest(part, outline.begun(place), part.ends[place] + shift, levels)
            member, stop = self._changed(part, place, begin, (at, here), levels)
            if member.name != part.members[place].name:
                return self._rest(part, outline.begun(place), part.ends[place] + shift, levels)
            outline.put(place, member, stop - part.ends[place] - shift)
            at, here, first = part.ends[place + 1], stop, place + 1
            run = _alike(self.old, at, self.new, here, part.end - at)
            at, here = at + run, here + run
        return outline, here

    def _changed(
        self, part: _Part, place: int, begin: int, differs: tuple[int, int], levels: int
    ) -> tuple[_Member, int]:
        """Read a member whose value begins at `begin` of the known text, and then differs; tell where it ends."""
        at, here = differs
        name, inner = part.members[place].name, None
        inside = part.inside(place, begin) if at > begin else None
        if inside is None:
            value, stop = self._value(here - at + begin, part.ends[place + 1] - begin)
            self._check(name, value, levels)
        else:
            inner, stop = self._container(inside, at, here, levels - 1)
            value = inner.container
        return _Member(name if part.keyed else _id(value), value, inner), stop

    def _rest(self, part: _Part, outline: _Outline, here: int, levels: int) -> tuple[_Outline, int]:
        """Read an object or list to its end from where other members follow than before, or none."""
        place = len(outline.members)
        places = {member.name: place for place, member in enumerate(part.members) if member.name or part.keyed}
        while not (gap := _gap(self.new, here))[1]:
            if bool(gap[2]) is not bool(outline.members):
                raise _UnclearError
            stop = self._stays(part, place, gap.end())
            if stop is None:
                member, stop = self._added(gap.end(), levels, keyed=part.keyed)
                place = places.get(member.name, place - 1)
            else:
                member = part.members[place]
            outline.add(member, stop - here)
            place, here = place + 1, stop
        if gap[1] != (b"}" if part.keyed else b"]"):
            raise _UnclearError
        return outline, gap.end()

    def _stays(self, part: _Part, place: int, here: int) -> int | None:
        """Say where a known member ends if it is here; None if it is not."""
        if place == len(part.members):
            return None
        member = part.member_text(place)
        stop = here + len(member)
        return stop if self.new.startswith(member, here) and self._ends(stop) else None

    def _added(self, begin: int, levels: int, *, keyed: bool) -> tuple[_Member, int]:
        """Read a member that was not there, or elsewhere; tell where it ends."""
        name = ""
        if keyed:
            key = _key(self.new, begin)
            name, begin = str(values.parse(key[1])), key.end()
        value, stop = self._value(begin, 0)
        self._check(name, value, levels)
        return _Member(name if keyed else _id(value), value), stop

    def _check(self, name: str, value: Value, levels: int) -> None:
        """Check a member of an object or list in which so many levels are allowed. Raises _UnclearError."""
        size = values.size({name: value}, levels)
        self.count += 1
        if size is None or self.count > MOST_MEMBERS:
            raise _UnclearError
        self.added += size

    def _value(self, begin: int, length: int) -> tuple[Value, int]:
        """Read the value that begins at `begin` and was so long before; tell where it ends. Raises ValueError."""
        length += MARGIN
        while begin + length < len(self.new):
            try:
                return self._scan(begin, begin + length)
            except ValueError:  # it may be longer
                length *= 4
        return self._scan(begin, len(self.new))

    def _scan(self, begin: int, end: int) -> tuple[Value, int]:
        """Read a value that ends before `end`, or with the text. Raises ValueError."""
        characters, _ = codecs.utf_8_decode(self.new[begin:end], "strict", end == len(self.new))
        value, length = values.scan(characters, 0)
        stop = begin + (length if characters.isascii() else len(characters[:length].encode()))
        if not self._ends(stop):
            raise _UnclearError
        return value, stop

    def _ends(self, stop: int) -> bool:
        """Say whether a member may end somewhere: a number, for one, may go on."""
        return not self.new[stop : stop + 1].strip(_FOLLOWING)


def _alike(old: bytes, at: int, new: bytes, here: int, most: int) -> int:
    """Count the bytes that are alike from two places on. Costs no more than their number."""
    low, step = 0, STEP
    while low < most and new.startswith(old[at + low : at + min(low + step, most)], here + low):
        low, step = low + step, step * 2
    high = min(low + step, most)
    while high - low > 1:
        middle = (low + high) // 2
        if new.startswith(old[at + low : at + middle], here + low):
            low = middle
        else:
            high = middle
    return min(low, most)
