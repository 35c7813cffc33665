"""Pools, which are campaigns, and their codes."""
