"""The server as a whole: its parent process, which owns the data folder, the port, the database and the workers."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import ExitStack, suppress

from pydantic import SecretStr

from server import address, databases, folder
from server.databases import Named
from server.postgres import Postgres
from server.settings import Settings
from server.workers import Workers

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C, a supervisor, a closed terminal


def run(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until a signal says stop. `announce` gets the server's URL when every process takes connections.

    Raises RefusedError.
    """
    with suppress(asyncio.CancelledError):
        asyncio.run(_run(settings, announce))


async def _run(settings: Settings, announce: Callable[[str], None]) -> None:
    _stop_at_signals()
    with ExitStack() as owned:
        if settings.database_url is None:
            owned.enter_context(folder.owned(settings.data))
        listener = owned.enter_context(address.listening(settings.host, settings.port))
        async with databases.ready(settings) as database:
            await _check_connections(database.url, settings)
            known = settings.model_copy(update={"database_url": SecretStr(database.url)})
            async with Workers.run(known, listener) as workers:
                announce(address.url(listener))
                await _keep(workers, database)


async def _check_connections(url: str, settings: Settings) -> None:
    async with databases.reached(url) as connection:
        await databases.check_connections(connection, settings)


async def _keep(workers: Workers, database: Postgres | Named) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(workers.keep())
        tasks.create_task(database.keep())


def _stop_at_signals() -> None:
    """Cancel the calling task at the first signal; it ends as soon as it can, so that more of them change nothing."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def stop() -> None:
        for number in heard:
            loop.add_signal_handler(number, lambda: None)
        task.cancel()

    heard = [number for number in SIGNALS if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
    for number in heard:
        loop.add_signal_handler(number, stop)
