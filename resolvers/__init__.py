"""What each operation does: plain async functions over a Context; no GraphQL types, no SQL."""
