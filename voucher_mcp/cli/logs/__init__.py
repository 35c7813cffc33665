"""Where logs go, and how their lines are written."""
