"""Answers as bytes."""

import orjson
import pytest

from server import responses


def test_what_is_json_already_goes_into_an_answer_as_it_is() -> None:
    assert responses.encode({"data": {"state": orjson.Fragment(b'{"n": 1.0}')}}) == b'{"data":{"state":{"n": 1.0}}}'


def test_half_a_surrogate_pair_becomes_a_question_mark_whatever_stands_beside_it() -> None:
    answer = {"state": orjson.Fragment('{"é": [1.0]}'.encode()), "message": "\ud800"}
    assert responses.encode(answer) == '{"state":{"é":[1.0]},"message":"?"}'.encode()


def test_what_is_no_json_is_a_fault() -> None:
    with pytest.raises(TypeError):
        responses.encode({"data": b"bytes"})
