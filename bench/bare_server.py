"""A server of fifteen small typed tools as the SDK's tutorial writes one; it does nothing, and is a floor."""

from mcp.server import MCPServer


def list_pools(skip: int = 0, limit: int = 20) -> list[str]:
    """List the pools."""
    return []


def get_pool(pool_id: str) -> dict[str, str]:
    """Get a pool."""
    return {"id": pool_id}


def create_pool(name: str, discount: int = 10) -> dict[str, str]:
    """Create a pool."""
    return {"name": name}


def update_pool(pool_id: str, name: str | None = None, active: bool | None = None) -> dict[str, str]:
    """Change a pool."""
    return {"id": pool_id}


def delete_pool(pool_id: str) -> int:
    """Delete a pool."""
    return 0


def list_codes(pool_id: str, skip: int = 0, count: int = 20, status: str | None = None) -> list[str]:
    """List codes."""
    return []


def add_codes(pool_id: str, codes: list[str]) -> int:
    """Add codes."""
    return len(codes)


def delete_codes(pool_id: str, codes: list[str]) -> int:
    """Delete codes."""
    return len(codes)


def assign_code(pool_id: str, customer_id: str) -> dict[str, str]:
    """Assign a code."""
    return {"customer_id": customer_id}


def get_voucher(code: str) -> dict[str, str]:
    """Get a voucher."""
    return {"code": code}


def list_vouchers(limit: int = 10, page: int = 1, order: str | None = None) -> list[str]:
    """List vouchers."""
    return []


def enable_voucher(code: str) -> bool:
    """Enable a voucher."""
    return True


def disable_voucher(code: str) -> bool:
    """Disable a voucher."""
    return True


def validate_voucher(code: str, amount: int | None = None) -> bool:
    """Validate a voucher."""
    return True


def redeem_voucher(code: str, amount: int | None = None, customer_id: str | None = None) -> bool:
    """Redeem a voucher."""
    return True


def bare() -> MCPServer:
    """The server."""
    server = MCPServer("bare", log_level="ERROR")
    for tool in (
        list_pools,
        get_pool,
        create_pool,
        update_pool,
        delete_pool,
        list_codes,
        add_codes,
        delete_codes,
        assign_code,
        get_voucher,
        list_vouchers,
        enable_voucher,
        disable_voucher,
        validate_voucher,
        redeem_voucher,
    ):
        server.tool()(tool)
    return server


def main() -> None:
    """Serve on standard input and output."""
    bare().run()


if __name__ == "__main__":
    main()
