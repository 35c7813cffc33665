"""A voucher's code as a picture that a till or a phone scans: what it reads is the code, letter by letter."""

import struct
import zlib
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from voucher_mcp.domain.errors import InvalidInput

Kind = Literal["qr", "ean13", "code128"]

QUIET: Final = {"qr": (4, 4), "ean13": (11, 7), "code128": (10, 10)}
"""White modules at the left and the right, as the standards ask for (ISO/IEC 18004, GS1's specifications)."""
LONGEST_BARCODE: Final = 80
"""Letters; more of them are wider than scanners read (ours)."""
_FLATNESS: Final = 3
"""A barcode is so many times as wide as it is high (ours)."""
_QR_BYTES: Final = 2_331
"""What the largest QR code holds at the level M of error correction."""


class Picture(NamedTuple):
    """A PNG in black and white."""

    png: bytes
    width: int
    height: int
    """Pixels."""


def draw(code: str, kind: Kind, size: int) -> Picture:
    """The code as a picture of about so many pixels in width, never of less than one a module.

    Raises:
        InvalidInput: this kind cannot hold the code.
    """
    rows = _rows(code, kind)
    width = len(rows[0])
    scale = max(1, size // width)
    repeats = scale if kind == "qr" else max(1, width * scale // _FLATNESS)
    wide = [bytes(module for module in row for _ in range(scale)) for row in rows]
    return _png([row for row in wide for _ in range(repeats)])


def modules(code: str, kind: Kind) -> list[str]:
    """The code as rows of modules, 0 is white and 1 black, with the white around it; a barcode is one row.

    Raises:
        InvalidInput: this kind cannot hold the code.
    """
    return ["".join(map(str, row)) for row in _rows(code, kind)]


def _rows(code: str, kind: Kind) -> list[bytes]:
    left, right = QUIET[kind]
    rows = [bytes(left) + row + bytes(right) for row in (_qr(code) if kind == "qr" else [_bars(code, kind)])]
    if kind == "qr":
        white = bytes(len(rows[0]))
        rows = [white] * left + rows + [white] * right
    return rows


def _qr(code: str) -> list[bytes]:
    import segno  # only who asks for a picture waits for it

    if len(code.encode()) > _QR_BYTES:
        raise InvalidInput("This code is too long for a QR code.", field="kind")
    encoding = None if code.isascii() else "utf-8"  # said in it, so that no scanner has to guess
    return [
        bytes(row)
        for row in segno.make_qr(code, error="m", encoding=encoding, eci=encoding is not None).matrix
    ]


def _bars(code: str, kind: Kind) -> bytes:
    from barcode.codex import Code128
    from barcode.ean import EuropeanArticleNumber13

    if kind == "ean13":
        digits = code.isascii() and code.isdecimal() and len(code) == 13
        if not digits or (found := EuropeanArticleNumber13(code)).get_fullcode() != code:
            raise InvalidInput(
                "An EAN-13 barcode holds 13 digits, the last of which checks the others. This is none. "
                "Use code128 or qr.",
                field="kind",
            )
    elif not code.isascii() or not code.isprintable() or len(code) > LONGEST_BARCODE:
        raise InvalidInput(
            f"A Code 128 barcode holds up to {LONGEST_BARCODE} plain letters, digits and signs (ASCII). This "
            "code has more, or others. Use qr.",
            field="kind",
        )
    else:
        found = Code128(code)
    (modules,) = found.build()
    return bytes(module == "1" for module in modules)


def _png(rows: Sequence[bytes]) -> Picture:
    """Rows of modules, 1 is black, as a PNG of one bit a pixel (ISO/IEC 15948)."""
    width, height = len(rows[0]), len(rows)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    lines = b"".join(b"\0" + _packed(row) for row in rows)
    png = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines, 9))
    return Picture(png + _chunk(b"IEND", b""), width, height)


def _packed(row: bytes) -> bytes:
    """Eight pixels a byte; in a PNG 1 is white."""
    padded = row + bytes(-len(row) % 8)
    bits = "".join("0" if module else "1" for module in padded)
    return int(bits, 2).to_bytes(len(padded) // 8)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
