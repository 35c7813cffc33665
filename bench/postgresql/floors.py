"""Floors for writes on PostgreSQL: what the engine's call writes, as one statement that pgbench repeats.

Nothing looks, decides or answers: each statement takes the next row by its number. The tables are ours.
"""

from pathlib import Path
from typing import Final

_KEPT: Final = """
line AS (
    INSERT INTO audit (at, project, caller, tool, digest, key, outcome, subject)
    SELECT 0, 1, 'bench', '{tool}', repeat('d', 64), 'floor ' || n, 'success', 'code' FROM used
), kept AS (
    INSERT INTO writes (project, caller, key, digest, result, created_at, line)
    SELECT 1, 'bench', 'floor ' || n, repeat('d', 64), repeat('x', {result}), 0, n FROM used
)
SELECT n FROM used;
"""

_REDEEM: Final = """
WITH used AS (
    UPDATE vouchers SET redeemed_quantity = redeemed_quantity + 1, status = 2, redeemed_at = 0,
        updated_at = 0, version = version + 1
    WHERE project = 1 AND n = (SELECT nextval('floor_n')) AND status = 0 RETURNING n
), moved AS (
    INSERT INTO code_moves (project, pool, block, available, assigned, redeemed)
    SELECT 1, 1, n >> 13, -1, 0, 1 FROM used
), row AS (
    INSERT INTO redemptions (project, voucher, pool, tracking_id, body, created_at)
    SELECT 1, n, 1, 'floor ' || n, repeat('x', 290), 0 FROM used
),
""" + _KEPT.format(tool="redeem_vouchers", result=1_100)

_ASSIGN: Final = """
WITH used AS (
    UPDATE vouchers SET status = 1, holder = 'floor', assigned_at = 0, updated_at = 0, version = version + 1
    WHERE project = 1 AND status = 0 AND n = (
        SELECT n FROM vouchers
        WHERE project = 1 AND (pool, status, n) >= (1, 0, 0) AND (pool, status, n) < (1, 1, 0) AND active
        ORDER BY pool, status, n LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING n
), moved AS (
    INSERT INTO code_moves (project, pool, block, available, assigned, redeemed)
    SELECT 1, 1, n >> 13, -1, 1, 0 FROM used
), held AS (
    INSERT INTO holders (project, customer, voucher, role, created_at)
    SELECT 1, 'floor', n, 'OWNER', 0 FROM used
),
""" + _KEPT.format(tool="assign_voucher_code", result=200)

_HOT: Final = """
UPDATE vouchers SET redeemed_quantity = redeemed_quantity + 1, updated_at = 0, version = version + 1
WHERE project = 1 AND n = 1;
"""

_SCRIPTS: Final = {"redeem": _REDEEM, "assign": _ASSIGN, "hot": _HOT}


def script(folder: Path, name: str) -> Path:
    """The file that pgbench reads; the sequence `floor_n` has to be there."""
    file = folder / f"{name}.sql"
    file.write_text(_SCRIPTS[name].strip().replace("\n", " ") + "\n", encoding="utf-8")
    return file
