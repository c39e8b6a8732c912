"""The steps that a piece of Python takes, which are the same on every machine: the instructions of the interpreter."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def count(work: Callable[[], object]) -> int:
    """Count the instructions that some work takes. A call of what is written in C counts as one."""
    counted = 0

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any]:
        nonlocal counted
        frame.f_trace_opcodes = True
        counted += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return counted
