"""Sessions (M10) and time without gaps (M29 d)."""

import math
from collections import defaultdict

from samples import grouped
from times import MINUTE


class Session:
    """M10: events of one learner, in order."""

    def __init__(self, events):
        self.events, self.learner, self.day = events, events[0].learner, events[0].day
        self.seconds = min(active([e.t for e in events]), 4 * 60 * MINUTE) / 1000
        self.span = events[-1].t - events[0].t


def sessions_of(events):
    """M10 of ordered events: two events are in one session if they follow each other within 30 minutes, or have one session id, or are
    connected by such."""
    sessions = []
    for mine in grouped(events, lambda e: e.learner).values():
        root = list(range(len(mine)))

        def find(i):
            while root[i] != i:
                root[i] = root[root[i]]
                i = root[i]
            return i

        by_id = {}
        for i, event in enumerate(mine):
            if i and event.t - mine[i - 1].t <= 30 * MINUTE:
                root[find(i)] = find(i - 1)
            if event.session is not None:
                root[find(i)] = find(by_id.setdefault(event.session, i))
        sessions += [Session([mine[i] for i in indices]) for indices in grouped(range(len(mine)), find).values()]
    return sessions


def active(times):
    """M29 (d) of moments in order, in milliseconds; a stretch without a gap counts 4 hours at most."""
    total = stretch = 0
    for gap in (b - a for a, b in zip(times, times[1:])):
        if gap > 30 * MINUTE:
            total, stretch = total + min(stretch, 240 * MINUTE), 0
        else:
            stretch += min(gap, 5 * MINUTE)
    return total + min(stretch, 240 * MINUTE)

SESSION_LENGTHS = {"below 1 min": 1, "1 to 5 min": 5, "05 to 15 min": 15, "15 to 30 min": 30, "30 to 60 min": 60, "60 min and more": math.inf}


def session_lengths(view):
    """M10 by how long sessions are from the first event to the last."""
    bins = defaultdict(list)
    for s in sessions_of(view.events):
        if s.day in view.days:
            bins[next(name for name, below in SESSION_LENGTHS.items() if s.span < below * MINUTE)].append(s)
    return {
        name: {"sessions": len(bins[name]), "learners": len({s.learner for s in bins[name]}), "statements": sum(len(s.events) for s in bins[name])}
        for name in SESSION_LENGTHS
    }
