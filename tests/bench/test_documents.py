"""The documents that are saved, and the requests that save them."""

import pytest

from bench import documents
from bench.requests import WIDTHS, Request, filled, message
from bench.systems import OURS, SYSTEMS
from merge import values

HOLES = {name: "1".ljust(width) for name, width in WIDTHS.items()}


@pytest.mark.parametrize("size", documents.SIZES)
def test_a_document_is_as_large_as_it_says(size: str) -> None:
    text = filled(documents.subject(size).text, HOLES)

    assert len(text) == pytest.approx(float(size) * 1000, rel=0.25)


@pytest.mark.parametrize("size", documents.SIZES)
def test_each_spot_of_a_document_is_a_place_where_a_block_stands(size: str) -> None:
    subject = documents.subject(size)
    numbers = {f"x{place}": str(900 + place) for place in range(len(subject.spots))}
    document = values.parse(filled(subject.text, numbers))

    for place, path in enumerate(subject.spots):
        value: object = document
        for key in path:
            if isinstance(value, list):
                value = next(item for item in value if item["id"] == key)
            else:
                assert isinstance(value, dict)
                value = value[key]
        assert value == 900 + place


@pytest.mark.parametrize("system", [system for system in SYSTEMS.values() if system.http])
def test_every_request_is_json_of_the_length_that_it_names(system: object) -> None:
    assert isinstance(system, type(OURS))
    for request in (request for ask in system.asks.values() for request in ask(documents.subject("9"))):
        head, _, body = filled(message(request, "localhost:1", "token"), HOLES).partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        assert request.method == "GET" or values.parse(body)


def test_a_hole_is_filled_wherever_it_stands() -> None:
    request = Request("/", b'{"id":"\x01id\x01","again":"\x01id\x01"}', "")

    assert filled(request.body, {"id": "a"}) == b'{"id":"a","again":"a"}'
