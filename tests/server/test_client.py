"""The client library in several tabs, on a bad network, against a real server: what simulation.ts plays."""

import asyncio
import os
import secrets
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from tests.server.processes import serving

CLIENT = Path(__file__).parents[2] / "client"
BUILT = CLIENT / "node_modules/.simulation"  # from where the packages of the client are found
VITE = (CLIENT / "node_modules/.bin/vite", "build", CLIENT, "--ssr=tests/simulation.ts", "--logLevel=warn")
EDITS = "150" if "CI" in os.environ else "40"  # of each tab


async def _run(*command: str | Path) -> None:
    """Run a command to a good end."""
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    output, _ = await process.communicate()
    assert process.returncode == 0, f"{command}\n{output.decode()}"


async def test_tabs_on_a_bad_network_lose_nothing_and_end_equal(data: Path) -> None:
    await _run(*VITE, f"--outDir={BUILT}")
    async with serving(data, "--workers=2") as server:
        tokens = [server.bearer(user).removeprefix("Bearer ") for user in ("ada", "bob")]
        await _run("node", BUILT / "simulation.js", server.url, str(secrets.randbelow(2**31)), EDITS, *tokens)
        await server.stop()
