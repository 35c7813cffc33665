"""`voucher-mcp journal` and `undo`: what was written, and taking it back."""
