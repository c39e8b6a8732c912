"""Every setting, read from the environment in this one place."""

from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

import httpx
from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from db.database import Database
from db.retention import Retention
from resolvers.context import Limits
from resolvers.saver import Saver

SECRET_CHARACTERS = 32  # what Better Auth asks for, and HS256 (RFC 7518, section 3.2)
PUBLIC_KEY_ALGORITHMS = frozenset(
    ("EdDSA", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
)


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Say whether a host name or address (without port or brackets) means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _words(value: object) -> object:
    """Split a comma-separated setting into its parts."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _is_url(value: str) -> bool:
    try:
        url = httpx.URL(value)
    except httpx.InvalidURL:
        return False
    return url.scheme in ("http", "https") and bool(url.host)


class Settings(BaseSettings):
    """The settings of one server; each field is an environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")
    workers: int = Field(default=1, ge=1, le=64, description="Server processes that share the port.")
    data: Path = Field(default=Path(".data"), description="Folder of the embedded database and the development key.")

    database_url: SecretStr | None = Field(
        default=None, description="Postgres 15 or newer, postgresql://...; without it an embedded one runs in DATA."
    )
    database_pool_size: int = Field(
        default=10, ge=2, le=200, description="Connections of each worker, besides its listener."
    )

    max_body_bytes: int = Field(
        default=8 * 1024 * 1024, ge=1024, description="Largest request body, in bytes, inflated."
    )
    max_document_bytes: int = Field(
        default=8 * 1024 * 1024, ge=1024, description="Largest document, in bytes of compact JSON."
    )
    max_document_depth: int = Field(
        default=200, ge=1, le=200, description="Deepest document, in objects and lists inside one another."
    )

    state_cache_mb: int = Field(
        default=256, ge=0, description="Memory of each worker, in MB, for the documents that were saved last."
    )
    snapshot_every: int = Field(
        default=0,
        ge=0,
        description="1: the column `state` shows each save at once; n: each n-th; 0: in the background, when due.",
    )

    journal_versions: int = Field(
        default=1_000, ge=1, description="The newest versions of each workflow that are kept, whatever their age."
    )
    journal_days: int = Field(
        default=90,
        ge=1,
        description="Days that versions, conflicts and answers for retries are kept; named versions stay.",
    )

    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Origins, comma-separated, whose pages may use cookies and CORS here; the server's own always may.",
    )
    better_auth_secret: SecretStr | None = Field(
        default=None, description="Secret of a Better Auth server on the same database; turns its session cookies on."
    )
    jwt_jwks_url: str | None = Field(
        default=None, description="Where the issuer publishes its public keys; turns JWTs on."
    )
    jwt_secret: SecretStr | None = Field(
        default=None, description="Secret shared with the issuer of HS256 JWTs; turns JWTs on."
    )
    jwt_algorithms: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("EdDSA", "ES256", "RS256"), description="Algorithms accepted with JWT_JWKS_URL, comma-separated."
    )
    jwt_issuer: str | None = Field(default=None, description="The `iss` a JWT must carry; required with JWTs.")
    jwt_audience: str | None = Field(default=None, description="The `aud` a JWT must carry; required with JWTs.")

    metrics_token: SecretStr | None = Field(
        default=None, description="Bearer token that reads /metrics; without it, only this machine in development may."
    )

    _split = field_validator("allowed_origins", "jwt_algorithms", mode="before")(_words)

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not _is_url(origin) or any(urlsplit(origin)[2:]):
                raise ValueError(f"ALLOWED_ORIGINS: {origin!r} is no origin such as https://app.example")
        return tuple(origin.lower() for origin in origins)

    @field_validator("jwt_jwks_url")
    @classmethod
    def _check_url(cls, url: str | None) -> str | None:
        if url and not _is_url(url):
            raise ValueError(f"JWT_JWKS_URL: {url!r} is no address such as https://app.example/api/auth/jwks")
        return url

    @field_validator("better_auth_secret", "jwt_secret", "metrics_token")
    @classmethod
    def _check_secret(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if secret and len(secret) < SECRET_CHARACTERS:
            raise ValueError(f"{str(info.field_name).upper()} must have at least {SECRET_CHARACTERS} characters")
        return secret

    @field_validator("jwt_algorithms")
    @classmethod
    def _check_algorithms(cls, algorithms: tuple[str, ...]) -> tuple[str, ...]:
        if not algorithms or not PUBLIC_KEY_ALGORITHMS.issuperset(algorithms):
            known = ", ".join(sorted(PUBLIC_KEY_ALGORITHMS))
            raise ValueError(f"JWT_ALGORITHMS must be some of {known}; with JWT_SECRET it is always HS256: unset it")
        return algorithms

    @model_validator(mode="after")
    def _check_jwt(self) -> Self:
        if self.jwt_jwks_url and self.jwt_secret:
            raise ValueError("JWT_JWKS_URL and JWT_SECRET exclude each other: unset the one that is not used")
        wanted = bool(self.jwt_jwks_url or self.jwt_secret)
        for name, value in (("JWT_ISSUER", self.jwt_issuer), ("JWT_AUDIENCE", self.jwt_audience)):
            if wanted and not value:
                raise ValueError(f"JWT_JWKS_URL and JWT_SECRET need {name}, or the tokens of others would count here")
            if value and not wanted:
                raise ValueError(f"{name} needs JWT_JWKS_URL or JWT_SECRET, by which tokens are checked")
        return self

    @property
    def development(self) -> bool:
        """Whether development tokens count: loopback only, and no other way of signing in is configured."""
        configured = self.better_auth_secret or self.jwt_jwks_url or self.jwt_secret
        return is_loopback(self.host) and not configured

    def saver(self, database: Database) -> AbstractAsyncContextManager[Saver]:
        """Open what saves."""
        cache_bytes = self.state_cache_mb * 1024 * 1024
        return Saver.open(database, cache_bytes=cache_bytes, snapshot_every=self.snapshot_every)

    @property
    def retention(self) -> Retention:
        """How long what happened is kept."""
        return Retention(versions=self.journal_versions, days=self.journal_days)

    @property
    def limits(self) -> Limits:
        """The part of the settings that resolvers need."""
        return Limits(document_bytes=self.max_document_bytes, document_depth=self.max_document_depth)
