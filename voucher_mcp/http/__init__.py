"""The server over HTTP: who may speak to it, sessions, health, and how it starts and ends."""
