"""Asking the vendor: sign-in, its MCP session, and lists read page by page."""
