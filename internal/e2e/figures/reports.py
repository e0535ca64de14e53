"""The reports: by their names the columns that rows are found by, the figures, and whether there are no other rows."""

from contents import contents, histogram, kinds, one_content, unused
from dataquality import data_quality
from funnels import default_funnel
from kpis import kpi_link, kpi_points
from learners import learners, one_learner
from options import distractors
from questions import questions
from reach import activity, overview, retention
from sessions import session_lengths
from store import FILTERS, View
from stuck import stuck, support
from videos import coverage, heat_map, videos

REPORTS = {
    "overview": ("scope", overview, True),
    "activity": ("at", activity, False),
    "retention": ("week later", retention, True),
    "contents": ("content", contents, True),
    "unused": ("content", unused, True),
    "kinds": ("kind", kinds, True),
    "content": ("content", one_content, True),
    "funnel": ("step", default_funnel, True),
    "scores": ("bin", histogram, True),
    "videos": ("content", videos, True),
    "video-heatmap": ("bin", heat_map, True),
    "video-coverage": ("bin", coverage, False),
    "questions": ("content", questions, True),
    "question-answers": ("option", distractors, True),
    "stuck": ("content", stuck, True),
    "support": ("identifier content", support, True),
    "sessions": ("length", session_lengths, True),
    "learners": ("identifier", learners, True),
    "learner": ("content", one_learner, True),
    "data-quality": ("flag", data_quality, False),
    "kpi-points": ("unit", kpi_points, True),
    "kpi-link": ("kpi", kpi_link, True),
}


def report(name, params, key, rows, complete):
    """A report as figures.py prints it."""
    return {"report": name, "params": params, "key": key, "rows": rows, "complete": complete}


def answer(store, name, **params):
    """What a report has to answer to a request with parameters."""
    key, figures, complete = REPORTS[name]
    return report(name, params, key, figures(View(store, params)), complete)


def answer_query(store, params, query, key, figures):
    """What has to be answered to a question of one's own, of the period and the filters of params."""
    query = query | {k: params[k] for k in ("range", "from", "to") if k in params} | {"filters": {k: params[k] for k in FILTERS if k in params}}
    return report("query", {}, key, figures(View(store, params)), complete=True) | {"query": query}
