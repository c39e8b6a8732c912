"""Documents that meet in a merge: a base and what was made of it, often at the same places, with all that is odd."""

from typing import Any

from hypothesis.strategies import SearchStrategy

from merge.three_way import SKIPPED_LEVELS
from tests.merge.dice import Dice, dice

Value = Any
Document = dict[str, Any]

KEYS = ["a", "b", "", "é", "id", "nodes", "loops", "lastSaved", "__proto__"]
IDS = ["1", "2", "3", "4", "é", " "]
SCALARS = [0, 1, True, False, None, "", "x", 1.0, 2**53, -0.0, "1", "\n🙂"]
DEEPEST = 4

_BEGINNINGS: list[list[Value]] = [[], [{"id": "1"}, {"id": "1"}], [{"id": ""}], [[1], {}]]


def documents(dice: Dice) -> Document:
    return _object(dice, 0) | {"a": _object(dice, 1), "b": _items(dice, 1)}


def _object(dice: Dice, level: int) -> Document:
    return {key: _value(dice, level + 1) for key in dice.sample(KEYS, 4)}


def _value(dice: Dice, level: int) -> Value:
    kinds = [_scalar] if level >= DEEPEST else [_scalar, _object, _object, _object, _items, _items, _texts, _anything]
    return dice.pick(kinds)(dice, level)


def _scalar(dice: Dice, _: int) -> Value:
    return dice.pick(SCALARS)


def _items(dice: Dice, level: int) -> Value:
    """Make a list of items by id."""
    return [_object(dice, level + 1) | {"id": key} for key in dict.fromkeys(dice.sample(IDS, 4))]


def _texts(dice: Dice, _: int) -> Value:
    return dice.sample(IDS, 3)


def _anything(dice: Dice, level: int) -> Value:
    """Make a list of whatever, now and then with one id twice."""
    return [*dice.pick(_BEGINNINGS), _value(dice, level + 1)]


def edited(dice: Dice, document: Document) -> Document:
    """Edit a document here and there; it stays as it is."""
    return _edited_object(dice, document, 0)


def _edited(dice: Dice, value: Value, level: int) -> Value:
    if dice.number(10) == 1:
        return _value(dice, level)
    if isinstance(value, dict):
        return _edited_object(dice, value, level)
    if isinstance(value, list):
        return _edited_list(dice, value, level)
    return dice.pick(SCALARS)


def _edited_object(dice: Dice, members: Document, level: int) -> Document:
    kept = {key: _maybe_edited(dice, member, level + 1) for key, member in members.items() if dice.number(8) != 1}
    added = {key: _value(dice, level + 1) for key in dice.sample(KEYS, 1)}
    return kept | added


def _edited_list(dice: Dice, items: list[Value], level: int) -> list[Value]:
    kept = [_with_its_id(item, _maybe_edited(dice, item, level + 1)) for item in items if dice.number(8) != 1]
    known = {item["id"] for item in kept if isinstance(item, dict) and isinstance(item.get("id"), str)}
    kept += dice.pick([[], [], [{"id": key} for key in IDS[2:4] if key not in known], ["1"], [{"id": "4"}]])
    return dice.shuffled(kept) if dice.number(3) == 1 else kept


def _maybe_edited(dice: Dice, value: Value, level: int) -> Value:
    return _edited(dice, value, level) if dice.number(2) else value


def _with_its_id(item: Value, edited: Value) -> Value:
    """Keep the id of an edited item, or the lists would hardly ever stay keyed."""
    if isinstance(item, dict) and "id" in item and isinstance(edited, dict):
        return edited | {"id": item["id"]}
    return edited


def _meeting(dice: Dice) -> list[Document]:
    """Make a base, yours and theirs; now and then one of them has little to do with the base."""
    base = documents(dice)
    yours, theirs = edited(dice, base), edited(dice, base)
    sides = dice.pick([[yours, theirs], [yours, theirs], [documents(dice), theirs], [yours, documents(dice)]])
    levels = dice.pick([0, 0, SKIPPED_LEVELS])
    return [_lowered(document, levels) for document in (base, *sides)]


def _lowered(document: Document, levels: int) -> Document:
    return {"down": _lowered(document, levels - 1), "beside": levels} if levels else document


MEETINGS: SearchStrategy[list[Document]] = dice(600).map(_meeting)
