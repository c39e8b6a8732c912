"""One module for each step of the database, in order of date."""
