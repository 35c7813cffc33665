"""What customers hold, and who they are."""
