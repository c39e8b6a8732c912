"""What processes tell one another of who is there, in payloads that NOTIFY takes."""

from collections.abc import Iterable

import msgspec

from db.notifier import PAYLOAD_BYTES
from db.rooms import Look, Place

FRAME_BYTES = 150  # of a bulletin beside its news


class News(msgspec.Struct, frozen=True, array_like=True):
    """What a process tells of a tab: it `is_own`, it is so no longer (False), or how it looks elsewhere (None)."""

    place: Place
    is_own: bool | None
    look: Look | None = None


class Bulletin(msgspec.Struct, frozen=True):
    """One payload. In the last one of several, `count` is how many own tabs its process has by then.

    `whole` ones list all of these. `asks` wants that of everybody.
    """

    process: str
    news: list[News] = []
    count: int | None = None
    whole: bool = False
    asks: bool = False


def payloads(process: str, news: Iterable[News], count: int, *, whole: bool, asks: bool) -> list[str]:
    """Pack news into as few payloads as they need, one at least."""
    *parts, last = _parts(news)
    bulletins = [Bulletin(process, part, whole=whole) for part in parts]
    bulletins.append(Bulletin(process, last, count, whole, asks))
    return [msgspec.json.encode(bulletin).decode() for bulletin in bulletins]


def _parts(news: Iterable[News]) -> list[list[News]]:
    parts: list[list[News]] = [[]]
    size = FRAME_BYTES
    for each in news:
        cost = len(msgspec.json.encode(each)) + 1
        if size + cost > PAYLOAD_BYTES:
            parts.append([])
            size = FRAME_BYTES
        parts[-1].append(each)
        size += cost
    return parts


def read(payload: str) -> Bulletin:
    """Read a payload. Raises msgspec.MsgspecError for what is none of ours."""
    return msgspec.json.decode(payload, type=Bulletin)
