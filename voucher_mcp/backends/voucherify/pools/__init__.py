"""Pools, which are campaigns, and the codes in them."""
