"""What single learners did."""

from attempts import attempt_counts, first_scores
from facts import identifier
from samples import grouped
from segments import length_of
from sessions import sessions_of
from store import touched
from times import moment
from videos import Viewer


def learner_figures(view, mine, attempts):
    """M01, M20, M21, M26, M29 and M41 of one learner's events and attempts in the period."""
    spent = [view.times[a] for a in attempts if a in view.times and not a.waived]
    scores = [s / 10_000 for s in first_scores(attempts)]
    return {
        "statements": len(mine),
        "days": len({e.day for e in mine}),
        "contents": len({e.content for e in mine} - {None}),
        "passed": sum(a.passed and not a.waived for a in attempts),
        "failed": sum(bool(a.judgements) and not a.passed and not a.waived for a in attempts),
        **watched_by_one(view, mine),
        **{name: cell for name, cell in attempt_counts(attempts).items() if name in ("starts", "completions")},
        "score": sum(scores) / len(scores) if scores else None,
        "activeTime": sum(spent) if spent else None,
        "first": moment(mine[0].t, view.store.zone),
        "last": moment(mine[-1].t, view.store.zone),
    }


def learners(view):
    return {learner: {name: row[name] for name in row if name not in ("passed", "failed", "uniqueSeconds")} for learner, row in by_learner(view).items()}


def by_learner(view):
    """What each learner did in the period."""
    rows = {}
    attempts = grouped(view.attempts_inside(), lambda a: a.learner)
    sessions = grouped((s for s in sessions_of(view.events) if s.day in view.days), lambda s: s.learner)
    for learner, mine in grouped(view.inside(view.events), lambda e: e.learner).items():
        row = learner_figures(view, mine, attempts[learner])
        row |= {"sessions": len(sessions[learner]), "activeTime": sum(s.seconds for s in sessions[learner])}  # M10, not the sum of M29
        rows[identifier(mine[-1].actor)] = row
    return rows


def one_learner(view):
    """What the learner that is named did with each content in the period."""
    rows = {}
    attempts = grouped(view.attempts_inside(), lambda a: a.content)
    for content, mine in grouped(touched(view), lambda e: e.content).items():
        rows[content] = learner_figures(view, mine, attempts[content])
        for name in ("days", "contents", *(() if any(e.viewing() for e in mine) else ("watchTime", "uniqueSeconds"))):
            del rows[content][name]
    return rows


def watched_by_one(view, mine):
    """M41 and M42 of one learner, whose events in the period are mine. Lengths are those that its own statements told (section 4)."""
    watched = unique = 0
    for content in {e.content for e in mine if e.content is not None and e.kind == "video"}:
        events = [e for e in view.by_learner[mine[0].learner] if e.content == content]
        viewer = Viewer(events, view.days, length_of([e for e in events if e.day < view.days.stop]))
        watched, unique = watched + viewer.watched, unique + viewer.unique
    return {"watchTime": watched / 1000, "uniqueSeconds": unique / 1000}
