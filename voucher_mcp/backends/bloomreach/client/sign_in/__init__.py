"""Signing in at the vendor: a person does it once in a browser, and requests bear what came of it."""
