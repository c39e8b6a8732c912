"""What the processes of the server write to stderr: only what somebody should look at, and when it happened."""

import logging


def configure() -> None:
    """Log warnings and errors, with the time and the process."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s [%(process)d]: %(message)s")
