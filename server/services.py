"""What a process of the server holds open, and hands to each request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from auth.authenticator import Authenticator, Tokens
from auth.better_auth import SessionCookies, UnlessBanned
from auth.development import DevelopmentTokens
from auth.jwks import PublishedKeys
from auth.jwt import JsonWebTokens, SharedSecret
from auth.remembered import Remembered
from db.database import Database
from db.hub import Hub
from resolvers.context import Context, Viewer
from resolvers.saver import Saver
from server.metrics import Metrics
from server.settings import Settings
from server.vigil import Vigil


@dataclass(frozen=True, slots=True)
class Services:
    """The open parts of one process."""

    settings: Settings
    database: Database
    hub: Hub
    saver: Saver
    authenticator: Authenticator
    metrics: Metrics
    vigil: Vigil

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> "AsyncIterator[Services]":
        """Open everything, and close it when the block ends. DATABASE_URL must be known by now."""
        if settings.database_url is None:
            raise ValueError("a server process needs a database_url: only the parent starts the embedded one")
        url = settings.database_url.get_secret_value()
        async with (
            Database.open(url, pool_size=settings.database_pool_size) as database,
            Hub.open(database) as hub,
            settings.saver(database) as saver,
            settings.retention.kept(database),
            Metrics.open(database, hub, saver) as metrics,
            Vigil.open() as vigil,
        ):
            yield cls(settings, database, hub, saver, _authenticator(settings, database), metrics, vigil)

    def context(self, viewer: Viewer | None) -> Context:
        """Make what one request or one socket is handed."""
        return Context(self.database, self.hub, self.saver, self.settings.limits, viewer)


def of(connection: HTTPConnection) -> Services:
    """Give what the process that serves this request or socket holds open."""
    services = connection.state.services
    assert isinstance(services, Services)
    return services


def _authenticator(settings: Settings, database: Database) -> Authenticator:
    kind = _tokens(settings)
    tokens = kind and Remembered(kind)
    if settings.better_auth_secret is None:
        return Authenticator(tokens=tokens)
    cookies = SessionCookies(settings.better_auth_secret.get_secret_value().encode(), database)
    return Authenticator(cookies, tokens and UnlessBanned(tokens, database))


def _tokens(settings: Settings) -> Tokens | None:
    if settings.development:
        return DevelopmentTokens.load(settings.data)
    if settings.jwt_issuer is None or settings.jwt_audience is None:
        return None
    issuer, audience = settings.jwt_issuer, settings.jwt_audience
    if settings.jwt_jwks_url:
        keys = PublishedKeys(settings.jwt_jwks_url)
        return JsonWebTokens(keys, settings.jwt_algorithms, issuer, audience)
    assert settings.jwt_secret, "the settings were checked"
    return JsonWebTokens(SharedSecret(settings.jwt_secret.get_secret_value().encode()), ("HS256",), issuer, audience)
