"""The rows that the engine works with: read, made and counted, each kind in one place."""
