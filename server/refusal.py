"""Why a command does not do what it was asked for, in a sentence for whoever typed it."""

import click


class RefusedError(click.ClickException):
    """The command cannot go on; its message says why, and how to mend it."""


class InvalidSettingsError(RefusedError):
    """Settings that cannot be used; the message has one sentence for each."""

    exit_code = 2
