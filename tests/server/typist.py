"""Somebody who keeps saving and remembers what was acknowledged."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx

RETRY_SECONDS = 0.02

SAVE = """
mutation ($input: SyncWorkflowInput!) { syncWorkflow(input: $input) { status version } }
"""
HISTORY = """
query ($id: ID!, $after: String) {
  workflow(id: $id) {
    version
    state
    versions(first: 100, after: $after) { pageInfo { hasNextPage endCursor } edges { node { version state } } }
  }
}
"""


@dataclass(slots=True)
class Typist:
    """One tab. It numbers its saves, writes the number into the document, and tries each save until it is answered."""

    client: httpx.AsyncClient = field(default_factory=httpx.AsyncClient)
    workflow: str = "typed"
    acknowledged: dict[int, int] = field(default_factory=dict)  # the version that each save became

    async def type(self) -> None:
        """Save, again and again, until this is cancelled."""
        while True:
            number = len(self.acknowledged) + 1
            self.acknowledged[number] = await self._save(number)

    async def _save(self, number: int) -> int:
        save = {"id": self.workflow, "state": document(number), "clientId": "tab", "sequence": number}
        while True:
            try:
                answer = (await self._ask(SAVE, input=save))["syncWorkflow"]
            except (httpx.HTTPError, ConnectionError):
                await asyncio.sleep(RETRY_SECONDS)
                continue
            assert answer["status"] in {"CREATED", "SAVED"}, answer
            version = answer["version"]
            assert isinstance(version, int)
            return version

    async def check(self) -> None:
        """Check that every acknowledged save is there, once, and nothing that was not saved."""
        numbers = await self._history()
        for number, version in self.acknowledged.items():
            assert numbers[version] == number
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
        assert sorted(numbers.values()) == list(range(1, len(numbers) + 1))
        assert len(numbers) - len(self.acknowledged) in {0, 1}  # the save that is under way

    async def _history(self) -> dict[int, int]:
        numbers: dict[int, int] = {}
        cursor = None
        while True:
            found = (await self._ask(HISTORY, id=self.workflow, after=cursor))["workflow"]
            page = found["versions"]
            numbers |= {edge["node"]["version"]: number(edge["node"]["state"]) for edge in page["edges"]}
            cursor = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                assert numbers[found["version"]] == number(found["state"])
                return numbers

    async def _ask(self, query: str, **variables: object) -> dict[str, Any]:
        """Run an operation. Raises ConnectionError where the server could not do it now."""
        response = await self.client.post("/graphql", json={"query": query, "variables": variables}, timeout=30)
        answer = response.json()
        if "errors" in answer:
            raise ConnectionError(answer["errors"])
        data = answer["data"]
        assert isinstance(data, dict)
        return data


def document(number: int) -> dict[str, Any]:
    return {"blocks": {"typed": {"text": "x" * 500, "number": number}}, "edges": []}


def number(document: dict[str, Any]) -> int:
    found = document["blocks"]["typed"]["number"]
    assert isinstance(found, int)
    return found
