"""How workflows are stored: models, every SQL statement, the journal, announcements."""
