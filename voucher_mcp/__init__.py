"""An MCP server through which an AI agent works with voucher pools, codes and vouchers."""

__version__ = "0.1.0"
