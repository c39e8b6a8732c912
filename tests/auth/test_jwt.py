"""JSON Web Tokens: what makes one count, and everything that makes one count for nothing."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auth.jwt import LEEWAY_SECONDS, TOKEN_CHARACTERS, JsonWebTokens, Key, SharedSecret
from resolvers.context import UserId, Viewer
from resolvers.errors import UnauthenticatedError
from tests.auth import issuer
from tests.auth.issuer import AUDIENCE, ISSUER, SigningKey

ALGORITHMS = ("EdDSA", "ES256", "RS256")
SECRET = b"0123456789abcdef0123456789abcdef"
SIGNING = {algorithm: SigningKey.make(algorithm, kid=algorithm) for algorithm in ALGORITHMS}
STRANGER = SigningKey.make("EdDSA", kid="EdDSA")
ED, RSA = SIGNING["EdDSA"], SIGNING["RS256"]


class Published:
    """The keys of the issuer, counting who looks for one."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []

    async def find(self, kid: str | None) -> Key:
        self.asked.append(kid)
        if kid not in SIGNING:
            raise UnauthenticatedError("unknown key")
        return jwt.PyJWK(SIGNING[kid].published())


@pytest.fixture
def keys() -> Published:
    return Published()


@pytest.fixture
def tokens(keys: Published) -> JsonWebTokens:
    """The tokens of an issuer that publishes its keys."""
    return JsonWebTokens(keys, ALGORITHMS, ISSUER, AUDIENCE)


@pytest.fixture
def shared() -> JsonWebTokens:
    """The tokens of an issuer that shares a secret."""
    return JsonWebTokens(SharedSecret(SECRET), ("HS256",), ISSUER, AUDIENCE)


async def refused(tokens: JsonWebTokens, token: str, reason: str | None = None) -> None:
    with pytest.raises(UnauthenticatedError, match=reason):
        await tokens.viewer(token)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_good_token_names_its_user(tokens: JsonWebTokens, algorithm: str) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1)
    token = SIGNING[algorithm].sign(exp=until, name="Ada")
    viewer = Viewer(UserId("ada"), "Ada", until + timedelta(seconds=LEEWAY_SECONDS))
    assert await tokens.viewer(token) == viewer


async def test_a_good_token_by_a_shared_secret_names_its_user(shared: JsonWebTokens) -> None:
    assert (await shared.viewer(jwt.encode(issuer.claims(), SECRET, "HS256"))).id == "ada"


async def test_one_audience_of_several_is_enough(tokens: JsonWebTokens) -> None:
    assert (await tokens.viewer(ED.sign(aud=["https://other.example", AUDIENCE]))).id == "ada"


@pytest.mark.parametrize("name", [None, "", 7, ["Ada"], "\ud800", "A\0da"])
async def test_a_name_that_cannot_be_shown_is_left_out(tokens: JsonWebTokens, name: object) -> None:
    assert (await tokens.viewer(ED.sign(name=name))).name is None


def hours(number: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=number)


WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": hours(-1)},
    "without an end": {"exp": None},
    "with an end that is no time": {"exp": "tomorrow"},
    "with an end that is a list": {"exp": []},
    "with an end beyond all calendars": {"exp": 10**15},
    "with an end beyond all numbers": {"exp": float("inf")},
    "with an end that is no number": {"exp": float("nan")},
    "not yet valid": {"nbf": hours(1)},
    "from the future": {"iat": hours(1)},
    "of another issuer": {"iss": "https://evil.example"},
    "of an issuer that begins alike": {"iss": ISSUER + ".evil.example"},
    "of no issuer": {"iss": None},
    "for another audience": {"aud": "https://other.example"},
    "for other audiences": {"aud": ["https://other.example"]},
    "for no audience": {"aud": None},
    "for an empty audience": {"aud": []},
    "for an audience that is an object": {"aud": {AUDIENCE: True}},
    "without a user": {"sub": None},
    "with an empty user": {"sub": ""},
    "with a number as user": {"sub": 7},
    "with a list as user": {"sub": ["ada"]},
    "with a user that no database stores": {"sub": "a\0da"},
    "with half a character as user": {"sub": "\ud800"},
    "with a user that is too long": {"sub": "x" * 256},
}


@pytest.mark.parametrize("name", WRONG_CLAIMS)
async def test_a_token_with_wrong_claims_is_refused(tokens: JsonWebTokens, shared: JsonWebTokens, name: str) -> None:
    await refused(tokens, ED.sign(**WRONG_CLAIMS[name]))
    await refused(shared, jwt.encode(issuer.claims(**WRONG_CLAIMS[name]), SECRET, "HS256"))


async def test_the_clocks_of_two_machines_may_differ_a_little(tokens: JsonWebTokens) -> None:
    ahead = datetime.now(UTC) + timedelta(seconds=LEEWAY_SECONDS - 2)
    assert (await tokens.viewer(ED.sign(iat=ahead, nbf=ahead))).id == "ada"


async def test_a_token_that_somebody_else_signed_is_refused(tokens: JsonWebTokens) -> None:
    await refused(tokens, STRANGER.sign(), "Signature")


async def test_a_token_by_another_secret_is_refused(shared: JsonWebTokens) -> None:
    await refused(shared, jwt.encode(issuer.claims(), SECRET[::-1], "HS256"), "Signature")


async def test_a_token_by_an_unknown_key_is_refused(tokens: JsonWebTokens) -> None:
    await refused(tokens, ED.sign(headers={"kid": "other"}), "unknown key")


async def test_a_key_checks_only_signatures_of_its_own_kind(tokens: JsonWebTokens) -> None:
    await refused(tokens, ED.sign(headers={"kid": "RS256"}))
    await refused(tokens, RSA.sign(headers={"kid": "EdDSA"}))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, 7, ["EdDSA"]])
async def test_a_token_without_signature_is_refused(
    tokens: JsonWebTokens, shared: JsonWebTokens, keys: Published, alg: object
) -> None:
    for signature in ("", "AAAA"):
        token = f"{part({'alg': alg, 'kid': 'EdDSA'})}.{part(issuer.claims(exp=4_000_000_000))}.{signature}"
        await refused(tokens, token)
        await refused(shared, token)
    assert not keys.asked


@pytest.mark.parametrize("form", ["PEM", "PKCS1", "JWK"])
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_a_public_key_is_no_secret_to_sign_with(tokens: JsonWebTokens, form: str, algorithm: str) -> None:
    public = RSA.private.public_key()
    secret = {
        "PEM": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "PKCS1": public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        "JWK": json.dumps(RSA.published()).encode(),
    }[form]
    signer = jwt.get_algorithm_by_name(algorithm)
    signed = f"{part({'alg': algorithm, 'kid': 'RS256'})}.{part(issuer.claims(exp=4_000_000_000))}"
    signature = base64.urlsafe_b64encode(signer.sign(signed.encode(), secret)).rstrip(b"=").decode()
    await refused(tokens, f"{signed}.{signature}", "alg")


async def test_a_shared_secret_takes_no_signature_by_a_public_key(shared: JsonWebTokens) -> None:
    await refused(shared, ED.sign(), "alg")


async def test_an_algorithm_that_was_not_chosen_is_refused(keys: Published) -> None:
    await refused(JsonWebTokens(keys, ("ES256",), ISSUER, AUDIENCE), ED.sign(), "alg")
    assert not keys.asked


async def test_a_key_that_a_token_brings_along_is_not_used(tokens: JsonWebTokens) -> None:
    brought = {"jwk": STRANGER.published(), "jku": "https://evil.example/jwks", "x5u": "https://evil.example"}
    await refused(tokens, STRANGER.sign(headers=brought), "Signature")


async def test_an_extension_that_must_be_understood_is_not_passed_over(tokens: JsonWebTokens) -> None:
    await refused(tokens, ED.sign(headers={"crit": ["exp"], "exp": 1}))


def part(value: object) -> str:
    """Write one part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


MALFORMED: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "a word": lambda _: "forged",
    "dots": lambda _: "..",
    "without its signature": lambda good: good.rpartition(".")[0],
    "with an empty signature": lambda good: good.rpartition(".")[0] + ".",
    "with a signature cut short": lambda good: good[:-8],
    "with a part too many": lambda good: good + ".AAAA",
    "with characters of no token": lambda good: good[:40] + "!" + good[40:],
    "with characters beyond ASCII": lambda good: good[:40] + "é" + good[40:],
    "with half a character": lambda good: good + "\ud800",
    "with a NUL character": lambda good: good + "\0",
    "with a header that is no JSON": lambda good: "AAAA" + good[good.index(".") :],
    "with a header that is a list": lambda good: part([]) + good[good.index(".") :],
    "with a header too deep": lambda good: base64.b64encode(b"[" * 9_000).decode() + good[good.index(".") :],
    "with a kid that is a list": lambda good: part({"alg": "EdDSA", "kid": []}) + good[good.index(".") :],
    "with a kid that is null": lambda good: part({"alg": "EdDSA", "kid": None}) + good[good.index(".") :],
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_what_is_no_token_is_refused(tokens: JsonWebTokens, shared: JsonWebTokens, name: str) -> None:
    await refused(tokens, MALFORMED[name](ED.sign()))
    await refused(shared, MALFORMED[name](jwt.encode(issuer.claims(), SECRET, "HS256")))


async def test_a_token_that_fits_into_no_header_is_not_even_read(tokens: JsonWebTokens, keys: Published) -> None:
    for length in (TOKEN_CHARACTERS, 10_000_000):
        await refused(tokens, ED.sign(name="x" * length), "too long")
    assert not keys.asked


async def test_a_token_whose_claims_are_no_object_is_refused(shared: JsonWebTokens) -> None:
    for claims in (b"[]", b"7", b"null", b"{", b"\xff", b"[" * 5_000):
        await refused(shared, jwt.api_jws.PyJWS().encode(claims, SECRET, "HS256"))
