"""The vendor's words and ours: bodies, objects and failures."""
