"""Where the embedded engine keeps its rows."""
