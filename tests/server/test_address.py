"""Where the server listens."""

import socket

import pytest

from server import address
from server.refusal import RefusedError


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("localhost", "127.0.0.1")])
def test_an_address_is_shown_as_browsers_take_it(host: str, shown: str) -> None:
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("This machine has no IPv6.")
    with address.listening(host, 0) as listener:
        assert address.url(listener) == f"http://{shown}:{listener.getsockname()[1]}"


def test_a_port_that_was_in_use_a_moment_ago_is_free() -> None:
    with address.listening("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = listener.accept()
            accepted.close()  # the server's side closes first, and waits for stray packets from now on
    with address.listening("127.0.0.1", port):
        pass


def test_a_port_that_only_root_may_use_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> socket.socket:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    told = "this user may not use the port; choose one above 1023 with --port"
    with pytest.raises(RefusedError, match=told), address.listening("127.0.0.1", 80):
        pytest.fail("it is refused")
