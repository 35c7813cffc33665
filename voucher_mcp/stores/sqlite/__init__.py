"""A store in one SQLite file, which many processes share."""
