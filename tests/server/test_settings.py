"""Settings that cannot be meant so are refused, by name, and without telling secrets."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from server.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"
JWKS = "https://app.example/api/auth/jwks"
JWT = {"JWT_ISSUER": "https://app.example", "JWT_AUDIENCE": "https://app.example"}


def read(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_without_any_setting_it_is_development_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, {})
    assert (settings.host, settings.port, settings.data, settings.development) == (
        "127.0.0.1",
        8000,
        Path(".data"),
        True,
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1"])
def test_development_is_on_loopback(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    assert read(monkeypatch, {"HOST": host}).development


@pytest.mark.parametrize(
    "variables",
    [
        {"HOST": "0.0.0.0"},
        {"HOST": "::"},
        {"HOST": "192.0.2.1"},
        {"HOST": "app.example"},
        {"BETTER_AUTH_SECRET": SECRET},
        {"JWT_JWKS_URL": JWKS} | JWT,
        {"JWT_SECRET": SECRET} | JWT,
    ],
    ids=str,
)
def test_it_is_no_development_for_others_or_with_another_way_to_sign_in(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    assert not read(monkeypatch, variables).development


def test_an_empty_setting_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = dict.fromkeys(("BETTER_AUTH_SECRET", "JWT_SECRET", "JWT_JWKS_URL", "JWT_ISSUER", "JWT_ALGORITHMS"), "")
    assert read(monkeypatch, empty).development


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(
        monkeypatch,
        {"ALLOWED_ORIGINS": "https://App.example, http://localhost:5173,", "JWT_ALGORITHMS": "ES256,RS256"},
    )
    assert settings.allowed_origins == ("https://app.example", "http://localhost:5173")
    assert settings.jwt_algorithms == ("ES256", "RS256")


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"BETTER_AUTH_SECRET": SECRET[1:]}, "BETTER_AUTH_SECRET"),
        ({"JWT_SECRET": SECRET[1:]} | JWT, "JWT_SECRET"),
        ({"JWT_SECRET": SECRET, "JWT_ISSUER": "x"}, "JWT_AUDIENCE"),
        ({"JWT_SECRET": SECRET, "JWT_AUDIENCE": "x"}, "JWT_ISSUER"),
        ({"JWT_JWKS_URL": JWKS, "JWT_ISSUER": "x"}, "JWT_AUDIENCE"),
        ({"JWT_JWKS_URL": JWKS, "JWT_AUDIENCE": "x"}, "JWT_ISSUER"),
        ({"JWT_JWKS_URL": JWKS, "JWT_SECRET": SECRET} | JWT, "JWT_JWKS_URL and JWT_SECRET"),
        ({"JWT_ISSUER": "x"}, "JWT_ISSUER"),
        ({"JWT_AUDIENCE": "x"}, "JWT_AUDIENCE"),
        ({"JWT_JWKS_URL": "app.example/jwks"} | JWT, "JWT_JWKS_URL"),
        ({"JWT_JWKS_URL": "file:///jwks"} | JWT, "JWT_JWKS_URL"),
        ({"JWT_JWKS_URL": "https://[::1/jwks"} | JWT, "JWT_JWKS_URL"),
        ({"JWT_JWKS_URL": JWKS, "JWT_ALGORITHMS": "HS256"} | JWT, "JWT_ALGORITHMS"),
        ({"JWT_JWKS_URL": JWKS, "JWT_ALGORITHMS": "RS256,HS256"} | JWT, "JWT_ALGORITHMS"),
        ({"JWT_JWKS_URL": JWKS, "JWT_ALGORITHMS": "none"} | JWT, "JWT_ALGORITHMS"),
        ({"JWT_JWKS_URL": JWKS, "JWT_ALGORITHMS": ","} | JWT, "JWT_ALGORITHMS"),
        ({"ALLOWED_ORIGINS": "*"}, "ALLOWED_ORIGINS"),
        ({"ALLOWED_ORIGINS": "https://app.example/"}, "ALLOWED_ORIGINS"),
        ({"ALLOWED_ORIGINS": "https://app.example,app.example"}, "ALLOWED_ORIGINS"),
        ({"ALLOWED_ORIGINS": "null"}, "ALLOWED_ORIGINS"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_meant_so_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        read(monkeypatch, variables)
    assert named in str(refusal.value)
    assert SECRET[1:] not in str(refusal.value)
