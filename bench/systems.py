"""What is measured: each system, how it is started, and how it is asked for the same things."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bench.documents import Subject
from bench.feeds import Feed, GraphQL, Yjs
from bench.requests import Request, graphql

Ask: TypeAlias = Callable[[Subject], list[Request]]  # one request for each spot that changes in turn

HERE = Path(__file__).parent
PEERS = HERE / "peers"
NODE = PEERS / "node_modules" / "node" / "bin" / "node"
PAGE = 20  # workflows of a list


@dataclass(frozen=True, slots=True)
class System:
    """A server, and what it can be asked for."""

    name: str
    title: str
    command: tuple[str, ...]
    asks: Mapping[str, Ask]  # by workload
    scripts: tuple[Path, ...] = (PEERS / "tables.sql",)  # what makes its tables; ours has migrations
    table: str | None = "workflow"  # where versions are
    feed: Feed | None = None  # how one hears of saves
    http: bool = True


def _whole(query: str, expected: str = '"version":') -> Ask:
    return lambda subject: (
        [graphql(query, b'{"id":"\x01id\x01","state":%b}' % subject.text, expected)] * len(subject.spots)
    )


def _read(query: str) -> Ask:
    return lambda _: [graphql(query, b'{"id":"\x01id\x01"}', "")]


def _list(query: str) -> Ask:
    return lambda _: [graphql(query, b"{}", '"version":')]


def _rest_whole(subject: Subject) -> list[Request]:
    body = b'{"id":"\x01id\x01","state":%b}' % subject.text
    return [Request("/api/workflows/sync", body, '"version":')] * len(subject.spots)


def _told(subject: Subject) -> list[Request]:
    """Save the whole document, with what the subscribers of Yoga are to be told."""
    query = (
        "mutation Save($id: ID!, $state: JSON!, $changes: JSON) "
        "{ saveWorkflow(id: $id, state: $state, changes: $changes) { id version updatedAt } }"
    )
    variables = b'{"id":"\x01id\x01","state":%b,%b}'
    return [
        graphql(query, variables % (subject.text, _moved(place, path)), '"version":')
        for place, path in enumerate(subject.spots)
    ]


OUR_SAVE = "mutation Save($input: SyncWorkflowInput!) { syncWorkflow(input: $input) { status version savedAt } }"
OUR_INPUT = (
    b'{"input":{"id":"\x01id\x01",%b,'
    b'"baseVersion":\x01base\x01,"clientId":"\x01client\x01","sequence":\x01sequence\x01}}'
)
STORED = '"status":"[SM]'  # SAVED, or MERGED with a save that was on its way when the run before ended


def _our_whole(subject: Subject) -> list[Request]:
    return [graphql(OUR_SAVE, OUR_INPUT % (b'"state":%b' % subject.text), STORED)] * len(subject.spots)


def _our_delta(subject: Subject) -> list[Request]:
    return [graphql(OUR_SAVE, OUR_INPUT % _moved(place, path), STORED) for place, path in enumerate(subject.spots)]


def _moved(place: int, path: tuple[str, ...]) -> bytes:
    steps = ",".join(f'"{step}"' for step in path)
    return f'"changes":[{{"path":[{steps}],"value":\x01x{place}\x01}}]'.encode()


def _peer(file: str) -> tuple[str, ...]:
    return (str(NODE), str(PEERS / file))


OURS = System(
    "ours",
    "Workflow Sync",
    (str(Path(sys.executable).parent / "workflow-sync"), "serve"),
    {
        "whole": _our_whole,
        "delta": _our_delta,
        "read": _read("query Read($id: ID!) { workflow(id: $id) { id version state } }"),
        "list": _list(f"{{ workflows(first: {PAGE}) {{ edges {{ node {{ id name version savedAt }} }} }} }}"),
        "fanout": lambda subject: [request.taken() for request in _our_delta(subject)],
    },
    scripts=(),
    table="workflows",
    feed=GraphQL(
        "subscription Saved($id: ID!, $since: Int) "
        "{ workflowSaved(id: $id, sinceVersion: $since) { version savedBy changes { path value } } }"
    ),
)
MERCURIUS = System(
    "mercurius",
    "Mercurius + JIT + pg",
    _peer("mercurius.js"),
    {
        "whole": _whole(
            "mutation Save($id: ID!, $state: JSON!) { saveWorkflow(id: $id, state: $state) { id version savedAt } }"
        ),
        "read": _read("query Read($id: ID!) { workflow(id: $id) { id version state } }"),
        "list": _list(f"{{ workflows(first: {PAGE}) {{ id name version savedAt }} }}"),
    },
)
SEED = System(
    "seed",
    "Node http + zod + Drizzle",
    _peer("seed.js"),
    {
        "whole": _rest_whole,
        "read": lambda _: [Request("/api/workflows/sync/\x01id\x01", b"", "", method="GET")],
        "list": lambda _: [Request("/api/workflows/sync", b"", '"version":', method="GET")],
    },
)
YOGA = System(
    "yoga",
    "GraphQL Yoga + Drizzle",
    _peer("yoga.js"),
    {
        "whole": _whole(
            "mutation Save($id: ID!, $state: JSON!) { saveWorkflow(id: $id, state: $state) { id version updatedAt } }"
        ),
        "read": _read("query Read($id: ID!) { workflow(id: $id) { id version state } }"),
        "list": _list(f"{{ workflows(first: {PAGE}) {{ id name version updatedAt }} }}"),
        "fanout": _told,
    },
    feed=GraphQL(
        "subscription Saved($id: ID!) { workflowSaved(id: $id) { version savedBy changes } }",
        query="query Read($id: ID!) { workflow(id: $id) { version state } }",
    ),
)
POSTGRAPHILE = System(
    "postgraphile",
    "PostGraphile 5",
    _peer("postgraphile.js"),
    {
        "whole": _whole(
            "mutation Save($id: String!, $state: JSON!) "
            "{ saveWorkflow(input: {id: $id, state: $state}) { result { rowId version updatedAt } } }"
        ),
        "read": _read("query Read($id: String!) { workflowByRowId(rowId: $id) { rowId version state } }"),
        "list": _list(
            f"{{ allWorkflows(first: {PAGE}, orderBy: UPDATED_AT_DESC) "
            "{ nodes { rowId name version updatedAt } } }"
        ),
    },
    scripts=(PEERS / "tables.sql", PEERS / "postgraphile.sql"),
)
HOCUSPOCUS = System(
    "hocuspocus",
    "Hocuspocus (1 process)",
    _peer("hocuspocus.js"),
    {"fanout": lambda _: []},
    scripts=(PEERS / "hocuspocus.sql",),
    table=None,
    feed=Yjs(),
)
FLOOR = System(
    "floor",
    "asyncpg alone",
    (sys.executable, "-m", "bench.floor"),
    {"whole": lambda _: []},
    http=False,
)

SYSTEMS = {system.name: system for system in (OURS, MERCURIUS, SEED, YOGA, POSTGRAPHILE, HOCUSPOCUS, FLOOR)}
