"""What callers may send besides documents: ids, names, page sizes. Everything else is refused in words."""

from resolvers import errors

ID_CHARACTERS = 128  # three ids share one index entry, of which Postgres takes 2,704 bytes
NAME_CHARACTERS = 200
SEARCH_CHARACTERS = 200
USER_ID_CHARACTERS = 255  # what OpenID Connect allows for `sub`
PAGE_ITEMS = 100


def text(field: str, value: str, *, most: int) -> str:
    """Check a text that is stored or looked up: not empty, not too long, and storable.

    Raises BadUserInputError.
    """
    if not value or len(value) > most:
        raise errors.BadUserInputError(f"`{field}` must have 1 to {most} characters.")
    if not is_storable(value):
        raise errors.BadUserInputError(f"`{field}` holds a NUL character or half of a surrogate pair.")
    return value


def is_storable(value: str) -> bool:
    """Say whether Postgres takes a text: no NUL character, and no lone surrogate, which JSON can spell but no UTF-8."""
    return "\0" not in value and (value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value))


def identifier(field: str, value: str) -> str:
    """Check an id that the client chose."""
    return text(field, value, most=ID_CHARACTERS)


def name(value: str) -> str:
    """Check the name of a workflow; surrounding blanks do not count."""
    return text("name", value.strip(), most=NAME_CHARACTERS)


def page_size(first: int | None, default: int = 20) -> int:
    """Check how many items of a list are wanted."""
    if first is None:
        return default
    if not 1 <= first <= PAGE_ITEMS:
        raise errors.BadUserInputError(f"`first` must be 1 to {PAGE_ITEMS}.")
    return first


def version(field: str, value: int) -> int:
    """Check a version number; 0 is the empty document before the first save."""
    if value < 0:
        raise errors.BadUserInputError(f"`{field}` must be 0 or more.")
    return value
