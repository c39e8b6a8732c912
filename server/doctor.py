"""Whether everything is as the server needs it, and how to mend what is not."""

import os
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass

import httpx

from db import snapshots
from db.database import RawConnection
from db.snapshots import Lag
from server import address, databases, folder, pages
from server.databases import Named
from server.postgres import Postgres
from server.refusal import RefusedError
from server.settings import Settings

HEALTH_SECONDS = 5.0
LATE_SECONDS = 5 * 60.0  # a server brings up within two minutes what another one left behind
UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60))
PAGES = ("index.html", "developers.html", "graphql.html")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found out about its subject; where something is `wrong`, the text says how to mend it."""

    subject: str
    text: str
    wrong: bool = False


async def examine(settings: Settings) -> list[Finding]:
    """Check everything, whether a server runs or not."""
    return [
        await _finding("settings", _check_sign_in(settings)),
        await _finding("pages", _check_pages()),
        await _finding("data folder", _check_folder(settings)),
        await _finding("port", _check_port(settings)),
        *await _examine_database(settings),
    ]


async def _finding(subject: str, check: Awaitable[str]) -> Finding:
    try:
        return Finding(subject, await check)
    except RefusedError as error:
        return Finding(subject, error.message, wrong=True)


async def _check_sign_in(settings: Settings) -> str:
    if settings.development:
        return "Development tokens sign people in, on this machine alone."
    if settings.better_auth_secret or settings.jwt_jwks_url or settings.jwt_secret:
        return "They are valid, and name a way to sign in."
    raise RefusedError(
        f"Nobody can sign in: development tokens do not count where the server listens on {settings.host} (HOST). "
        "Set BETTER_AUTH_SECRET, JWT_JWKS_URL or JWT_SECRET."
    )


async def _check_pages() -> str:
    if not all((pages.BUILT / page).is_file() for page in PAGES):
        raise RefusedError("The pages are not built: run `make setup`. The API works without them.")
    return "They are built."


async def _check_folder(settings: Settings) -> str:
    data = settings.data.resolve()
    owner = folder.owner(data)
    if owner is not None:
        return f"`serve` uses {data} (process {owner})."
    there = next(path for path in (data, *data.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise RefusedError(f"{there} is no folder that can be written: name another one with --data (DATA).")
    return f"{data} is free."


async def _check_port(settings: Settings) -> str:
    try:
        with address.listening(settings.host, settings.port):
            return f"Port {settings.port} of {settings.host} is free."
    except RefusedError:
        if not await _serves(settings):
            raise
    return f"A server answers on port {settings.port} of {settings.host}."


async def _serves(settings: Settings) -> bool:
    """Say whether it is a server of ours that uses the port."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=HEALTH_SECONDS) as client:
            answer = await client.get(f"http://{host}:{settings.port}/health")
            return "status" in answer.json()
    except (httpx.HTTPError, ValueError):
        return False


async def _examine_database(settings: Settings) -> list[Finding]:
    if settings.database_url is None and not Postgres(settings.data).cluster.exists():
        return [Finding("database", "There is none yet; the first `serve` makes one in the data folder.")]
    try:
        async with databases.opened(settings) as source, databases.reached(source.url) as connection:
            findings = [
                await _finding("database", databases.check_version(connection)),
                await _finding("connections", databases.check_connections(connection, settings)),
                await _finding("migrations", _check_migrations(source)),
            ]
            if await _is_migrated(source.url):
                findings.append(await _finding("snapshots", _check_snapshots(connection, settings)))
            return findings
    except RefusedError as error:
        return [Finding("database", error.message, wrong=True)]


async def _check_migrations(source: Postgres | Named) -> str:
    if isinstance(source, Postgres) and await databases.pending(source.url):
        return "The embedded database lacks some; `serve` brings it up to date by itself."
    return await databases.check_migrations(source.url)


async def _is_migrated(url: str) -> bool:
    with suppress(RefusedError):
        return not await databases.pending(url)
    return False


async def _check_snapshots(connection: RawConnection, settings: Settings) -> str:
    lag = await snapshots.lag(connection)
    if not lag.workflows:
        return "All snapshots are up to date."
    if lag.seconds > LATE_SECONDS:
        raise RefusedError(
            f"{_lag(lag)}: no server brings that up. Start one, or run `workflow-sync fold`; "
            "nothing is lost, but whoever reads with SQL sees old documents."
        )
    them = "it" if lag.workflows == 1 else "them"
    every = settings.snapshot_every
    return f"{_lag(lag)}; that is as it should be (SNAPSHOT_EVERY={every}): `workflow-sync fold` brings {them} up."


def _lag(lag: Lag) -> str:
    verb = "snapshot lags" if lag.workflows == 1 else "snapshots lag"
    versions = "a version" if lag.versions == 1 else f"{lag.versions} versions"
    since = f"for {_duration(lag.seconds)}" if lag.workflows == 1 else f"the oldest for {_duration(lag.seconds)}"
    return f"{lag.workflows} {verb} by {versions}, {since}"


def _duration(seconds: float) -> str:
    for unit, length in UNITS:
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
