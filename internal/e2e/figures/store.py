"""All events of a store, and those that a request chooses."""

import datetime
import functools
import json
import zoneinfo

from activetime import active_times
from attempts import attempts_of
from facts import Event, identity
from samples import grouped
from times import ALWAYS, day_number, day_of, milliseconds
from vocabulary import ADL


class Store:
    """All events that count, in order, and what else reports need to know. now is in milliseconds."""

    def __init__(self, statements, about):
        zone = zoneinfo.ZoneInfo(about.get("timeZone", "UTC"))
        stored = {id: milliseconds(t) for id, t in about.get("stored", {}).items()}
        self.now = milliseconds(about["now"]) if "now" in about else round(datetime.datetime.now().timestamp() * 1000)
        self.today = day_of(self.now, zone)
        self.zone = zone
        self.kpis = about.get("kpis", {})
        once = {s["id"].lower(): s for s in statements}  # 0.1
        voiding = {id: s["object"]["id"].lower() for id, s in once.items() if s["verb"]["id"] == ADL + "voided" and s["object"].get("objectType") == "StatementRef"}
        gone = {*voiding, *voiding.values()}
        self.events = sorted((Event(s, zone, stored.get(id)) for id, s in once.items() if id not in gone), key=Event.order)
        self.tell_kinds()
        self.first_day = {}
        for e in self.events:
            self.first_day.setdefault(e.learner, e.day)

    def tell_kinds(self):
        """0.8: what no statement tells of its content's kind, the latest that does tells."""
        known = {e.content: e.kind for e in self.events if e.kind != "other"}
        for e in self.events:
            if e.kind == "other" and e.content in known:
                e.kind = known[e.content]


FILTERS = ("content", "kind", "group", "registration", "platform", "language", "learner")


class View:
    """The events that a request chooses: those that pass its filters, of all time, and the days of its period."""

    def __init__(self, store, params):
        self.store, self.params, self.now = store, params, store.now
        self.days = ALWAYS if "from" not in params else range(day_number(params["from"]), day_number(params["to"]) + 1)
        self.all, self.events, self.attempts, self.times, self.starts = chosen(store, tuple((k, params[k]) for k in FILTERS if k in params))

    @functools.cached_property
    def by_learner(self):
        return grouped(self.events, lambda e: e.learner)

    def inside(self, events):
        return [e for e in events if e.day in self.days]

    def attempts_inside(self):
        return [a for a in self.attempts if a.day in self.days]


@functools.cache
def chosen(store, filters):
    """The events that pass the filters, those of learners among them, and their attempts with their active times."""
    wanted = dict(filters)
    tests = {
        "content": lambda e: wanted["content"] in e.scopes,
        "kind": lambda e: e.content is not None and e.kind == wanted["kind"],
        "group": lambda e: e.group is not None and e.group == identity(json.loads(wanted["group"])),
        "registration": lambda e: e.registration == wanted["registration"],
        "platform": lambda e: e.platform == wanted["platform"],
        "language": lambda e: e.language == wanted["language"],
        "learner": lambda e: e.learner == identity(json.loads(wanted["learner"])),
    }
    everything = [e for e in store.events if all(tests[name](e) for name in wanted)]
    events = [e for e in everything if e.learner is not None]
    attempts = attempts_of(events)
    return everything, events, attempts, active_times(attempts, events), {a.start for a in attempts}


def touched(view):
    """The events about contents in the period."""
    return [e for e in view.inside(view.events) if e.content is not None]


@functools.cache
def about_content(store):
    """The events about each content, in order."""
    return grouped((e for e in store.events if e.content is not None), lambda e: e.content)


def kind_of_content(store, content):
    return about_content(store)[content][-1].kind


def parents_of(view):
    """Of contents of which any statement names a parent, that which the latest of them names (0.6)."""
    return {e.content: e.parent for e in view.events if e.content is not None and e.parent is not None}
