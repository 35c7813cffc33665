"""Bloomreach Engagement, through its own MCP server."""
