"""What happens now (M74 to M76)."""

import math
from collections import Counter

from samples import quantile
from times import MINUTE, moment


def live(store, as_of):
    """M74 to M76 at a moment, by when statements were stored, of the newest 1,000. Nothing is told of what they do not reach back to."""
    newest = sorted((e for e in store.events if e.stored is not None), key=lambda e: e.stored)[-1000:]
    since = newest[0].stored if len(newest) == 1000 else -math.inf
    this_minute = as_of // MINUTE * MINUTE
    minutes, rows = Counter(e.stored // MINUTE * MINUTE for e in newest), {}
    for minute in range(this_minute - 59 * MINUTE, this_minute + MINUTE, MINUTE):
        rows[moment(minute).replace(".000Z", "Z")] = {"statements": minutes[minute] if minute >= since else None}
    learners = {e.learner for e in newest if e.stored >= as_of - 5 * MINUTE} - {None}
    rows["now"] = {"learners": len(learners) if since <= as_of - 5 * MINUTE else None, "delayOf": len(newest)}
    if since == -math.inf:  # else which are the newest may hang on what was stored within one millisecond
        rows["now"]["delay"] = quantile(sorted((e.stored - e.t) / 1000 for e in newest), 0.5)
    return rows
