"""`python -m voucher_mcp` is `voucher-mcp`."""

import sys

from voucher_mcp.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
