"""Pools, which are Mews vouchers, and their codes."""
