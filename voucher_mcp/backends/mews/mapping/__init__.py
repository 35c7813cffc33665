"""The vendor's words and ours: objects, ids, times and failures."""
