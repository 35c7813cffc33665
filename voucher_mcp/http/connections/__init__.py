"""Connections: where they come from, whether requests arrive on them in time, and which worker has them."""
