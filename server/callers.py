"""What a request or socket says about whoever sent it: who that is, from where, and what kind of body follows."""

from collections.abc import Mapping

from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from auth.authenticator import Identity
from resolvers import errors
from server import services
from server.settings import is_loopback

SECURE = {"ws": "http", "wss": "https"}  # an Origin names the page, not the socket
PROXY_HEADERS = frozenset((b"forwarded", b"via", b"x-real-ip"))
FORWARDED = b"x-forwarded"  # begins the names of others


async def identify(connection: HTTPConnection, payload: Mapping[str, object] | None = None) -> Identity | None:
    """Say who is calling, None for nobody. `payload` is what a socket's client said with `connection_init`.

    Raises UnauthenticatedError for credentials that do not count, and ForbiddenError for a cookie on the socket of
    a page that may not use it.
    """
    here = services.of(connection)
    if here.settings.development:
        check_local(connection)
    said = _authorization(connection, payload or {})
    identity = await here.authenticator.identify(said, connection.cookies if said is None else {})
    if payload is not None:
        check_origin(connection, identity)
    return identity


def check_local(connection: HTTPConnection) -> None:
    """Refuse, in development, whatever did not come straight from this machine. Raises UnauthenticatedError.

    A proxy in front talks to loopback as well, and a foreign page can call its own name 127.0.0.1.
    """
    if not _is_local(connection):
        raise errors.UnauthenticatedError(
            "Development tokens count on this machine alone, and this request names another host or came by a proxy. "
            "To serve others, set BETTER_AUTH_SECRET, JWT_JWKS_URL or JWT_SECRET."
        )


def check_origin(connection: HTTPConnection, identity: Identity | None) -> None:
    """Refuse a cookie with which a page of a foreign origin would act. Raises ForbiddenError."""
    if identity and identity.by_cookie and not _is_allowed(connection, connection.headers.get("origin")):
        raise errors.ForbiddenError("With a cookie, the Origin must be this server's own or one of ALLOWED_ORIGINS.")


def may_connect(socket: WebSocket) -> bool:
    """Say whether a socket may be opened: not by a foreign page, and in development on this machine alone."""
    local = _is_local(socket) or not services.of(socket).settings.development
    return local and not is_foreign(socket)


def is_foreign(connection: HTTPConnection) -> bool:
    """Say whether a page of a foreign origin is calling; programs that are no browsers name no origin."""
    origin = connection.headers.get("origin")
    if origin is None:
        return connection.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    return not _is_allowed(connection, origin)


def content_type(request: Request) -> str:
    """Give the media type of the body, in small letters and without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _authorization(connection: HTTPConnection, payload: Mapping[str, object]) -> str | None:
    said = payload.get("Authorization", payload.get("authorization", connection.headers.get("authorization")))
    if not isinstance(said, str | None):
        raise errors.UnauthenticatedError("`Authorization` must be a text.")
    return said


def _is_allowed(connection: HTTPConnection, origin: str | None) -> bool:
    """Say whether a page's origin is the server's own or an allowed one.

    The server's own counts with https too, since TLS may end in front of it.
    """
    if origin is None:
        return False
    scheme = SECURE.get(connection.url.scheme, connection.url.scheme)
    host = connection.headers.get("host")
    own = (f"{scheme}://{host}", f"https://{host}") if host else ()
    return origin in own or origin in services.of(connection).settings.allowed_origins


def _is_local(connection: HTTPConnection) -> bool:
    headers = connection.headers.raw
    hosts = [value for name, value in headers if name == b"host"]
    return (
        len(hosts) == 1
        and is_loopback(_name(hosts[0].decode("latin-1")))
        and not any(name in PROXY_HEADERS or name.startswith(FORWARDED) for name, _ in headers)
    )


def _name(host: str) -> str:
    """Give the name or address in a Host header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
