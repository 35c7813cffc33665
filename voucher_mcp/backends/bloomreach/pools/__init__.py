"""Pools and their codes."""
