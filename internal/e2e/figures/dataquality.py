"""What is odd about statements."""

import re

from samples import rate
from times import milliseconds


def data_quality(view):
    """What section 0 and 1 flag and this data has."""
    tests = {
        "clock-skew": lambda e: e.skewed,
        "long-ago": lambda e: e.t < milliseconds("2000-01-01T00:00:00Z"),
        "inconsistent-result": lambda e: e.inconsistent,
        "score-derived": lambda e: e.score is not None and not e.result["score"].keys() & {"scaled", "min"},
        "duration-in-months": lambda e: re.match("P[^T]*[YM]", e.result.get("duration", "")),
        "groupings-cut": lambda e: e.cut,
        "unattributed": lambda e: e.learner is None,
    }
    inside, rows = view.inside(view.all), {"number-left-out": {}}  # of which kinds there are too many
    for flag, test in tests.items():
        mine = [e for e in inside if test(e)]
        rows[flag] = {"statements": len(mine), "learners": len({e.learner for e in mine} - {None}), **rate("share", len(mine), len(inside))}
    return rows
