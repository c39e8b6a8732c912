"""Bodies of requests, read and inflated within a limit."""

import zlib
from collections.abc import AsyncIterator
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request

from merge import values
from resolvers import errors

GZIP = zlib.MAX_WBITS | 16  # what zlib calls a gzip header


def parse(text: bytes | str) -> object:
    """Parse JSON that somebody sent. Raises BadUserInputError."""
    try:
        return values.parse(text)
    except values.MalformedError as error:
        raise errors.BadUserInputError(f"This is not JSON that can be read: {error}") from error


async def read(request: Request, *, most: int) -> bytes:
    """Read a body of at most `most` bytes, on the wire and inflated; a larger one is refused before it is read whole.

    Raises TooLargeError, BadUserInputError where it is no gzip, HTTPException (415) for other encodings.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise _too_large(most)
    body = bytearray()
    async for chunk in _decoded(request, most):
        body += chunk
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


def _too_large(most: int) -> errors.TooLargeError:
    return errors.TooLargeError(f"The body has more than {most:,} bytes; send less, or raise MAX_BODY_BYTES.")


def _decoded(request: Request, most: int) -> AsyncIterator[bytes]:
    match request.headers.get("content-encoding", "identity").strip().lower():
        case "identity" | "":
            return request.stream()
        case "gzip" | "x-gzip":
            return _inflated(request.stream(), most)
        case _:
            raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the body plain or with gzip.")


async def _inflated(chunks: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    """Inflate one gzip stream; of each chunk at most one byte more than `most`, so that a bomb stays small."""
    inflater = zlib.decompressobj(GZIP)
    async for chunk in chunks:
        try:
            yield inflater.decompress(chunk, most + 1)
        except zlib.error as error:
            raise errors.BadUserInputError("The body is not gzip, although Content-Encoding says so.") from error
        if inflater.unused_data:
            raise errors.BadUserInputError("Something follows the gzip stream in the body.")
    if not inflater.eof:
        raise errors.BadUserInputError("The gzip stream in the body ends too early.")
