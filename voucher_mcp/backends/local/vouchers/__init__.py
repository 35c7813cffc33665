"""Vouchers on the embedded engine: their terms, their listing, what they hold."""
