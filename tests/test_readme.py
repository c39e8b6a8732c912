"""The README: what it tells people to type works, and its settings are those that there are."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from server.settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
WRITTEN_ADDRESS = "127.0.0.1:8000"


@contextmanager
def shell(text: str, environment: dict[str, str]) -> Iterator[IO[str]]:
    """Type something into a shell in the project's folder, and end what it started when the block ends."""
    command = ["bash", "-euo", "pipefail", "-c", text]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            os.killpg(process.pid, signal.SIGTERM)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who tries things out, with an embedded database of their own."""
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return kept | {"DATA": str(tmp_path), "PORT": "0"}


@pytest.fixture
def address(environment: dict[str, str]) -> Iterator[str]:
    """The host and port of a server that runs."""
    with shell("exec .venv/bin/workflow-sync serve", environment) as output:
        yield output.readline().rpartition("http://")[2].strip()


def test_the_save_the_query_and_the_subscription_to_paste_work(address: str, environment: dict[str, str]) -> None:
    (block,) = re.findall(r"```sh\n(TOKEN=.*?)```", README, re.DOTALL)
    lines = []
    with shell(block.replace(WRITTEN_ADDRESS, address), environment) as output:
        for line in output:
            lines.append(line)
            if "workflowSaved" in line:
                break
    said = "".join(lines)
    assert '{"status":"CREATED","version":1}' in said
    assert '"savedBy":"ada","state":{' in said
    assert '"workflowSaved":{"version":1,"savedBy":"ada"' in said


def test_the_settings_are_those_that_there_are() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| `?(.*?)`? \| (.+) \|$", README, re.MULTILINE)
    assert rows == [
        (name.upper(), _written(field.default), field.description) for name, field in Settings.model_fields.items()
    ]


def _written(default: object) -> str:
    if isinstance(default, tuple):
        return ", ".join(default)
    return "" if default is None else str(default)
