"""Pages of a list, after the GraphQL cursor connections specification, with keyset cursors."""

import base64
import binascii
from typing import Any

import orjson
import strawberry

from resolvers import errors


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


def page_info(cursors: list[str], *, has_next: bool, after: str | None) -> PageInfo:
    """Describe a page by the cursors of its first and last edge; those between may be given, too.

    Pages are read forwards: `after` says that there is one before.
    """
    return PageInfo(
        has_next_page=has_next,
        has_previous_page=after is not None,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )


def encode(*key: object) -> str:
    """Make the cursor of an item from the values that it is sorted by."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def decode(cursor: str, *types: type) -> list[Any]:
    """Read a cursor back. Raises BadUserInputError for anything that `encode` did not make of such values."""
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        key = None
    if not isinstance(key, list) or [type(part) for part in key] != list(types):
        raise not_a_cursor()
    return key


def not_a_cursor() -> errors.BadUserInputError:
    """Say what is wrong with a cursor that nobody gave out."""
    return errors.BadUserInputError("`after` is no cursor of this list: send `endCursor` or `cursor` back as it was.")
