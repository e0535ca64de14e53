"""Which reports are asked of a store, with which parameters."""

import json
from collections import Counter

from custom import MEASURES, custom, step_of
from funnels import funnel
from kpis import KPI_MEASURES, imported
from live import live
from reports import answer, answer_query, report
from store import about_content
from times import SPANS, date_of, milliseconds, monday


def reports_of(store, params):
    """The reports of a period and under filters."""
    for name in ("overview", "contents", "kinds", "scores", "videos", "questions", "stuck", "support", "sessions", "learners", "data-quality"):
        yield answer(store, name, **params)
    if "from" in params:
        yield answer(store, "unused", **params)
        for by in SPANS:
            yield answer(store, "activity", by=by, **params)
    for kpi, text in store.kpis.items():
        if text.startswith("learner"):
            for measure in KPI_MEASURES:
                yield answer(store, "kpi-points", kpi=kpi, measure=measure, **params)
                yield answer(store, "kpi-link", kpi=kpi, measure=measure, **params)
        elif "group" in params:
            for by, measure, lag in [("month", "statements", 0), ("month", "score", 1), ("week", "activeTime", 0), ("week", "difficulty", 2)]:
                named = {"kpi": kpi, "measure": measure, "by": by, **({"lag": lag} if lag else {})}
                yield answer(store, "kpi-points", **named, **params) | {"key": "period"}
                yield answer(store, "kpi-link", **named, **params)
    for by in ("content", "kind", "platform", "language", "month"):
        yield answer_query(store, params, {"measures": MEASURES, "by": [by]}, by, lambda view, by=by: custom(view, MEASURES, by))


def reports_of_contents(store, params):
    """The reports that name a content."""
    for content, mine in sorted(about_content(store).items()):
        kind = mine[-1].kind
        yield answer(store, "content", content=content, **params)
        yield answer(store, "funnel", content=content, **params)
        if kind == "video":
            yield answer(store, "video-heatmap", content=content, **params)
            yield answer(store, "video-coverage", content=content, **params)
        if kind == "question":
            yield answer(store, "question-answers", content=content, **params)


def reports_of_scopes(store, period):
    """The reports that are of one content and all that is under it."""
    for scope in sorted({s for e in store.events for s in e.scopes}):
        yield answer(store, "overview", range="all", content=scope)
        yield answer(store, "activity", by="day", content=scope, **period)


def funnels(store, params):
    """M27 of steps of one's own: the most used contents one after the other, with what is done most."""
    used = [content for content, _ in Counter(e.content for e in store.events if e.content is not None).most_common(3)]
    verbs = [verb for verb, _ in Counter(e.verb for e in store.events).most_common(2)]
    questions = [
        ([{"did": "started", "content": used[0]}, {"did": "started", "content": used[-1]}], 30),
        ([{"did": "started"}, {"did": "completed"}, {"did": "completed"}], 7),
        ([{"verb": verbs[0]}, {"verb": verbs[0]}, {"verb": verbs[-1]}], 1),
        ([{"did": "started"}, {"did": "progressed", "progress": 0.5}, {"did": "passed"}], 365),
        ([{"did": "failed"}, {"did": "passed"}], 30),
    ]
    for steps, window in questions:
        query = {"funnel": {"steps": steps, "windowDays": window}}
        yield answer_query(store, params, query, "step", lambda view, steps=steps, window=window: funnel(view, [step_of(view, s) for s in steps], window))


def middle(store):
    """The whole weeks around all that happened, and the middle of the days on which something did."""
    days = sorted({e.day for e in store.events})
    periods = (monday(days[0]) - 7, monday(days[-1]) + 13), (days[len(days) // 3], days[2 * len(days) // 3])
    return [{"from": date_of(first).isoformat(), "to": date_of(last).isoformat()} for first, last in periods]


def everything(store, about):
    """All that figures.py prints of a store."""
    ever, periods = {"range": "all"}, about.get("periods") or middle(store)
    yield answer(store, "retention", **periods[0])
    yield from reports_of_scopes(store, periods[0])
    for params in [ever, *periods]:
        yield from reports_of(store, params)
        yield from reports_of_contents(store, params)
        yield from funnels(store, params)
    for filters in about.get("filters", []):
        for params in ({**ever, **filters}, {**periods[-1], **filters}):
            yield from reports_of(store, params)
            yield from funnels(store, params)
        if "content" not in filters:
            yield from reports_of_contents(store, {**ever, **filters})
    for agent in {e.learner: e.actor for e in store.events if e.learner is not None}.values() if "learners" in about else ():
        agent = json.dumps({k: v for k, v in agent.items() if k != "name"})
        yield answer(store, "learner", learner=agent, **ever)
    for name in store.kpis:
        yield report("kpis/" + name, {}, "name", imported(store, name), complete=True)
    if "live" in about:
        yield report("live", {}, "at", live(store, milliseconds(about["live"])), complete=False)
