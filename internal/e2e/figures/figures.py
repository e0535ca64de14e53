#!/usr/bin/env python3
"""Figures of reports, computed a second time.

    figures.py [-about ABOUT] FILE       a file of statements: NDJSON or one JSON array, plain or .gz

It was written from internal/report/DEFINITIONS.md alone, by authors who had not read the Go code of internal/report, and
keeps to the plainest way of computing: all statements in memory, no sums kept, each figure from its definition. The ids in the
comments (M01, 0.3 ...) are those of the definitions. Standard library only.

ABOUT is a JSON object of what statements do not tell; each member may be left out:

    {"stored": {"statement id in lower case": "2026-01-01T00:00:00.000Z"}, "timeZone": "Europe/Paris", "now": "2026-01-01T00:00:00Z",
     "filters": [{"platform": "web"}], "kpis": {"sales": "learner,date,value ..."}, "periods": [{"from": "2026-01-01", "to": "2026-01-31"}]}

Without stored nothing is taken for clock skew, without timeZone days are those of UTC, without now it is the time of the run. Reports are of all
statements and of those that pass each of the filters, of all time and of each period.

It prints one JSON object {"statements": n, "reports": [...]}. Each report is what the report API has to answer to one request:

    {"report": "videos", "params": {"range": "all"}, "key": "content", "complete": true,
     "rows": {"http://example.org/v": {"viewers": 3, "reported.count": 1, "coverage": 0.5, "score": null}}}

"key" names the columns that a row is found by. A figure is the value of its column, or after a dot the part of its cell
("count", "of", "n", "low", "high"); null is a figure that there is not, and a text that of a column of text. With "complete" there are no other
rows. A report with a "query" is the answer to that question of one's own.
"""

import argparse
import csv
import datetime
import functools
import gzip
import hashlib
import io
import json
import math
import re
import sys
import zoneinfo
from collections import Counter, defaultdict
from fractions import Fraction

ADL = "http://adlnet.gov/expapi/verbs/"
W3ADL = "https://w3id.org/xapi/adl/verbs/"
VIDEO = "https://w3id.org/xapi/video/"
AS = "http://activitystrea.ms/schema/1.0/"
CMI5 = "https://w3id.org/xapi/cmi5/"
ACTIVITIES = "http://adlnet.gov/expapi/activities/"
DAY = 86_400_000  # milliseconds
MINUTE = 60_000
ALWAYS = range(-(10**6), 10**6)  # days
Z = 1.959963984540054
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

STARTED = {ADL + "initialized", ADL + "attempted", VIDEO + "verbs/played", AS + "start", AS + "play"}
ANSWERED = {ADL + "answered", "https://w3id.org/xapi/acrossx/verbs/evaluated"}
ENDED = {ADL + "terminated", ADL + "exited", "http://id.tincanapi.com/verb/left", AS + "close", W3ADL + "abandoned"}
KINDS = {
    VIDEO + "activity-type/video": "video",
    AS + "video": "video",
    "https://w3id.org/xapi/acrossx/activities/video": "video",
    ACTIVITIES + "cmi.interaction": "question",
    ACTIVITIES + "question": "question",
    ACTIVITIES + "course": "course",
    ACTIVITIES + "module": "module",
    ACTIVITIES + "lesson": "module",
    AS + "page": "module",
    "https://w3id.org/xapi/acrossx/activities/page": "module",
    ACTIVITIES + "assessment": "assessment",
    ACTIVITIES + "file": "document",
    ACTIVITIES + "link": "document",
    ACTIVITIES + "simulation": "simulation",
    ACTIVITIES + "meeting": "live",
}


# ---- statements and events (section 0 and 1)


def read_statements(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        text = file.read()
    if text.lstrip().startswith("["):
        return json.loads(text)
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def milliseconds(timestamp):
    """The moment of a timestamp in whole milliseconds since 1970 (0.3)."""
    moment = datetime.datetime.fromisoformat(timestamp.replace("Z", "+00:00"))
    return (moment - EPOCH) // datetime.timedelta(milliseconds=1)


def identity(agent):
    """What an Agent or an identified Group is known by (0.4); None of an anonymous Group."""
    if "mbox" in agent:
        local, _, domain = agent["mbox"].rpartition("@")
        return "sha1 " + hashlib.sha1((local + "@" + domain.lower()).encode()).hexdigest()
    if "mbox_sha1sum" in agent:
        return "sha1 " + agent["mbox_sha1sum"].lower()
    if "openid" in agent:
        return "openid " + agent["openid"]
    if "account" in agent:
        return "account " + agent["account"]["homePage"] + " " + agent["account"]["name"]
    return None


def identifier(agent):
    """An Agent's identifier as reports write it, but an mbox as its mbox_sha1sum, since one learner may be known by either."""
    if "account" in agent:
        return agent["account"]["homePage"] + "|" + agent["account"]["name"]
    return identity(agent).partition(" ")[2]


def score_of(result):
    """The score as a share, in millionths; None without one, or out of its range (section 1)."""
    score = result.get("score", {})
    raw, low, high = score.get("raw"), score.get("min"), score.get("max")
    if "scaled" in score:
        share = score["scaled"]
    elif raw is not None and low is not None and high is not None and low < high:
        share = (raw - low) / (high - low)
    elif raw is not None and low is None and high is not None and high > 0:
        share = raw / high
    else:
        return None
    return round(share * 1_000_000) if abs(share) < 1e6 else None


def first_number(*values):
    return next((v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)), None)


def progress_of(told):
    """The progress from 0 to 1 that the extensions of a result tell (section 1)."""
    percent = first_number(told.get(CMI5 + "result/extensions/progress"))
    share = percent / 100 if percent is not None else first_number(told.get(VIDEO + "extensions/progress"))
    return share if share is not None and 0 <= share <= 1 else None


class Event:
    """What the figures need of one statement. zone is the store's; stored is None where it is not known."""

    def __init__(self, statement, zone, stored):
        context, result = statement.get("context", {}), statement.get("result", {})
        self.id = statement["id"].lower()
        self.stored = stored
        said = milliseconds(statement["timestamp"]) if "timestamp" in statement else stored
        self.said = said
        self.skewed = stored is not None and said > stored + 10 * MINUTE
        self.t = stored if self.skewed else said
        self.day = (EPOCH + datetime.timedelta(milliseconds=self.t)).astimezone(zone).date().toordinal() - EPOCH.toordinal()
        self.actor = statement["actor"]
        self.learner = None if self.actor.get("objectType") == "Group" else identity(self.actor)
        self.verb = statement["verb"]["id"]
        target = statement["object"]
        self.content = target["id"] if target.get("objectType", "Activity") == "Activity" else None
        self.definition = target.get("definition", {})
        self.registration = context.get("registration", "").lower() or None
        self.platform, self.language = context.get("platform"), context.get("language")
        self.group = identity(context["team"]) if "team" in context else None
        self.result, self.score = result, score_of(result)

        self.told, self.about = result.get("extensions", {}), context.get("extensions", {})
        self.progress = progress_of(self.told)
        self.session = self.about.get(CMI5 + "context/extensions/sessionid") or self.about.get(VIDEO + "extensions/session-id")
        activities = context.get("contextActivities", {})
        parents = [a["id"] for a in activities.get("parent", [])]
        self.parent = parents[0] if parents and parents[0] != self.content else None
        further = dict.fromkeys([*parents[1:], *(a["id"] for a in activities.get("grouping", []))])
        further = [id for id in further if id not in (self.content, self.parent)]
        self.cut = len(further) > 7
        self.scopes = {id for id in (self.content, self.parent, *further[:7]) if id is not None}
        self.kind = self.kind_of()
        self.inconsistent = (self.verb, result.get("completion")) == (ADL + "completed", False) or (self.verb, result.get("success")) in (
            (ADL + "passed", False),
            (ADL + "failed", True),
        )
        self.classes = set() if self.inconsistent else self.classes_of()

    def order(self):
        """Events are ordered by this (0.3)."""
        return self.t, self.stored or 0, hashlib.sha256(self.id.encode()).digest()[:8]

    def kind_of(self):
        """The kind of the content, by the first that matches (0.8)."""
        if self.definition.get("type") in KINDS:
            return KINDS[self.definition["type"]]
        if "interactionType" in self.definition:
            return "question"
        if self.verb.startswith(VIDEO + "verbs/"):
            return "video"
        return "question" if self.verb in ANSWERED else "other"

    def classes_of(self):
        """The classes of the event (section 1)."""
        success, completion = self.result.get("success"), self.result.get("completion")
        judged = success is not None and self.kind != "question"
        tests = {
            "launched": self.verb == ADL + "launched",
            "started": self.verb in STARTED,
            "progressed": self.verb == ADL + "progressed",
            "answered": self.verb in ANSWERED and self.kind == "question",
            "completed": self.verb == ADL + "completed" or completion is True,
            "passed": self.verb == ADL + "passed" or (judged and success),
            "failed": self.verb == ADL + "failed" or (judged and not success),
            "waived": self.verb == W3ADL + "waived",
            "satisfied": self.verb == W3ADL + "satisfied",
            "abandoned": self.verb == W3ADL + "abandoned",
            "ended": self.verb in ENDED,
        }
        return {name for name, counts in tests.items() if counts}

    def video(self, name):
        return self.told.get(VIDEO + "extensions/" + name)

    def viewing(self):
        """Whether it holds a field of the Video Profile or is of one of its verbs (section 4)."""
        names = [VIDEO + "extensions/" + name for name in ("time", "time-from", "time-to", "completion-threshold", "speed", "played-segments")]
        verbs = {VIDEO + "verbs/played", VIDEO + "verbs/paused", VIDEO + "verbs/seeked"}
        return self.verb in verbs or self.length() is not None or any(name in self.told or name in self.about for name in names)

    def length(self):
        """The length in milliseconds that the statement tells of its video, if positive (section 4)."""
        name = VIDEO + "extensions/length"
        seconds = first_number(self.about.get(name), self.told.get(name), self.definition.get("extensions", {}).get(name))
        return round(seconds * 1000) if seconds is not None and seconds > 0 else None


def grouped(items, key):
    groups = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


class Store:
    """All events that count, in order, and what else reports need to know. now is in milliseconds."""

    def __init__(self, statements, about):
        zone = zoneinfo.ZoneInfo(about.get("timeZone", "UTC"))
        stored = {id: milliseconds(t) for id, t in about.get("stored", {}).items()}
        self.now = milliseconds(about["now"]) if "now" in about else round(datetime.datetime.now().timestamp() * 1000)
        self.today = (EPOCH + datetime.timedelta(milliseconds=self.now)).astimezone(zone).date().toordinal() - EPOCH.toordinal()
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


FILTERS = ("content", "kind", "group", "registration", "platform", "language", "learner")


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


# ---- intervals and quantiles (section 7)


def wilson(count, of):
    p = count / of
    centre = (p + Z * Z / (2 * of)) / (1 + Z * Z / of)
    half = Z * math.sqrt(p * (1 - p) / of + Z * Z / (4 * of * of)) / (1 + Z * Z / of)
    return centre - half, centre + half


def rate(name, count, of):
    """The cells of a rate with its interval by Wilson; of fewer than 10 only the two counts are told (section 8)."""
    if of == 0:
        return {name: None}
    if of < 10:
        return {name: None, name + ".count": count, name + ".of": of, name + ".low": None, name + ".high": None}
    low, high = wilson(count, of)
    return {name: count / of, name + ".count": count, name + ".of": of, name + ".low": low, name + ".high": high}


def newcombe(count1, of1, count2, of2):
    """The difference of two rates and its interval."""
    p1, p2, (l1, u1), (l2, u2) = count1 / of1, count2 / of2, wilson(count1, of1), wilson(count2, of2)
    d = p1 - p2
    return d, d - math.sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2), d + math.sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2)


def quantile(ordered, q):
    """Type 7."""
    h = (len(ordered) - 1) * q
    below = math.floor(h)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (h - below) * (ordered[above] - ordered[below])


def median(name, values):
    """The cells of a median, with its interval from 10 values on."""
    if not values:
        return {name: None}
    ordered, n = sorted(values), len(values)
    cells = {name: quantile(ordered, 0.5), name + ".n": n}
    if n >= 10:
        low = math.floor(n / 2 - Z * math.sqrt(n) / 2)
        high = math.ceil(1 + n / 2 + Z * math.sqrt(n) / 2)
        cells[name + ".low"] = ordered[max(low, 1) - 1]
        cells[name + ".high"] = ordered[min(high, n) - 1]
    return cells


# ---- attempts (0.7, section 3)


class Attempt:
    def __init__(self, events):
        self.events = events
        self.learner, self.content, self.kind, self.registration = events[0].learner, events[0].content, events[0].kind, events[0].registration
        started = [e for e in events if "started" in e.classes]
        others = [e for e in events if e.classes - {"launched"}]
        self.start = (started or others or [None])[0]
        self.first = self.start or events[0]  # by which it belongs to a period
        self.moment, self.day = self.first.t, self.first.day
        self.completed = next((e for e in events if "completed" in e.classes), None)
        self.waived = any("waived" in e.classes for e in events)
        scored = [e.score for e in events if e.score is not None]
        self.score = scored[-1] if scored else None
        self.judgements = [("passed" in e.classes) for e in events if e.classes & {"passed", "failed"}]
        self.passed = self.judgements[-1:] == [True]

    def completed_within(self, days):
        return self.completed is not None and self.completed.t - self.start.t <= days * DAY


def attempts_of(events):
    """The attempts of ordered events (0.7): one per registration; without one a new attempt begins where, after an end of the
    current one (completed, passed or failed), it is started again."""
    attempts = []
    mine_of = grouped((e for e in events if e.content is not None), lambda e: (e.learner, e.content, e.registration))
    for (_, _, registration), mine in mine_of.items():
        if registration is not None:
            attempts.append(Attempt(mine))
            continue
        current, over = [], False
        for event in mine:
            if over and "started" in event.classes:
                attempts.append(Attempt(current))
                current, over = [], False
            current.append(event)
            over = over or bool(event.classes & {"completed", "passed", "failed"})
        attempts.append(Attempt(current))
    return attempts


def attempt_counts(attempts):
    """M20 to M22 and M24."""
    started = [a for a in attempts if a.start]
    rated = [a for a in started if not a.waived]
    completed = [a for a in rated if a.completed]
    cells = {"starts": len(started), "completions": len(completed), **rate("completionRateSoFar", len(completed), len(rated))}
    judged = [a for a in attempts if a.judgements and not a.waived]
    return cells | rate("passRate", sum(a.judgements[-1] for a in judged), len(judged))


def matured(attempts, now):
    """M23: the attempts that started at least 30 days ago, and those of them that were completed within 30 days."""
    old = [a for a in attempts if a.start and not a.waived and a.start.t <= now - 30 * DAY]
    return old, [a for a in old if a.completed_within(30)]


def attempt_figures(attempts, times, now):
    """M20 to M29 of attempts."""
    cells = attempt_counts(attempts) | {"waived": sum(a.waived for a in attempts)}
    old, in_time = matured(attempts, now)
    cells |= rate("completionRate", len(in_time), len(old))
    first = {}
    for a in sorted((a for a in attempts if a.judgements and not a.waived), key=lambda a: (a.moment, a.events[0].order())):
        first.setdefault((a.learner, a.content), a)
    cells |= rate("firstPassRate", sum(a.judgements[-1] for a in first.values()), len(first))
    cells |= median("score", [s / 10_000 for s in first_scores(attempts)])
    cells |= median("timeToComplete", elapsed(in_time))
    spent = [times[a] for a in attempts if a in times and not a.waived]
    return cells | {"activeTime": sum(spent) if spent else None, **median("activeTimeMedian", spent)}


def elapsed(in_time):
    """M28 in seconds."""
    return [(a.completed.t - a.start.t) / 1000 for a in in_time if a.completed.t >= a.start.t]


def first_scores(attempts):
    """M26: of each learner's first scored attempt per content, in millionths."""
    first = {}
    for a in sorted((a for a in attempts if a.score is not None and not a.waived), key=lambda a: (a.moment, a.events[0].order())):
        first.setdefault((a.learner, a.content), a.score)
    return list(first.values())


# ---- reach and engagement (section 2)


class Session:
    """M10: events of one learner, in order."""

    def __init__(self, events):
        self.events, self.learner, self.day = events, events[0].learner, events[0].day
        self.seconds = min(active([e.t for e in events]), 4 * 60 * MINUTE) / 1000
        self.span = events[-1].t - events[0].t


def sessions_of(events):
    """M10 of ordered events: two events are in one session if they follow each other within 30 minutes, or have one session id, or are
    connected by such."""
    sessions = []
    for mine in grouped(events, lambda e: e.learner).values():
        root = list(range(len(mine)))

        def find(i):
            while root[i] != i:
                root[i] = root[root[i]]
                i = root[i]
            return i

        by_id = {}
        for i, event in enumerate(mine):
            if i and event.t - mine[i - 1].t <= 30 * MINUTE:
                root[find(i)] = find(i - 1)
            if event.session is not None:
                root[find(i)] = find(by_id.setdefault(event.session, i))
        sessions += [Session([mine[i] for i in indices]) for indices in grouped(range(len(mine)), find).values()]
    return sessions


def active(times):
    """M29 (d) of moments in order, in milliseconds; a stretch without a gap counts 4 hours at most."""
    total = stretch = 0
    for gap in (b - a for a, b in zip(times, times[1:])):
        if gap > 30 * MINUTE:
            total, stretch = total + min(stretch, 240 * MINUTE), 0
        else:
            stretch += min(gap, 5 * MINUTE)
    return total + min(stretch, 240 * MINUTE)


def day_number(text):
    return (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days


def date_of(day):
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=day)


def monday(day):
    return day - date_of(day).weekday()


def bucket(day, by):
    """The day, week or month that a day is in, as reports name it."""
    if by == "month":
        return date_of(day).strftime("%Y-%m")
    return date_of(monday(day) if by == "week" else day).isoformat()


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


def touched(view):
    """The events about contents in the period."""
    return [e for e in view.inside(view.events) if e.content is not None]


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


@functools.cache
def about_content(store):
    """The events about each content, in order."""
    return grouped((e for e in store.events if e.content is not None), lambda e: e.content)


def kind_of_content(store, content):
    return about_content(store)[content][-1].kind


def parents_of(view):
    """Of contents of which any statement names a parent, that which the latest of them names (0.6)."""
    return {e.content: e.parent for e in view.events if e.content is not None and e.parent is not None}


def moment(t, zone=datetime.timezone.utc):
    return (EPOCH + datetime.timedelta(milliseconds=t)).astimezone(zone).isoformat(timespec="milliseconds").replace("+00:00", "Z")


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


SESSION_LENGTHS = {"below 1 min": 1, "1 to 5 min": 5, "05 to 15 min": 15, "15 to 30 min": 30, "30 to 60 min": 60, "60 min and more": math.inf}


def session_lengths(view):
    """M10 by how long sessions are from the first event to the last."""
    bins = defaultdict(list)
    for s in sessions_of(view.events):
        if s.day in view.days:
            bins[next(name for name, below in SESSION_LENGTHS.items() if s.span < below * MINUTE)].append(s)
    return {
        name: {"sessions": len(bins[name]), "learners": len({s.learner for s in bins[name]}), "statements": sum(len(s.events) for s in bins[name])}
        for name in SESSION_LENGTHS
    }


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


def data_quality(view):
    """What section 0 and 1 flag and this data has."""
    tests = {
        "clock-skew": lambda e: e.skewed,
        "long-ago": lambda e: e.t < milliseconds("2000-01-01T00:00:00Z"),
        "inconsistent-result": lambda e: e.inconsistent,
        "score-derived": lambda e: e.score is not None and not e.result["score"].keys() & {"scaled", "min"},
        "duration-in-months": lambda e: re.match("P[^T]*[YM]", e.result.get("duration", "")),
        "groupings-cut": lambda e: e.cut,
        "unattributed": lambda e: e.learner is None,
    }
    inside, rows = view.inside(view.all), {"number-left-out": {}}  # of which kinds there are too many
    for flag, test in tests.items():
        mine = [e for e in inside if test(e)]
        rows[flag] = {"statements": len(mine), "learners": len({e.learner for e in mine} - {None}), **rate("share", len(mine), len(inside))}
    return rows


# ---- funnels (M27)


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


# ---- video (section 4); places are whole milliseconds

DECIMAL = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)\s*")


@functools.cache
def parse_segments(text, length):
    """M40: the segments of a list, clipped to the video."""
    segments = []
    for part in text.split("[,]"):
        ends = part.split("[.]")
        if len(ends) != 2 or not all(DECIMAL.fullmatch(end) for end in ends):
            continue
        start, end = (round(Fraction(end.strip()) * 1000) for end in ends)
        start, end = max(start, 0), end if length is None else min(end, length)
        if start < end:
            segments.append((start, end))
    return segments


def goes_on(a, b):
    """M40: whether list b goes on from list a, a ≤ b."""
    if len(a) > len(b):
        return False
    for i, ((a_from, a_to), (b_from, b_to)) in enumerate(zip(a, b)):
        last = i == len(a) - 1
        if abs(a_from - b_from) > 1 or a_to > b_to + 1 or (not last and a_to < b_to - 1):
            return False
    return True


def maximal_lists(lists):
    """M40: the lists that no other goes on from."""
    maximal = []
    for new in lists:
        if not new or any(goes_on(new, old) for old in maximal[-300:]):
            continue
        maximal = [old for old in maximal if not goes_on(old, new)] + [new]
    return maximal


def estimated(events, length):
    """M49: segments from pairs of events, each with the day of the second, where no list was told."""
    segments = []
    for mine in grouped(events, lambda e: e.session or e.registration).values():
        playing = None
        for e in mine:
            place = first_number(e.video("time"))
            if e.verb == VIDEO + "verbs/played":
                playing = (place, e.t, speed_of(e)) if place is not None else None
                continue
            stops = e.verb == VIDEO + "verbs/paused" or e.classes & {"ended", "completed"}
            end = first_number(e.video("time-from")) if e.verb == VIDEO + "verbs/seeked" else place if stops else None
            if playing is None or not (stops or e.verb == VIDEO + "verbs/seeked"):
                continue
            start, since, speed = playing
            if end is not None and 0 < end - start <= 1.1 * speed * (e.t - since) / 1000 + 2:
                segment = tuple(round(at * 1000) if length is None else min(round(at * 1000), length) for at in (start, end))
                segments.append((segment, e.day))
            playing = None
    return segments


def speed_of(event):
    match = re.fullmatch(r"([0-9.]+)x?", str(event.about.get(VIDEO + "extensions/speed", "")))
    return float(match[1]) if match else 1.0


def union(segments):
    """Segments that do not overlap, in order."""
    merged = []
    for start, end in sorted(segments):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged


def covered(segments, start, end):
    return sum(max(0, min(b, end) - max(a, start)) for a, b in segments)


def lists_of(events, length):
    return [parse_segments(e.video("played-segments"), length) for e in events if isinstance(e.video("played-segments"), str)]


def added(lists, before):
    """M40: what lists add to the maximal ones of before, as segments. A list takes the place of the maximal ones from which it goes on,
    and of what is of before in them the longest does not count again."""
    maximal = [(old, old) for old in before]  # each with what of it is of before
    for new in lists:
        if not new or any(goes_on(new, old) for old, _ in maximal[-300:]):
            continue
        counted = max((part for old, part in maximal if goes_on(old, new)), key=seen, default=[])
        maximal = [(old, part) for old, part in maximal if not goes_on(old, new)] + [(new, counted)]
    return [segment for new, counted in maximal for segment in after(new, counted)]


def after(segments, first):
    """The segments that come after the first, of which the last may be shorter than here."""
    cut = [(first[-1][1], segments[len(first) - 1][1])] if first else []
    return [(a, b) for a, b in cut if a < b] + segments[len(first) :]


class Viewer:
    """What one learner's events on some days say of one video. length is the video's, None when nobody told it. The threshold is
    that which was told last until these days are over."""

    def __init__(self, all_events, days, length):
        events = [e for e in all_events if e.day in days]
        self.segments = []
        self.estimated = False
        until = grouped((e for e in all_events if e.day < days.stop), lambda e: e.registration)
        for registration, mine in grouped(events, lambda e: e.registration).items():
            if lists_of(until[registration], length):
                before = [e for e in until[registration] if e.day < days.start]
                self.segments += added(lists_of(mine, length), maximal_lists(lists_of(before, length)))
            else:
                guessed = estimated(until[registration], length)
                guessed = [segment for segment, day in guessed if day in days]
                self.estimated = self.estimated or bool(guessed)
                self.segments += guessed
        self.union = union(self.segments)
        self.watched = seen(self.segments)  # M41
        self.unique = seen(self.union)  # M42
        self.reported = any("completed" in e.classes for e in events)
        told = [first_number(e.about.get(VIDEO + "extensions/completion-threshold")) for e in all_events if e.day < days.stop]
        self.threshold = next((v for v in reversed(told) if v is not None), 1.0)


def length_of(events):
    """L in milliseconds of ordered events about a video."""
    return next((e.length() for e in reversed(events) if e.length()), None)


def viewers_of(view, events, length):
    """What each learner's events about one video say of it, of those who have any in the period."""
    mine_of = grouped(events, lambda e: e.learner).values()
    return [Viewer(mine, view.days, length) for mine in mine_of if any(e.day in view.days and e.viewing() for e in mine)]


def video_figures(viewers, length):
    """M41 to M46."""
    watch, unique = sum(v.watched for v in viewers), sum(v.unique for v in viewers)
    row = {"viewers": len(viewers), "watchTime": watch / 1000, "uniqueSeconds": unique / 1000, "rewatchRatio": watch / unique - 1 if unique else None}
    row |= {"length": length / 1000 if length else None, "estimated": sum(v.estimated for v in viewers)}
    row |= rate("reported", sum(v.reported for v in viewers), len(viewers))
    if length:
        row |= median("coverage", [v.unique / length for v in viewers])
        row |= rate("measured", sum(v.unique / length >= v.threshold for v in viewers), len(viewers))
        row |= rate("inFull", sum(v.unique / length >= 0.95 for v in viewers), len(viewers))
    return row


def videos(view):
    rows = {}
    for content, mine in grouped((e for e in view.events if e.content is not None and e.kind == "video"), lambda e: e.content).items():
        length = length_of([e for e in mine if e.day < view.days.stop])
        viewers = viewers_of(view, mine, length)
        if viewers:
            rows[content] = video_figures(viewers, length)
    return rows


def video_named(view):
    """The viewers and the length of the video that is named."""
    mine = [e for e in view.events if e.content == view.params["content"] and e.kind == "video"]
    length = length_of([e for e in mine if e.day < view.days.stop])
    return viewers_of(view, mine, length), length


def coverage(view):
    """M43: how many viewers by tenth of it."""
    viewers, length = video_named(view)
    bins = Counter(min(10 * v.unique // length, 9) for v in viewers) if length else {}
    return {f"{10 * i:02d} to {10 * i + 10} %": {"learners": bins[i]} for i in range(10)} if length and viewers else {}


def heat_map(view):
    """M47, M48 and M50. A store of test data tells cells of one viewer, so that k of M50 is 1."""
    viewers, length = video_named(view)
    if not length or not viewers:
        return {}
    width = max(1, math.ceil(length / 1000 / 100)) * 1000
    bins = [(start, min(start + width, length)) for start in range(0, length, width)]
    seen_by, passes, anywhere = [0] * len(bins), [0] * len(bins), 0
    for viewer in viewers:
        sees = [2 * covered(viewer.union, *b) >= b[1] - b[0] for b in bins]
        for i, b in enumerate(bins):
            times = sum(2 * covered([segment], *b) >= b[1] - b[0] for segment in viewer.segments)
            seen_by[i] += sees[i]
            passes[i] += max(times, 1 if sees[i] else 0)
        anywhere += any(sees)
    hot, drop = hot_spots(seen_by, passes), drop_spots(seen_by, bins)
    return {
        f"{i:03d}": {
            "from": b[0] / 1000,
            "to": b[1] / 1000,
            "viewers": seen_by[i],
            "passes": passes[i],
            "repeats": passes[i] - seen_by[i],
            **rate("retention", seen_by[i], anywhere),
            "spot": ", ".join(["hot"] * (i in hot) + ["drop"] * (i in drop)),
        }
        for i, b in enumerate(bins)
    }


def hot_spots(seen_by, passes):
    """M50: the bins with more passes per viewer than the mean and twice the deviation of all that have a viewer."""
    ratios = {i: p / v for i, (p, v) in enumerate(zip(passes, seen_by)) if v}
    if len(ratios) < 2:
        return set()
    limit = sum(ratios.values()) / len(ratios) + 2 * math.sqrt(variance(list(ratios.values())))
    return {i for i, ratio in ratios.items() if ratio > limit + 1e-12}


def drop_spots(seen_by, bins):
    """M50: the bins before which the three largest falls of viewers are, those in the last 5 % left out, the earliest of equal ones first."""
    falls = [(seen_by[i] - seen_by[i + 1], -i) for i in range(len(bins) - 1) if bins[i + 1][0] < 0.95 * bins[-1][1] and seen_by[i] > seen_by[i + 1]]
    return {1 - i for _, i in sorted(falls, reverse=True)[:3]}


# ---- active time of attempts (M29), after video, which it needs


def active_times(attempts, events):
    """M29 in seconds of the attempts that have any."""
    lengths = {key: length_of(mine) for key, mine in grouped(events, lambda e: (e.learner, e.content)).items()}
    in_scope = defaultdict(list)
    for e in events:
        for scope in e.scopes:
            in_scope[e.learner, scope, e.registration].append(e)
    lists_before, times = defaultdict(list), {}
    for mine in grouped(attempts, lambda a: (a.learner, a.content, a.registration)).values():
        listed = any(lists_of(a.events, None) for a in mine)
        for i, attempt in enumerate(mine):
            under = in_scope[attempt.learner, attempt.content, attempt.registration]
            first = attempt.events[0].order() if i else (-math.inf,)
            until = mine[i + 1].events[0].order() if i + 1 < len(mine) else (math.inf,)
            under = [e for e in under if first <= e.order() < until] if len(mine) > 1 else under
            before = lists_before[attempt.learner, attempt.content] if attempt.registration is None else []
            times[attempt] = active_time(attempt, under, lengths[attempt.learner, attempt.content], before, listed)
    return {attempt: time for attempt, time in times.items() if time}


def active_time(attempt, events, length, before, listed):
    """M29 of one attempt, by the first that applies; events are its own and those of what is under it. before are the maximal lists of the
    attempts before it, and becomes those of this one too."""
    told = [(e, min(seconds(e.result["duration"]), 4 * 3600)) for e in events if "duration" in e.result]
    if any("ended" in e.classes for e, _ in told):  # (a)
        return longest((e.session or e.t, time) for e, time in told if "ended" in e.classes)
    if attempt.kind == "video":  # (b)
        time = watched_anew(attempt.events, length, before, listed)
        if time is not None:
            return time / 1000
    parents = {e.parent for e in events}
    leaves = [((e.content, e.t), time) for e, time in told if e.content not in parents]
    if leaves:  # (c)
        return longest(leaves)
    return active([e.t for e in events]) / 1000  # (d)


def longest(times):
    """The sum of the longest of each key."""
    best = {}
    for key, time in times:
        best[key] = max(best.get(key, 0), time)
    return sum(best.values())


def watched_anew(events, length, before, listed):
    """M41 in milliseconds of what the lists of these events add to the maximal lists of before (M40). None without lists and, where the
    registration has none (listed), without pairs of M49."""
    lists = lists_of(events, length)
    if not lists:
        return None if listed else seen([segment for segment, _ in estimated(events, length)]) or None
    time = seen(added(lists, before))
    before[:] = maximal_lists(before + lists)
    return time


def seen(segments):
    return sum(b - a for a, b in segments)


# ---- questions (section 5); a response is an event of class answered


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


def seconds(duration):
    """The seconds of an ISO 8601 duration (M29)."""
    match = re.fullmatch(r"P(?:([\d.]+)W)?(?:([\d.]+)Y)?(?:([\d.]+)M)?(?:([\d.]+)D)?(?:T(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?", duration)
    weeks, years, months, days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return (((years * 365.25 + months * 365.25 / 12 + weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + rest


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


def surveyed(view, answers):
    """The first responses in the period of who was never judged until it ends, by learner."""
    until = [e for e in answers if e.day < view.days.stop]
    judged = {e.learner for e in until if correct(e) is not None}
    return {learner: e for learner, e in first_by_learner(until).items() if learner not in judged and e.day in view.days}


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


def pearson(x, y):
    """M64, of exact fractions: an r of 0 is no hair below it."""
    x, y = [Fraction(v) for v in x], [Fraction(v) for v in y]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    both = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y))
    squares = sum((a - mean_x) ** 2 for a in x) * sum((b - mean_y) ** 2 for b in y)
    return float(both) / math.sqrt(squares) if squares else None


def alpha(items, totals):
    """M66."""
    k, total = len(items), variance(totals)
    return k / (k - 1) * (1 - sum(map(variance, items)) / total) if total else None


def variance(values):
    mean = sum(values) / len(values)
    return sum((v - mean) ** 2 for v in values) / (len(values) - 1)


def normal(text, kind, matters):
    """A response or pattern of M67 without what stands before it."""
    text = re.sub(r"^(\{(case_matters|order_matters)=(true|false)\})+", "", text)
    parts = [re.sub(r"^\{lang=[^}]*\}", "", part) for part in text.split("[,]")]
    if kind in ("fill-in", "long-fill-in"):
        parts = [part.strip() if matters else part.strip().lower() for part in parts]
    return "[,]".join(parts)


def distractors(view):
    """M67 and M68: a row per option, per set of several, and per other response."""
    item = view.params["content"]
    answers = {i: mine for i, mine in answers_of(view).items() if i == item}
    first = first_responses(view, answers).get(item) or surveyed(view, answers.get(item, []))
    if not first:
        return {}
    definition = about_content(view.store)[item][-1].definition
    kind, patterns = definition.get("interactionType"), definition.get("correctResponsesPattern", [])
    matters = any("{case_matters=true}" in text for text in [*patterns, *(e.result.get("response", "") for e in first.values())])
    options = [o["id"] for o in definition.get("choices", definition.get("scale", []))]
    given = {learner: chosen_options(normal(e.result["response"], kind, matters), kind) for learner, e in first.items() if "response" in e.result}
    right = {option for pattern in patterns for option in chosen_options(normal(pattern, kind, matters), kind)}

    weakest = best = []
    wide = View(view.store, {k: v for k, v in view.params.items() if k != "content"})
    parents = parents_of(wide)
    items = Items({i: mine for i, mine in first_responses(wide, answers_of(wide)).items() if mine and parents.get(i) == parents.get(item)})
    if item in items.scores and len(items.scores) > 1:
        weakest, best = items.ends(item)
    rows = {}
    for option in {*options, *(o for chosen in given.values() for o in chosen)}:
        count = sum(option in chosen for chosen in given.values())
        top, bottom = (sum(option in given.get(learner, ()) for learner in end) for end in (best, weakest))
        rows[option] = {"responses": count, **rate("share", count, len(first)), **rate("top", top, len(best)), **rate("bottom", bottom, len(weakest))}
        keyed = option in right or (kind == "numeric" and any(in_bounds(option, pattern) for pattern in patterns))
        rows[option]["key"] = "key" if keyed else ""
        flags = ["unused"] * (count < 0.05 * len(first)) + ["attracts strong learners"] * (bool(right) and not keyed and top > bottom)
        rows[option]["flags"] = ", ".join(flags)
    return rows


def in_bounds(response, pattern):
    """Whether a number is the key min[:]max of a numeric item."""
    low, _, high = pattern.partition("[:]")
    return float(low or "-inf") <= float(response) <= float(high or "inf")


def chosen_options(response, kind):
    """The rows that a response belongs to: of a choice each option and, if they are several, the exact set."""
    options = response.split("[,]")
    return {*options, "[,]".join(sorted(options))} if kind == "choice" and len(options) > 1 else {response}


# ---- stuck and in need of support (section 6)

ELEMENTS = {"question", "module", "video"}
PAST = {"completed", "passed", "waived"}
SUPPORTED = {"course", "module", "assessment", "simulation", "other"}


def wrong_again(judged):
    """S1 of one learner's judged responses to one item."""
    verdicts = [correct(e) for e in judged]
    return len(verdicts) - 1 - max((i for i, right in enumerate(verdicts) if right), default=-1) >= 3


def stuck(view):
    """M70 to M72."""
    mine_of = grouped((e for e in view.events if e.content is not None), lambda e: (e.content, e.learner))
    reached = {}
    for content, mine in grouped(touched(view), lambda e: e.content).items():
        if kind_of_content(view.store, content) in ELEMENTS:
            reached[content] = {e.learner for e in mine}
    past = {key for key, mine in mine_of.items() if any(e.classes & PAST or ("answered" in e.classes and correct(e)) for e in mine)}
    wrong = {key for key, mine in mine_of.items() if wrong_again([e for e in mine if "answered" in e.classes and correct(e) is not None])}
    slow, left = too_slow(view, reached, past), left_at(view) - past
    rows, drops = {}, {}
    for content, who in reached.items():
        s1, s2, s3 = ({learner for learner in who if (content, learner) in keys} for keys in (wrong, slow, left))
        rows[content] = {"reached": len(who), "wrong": len(s1), "slow": len(s2), "left": len(s3), "stuck": len(s1 | s2 | s3)}
        rows[content] |= rate("stuckRate", len(s1 | s2 | s3), len(who))  # M71
        drops[content] = len(s3) / len(who)
    parents = parents_of(view)
    for content in rows:  # M72
        siblings = [drop for other, drop in drops.items() if other != content and content in parents and parents.get(other) == parents[content]]
        rows[content]["excessDropOff"] = drops[content] - quantile(sorted(siblings), 0.5) if siblings else None
    return rows


def too_slow(view, reached, past):
    """S2: (content, learner)."""
    spent, before = defaultdict(float), events_before(view)
    for attempt, time in view.times.items():
        if attempt.kind != "question":
            spent[attempt.content, attempt.learner] += time
    for e in view.events:
        if "answered" in e.classes:
            spent[e.content, e.learner] += time_on(e, before) or 0
    slow = set()
    for content, who in reached.items():
        got = sorted(spent[content, learner] for learner in who if (content, learner) in past)
        if len(got) < 20:
            continue
        limit = max(quantile(got, 0.9), 3 * quantile(got, 0.5))
        slow |= {(content, learner) for learner in who if (content, learner) not in past and spent[content, learner] > limit}
    return slow


def left_at(view):
    """S3, but for who got past: (content, learner)."""
    runs, last_under = defaultdict(list), {}
    with_parent = {(e.learner, e.content, e.registration) for e in view.events if e.parent is not None}
    for e in view.events:
        if e.content is None:
            continue
        runs[e.learner, e.parent or e.content, e.registration].append(e)
        if e.parent is not None:
            runs[e.learner, e.content, e.registration].append(e)
        for scope in e.scopes:
            last_under[scope, e.learner] = e.t
    left, silent = set(), view.now - 7 * DAY
    for (learner, whole, registration), mine in runs.items():
        elements = [e for e in mine if e.parent == whole] or [e for e in mine if e.parent is None and (learner, whole, registration) not in with_parent]
        over = any(e.content == whole and e.classes & {*PAST, "satisfied"} for e in mine)
        if not elements or over or mine[-1].t > silent or not any(e.classes - {"launched"} for e in mine):
            continue
        content = elements[-1].content
        if last_under[content, learner] <= silent:
            left.add((content, learner))
    return left


def support(view):
    """M73, rows by [learner, content]: of the content that is named, or of all. Nothing in these data has a due date (R4)."""
    attempts = grouped(view.attempts, lambda a: (a.learner, a.content))
    under = defaultdict(list)
    for e in view.events:
        for scope in e.scopes:
            under[e.learner, scope].append(e)
    starts = {key: min(starts) for key, mine in attempts.items() if (starts := [a.start.t for a in mine if a.start])}
    told = {key: progress for key in starts if (progress := progress_told([e for a in attempts[key] for e in a.events]))}
    touched_by = {(e.learner, e.content) for e in touched(view)}
    rows = {}
    for (learner, content), mine in attempts.items():
        if content != view.params.get("content", content) or kind_of_content(view.store, content) not in SUPPORTED:
            continue
        if (learner, content) not in starts or (learner, content) not in touched_by or any(a.completed or a.passed or a.waived for a in mine):
            continue
        events, reasons = under[learner, content], []
        if events[-1].t <= view.now - 7 * DAY:
            reasons.append("R1 silent for 7 days")
        judged = sorted((e for a in mine for e in a.events if e.classes & {"passed", "failed"}), key=Event.order)
        answers = grouped((e for e in events if "answered" in e.classes and correct(e) is not None), lambda e: e.content)
        if judged and "passed" not in judged[-1].classes or any(wrong_again(mine) for mine in answers.values()):
            reasons.append("R2 failed last, or stuck on a question")
        if slow_progress(learner, content, starts, told, view.now):
            reasons.append("R3 behind the others")
        if reasons:
            rows[identifier(events[-1].actor) + " " + content] = {
                "reasons": "; ".join(reasons),
                "start": moment(starts[learner, content], view.store.zone),
                "last": moment(events[-1].t, view.store.zone),
            }
    return rows


def progress_told(events):
    """(moment, progress) of the events at one content; who completed it has come to its end."""
    return [(e.t, 1 if "completed" in e.classes else e.progress) for e in events if "completed" in e.classes or e.progress is not None]


def slow_progress(learner, content, starts, told, now):
    """R3: compared with those who told any, as many days after their start as this learner is now."""
    if (learner, content) not in told:
        return False
    age = (now - starts[learner, content]) // DAY
    then = []
    for (other, c), progress in told.items():
        until = starts[other, c] + age * DAY
        if c == content and until <= now:
            then.append(max((p for t, p in progress if t <= until), default=0))
    return len(then) >= 20 and max(p for _, p in told[learner, content]) < quantile(sorted(then), 0.25)


# ---- live (M74 to M76)


def live(store, as_of):
    """M74 to M76 at a moment, by when statements were stored, of the newest 1,000. Nothing is told of what they do not reach back to."""
    newest = sorted((e for e in store.events if e.stored is not None), key=lambda e: e.stored)[-1000:]
    since = newest[0].stored if len(newest) == 1000 else -math.inf
    this_minute = as_of // MINUTE * MINUTE
    minutes, rows = Counter(e.stored // MINUTE * MINUTE for e in newest), {}
    for minute in range(this_minute - 59 * MINUTE, this_minute + MINUTE, MINUTE):
        rows[moment(minute).replace(".000Z", "Z")] = {"statements": minutes[minute] if minute >= since else None}
    learners = {e.learner for e in newest if e.stored >= as_of - 5 * MINUTE} - {None}
    rows["now"] = {"learners": len(learners) if since <= as_of - 5 * MINUTE else None, "delayOf": len(newest)}
    if since == -math.inf:  # else which are the newest may hang on what was stored within one millisecond
        rows["now"]["delay"] = quantile(sorted((e.stored - e.t) / 1000 for e in newest), 0.5)
    return rows


# ---- KPI link (M80)


def ranks(values):
    """Average ranks."""
    places = grouped(range(1, len(values) + 1), lambda place: sorted(values)[place - 1])
    return [sum(places[v]) / len(places[v]) for v in values]


def correlation(name, r, n, spread):
    """A correlation with its interval by Fisher."""
    if r is None:
        return {name: None}
    cells = {name: r, name + ".n": n, name + ".low": None, name + ".high": None}
    if n >= 4 and abs(r) < 1:
        half = Z * spread / math.sqrt(n - 3)
        cells |= {name + ".low": math.tanh(math.atanh(r) - half), name + ".high": math.tanh(math.atanh(r) + half)}
    return cells


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
    return report("kpis/" + name, {}, "name", {name: {"rowCount": len(rows), "units": len(set(rows))}}, complete=True)


def unit_of(text):
    """A learner or group as a file of KPIs names it: by its e-mail address, its SHA-1, its OpenID or its account."""
    return identifier({"mbox": "mailto:" + text}) if "@" in text else text


def mean(values):
    return sum(values) / len(values)


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


# ---- questions of one's own


def custom(view, measures, by):
    """M01, M02 and M20 to M29 by contents, kinds, platforms or languages, or by days, weeks or months. An attempt belongs to that to which the
    event belongs by which it belongs to a period."""

    def key(e):
        if by in ("day", "week", "month"):
            return bucket(e.day, by)
        return "" if by == "kind" and e.content is None else getattr(e, by) or ""

    groups, attempts = grouped(view.inside(view.all), key), grouped(view.attempts_inside(), lambda a: key(a.first if by in ('day','week','month') else a.events[0]))
    rows = {}
    for value in {*groups, *attempts}:
        mine = groups.get(value, [])
        row = {"statements": len(mine), "learners": len({e.learner for e in mine} - {None})}
        row |= attempt_figures(attempts.get(value, []), view.times, view.now)
        rows[value] = {name: cell for name, cell in row.items() if name.split(".")[0] in measures}
    return rows


# ---- the reports: the columns that rows are found by, the figures, whether there are no other rows

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
MEASURES = ["statements", "learners", "starts", "completions", "completionRateSoFar", "completionRate", "waived", "passRate", "firstPassRate", "score"]
MEASURES += ["timeToComplete", "activeTime", "activeTimeMedian"]


def report(name, params, key, rows, complete):
    return {"report": name, "params": params, "key": key, "rows": rows, "complete": complete}


def answer(store, name, **params):
    key, figures, complete = REPORTS[name]
    return report(name, params, key, figures(View(store, params)), complete)


def answer_query(store, params, query, key, figures):
    query = query | {k: params[k] for k in ("range", "from", "to") if k in params} | {"filters": {k: params[k] for k in FILTERS if k in params}}
    return report("query", {}, key, figures(View(store, params)), complete=True) | {"query": query}


def reports_of(store, params):
    """The reports of a period and under filters."""
    for name in ("overview", "contents", "kinds", "scores", "videos", "questions", "stuck", "support", "sessions", "learners", "data-quality"):
        yield answer(store, name, **params)
    if "from" in params:
        yield answer(store, "unused", **params)
        for by in ("day", "week", "month"):
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
        yield imported(store, name)
    if "live" in about:
        yield report("live", {}, "at", live(store, milliseconds(about["live"])), complete=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-about")
    parser.add_argument("file")
    args = parser.parse_args()
    about = {}
    if args.about:
        with open(args.about, encoding="utf-8") as file:
            about = json.load(file)
    statements = read_statements(args.file)
    store = Store(statements, about)
    json.dump({"statements": len(store.events), "reports": list(everything(store, about))}, sys.stdout, allow_nan=False)


if __name__ == "__main__":
    main()
