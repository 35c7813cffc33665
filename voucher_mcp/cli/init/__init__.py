"""`voucher-mcp init`: a first configuration, by asking."""
