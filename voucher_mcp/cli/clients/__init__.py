"""How MCP clients are told of this server: what each writes, and where."""
