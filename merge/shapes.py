"""The shapes of workflow documents that are recognised, and where their blocks are."""

from collections.abc import Iterator

from merge.changes import Path
from merge.values import Document, Value


def empties(base: Document, result: Document) -> bool:
    """Say whether a save that makes `result` of `base` loses everything that was drawn.

    It does when none of the base's blocks (or nodes) are left, or their map itself is gone; of several maps each that
    had blocks must keep one. Where there were no blocks, everything is lost when no top-level key is left.
    """
    drawn = {path: blocks for path, blocks in maps(base).items() if blocks}
    if not drawn:
        return bool(base) and not result
    left = maps(result)
    return any(blocks.isdisjoint(left.get(path, ())) for path, blocks in drawn.items())


def maps(document: Document) -> dict[Path, set[str]]:
    """Find the maps of blocks and the lists of nodes, at the top and one level down, with the ids in them."""
    owners: dict[Path, Document] = {(): document}
    owners |= {(key,): member for key, member in document.items() if isinstance(member, dict)}
    return {path: ids for where, owner in owners.items() for path, ids in _maps_of(where, owner)}


def _maps_of(path: Path, owner: Document) -> Iterator[tuple[Path, set[str]]]:
    blocks, nodes = owner.get("blocks"), owner.get("nodes")
    if isinstance(blocks, dict):
        yield from _recognised((*path, "blocks"), len(blocks), _block_ids(blocks))
    if isinstance(nodes, list):
        yield from _recognised((*path, "nodes"), len(nodes), _node_ids(nodes))


def _recognised(path: Path, members: int, ids: set[str]) -> Iterator[tuple[Path, set[str]]]:
    """Leave out what has members, but no objects among them: the `nodes` of a selection are names, not nodes."""
    if ids or not members:
        yield path, ids


def _block_ids(blocks: dict[str, Value]) -> set[str]:
    if {*map(type, blocks.values())} == {dict}:
        return set(blocks)
    return {key for key, block in blocks.items() if isinstance(block, dict)}


def _node_ids(nodes: list[Value]) -> set[str]:
    """Give the ids of nodes; one that has none goes by its place."""
    return {str(node.get("id", place)) for place, node in enumerate(nodes) if isinstance(node, dict)}
