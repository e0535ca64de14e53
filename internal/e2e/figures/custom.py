"""Questions of one's own."""

import json

from attempts import attempt_figures
from samples import grouped
from times import SPANS, bucket

MEASURES = ["statements", "learners", "starts", "completions", "completionRateSoFar", "completionRate", "waived", "passRate", "firstPassRate", "score"]
MEASURES += ["timeToComplete", "activeTime", "activeTimeMedian"]


def custom(view, measures, by):
    """M01, M02 and M20 to M29 by contents, kinds, platforms or languages, or by days, weeks or months. An attempt belongs to that to which the
    event belongs by which it belongs to a period."""

    def key(e):
        if by in SPANS:
            return bucket(e.day, by)
        return "" if by == "kind" and e.content is None else getattr(e, by) or ""

    groups = grouped(view.inside(view.all), key)
    attempts = grouped(view.attempts_inside(), lambda a: key(a.first if by in SPANS else a.events[0]))
    rows = {}
    for value in {*groups, *attempts}:
        mine = groups.get(value, [])
        row = {"statements": len(mine), "learners": len({e.learner for e in mine} - {None})}
        row |= attempt_figures(attempts.get(value, []), view.times, view.now)
        rows[value] = {name: cell for name, cell in row.items() if name.split(".")[0] in measures}
    return rows


def step_of(view, step):
    """A step of a question of one's own: its name, by which it is the same as another, and its test."""
    did = step.get("did")

    def test(e):
        if "content" in step and e.content != step["content"]:
            return False
        if "verb" in step:
            return e.verb == step["verb"]
        if did == "started":
            return e in view.starts
        if did == "progressed" and "progress" in step:
            return e.progress is not None and e.progress >= step["progress"]
        return did in e.classes

    return json.dumps(step, sort_keys=True), test
