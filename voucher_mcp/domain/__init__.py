"""Nouns and rules of the voucher world, without any input or output."""
