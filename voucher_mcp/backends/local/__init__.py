"""The embedded engine: no account, one file."""
