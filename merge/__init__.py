"""Workflow documents as values: parse, compare, diff, apply; pure, without I/O."""
