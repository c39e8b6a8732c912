"""An issuer of JSON Web Tokens, and the place where it publishes its keys."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "https://issuer.example"
AUDIENCE = "https://sync.example"

PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey


def claims(**changes: object) -> dict[str, Any]:
    """Give what a good token says, with changes; None leaves a claim out."""
    said = {
        "sub": "ada",
        "iss": ISSUER,
        "aud": AUDIENCE,
        "exp": datetime.now(UTC) + timedelta(minutes=15),
    }
    return {name: value for name, value in (said | changes).items() if value is not None}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key of the issuer."""

    private: PrivateKey
    algorithm: str
    kid: str = "1"

    @classmethod
    def make(cls, algorithm: str, kid: str = "1") -> "SigningKey":
        return cls(_make(algorithm), algorithm, kid)

    def sign(self, *, headers: dict[str, Any] | None = None, **changes: object) -> str:
        """Make a token."""
        return jwt.encode(claims(**changes), self.private, self.algorithm, {"kid": self.kid} | (headers or {}))

    def published(self, **changes: object) -> dict[str, object]:
        """Give the public half, as a set of keys holds it; None leaves a field out."""
        match self.private:
            case Ed25519PrivateKey():
                key = OKPAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
            case EllipticCurvePrivateKey():
                key = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
            case RSAPrivateKey():
                key = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        fields = key | {"kid": self.kid, "alg": self.algorithm} | changes
        return {name: value for name, value in fields.items() if value is not None}


def _make(algorithm: str) -> PrivateKey:
    match algorithm:
        case "EdDSA":
            return Ed25519PrivateKey.generate()
        case "ES256":
            return generate_ec(SECP256R1())
        case "RS256":
            return generate_rsa(public_exponent=65537, key_size=2048)
        case _:
            raise ValueError(algorithm)


@dataclass(slots=True)
class Publication:
    """A server on a real socket that publishes keys; `requests` counts who asked."""

    keys: object
    url: str = ""
    status: int = 200
    requests: int = 0
    answering: asyncio.Event = field(default_factory=asyncio.Event)

    def publish(self, *keys: SigningKey) -> None:
        self.keys = {"keys": [key.published() for key in keys]}

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        await self.answering.wait()
        body = self.keys if isinstance(self.keys, bytes) else json.dumps(self.keys).encode()
        head = f"HTTP/1.1 {self.status} Status\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def publishing(*keys: SigningKey) -> AsyncIterator[Publication]:
    """Publish keys until the block ends."""
    publication = Publication({"keys": [key.published() for key in keys]})
    publication.answering.set()
    server = await asyncio.start_server(publication._answer, "127.0.0.1", 0)
    async with server:
        publication.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
        yield publication
