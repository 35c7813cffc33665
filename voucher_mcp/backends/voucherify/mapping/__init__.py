"""The vendor's words and ours: bodies that are sent, objects and failures that come back."""
