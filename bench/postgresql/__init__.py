"""The engine on PostgreSQL, beside the database's own tools on the same tables and server."""
