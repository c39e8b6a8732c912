"""Every setting, read from the environment in this one place."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from resolvers.context import Limits


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


class Settings(BaseSettings):
    """The settings of one server; each field is an environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one.")
    workers: int = Field(1, ge=1, le=64, description="Server processes that share the port.")
    data: Path = Field(Path(".data"), description="Folder of the embedded database and the development key.")

    database_url: SecretStr | None = Field(
        None, description="Postgres 15 or newer, postgresql://...; without it an embedded one runs in DATA."
    )
    database_pool_size: int = Field(10, ge=2, le=200, description="Connections of each worker, besides its listener.")

    max_body_bytes: int = Field(8 * 1024 * 1024, ge=1024, description="Largest request body, in bytes, inflated.")
    max_document_bytes: int = Field(8 * 1024 * 1024, ge=1024, description="Largest document, in bytes of compact JSON.")
    max_document_depth: int = Field(
        200, ge=1, le=200, description="Deepest document, in objects and lists inside one another."
    )

    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Origins, comma-separated, whose pages may use cookies and CORS here; the server's own always may.",
    )
    better_auth_secret: SecretStr | None = Field(
        None, description="Secret of a Better Auth server on the same database; turns its session cookies on."
    )
    jwt_jwks_url: str | None = Field(None, description="Where the issuer publishes its public keys; turns JWTs on.")
    jwt_secret: SecretStr | None = Field(
        None, description="Secret shared with the issuer of HS256 JWTs; turns JWTs on."
    )
    jwt_algorithms: Annotated[tuple[str, ...], NoDecode] = Field(
        ("EdDSA", "ES256", "RS256"), description="Algorithms accepted with JWT_JWKS_URL, comma-separated."
    )
    jwt_issuer: str | None = Field(None, description="The `iss` a JWT must carry; required with JWTs.")
    jwt_audience: str | None = Field(None, description="The `aud` a JWT must carry; required with JWTs.")

    _split = field_validator("allowed_origins", "jwt_algorithms", mode="before")(_words)

    @property
    def development(self) -> bool:
        """Whether development tokens count: loopback only, and no other way of signing in is configured."""
        configured = self.better_auth_secret or self.jwt_jwks_url or self.jwt_secret
        return is_loopback(self.host) and not configured

    @property
    def limits(self) -> Limits:
        """The part of the settings that resolvers need."""
        return Limits(document_bytes=self.max_document_bytes, document_depth=self.max_document_depth)
