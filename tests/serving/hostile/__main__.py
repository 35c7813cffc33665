"""`python -m tests.serving.hostile [--requests N] [--seed N]`: hostile requests against two workers."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.serving.hostile.siege import siege


def main() -> None:
    """Fail where one was answered wrongly, or left something behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.serving.hostile")
    parser.add_argument("--requests", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seconds = asyncio.run(siege(Path(folder), given.requests, given.seed))
    sys.stdout.write(
        f"{given.requests:,} hostile requests in {seconds:.1f} s, and the server answers as before\n"
    )


if __name__ == "__main__":
    main()
