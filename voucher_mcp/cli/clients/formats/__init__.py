"""The formats of clients' files: each reads a text, and adds to it without touching the rest."""
