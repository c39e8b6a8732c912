"""An application with a Better Auth server of its own, on the database that Workflow Sync uses too."""

import asyncio
import os
import uuid
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from tests.server import live

FOLDER = Path(__file__).with_name("better_auth")
SECRET = "the-secret-of-the-tests-0123456789"
COOKIE = "better-auth.session_token"
PASSWORD = "correct horse battery staple"

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signed up, as the browser that did so. The address of `client` is that of Better Auth."""

    client: httpx.AsyncClient
    id: str
    name: str

    @property
    def cookie(self) -> str:
        """What the browser would send as Cookie header."""
        return f"{COOKIE}={self.client.cookies[COOKIE]}"

    async def bearer(self) -> str:
        """Make what a JWT of this user says in an Authorization header."""
        return f"Bearer {(await self.get('/token'))['token']}"

    async def sign_out(self) -> None:
        """End the session. The cookie is kept here, as somebody would who stole it."""
        value = self.client.cookies[COOKIE]
        await self.post("/sign-out")
        self.client.cookies.set(COOKIE, value)

    async def get(self, path: str) -> Answer:
        """Ask Better Auth for something."""
        return _answer(await self.client.get(path))

    async def post(self, path: str, **body: object) -> Answer:
        """Have Better Auth do something."""
        return _answer(await self.client.post(path, json=body))


def _answer(response: httpx.Response) -> Answer:
    assert response.is_success, response.text
    answer = response.json()
    assert isinstance(answer, dict)
    return answer


@dataclass(frozen=True, slots=True)
class Application:
    """Better Auth at `url`; its tables are found on the database that `database_url` leads to."""

    url: str
    database_url: str

    @asynccontextmanager
    async def user(self, name: str = "Ada") -> AsyncIterator[User]:
        """Sign a new user up."""
        email = f"{uuid.uuid4().hex}@app.example"
        async with live.http(f"{self.url}/api/auth", Origin=self.url) as client:
            body = {"email": email, "password": PASSWORD, "name": name}
            response = await client.post("/sign-up/email", json=body)
            yield User(client, response.json()["user"]["id"], name)

    async def ban(self, user: User) -> None:
        """Ban a user, by an administrator."""
        async with self.user("Admin") as admin:
            await self.execute("""UPDATE "user" SET role = 'admin' WHERE id = $1""", admin.id)
            await admin.post("/admin/ban-user", userId=user.id)

    async def execute(self, statement: str, *values: object) -> None:
        """Change the application's tables by hand."""
        connection = await asyncpg.connect(self.database_url)
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()


@asynccontextmanager
async def run(database_url: str) -> AsyncIterator[Application]:
    """Run the application until the block ends."""
    if not (FOLDER / "node_modules").exists():
        pytest.fail(f"The Better Auth server of the tests is not installed: run `make setup`. ({FOLDER})")
    environment = os.environ | {"DATABASE_URL": database_url, "BETTER_AUTH_SECRET": SECRET}
    process = await asyncio.create_subprocess_exec(
        "node", "server.mjs", cwd=FOLDER, stdin=PIPE, stdout=PIPE, env=environment
    )
    assert process.stdin
    assert process.stdout
    try:
        async with asyncio.timeout(60):
            address = (await process.stdout.readline()).decode().strip()
        assert address, f"Better Auth ended with {await process.wait()}; what it wrote stands above."
        yield Application(address, database_url)
    finally:
        process.stdin.close()
        await process.wait()
