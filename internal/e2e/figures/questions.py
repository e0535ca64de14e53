"""Questions (section 5). A response is an event of class answered."""

import math
from collections import Counter

from samples import grouped, median, pearson, quantile, rate, variance
from store import parents_of
from times import MINUTE, seconds


def correct(event):
    """Whether a response is correct; None when nothing judges it, as no response to a likert item is."""
    if event.definition.get("interactionType") == "likert":
        return None
    if "success" in event.result:
        return event.result["success"]
    return None if event.score is None else event.score == 1_000_000


def first_by_learner(events):
    first = {}
    for e in events:
        first.setdefault(e.learner, e)
    return first


def events_before(view):
    """The learner's event before each."""
    before, previous = {}, {}
    for e in view.events:
        before[e] = previous.get(e.learner)
        previous[e.learner] = e
    return before


def time_on(event, before):
    """M69 of a response, in seconds; None when nothing tells it."""
    if "duration" in event.result:
        return min(seconds(event.result["duration"]), 4 * 3600)
    before = before[event]
    if before is None or event.t - before.t > 30 * MINUTE:
        return None
    return (event.t - before.t) / 1000


def answers_of(view):
    return grouped((e for e in view.events if "answered" in e.classes), lambda e: e.content)


def first_responses(view, answers):
    """M60 by item and learner."""
    first = {item: first_by_learner(e for e in mine if correct(e) is not None) for item, mine in answers.items()}
    return {item: {learner: e for learner, e in mine.items() if e.day in view.days} for item, mine in first.items()}


def surveyed(view, answers):
    """The first responses in the period of who was never judged until it ends, by learner."""
    until = [e for e in answers if e.day < view.days.stop]
    judged = {e.learner for e in until if correct(e) is not None}
    return {learner: e for learner, e in first_by_learner(until).items() if learner not in judged and e.day in view.days}


def questions(view):
    answers, rows, before = answers_of(view), {}, events_before(view)
    first = first_responses(view, answers)
    for item, mine in answers.items():
        if not first[item] and not surveyed(view, mine):
            continue
        judged = [e for e in view.inside(mine) if correct(e) is not None and e.learner in first[item]]
        rows[item] = question_figures(judged, first[item].values())
        rows[item] |= median("time", [s for e in first[item].values() if (s := time_on(e, before)) is not None])
    parents = parents_of(view)
    for items in grouped(rows, lambda item: parents.get(item)).values():
        for item, cells in items_together({item: first[item] for item in items if first[item]}).items():
            rows[item] |= cells
    for row in rows.values():
        row["flags"] = ", ".join(question_flags(row))
    return rows


def question_figures(judged, first):
    """M60 to M63 of the judged responses to one item."""
    row = {"firstResponses": len(first), **rate("difficulty", sum(map(correct, first)), len(first))}
    tries = []
    learners = grouped(judged, lambda e: e.learner)
    for mine in learners.values():
        verdicts = [correct(e) for e in mine]
        if True in verdicts:
            tries.append(verdicts.index(True) + 1)
    row |= {"attemptsToSuccess": quantile(sorted(tries), 0.5) if tries else None, "attemptsToSuccess.n": len(tries) or None}
    return row | rate("eventual", len(tries), len(learners))


def question_flags(row):
    """M68 of an item."""
    if row.get("difficulty.of") or row["difficulty"] is not None:
        p = row["difficulty.count"] / row["difficulty.of"]
        if p < 0.3:
            yield "hard"
        if p > 0.9:
            yield "easy"
    r = row.get("discrimination")
    if r is not None and r < 0.2:
        yield "check the key" if r < 0 else "weak"


class Items:
    """The items of one parent, from the first responses by item and learner (M64)."""

    def __init__(self, first):
        answered = Counter(learner for responses in first.values() for learner in responses)
        self.learners = [learner for learner, n in answered.items() if n >= 0.8 * len(first)]
        self.since = {learner: min(responses[learner].t for responses in first.values() if learner in responses) for learner in self.learners}
        scores = {item: [int(learner in mine and correct(mine[learner])) for learner in self.learners] for item, mine in first.items()}
        self.scores = {item: x for item, x in scores.items() if len(set(x)) > 1}
        self.totals = [sum(column) for column in zip(*self.scores.values())]

    def rest(self, item):
        return [total - x for total, x in zip(self.totals, self.scores[item])]

    def ends(self, item):
        """M65: the weakest and the best by rest score, then by their first judged responses; ties in both are left to the store's hashes."""
        places = sorted(zip(self.rest(item), (self.since[learner] for learner in self.learners), range(len(self.learners))))
        n = math.ceil(0.27 * len(places))
        order = [self.learners[i] for _, _, i in places]
        return order[:n], order[-n:]


def items_together(first):
    """M64 to M66 of the items of one parent. A store of test data has no least numbers."""
    items, cells = Items(first), {}
    for item in first:
        cells[item] = {"discrimination": None, "upperLower": None}
        if item in items.scores and len(items.scores) > 1:
            weakest, best = ({learner: correct(first[item][learner]) if learner in first[item] else 0 for learner in end} for end in items.ends(item))
            r = pearson(items.scores[item], items.rest(item))
            cells[item] = {"discrimination": r, "discrimination.n": None if r is None else len(items.learners)}
            cells[item] |= {"upperLower": (sum(best.values()) - sum(weakest.values())) / len(best)}
        if len(items.scores) > 1:
            cells[item]["alpha"] = alpha(list(items.scores.values()), items.totals)
            cells[item]["alpha.n"] = None if cells[item]["alpha"] is None else len(items.learners)
    return cells


def alpha(items, totals):
    """M66."""
    k, total = len(items), variance(totals)
    return k / (k - 1) * (1 - sum(map(variance, items)) / total) if total else None
