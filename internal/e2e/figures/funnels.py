"""Funnels (M27)."""

from samples import grouped, rate
from times import DAY


def funnel(view, steps, window=30):
    """M27: how many learners reach each step. A step is a test of an event."""
    reached = [0] * len(steps)
    for mine in grouped(view.events, lambda e: e.learner).values():
        begin = next((e for e in mine if e.day in view.days and steps[0][1](e)), None)
        done = []
        while begin is not None and len(done) < len(steps):
            name, test = steps[len(done)]
            used = [e for (earlier, _), e in zip(steps, done) if earlier == name]
            after = done[-1].t if done else begin.t
            e = begin if not done else next((e for e in mine if after <= e.t <= begin.t + window * DAY and test(e) and e not in used), None)
            if e is None:
                break
            done.append(e)
        for i in range(len(done)):
            reached[i] += 1
    rows = {}
    for i, n in enumerate(reached):
        rows[str(i + 1)] = {"learners": n} | ({"ofPrevious": None, "ofFirst": None} if i == 0 else rate("ofPrevious", n, reached[i - 1]) | rate("ofFirst", n, reached[0]))
    return rows


def default_funnel(view):
    """M27 of the content that is named; steps that nothing in scope is are left out."""
    content = view.params["content"]
    tests = {
        "launched": lambda e: "launched" in e.classes,
        "started": lambda e: e in view.starts,
        "progressed": lambda e: e.progress is not None and e.progress >= 0.5,
        "completed": lambda e: "completed" in e.classes,
        "passed": lambda e: "passed" in e.classes,
    }
    steps = [(name, lambda e, test=test: e.content == content and test(e)) for name, test in tests.items()]
    steps = [step for step in steps if any(step[1](e) for e in view.events)]
    return funnel(view, steps) if steps else {}
