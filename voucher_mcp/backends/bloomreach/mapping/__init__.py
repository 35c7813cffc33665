"""The vendor's words and ours: answers, objects and failures."""
