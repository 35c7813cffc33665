"""Pools and the codes in them."""
