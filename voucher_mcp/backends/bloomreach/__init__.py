"""Bloomreach Engagement: pools to read, over its own MCP server."""
