"""How the requests of a session are answered, and what is kept for who lost an answer."""
