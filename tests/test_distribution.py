"""The names that this project takes are its own."""

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def packages() -> set[str]:
    listed = PROJECT["tool"]["setuptools"]["packages"]
    return {name.partition(".")[0] for name in listed}


def test_every_room_is_packaged() -> None:
    rooms = {path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in ROOT.glob("*/**/__init__.py")}
    assert {room for room in rooms if not room.startswith(".")} == set(PROJECT["tool"]["setuptools"]["packages"])


def test_no_other_distribution_has_a_room_of_the_same_name() -> None:
    """PyPI has a package named `schema`, and many that bring along a `tests` or a `db`."""
    provided = metadata.packages_distributions()
    own = PROJECT["project"]["name"]
    assert {name: provided.get(name) for name in packages() if provided.get(name, [own]) != [own]} == {}


def test_imports_go_one_way(tmp_path: Path) -> None:
    """In a process of its own, since import-linter silences whatever else would be logged."""
    command = Path(sys.executable).with_name("lint-imports")
    linted = subprocess.run([command, "--cache-dir", tmp_path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout
