"""What the bundle starts: `voucher-mcp`, from the folder beside this file."""

import sys

from voucher_mcp.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["serve"]))
