"""Visits to the server's pages with a real browser: what a scenario is given, and who answers what it asks for."""

import asyncio
import json
import os
import shutil
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

VISIT = Path(__file__).with_name("visit.mjs")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LINE_BYTES = 2**24  # failures may tell whole documents
ASK = "ask "

Answers = Mapping[str, Callable[[], Awaitable[None]]]


def browser() -> str | None:
    """Find the browser that CHROMIUM names, or the one that is installed."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


@dataclass(frozen=True, slots=True)
class Visits:
    """Runs the scenarios of `folder` in a browser."""

    chromium: str
    folder: Path

    async def visit(self, scenario: str, url: str, answers: Answers | None = None, **given: object) -> str:
        """Run a scenario, named as in `module.function`, and give what it printed.

        It fails where the browser complains, too. `answers` does what the scenario asks for.
        """
        module, _, name = scenario.partition(".")
        command = ["node", str(VISIT), str(self.folder / f"{module}.mjs"), name, url, json.dumps(given)]
        known = os.environ | {"CHROMIUM": self.chromium}
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=STDOUT, limit=LINE_BYTES, env=known
        )
        try:
            printed = await _listen(process, answers or {})
            assert await process.wait() == 0, printed
        finally:
            if process.returncode is None:
                process.kill()
        return printed


async def _listen(process: Process, answers: Answers) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    printed = []
    async for line in process.stdout:
        text = line.decode()
        if text.startswith(ASK):
            await answers[text.removeprefix(ASK).strip()]()
            process.stdin.write(b"done\n")
        else:
            printed.append(text)
    return "".join(printed)
