"""A real authorization server on loopback: Authlib's, with people who are signed in already."""
