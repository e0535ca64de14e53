"""Reach and engagement (section 2)."""

from collections import defaultdict

from attempts import attempt_counts
from samples import grouped, rate
from sessions import sessions_of
from store import FILTERS
from times import ALWAYS, bucket, date_of, monday


def reach(view, at):
    """M01 to M05, M10 and M20 to M24 of what at tells a row of; at gives the row of a day, or None."""
    rows = defaultdict(lambda: {"statements": 0, "learners": 0, "new": 0, "returning": 0, "sessions": 0, "activeTime": 0})
    for row, mine in grouped(view.all, lambda e: at(e.day)).items():
        learners = {e.learner for e in mine} - {None}
        new = sum(at(view.store.first_day[learner]) == row for learner in learners)
        rows[row] |= {"statements": len(mine), "learners": len(learners)}
        rows[row] |= {"new": None, "returning": None} if view.params.keys() & set(FILTERS) else {"new": new, "returning": len(learners) - new}
    for row, mine in grouped(sessions_of(view.events), lambda s: at(s.day)).items():
        rows[row] |= {"sessions": len(mine), "activeTime": sum(s.seconds for s in mine)}
    for row, mine in grouped(view.attempts, lambda a: at(a.day)).items():
        rows[row] |= attempt_counts(mine)
    rows.pop(None, None)
    for row in rows.values():
        row.setdefault("starts", 0), row.setdefault("completions", 0)
        row["activeTime"] = row["activeTime"] if row["sessions"] else None
    return rows


def overview(view):
    scope = view.params.get("content", "store")
    rows = reach(view, lambda day: scope if day in view.days else None)
    row = rows[scope]
    row.setdefault("starts", 0), row.setdefault("completions", 0)
    learners = {e.learner for e in view.inside(view.events)}
    until_today = range(view.days.start, min(view.days.stop, view.store.today + 1))
    if view.days != ALWAYS and learners and len(until_today) > 1:  # M04
        daily = sum(len({e.learner for e in mine}) for mine in grouped(view.inside(view.events), lambda e: e.day).values())
        row["stickiness"] = daily / len(until_today) / len(learners)
    return {scope: row}


def activity(view):
    by = view.params["by"]
    wide = {bucket(day, by) for day in view.days}
    return reach(view, lambda day: b if (b := bucket(day, by)) in wide else None)


def retention(view):
    """M06 for the weeks after the first; by [week, weeks later]."""
    active_in, first = defaultdict(set), {}
    for e in view.events:
        active_in[monday(e.day)].add(e.learner)
        first.setdefault(e.learner, monday(view.store.first_day[e.learner]))
    rows = {}
    weeks = {monday(day) for day in view.days}
    for week in sorted(set(first.values()) & weeks):
        cohort = {learner for learner, seen in first.items() if seen == week}
        for later in range(53):
            if week + 7 * later + 7 > view.store.today:
                break
            still = len(cohort & active_in[week + 7 * later])
            rows[f"{date_of(week)} {later:02d}"] = {"learners": len(cohort), "active": still, **rate("retention", still, len(cohort))}
    return rows
