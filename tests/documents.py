"""Workflow documents to test with: look-alikes of what editors save, of any size, and real ones where there are any."""

import os
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Protocol
from uuid import UUID

import pytest

from merge import values

Document = dict[str, Any]

WORDS = ["read", "the", "incoming", "mail,", "ask", "a", "model", '"why?"', "line\nbreak", "größer", "日本", "🙂"]


def _id(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def _text(random: Random, words: int) -> str:
    return " ".join(random.choices(WORDS, k=words))


def _position(random: Random) -> Document:
    return {"x": round(random.uniform(-2000, 2000), random.choice([0, 2, 14])), "y": random.randint(-2000, 2000)}


def sim(blocks: int, *, seed: int = 0) -> Document:
    """Make a document as Sim's editor saves it: a map of blocks, a list of edges, maps of loops and parallels."""
    random = Random(seed)
    ids = [_id(random) for _ in range(blocks)]
    edges = [_sim_edge(random, source, target) for source, target in pairwise(ids)]
    loop = _id(random)
    return {
        "blocks": {block: _sim_block(random, block) for block in ids},
        "edges": edges,
        "loops": {loop: {"id": loop, "nodes": ids[1:3], "iterations": 5, "loopType": "forEach", "enabled": True}},
        "parallels": {},
        "metadata": {"name": "look-alike", "description": None},
        "variables": {},
        "lastSaved": 1_700_000_000_000 + seed,
    }


def _sim_block(random: Random, block: str) -> Document:
    fields = random.sample(["model", "prompt", "timezone", "input", "code", "tools", "memory"], k=4)
    parameter = {"id": _id(random), "name": random.choice(WORDS), "type": "string", "collapsed": False}
    return {
        "id": block,
        "type": random.choice(["agent", "function", "condition", "api"]),
        "name": _text(random, 2),
        "position": _position(random),
        "enabled": random.random() < 0.9,
        "height": random.choice([0, 100, 114.5]),
        "subBlocks": {
            "inputFormat": {"id": "inputFormat", "type": "input-format", "value": [parameter]},
            **{field: {"id": field, "type": "long-input", "value": _text(random, 20)} for field in fields},
        },
        "outputs": {"files": {"type": "file[]"}, "input": {"type": "string"}},
        "data": {},
    }


def _sim_edge(random: Random, source: str, target: str) -> Document:
    return {"id": _id(random), "source": source, "target": target, "sourceHandle": "source", "type": "default"}


def flowise(nodes: int, *, seed: int = 0) -> Document:
    """Make a document as Flowise's editor saves it: lists of nodes and of edges."""
    random = Random(seed)
    ids = [f"{random.choice(['llm', 'tool', 'loop'])}Agentflow_{place}" for place in range(nodes)]
    return {
        "description": _text(random, 8),
        "usecases": ["look-alike"],
        "nodes": [_flowise_node(random, node) for node in ids],
        "edges": [_flowise_edge(source, target) for source, target in pairwise(ids)],
    }


def _flowise_node(random: Random, node: str) -> Document:
    names = random.sample(["model", "messages", "memory", "prompt", "tools"], k=3)
    parameters = [{"id": f"{node}-input-{name}", "label": name, "name": name, "rows": 4} for name in names]
    inputs = {"prompt": _text(random, 40), "messages": [{"role": "user", "content": _text(random, 10)}], "top": ""}
    data = {"id": node, "label": _text(random, 1), "version": 1.1, "inputParams": parameters, "inputs": inputs}
    return {"id": node, "position": _position(random), "data": data, "type": "agentFlow", "selected": False}


def _flowise_edge(source: str, target: str) -> Document:
    data = {"sourceColor": "#7EE787", "isHumanInput": False}
    return {"id": f"{source}-{target}", "source": source, "target": target, "data": data, "type": "agentFlow"}


def langflow(nodes: int, *, seed: int = 0) -> Document:
    """Make a document as Langflow's editor saves it: lists of nodes and of edges, one level down."""
    random = Random(seed)
    ids = [f"{random.choice(['Prompt', 'Agent', 'ChatInput'])}-{random.getrandbits(32):08x}" for _ in range(nodes)]
    return {
        "data": {
            "nodes": [_langflow_node(random, node) for node in ids],
            "edges": [_langflow_edge(source, target) for source, target in pairwise(ids)],
            "viewport": {"x": 1.5, "y": 0, "zoom": 0.7117640951110214},
        },
        "description": _text(random, 8),
        "endpoint_name": None,
        "id": _id(random),
        "is_component": False,
        "tags": [],
    }


def _langflow_node(random: Random, node: str) -> Document:
    code = "\n".join(_text(random, 12) for _ in range(10))
    template = {"code": {"type": "code", "value": code, "show": True}, "stream": {"type": "bool", "value": False}}
    data = {"id": node, "type": "Prompt", "node": {"template": template, "base_classes": ["Message"], "frozen": False}}
    return {"id": node, "position": _position(random), "data": data, "selected": False, "type": "genericNode"}


def _langflow_edge(source: str, target: str) -> Document:
    handle = f"{{œdataTypeœ:œMessageœ,œidœ:œ{source}œ}}"  # what Langflow writes in place of quotation marks
    data = {"sourceHandle": {"id": source, "output_types": ["Message"]}, "targetHandle": {"id": target}}
    return {"id": f"reactflow__edge-{source}{handle}-{target}", "source": source, "target": target, "data": data}


class Shape(Protocol):
    """Makes a look-alike with so many blocks or nodes, another one for each seed."""

    def __call__(self, parts: int, /, *, seed: int = 0) -> Document: ...


SHAPES: dict[str, Shape] = {"sim": sim, "flowise": flowise, "langflow": langflow}


def of_size(shape: Shape, size: int) -> Document:
    """Make a look-alike of at least `size` bytes as compact JSON, and not much more."""
    sample = 20
    parts = size * sample // len(values.dump(shape(sample)))
    while len(values.dump(document := shape(parts))) < size:
        parts += max(1, parts // 20)
    return document


def real() -> dict[str, Document]:
    """Read the real documents in the folder that WORKFLOW_DOCUMENTS names; none where it is not set."""
    folder = os.environ.get("WORKFLOW_DOCUMENTS")
    files = sorted(Path(folder).glob("*.json")) if folder else []
    return {file.stem: _read(file) for file in files}


def _read(file: Path) -> Document:
    """Read a document; in an export of Sim's it is a member."""
    document = values.parse(file.read_bytes())
    assert isinstance(document, dict)
    return document["state"] if file.stem.startswith("sim-") else document  # type: ignore[return-value]


_LOOK_ALIKES = [pytest.param(shape(12), id=f"{name} look-alike") for name, shape in SHAPES.items()]
_REAL = [pytest.param(document, id=name) for name, document in real().items()]
_NONE = pytest.param({}, id="real documents", marks=pytest.mark.skip(reason="WORKFLOW_DOCUMENTS names no documents"))

# For `pytest.mark.parametrize("document", EVERY_DOCUMENT)`; a test that changes one copies it first.
EVERY_DOCUMENT = [*_LOOK_ALIKES, *(_REAL or [_NONE])]
