"""Development tokens: signed by the key of a data folder, which is made once and read by nobody else."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import jwt
import pytest

from auth import development
from auth.development import ISSUER, KEY_FILE, DevelopmentTokens
from resolvers.errors import BadUserInputError, UnauthenticatedError

AT_ONCE = 8


async def test_a_token_names_its_user(tmp_path: Path) -> None:
    tokens = DevelopmentTokens.load(tmp_path)
    viewer = await tokens.viewer(tokens.sign("ada"))
    assert viewer.id == "ada"
    assert viewer.expires_at
    assert viewer.expires_at > datetime.now(UTC) + development.LIFETIME - timedelta(minutes=1)


async def test_a_token_may_say_how_others_see_its_user(tmp_path: Path) -> None:
    tokens = DevelopmentTokens.load(tmp_path)
    shown = [await tokens.viewer(tokens.sign("ada", name=name)) for name in ("Ada Lovelace", None)]
    assert [(viewer.id, viewer.name) for viewer in shown] == [("ada", "Ada Lovelace"), ("ada", None)]


async def test_a_name_need_not_be_ascii(tmp_path: Path) -> None:
    tokens = DevelopmentTokens.load(tmp_path)
    assert (await tokens.viewer(tokens.sign("Zoë 😀"))).id == "Zoë 😀"


@pytest.mark.parametrize("name", ["", "x" * 256, "a\0b", "\ud800"])
def test_nobody_can_be_called_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadUserInputError):
        DevelopmentTokens.load(tmp_path).sign(name)


async def test_a_token_ends(tmp_path: Path) -> None:
    tokens = DevelopmentTokens.load(tmp_path)
    with pytest.raises(UnauthenticatedError, match="expired"):
        await tokens.viewer(tokens.sign("ada", timedelta(minutes=-1)))


async def test_tokens_are_those_of_one_folder(tmp_path: Path) -> None:
    token = DevelopmentTokens.load(tmp_path / "one").sign("ada")
    assert (await DevelopmentTokens.load(tmp_path / "one").viewer(token)).id == "ada"
    with pytest.raises(UnauthenticatedError):
        await DevelopmentTokens.load(tmp_path / "other").viewer(token)


async def test_another_kind_of_token_by_the_same_key_is_refused(tmp_path: Path) -> None:
    tokens = DevelopmentTokens.load(tmp_path)
    said = {"sub": "ada", "iss": ISSUER, "aud": "something else", "exp": datetime.now(UTC) + timedelta(minutes=1)}
    with pytest.raises(UnauthenticatedError):
        await tokens.viewer(jwt.encode(said, tokens.key, "HS256"))


def test_the_key_is_read_by_its_owner_alone(tmp_path: Path) -> None:
    DevelopmentTokens.load(tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new" / KEY_FILE).stat().st_mode) == 0o600
    assert [file.name for file in (tmp_path / "new").iterdir()] == [KEY_FILE]


def test_processes_that_start_at_once_share_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sees that there is no key, and only then may any of them make one."""
    together = Barrier(AT_ONCE, timeout=20)
    make = development._make_key

    def make_together(file: Path) -> None:
        together.wait()
        make(file)

    monkeypatch.setattr(development, "_make_key", make_together)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(threads.map(DevelopmentTokens.load, [tmp_path] * AT_ONCE))
    assert len({tokens.key for tokens in found}) == 1
    assert [file.name for file in tmp_path.iterdir()] == [KEY_FILE]


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_file_that_is_no_key_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(ValueError, match=r"development\.key is no key"):
        DevelopmentTokens.load(tmp_path)
