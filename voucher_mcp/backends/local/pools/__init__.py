"""Pools on the embedded engine, and the codes in them."""
