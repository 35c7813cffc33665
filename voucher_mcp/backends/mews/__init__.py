"""Mews: pools are vouchers there, over its Connector API."""
