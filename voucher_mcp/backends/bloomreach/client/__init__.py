"""Asking the vendor: its MCP session, its catalogue of tools, and lists read page by page."""
