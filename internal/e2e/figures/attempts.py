"""Attempts (0.7) and what is told of them (section 3)."""

from samples import grouped, median, rate
from times import DAY


class Attempt:
    def __init__(self, events):
        self.events = events
        self.learner, self.content, self.kind, self.registration = events[0].learner, events[0].content, events[0].kind, events[0].registration
        started = [e for e in events if "started" in e.classes]
        others = [e for e in events if e.classes - {"launched"}]
        self.start = (started or others or [None])[0]
        self.first = self.start or events[0]  # by which it belongs to a period
        self.moment, self.day = self.first.t, self.first.day
        self.completed = next((e for e in events if "completed" in e.classes), None)
        self.waived = any("waived" in e.classes for e in events)
        scored = [e.score for e in events if e.score is not None]
        self.score = scored[-1] if scored else None
        self.judgements = [("passed" in e.classes) for e in events if e.classes & {"passed", "failed"}]
        self.passed = self.judgements[-1:] == [True]

    def completed_within(self, days):
        return self.completed is not None and self.completed.t - self.start.t <= days * DAY


def attempts_of(events):
    """The attempts of ordered events (0.7): one per registration; without one a new attempt begins where, after an end of the
    current one (completed, passed or failed), it is started again."""
    attempts = []
    mine_of = grouped((e for e in events if e.content is not None), lambda e: (e.learner, e.content, e.registration))
    for (_, _, registration), mine in mine_of.items():
        if registration is not None:
            attempts.append(Attempt(mine))
            continue
        current, over = [], False
        for event in mine:
            if over and "started" in event.classes:
                attempts.append(Attempt(current))
                current, over = [], False
            current.append(event)
            over = over or bool(event.classes & {"completed", "passed", "failed"})
        attempts.append(Attempt(current))
    return attempts


def attempt_counts(attempts):
    """M20 to M22 and M24."""
    started = [a for a in attempts if a.start]
    rated = [a for a in started if not a.waived]
    completed = [a for a in rated if a.completed]
    cells = {"starts": len(started), "completions": len(completed), **rate("completionRateSoFar", len(completed), len(rated))}
    judged = [a for a in attempts if a.judgements and not a.waived]
    return cells | rate("passRate", sum(a.judgements[-1] for a in judged), len(judged))


def matured(attempts, now):
    """M23: the attempts that started at least 30 days ago, and those of them that were completed within 30 days."""
    old = [a for a in attempts if a.start and not a.waived and a.start.t <= now - 30 * DAY]
    return old, [a for a in old if a.completed_within(30)]


def attempt_figures(attempts, times, now):
    """M20 to M29 of attempts."""
    cells = attempt_counts(attempts) | {"waived": sum(a.waived for a in attempts)}
    old, in_time = matured(attempts, now)
    cells |= rate("completionRate", len(in_time), len(old))
    first = {}
    for a in sorted((a for a in attempts if a.judgements and not a.waived), key=lambda a: (a.moment, a.events[0].order())):
        first.setdefault((a.learner, a.content), a)
    cells |= rate("firstPassRate", sum(a.judgements[-1] for a in first.values()), len(first))
    cells |= median("score", [s / 10_000 for s in first_scores(attempts)])
    cells |= median("timeToComplete", elapsed(in_time))
    spent = [times[a] for a in attempts if a in times and not a.waived]
    return cells | {"activeTime": sum(spent) if spent else None, **median("activeTimeMedian", spent)}


def elapsed(in_time):
    """M28 in seconds."""
    return [(a.completed.t - a.start.t) / 1000 for a in in_time if a.completed.t >= a.start.t]


def first_scores(attempts):
    """M26: of each learner's first scored attempt per content, in millionths."""
    first = {}
    for a in sorted((a for a in attempts if a.score is not None and not a.waived), key=lambda a: (a.moment, a.events[0].order())):
        first.setdefault((a.learner, a.content), a.score)
    return list(first.values())
