"""Voucherify: pools are campaigns there, over its REST API (https://docs.voucherify.io)."""
