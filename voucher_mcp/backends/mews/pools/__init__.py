"""Pools, which are Mews vouchers, and the codes in them."""
