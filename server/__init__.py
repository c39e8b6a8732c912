"""How the product runs: the ASGI app put together, transports, settings, command line, embedded Postgres."""
