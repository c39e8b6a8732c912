"""Looking at what Postgres plans to do."""

import json
from collections.abc import Iterator
from typing import Any

from db.database import Connection

Node = dict[str, Any]


async def explain(connection: Connection, statement: str, arguments: list[object]) -> list[Node]:
    """Give the nodes of the plan of a statement."""
    plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *arguments)
    return list(_nodes(json.loads(plan)[0]["Plan"]))


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def indexes(nodes: list[Node]) -> set[str]:
    """Give the names of the indexes that a plan uses."""
    return {node["Index Name"] for node in nodes if "Index Name" in node}


def scanned(nodes: list[Node]) -> set[str]:
    """Give the names of the tables that a plan reads from end to end."""
    return {node["Relation Name"] for node in nodes if node["Node Type"].endswith("Seq Scan")}
