"""The embedded Postgres: a real server in the data folder, for everybody who names no other by DATABASE_URL.

Each process that uses it holds a shared lock while it does; whoever leaves last stops it. It outlives a user that was
killed: the next one joins it, and stops it in the end.

    (nothing) --initdb--> stopped --first one joins--> starting, recovering --> ready
                             ^                             ^                      | |
                             |                             +----- it died: `keep` + |
                             +--------------- the last one leaves ------------------+
"""

import asyncio
import fcntl
import logging
import os
import re
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import psutil

from server import folder, postgres_tools, waiting
from server.refusal import RefusedError

USERS = "postgres.users"  # a shared lock for each process that uses the server
TURN = "postgres.turn"  # only one of them starts it at a time
DRAFT = "postgres.new."  # how the name of a cluster begins that is being made

START_ATTEMPTS = 50  # what a killed server left behind goes away within seconds
PAUSE_SECONDS = 0.2
RECOVERY_SECONDS = 24 * 60 * 60  # replaying the log after a crash takes as long as it takes
STOP_SECONDS = 60.0  # for the last checkpoint; then it is stopped without one
SOCKET_FOLDER = re.compile(r"/[\w/.+-]{1,86}", re.ASCII)  # systems take 103 bytes, /.s.PGSQL.5432 included

CLUSTER_OPTIONS = (  # the same on every system; letters outside ASCII have cases too
    "--username=postgres",
    "--auth=trust",  # the socket's folder lets nobody else in
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)

logger = logging.getLogger(__name__)


class StartError(RefusedError):
    """The embedded Postgres does not start."""


@asynccontextmanager
async def embedded(data: Path) -> AsyncIterator["Postgres"]:
    """Use the Postgres of a data folder until the block ends: start it, or join those who use it already.

    Raises StartError.
    """
    postgres = Postgres(data)
    with folder.opened(data, USERS) as users:
        try:
            await folder.locked(users, fcntl.LOCK_SH)
            await postgres.start()
            yield postgres
        finally:
            if folder.lock(users, fcntl.LOCK_EX):
                await postgres.stop()


@dataclass(frozen=True, slots=True)
class Postgres:
    """The server of one data folder, whichever process started it."""

    data: Path

    @property
    def cluster(self) -> Path:
        """What Postgres itself calls its data directory."""
        return self.data.resolve() / "postgres"

    @property
    def log(self) -> Path:
        """What the server writes about itself."""
        return self.cluster / "log"

    @property
    def url(self) -> str:
        """The libpq URL of the server that runs."""
        port, socket_folder = self._pid_file()[3:5]
        return f"postgresql://postgres@/postgres?host={quote(socket_folder)}&port={port}"

    def process(self) -> psutil.Process | None:
        """Find the server's process. A pid file alone proves nothing: its number may be anybody's by now."""
        pid = next(iter(self._pid_file()), "")
        try:
            process = psutil.Process(int(pid)) if pid.isdecimal() else None
            return process if process and Path(process.cwd()) == self.cluster else None
        except psutil.Error:  # it is gone, waits to be buried, or is somebody else's
            return None

    def is_ready(self) -> bool:
        """Say whether the server takes connections."""
        status = self._pid_file()[7:8]
        return status == ["ready"] and self.process() is not None

    async def start(self) -> None:
        """Have the server take connections: make and start it, or wait until the one that runs has recovered.

        Raises StartError.
        """
        async with folder.turn(self.data, TURN):
            if not (self.cluster / "PG_VERSION").exists():
                await self._make()
            for _ in range(START_ATTEMPTS):
                if self.process() is None:
                    await self._launch()
                await waiting.until(lambda: self.is_ready() or self.process() is None)
                if self.is_ready():
                    return
                await asyncio.sleep(PAUSE_SECONDS)
        raise StartError(f"The embedded Postgres does not start; the end of {self.log} says why: {self._last_words()}")

    async def keep(self) -> None:
        """Start the server again whenever it has ended, until this is cancelled."""
        while True:
            if self.process() is None:
                logger.error("The embedded Postgres has ended; starting it again.")
                try:
                    await self.start()
                except StartError as error:
                    logger.error("%s", error.message)  # noqa: TRY400 -- it is a sentence already
            await asyncio.sleep(PAUSE_SECONDS)

    async def stop(self) -> None:
        """Stop the server; what was not committed is undone."""
        for how in (signal.SIGINT, signal.SIGQUIT):  # what Postgres calls a fast and an immediate shutdown
            with suppress(TimeoutError, psutil.NoSuchProcess):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._end(how)
        self._remove_socket_folder()

    async def _end(self, how: signal.Signals) -> None:
        process = self.process()
        if process is not None:
            process.send_signal(how)
        await waiting.until(lambda: self.process() is None)

    async def _make(self) -> None:
        """Make an empty cluster beside its place and move it there, so that half of one never stands there."""
        draft = self._draft()
        postgres_tools.hand_over(draft)
        failure = await postgres_tools.run("initdb", *CLUSTER_OPTIONS, cluster=draft)
        if failure is not None:
            raise StartError(f"The embedded database cannot be made in {self.data}: {failure}")
        try:
            draft.rename(self.cluster)
        except OSError as error:
            raise StartError(f"The embedded database cannot be made: {self.cluster} is something else.") from error

    def _draft(self) -> Path:
        """Make a new folder, and remove those of users that were killed."""
        for leftover in self.cluster.parent.glob(f"{DRAFT}*"):
            shutil.rmtree(leftover, ignore_errors=True)  # if an initdb still writes there, it gives up soon
        return Path(tempfile.mkdtemp(prefix=DRAFT, dir=self.cluster.parent))

    async def _launch(self) -> None:
        """Start the server, and wait until it is ready or has ended. None may run when this is called."""
        postgres_tools.hand_over(self.cluster)
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)  # else whoever has that number now keeps it out
        await postgres_tools.run(
            "pg_ctl",
            "start",
            "--wait",
            f"--timeout={RECOVERY_SECONDS}",
            f"--log={self.log.name}",
            f"--options=-c listen_addresses= -c port=5432 -c unix_socket_directories={self._make_socket_folder()}",
            cluster=self.cluster,
            version=self._version(),
        )

    def _version(self) -> int:
        """Read which major version made the cluster. Raises StartError where there are no programs for it."""
        version = int((self.cluster / "PG_VERSION").read_text())
        if version not in postgres_tools.PROGRAMS:
            raise StartError(
                f"The embedded database in {self.data} is one of Postgres {version}, which is not installed."
            )
        return version

    def _socket_folder(self) -> Path:
        """Say where the socket lies: in the cluster, unless its path is too long or has special characters."""
        if SOCKET_FOLDER.fullmatch(str(self.cluster)):
            return self.cluster
        name = sha256(os.fsencode(self.cluster)).hexdigest()[:16]
        return Path(tempfile.gettempdir(), f"workflow-sync-{name}")

    def _make_socket_folder(self) -> Path:
        place = self._socket_folder()
        place.mkdir(mode=0o700, exist_ok=True)
        postgres_tools.hand_over(place)
        if place.is_symlink() or place.stat().st_uid != postgres_tools.owner():
            raise StartError(f"{place}, where the socket of the embedded Postgres belongs, is somebody else's.")
        return place

    def _remove_socket_folder(self) -> None:
        with suppress(OSError):  # it is the cluster, or was never made
            self._socket_folder().rmdir()

    def _pid_file(self) -> list[str]:
        """Read what Postgres notes of itself: pid, cluster, start, port, socket folder, host, memory, status."""
        try:
            return [line.strip() for line in (self.cluster / "postmaster.pid").read_text().splitlines()]
        except FileNotFoundError:
            return []

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return lines[-1] if lines else "(it is empty)"
