"""A whole store from one database to another, of the same kind or of the other."""
