"""Contents and kinds of content (sections 2 and 3)."""

from collections import Counter

from attempts import attempt_figures, elapsed, first_scores, matured
from samples import grouped, newcombe, quantile, rate
from store import kind_of_content, parents_of, touched
from times import moment


def contents(view):
    """M07, M09 and M20 to M29 by content."""
    rows = {}
    attempts = grouped(view.attempts_inside(), lambda a: a.content)
    inside = view.inside(view.events)
    for content, mine in grouped(touched(view), lambda e: e.content).items():
        rows[content] = {"kind": kind_of_content(view.store, content), "learners": len({e.learner for e in mine}), "lastUsed": moment(mine[-1].t, view.store.zone)}
        rows[content] |= attempt_figures(attempts[content], view.times, view.now)
        parent = parents_of(view).get(content)
        under = {e.learner for e in inside if parent in e.scopes}
        rows[content] |= rate("use", len({e.learner for e in mine if parent in e.scopes}), len(under))
    return rows


def unused(view):
    """M08."""
    seen = {e.content: e for e in view.events if e.content is not None}
    return {content: {"lastUsed": moment(e.t, view.store.zone)} for content, e in seen.items() if content not in {e.content for e in touched(view)}}


def kinds(view):
    """M30."""
    rows, attempts = {}, grouped(view.attempts_inside(), lambda a: a.kind)
    grown = {kind: [len(part) for part in matured(mine, view.now)] for kind, mine in attempts.items()}
    for kind, mine in grouped(touched(view), lambda e: e.kind).items():
        rows[kind] = {"learners": len({e.learner for e in mine})} | attempt_figures(attempts[kind], view.times, view.now)
        of, count = grown.get(kind, (0, 0))
        of2, count2 = (sum(g[i] for k, g in grown.items() if k != kind) for i in (0, 1))
        rows[kind] |= dict.fromkeys(["difference", "difference.low", "difference.high"])
        if of >= 30 and of2 >= 30:
            rows[kind] |= zip(["difference", "difference.low", "difference.high"], newcombe(count, of, count2, of2))
    return rows


def one_content(view):
    """M20 to M29 of the content that is named, with quartiles."""
    content = view.params["content"]
    attempts = [a for a in view.attempts_inside() if a.content == content]
    row = {"learners": len({e.learner for e in view.inside(view.events)})} | attempt_figures(attempts, view.times, view.now)
    scores = sorted(s / 10_000 for s in first_scores(attempts))
    taken = sorted(elapsed(matured(attempts, view.now)[1]))
    row |= {f"scoreP{q}": quantile(scores, q / 100) if scores else None for q in (25, 75)}
    row |= {f"timeToCompleteP{q}": quantile(taken, q / 100) if taken else None for q in (25, 75, 90)}
    return {content: row}


def histogram(view):
    """M26: bins of 10, the last closed, and one of those below 0."""
    attempts = [a for a in view.attempts_inside() if a.content == view.params.get("content", a.content)]
    bins = Counter(-1 if s < 0 else min(s // 100_000, 9) for s in first_scores(attempts))
    return {"below 0" if i < 0 else f"{10 * i:02d} to {10 * i + 10}": {"attempts": bins[i]} for i in range(-1, 10)}
