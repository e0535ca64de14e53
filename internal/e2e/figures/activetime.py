"""Active time of attempts (M29)."""

import math
from collections import defaultdict

from samples import grouped
from segments import added, estimated, length_of, lists_of, maximal_lists, seen
from sessions import active
from times import seconds


def active_times(attempts, events):
    """M29 in seconds of the attempts that have any."""
    lengths = {key: length_of(mine) for key, mine in grouped(events, lambda e: (e.learner, e.content)).items()}
    in_scope = defaultdict(list)
    for e in events:
        for scope in e.scopes:
            in_scope[e.learner, scope, e.registration].append(e)
    lists_before, times = defaultdict(list), {}
    for mine in grouped(attempts, lambda a: (a.learner, a.content, a.registration)).values():
        listed = any(lists_of(a.events, None) for a in mine)
        for i, attempt in enumerate(mine):
            under = in_scope[attempt.learner, attempt.content, attempt.registration]
            first = attempt.events[0].order() if i else (-math.inf,)
            until = mine[i + 1].events[0].order() if i + 1 < len(mine) else (math.inf,)
            under = [e for e in under if first <= e.order() < until] if len(mine) > 1 else under
            before = lists_before[attempt.learner, attempt.content] if attempt.registration is None else []
            times[attempt] = active_time(attempt, under, lengths[attempt.learner, attempt.content], before, listed)
    return {attempt: time for attempt, time in times.items() if time}


def active_time(attempt, events, length, before, listed):
    """M29 of one attempt, by the first that applies; events are its own and those of what is under it. before are the maximal lists of the
    attempts before it, and becomes those of this one too."""
    told = [(e, min(seconds(e.result["duration"]), 4 * 3600)) for e in events if "duration" in e.result]
    if any("ended" in e.classes for e, _ in told):  # (a)
        return longest((e.session or e.t, time) for e, time in told if "ended" in e.classes)
    if attempt.kind == "video":  # (b)
        time = watched_anew(attempt.events, length, before, listed)
        if time is not None:
            return time / 1000
    parents = {e.parent for e in events}
    leaves = [((e.content, e.t), time) for e, time in told if e.content not in parents]
    if leaves:  # (c)
        return longest(leaves)
    return active([e.t for e in events]) / 1000  # (d)


def longest(times):
    """The sum of the longest of each key."""
    best = {}
    for key, time in times:
        best[key] = max(best.get(key, 0), time)
    return sum(best.values())


def watched_anew(events, length, before, listed):
    """M41 in milliseconds of what the lists of these events add to the maximal lists of before (M40). None without lists and, where the
    registration has none (listed), without pairs of M49."""
    lists = lists_of(events, length)
    if not lists:
        return None if listed else seen([segment for segment, _ in estimated(events, length)]) or None
    time = seen(added(lists, before))
    before[:] = maximal_lists(before + lists)
    return time
