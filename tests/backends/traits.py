"""What the systems behind the backends are like, beyond which methods they serve."""

from collections.abc import Mapping

LOCAL, VOUCHERIFY, MEWS, BLOOMREACH = "local", "voucherify", "mews", "bloomreach"

TRAITS: Mapping[str, frozenset[str]] = {
    # pools say how many codes are available, and the list of pools says how many there are
    "counts": frozenset({LOCAL, VOUCHERIFY, BLOOMREACH}),
    # pools and codes come in the order in which they were added; elsewhere the newest first
    "ordered": frozenset({LOCAL, VOUCHERIFY, BLOOMREACH}),
    # a list of codes goes on for as long as there are codes
    "deep": frozenset({LOCAL, VOUCHERIFY, MEWS, BLOOMREACH}),
    # a code is available, assigned or redeemed
    "statuses": frozenset({LOCAL, VOUCHERIFY, BLOOMREACH}),
    # codes have ids
    "ids": frozenset({LOCAL, VOUCHERIFY, MEWS}),
    # which mean the same in either case
    "caseless ids": frozenset({MEWS}),
    # codes can be asked for by when they last changed
    "windows": frozenset({LOCAL, VOUCHERIFY, MEWS}),
    # a code or name may be a path's own: `.` and `..`
    "dots": frozenset({LOCAL, MEWS, BLOOMREACH}),
    # a pool has a template in the common language and dates, and can be paused
    "terms": frozenset({LOCAL, VOUCHERIFY}),
    "renames": frozenset({LOCAL, MEWS}),
    # the text of a deleted code stays taken
    "remembers": frozenset({LOCAL, VOUCHERIFY}),
    # the name of a deleted pool does not
    "frees_names": frozenset({LOCAL, MEWS}),
    # what was deleted is in no list
    "forgets": frozenset({LOCAL, VOUCHERIFY}),
    # a dry run knows what only the system could say: ids, and which code would be next
    "foresees": frozenset({LOCAL}),
    # it tells what a vendor keeps to itself, such as reservations, or the line that a balance was changed by
    "tells": frozenset({LOCAL}),
    # it is reached over a network, and an answer can be lost on the way
    "vendor": frozenset({VOUCHERIFY, MEWS, BLOOMREACH}),
}
"""Which backends have what a test can need."""

ALL = frozenset(TRAITS)


def traits_of(backend: str) -> frozenset[str]:
    """Everything that a backend has of this."""
    return frozenset(name for name, backends in TRAITS.items() if backend in backends)
