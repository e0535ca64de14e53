"""KPIs and what goes with them (M80)."""

import csv
import io
import json
import math
from collections import defaultdict

from facts import identifier
from learners import by_learner
from questions import answers_of, correct, first_responses
from samples import correlation, grouped, mean, pearson, ranks
from store import View
from times import ALWAYS, bucket, date_of, day_number

KPI_MEASURES = ["statements", "days", "sessions", "contents", "starts", "completions", "passed", "score", "activeTime", "watchTime", "uniqueSeconds", "difficulty"]


def measured(view):
    """What a KPI is held against: a measure of each learner who did anything in the period; None where there is none."""
    rows, measure = by_learner(view), view.params["measure"]
    if measure == "difficulty":
        first = [(learner, e) for mine in first_responses(view, answers_of(view)).values() for learner, e in mine.items()]
        told = {identifier(mine[0][1].actor): sum(correct(e) for _, e in mine) / len(mine) for mine in grouped(first, lambda x: x[0]).values()}
        return {learner: told.get(learner) for learner in rows}
    return {learner: row[measure] for learner, row in rows.items()}


def kpi_values(view, key):
    """The values of the rows of a KPI, by what key makes of a row."""
    rows = csv.DictReader(io.StringIO(view.store.kpis[view.params["kpi"]]))
    return grouped_values((key(row), float(row["value"])) for row in rows)


def grouped_values(pairs):
    """Values by key."""
    groups = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups


def imported(store, name):
    """How many rows of a KPI tell of somebody whom the store knows, and of how many."""
    unit = store.kpis[name].partition(",")[0]
    if unit == "learner":
        known = {identifier(e.actor) for e in store.events if e.learner}
    else:
        known = {e.group.partition(" ")[2].replace(" ", "|") for e in store.events if e.group}
    rows = [unit_of(row[unit]) for row in csv.DictReader(io.StringIO(store.kpis[name]))]
    rows = [row for row in rows if row in known]
    return {name: {"rowCount": len(rows), "units": len(set(rows))}}


def unit_of(text):
    """A learner or group as a file of KPIs names it: by its e-mail address, its SHA-1, its OpenID or its account."""
    return identifier({"mbox": "mailto:" + text}) if "@" in text else text


def kpi_points(view):
    """The units of M80: a learner, with the mean of its values of the period; or the group that is named in a span of time of the period, with the
    mean of its values then and the mean of its learners' measures so many spans before."""
    if "by" in view.params:
        return kpi_points_of_group(view)
    values = kpi_values(view, lambda row: unit_of(row["learner"]) if day_number(row["date"]) in view.days else None)
    return {learner: {"x": x, "y": mean(values[learner])} for learner, x in measured(view).items() if x is not None and learner in values}


def kpi_points_of_group(view):
    by, group, lag = view.params["by"], identifier(json.loads(view.params["group"])), view.params.get("lag", 0)
    values = kpi_values(view, lambda row: bucket(day_number(row["date"]), by) if unit_of(row["group"]) == group else None)
    first, last = (bucket(day, by) for day in (view.days[0], view.days[-1])) if view.days != ALWAYS else ("", "9")  # widened to whole spans
    points = {}
    for span, days in grouped(sorted({e.day for e in view.events}), lambda day: bucket(day, by)).items():
        then = later(span, by, lag)
        part = View(view.store, view.params | {"from": date_of(days[0]).isoformat(), "to": date_of(days[-1]).isoformat()})
        x = [x for x in measured(part).values() if x is not None] if first <= then <= last and then in values else []
        if x:
            points[span] = {"x": mean(x), "y": mean(values[then])}
    return points


def later(span, by, lag):
    """The week or month so many after another."""
    if by == "week":
        return bucket(day_number(span) + 7 * lag, by)
    year, month = map(int, span.split("-"))
    return "%04d-%02d" % (year + (month - 1 + lag) // 12, (month - 1 + lag) % 12 + 1)


def kpi_link(view):
    """M80. A store of test data has no least numbers."""
    points = kpi_points(view).values()
    x, y, n = [p["x"] for p in points], [p["y"] for p in points], len(points)
    r = pearson(x, y) if n > 1 else None
    rho = pearson(ranks(x), ranks(y)) if n > 1 else None
    row = {"units": n, **correlation("pearson", r, n, 1), **correlation("spearman", rho, n, math.sqrt(1 + rho**2 / 2) if rho is not None else 0)}
    if r is not None:
        low, high = row["pearson.low"], row["pearson.high"]
        clear = low is not None and not low <= 0 <= high
        row["verdict"] = f"higher X goes with {'higher' if r > 0 else 'lower'} Y" if clear else "no clear association"
    return {view.params["kpi"]: row}
