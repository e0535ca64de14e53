#!/usr/bin/env python3
"""Figures of reports, computed a second time.

    figures.py FILE          a file of statements: NDJSON or one JSON array, plain or .gz

It was written from internal/report/DEFINITIONS.md alone, by an author who had not read the Go code of internal/report, and
keeps to the plainest way of computing: all statements in memory, no sums kept, each figure from its definition. The ids in the
comments (M01, 0.3 ...) are those of the definitions. Standard library only.

It takes for granted what the data of the tests keep to: nothing is voided, nothing is refused, all times are long past and in
a store whose time zone is UTC, and no value is out of its range.

It prints one JSON object {"statements": n, "reports": [...]}. Each report is what the report API has to answer to one request:

    {"report": "videos", "params": {"range": "all"}, "key": "content", "complete": true,
     "rows": {"http://example.org/v": {"viewers": 3, "reported.count": 1, "coverage": 0.5, "score": null}}}

"key" names the column that a row is found by. A figure is the value of its column, or after a dot the part of its cell
("count", "of", "n", "low", "high"); null is a figure that there is not. With "complete" there are no other rows.
"""

import datetime
import gzip
import hashlib
import json
import math
import re
import sys
from collections import Counter, defaultdict
from fractions import Fraction

ADL = "http://adlnet.gov/expapi/verbs/"
VIDEO = "https://w3id.org/xapi/video/"
AS = "http://activitystrea.ms/schema/1.0/"
DAY = 86_400_000  # milliseconds
MINUTE = 60_000
Z = 1.959963984540054

STARTED = {ADL + "initialized", ADL + "attempted", VIDEO + "verbs/played", AS + "start", AS + "play"}
ANSWERED = {ADL + "answered", "https://w3id.org/xapi/acrossx/verbs/evaluated"}
ENDED = {ADL + "terminated", ADL + "exited", "http://id.tincanapi.com/verb/left", AS + "close", "https://w3id.org/xapi/adl/verbs/abandoned"}
KINDS = {
    VIDEO + "activity-type/video": "video",
    AS + "video": "video",
    "http://adlnet.gov/expapi/activities/cmi.interaction": "question",
    "http://adlnet.gov/expapi/activities/question": "question",
    "http://adlnet.gov/expapi/activities/course": "course",
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
    return (moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(milliseconds=1)


def learner_of(actor):
    """The identity of the actor; None for a Group (0.4)."""
    if actor.get("objectType") == "Group":
        return None
    if "mbox" in actor:
        local, _, domain = actor["mbox"].rpartition("@")
        return "sha1 " + hashlib.sha1((local + "@" + domain.lower()).encode()).hexdigest()
    if "mbox_sha1sum" in actor:
        return "sha1 " + actor["mbox_sha1sum"].lower()
    if "openid" in actor:
        return "openid " + actor["openid"]
    return "account " + actor["account"]["homePage"] + " " + actor["account"]["name"]


def score_of(result):
    """The score as a share, in millionths; None without one (section 1)."""
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
    return round(share * 1_000_000)


def first_number(*values):
    return next((v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)), None)


class Event:
    """What the figures need of one statement."""

    def __init__(self, statement):
        context, result = statement.get("context", {}), statement.get("result", {})
        self.id = statement["id"].lower()
        self.t = milliseconds(statement["timestamp"])
        self.day = self.t // DAY
        self.learner = learner_of(statement["actor"])
        self.verb = statement["verb"]["id"]
        self.content = statement["object"]["id"]
        self.definition = statement["object"].get("definition", {})
        self.registration = context.get("registration")
        self.result, self.score = result, score_of(result)

        self.told, self.about = result.get("extensions", {}), context.get("extensions", {})
        self.session = self.about.get("https://w3id.org/xapi/cmi5/context/extensions/sessionid") or self.about.get(VIDEO + "extensions/session-id")
        activities = context.get("contextActivities", {})
        parents = [a["id"] for a in activities.get("parent", [])]
        self.parent = parents[0] if parents and parents[0] != self.content else None
        self.scopes = {self.content, *parents, *(a["id"] for a in activities.get("grouping", []))}
        self.kind = self.kind_of()
        self.classes = self.classes_of()

    def order(self):
        """Events are ordered by this (0.3). The files do not say when a statement was stored."""
        return self.t, hashlib.sha256(self.id.encode()).digest()[:8]

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
        """The classes of the event (section 1); none when it contradicts itself."""
        success, completion = self.result.get("success"), self.result.get("completion")
        if (self.verb, completion) == (ADL + "completed", False) or (self.verb, success) in ((ADL + "passed", False), (ADL + "failed", True)):
            return set()
        judged = success is not None and self.kind != "question"
        tests = {
            "launched": self.verb == ADL + "launched",
            "started": self.verb in STARTED,
            "progressed": self.verb == ADL + "progressed",
            "answered": self.verb in ANSWERED and self.kind == "question",
            "completed": self.verb == ADL + "completed" or completion is True,
            "passed": self.verb == ADL + "passed" or (judged and success),
            "failed": self.verb == ADL + "failed" or (judged and not success),
            "ended": self.verb in ENDED,
        }
        return {name for name, counts in tests.items() if counts}

    def video(self, name):
        return self.told.get(VIDEO + "extensions/" + name)

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


# ---- intervals and quantiles (section 7)


def rate(name, count, of):
    """The cells of a rate with its interval by Wilson; of fewer than 10 only the two counts are told (section 8)."""
    if of == 0:
        return {name: None}
    if of < 10:
        return {name: None, name + ".count": count, name + ".of": of, name + ".low": None, name + ".high": None}
    p = count / of
    centre = (p + Z * Z / (2 * of)) / (1 + Z * Z / of)
    half = Z * math.sqrt(p * (1 - p) / of + Z * Z / (4 * of * of)) / (1 + Z * Z / of)
    return {name: p, name + ".count": count, name + ".of": of, name + ".low": centre - half, name + ".high": centre + half}


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
        self.learner, self.content, self.kind = events[0].learner, events[0].content, events[0].kind
        started = [e for e in events if "started" in e.classes]
        others = [e for e in events if e.classes - {"launched"}]
        self.start = (started or others or [None])[0]
        self.moment = (self.start or events[0]).t  # the moment by which it belongs to a period
        self.completed = next((e for e in events if "completed" in e.classes), None)
        scored = [e.score for e in events if e.score is not None]
        self.score = scored[-1] if scored else None
        self.judgements = [("passed" in e.classes) for e in events if e.classes & {"passed", "failed"}]

    def completed_within(self, days):
        return self.completed is not None and self.completed.t - self.start.t <= days * DAY


def attempts_of(events):
    """The attempts of ordered events (0.7): one per registration; without one a new attempt begins where, after an end of the
    current one (completed, passed or failed), it is started again."""
    attempts = []
    for (_, _, registration), mine in grouped(events, lambda e: (e.learner, e.content, e.registration)).items():
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


def attempt_figures(attempts, completion_rate=True):
    """M20 to M28 of attempts; all of them have matured."""
    started = [a for a in attempts if a.start]
    completed = [a for a in started if a.completed]
    cells = {"starts": len(started), "completions": len(completed), **rate("completionRateSoFar", len(completed), len(started))}
    judged = [a for a in attempts if a.judgements]
    cells |= rate("passRate", sum(a.judgements[-1] for a in judged), len(judged))
    if not completion_rate:
        return cells
    in_time = [a for a in started if a.completed_within(30)]
    cells |= rate("completionRate", len(in_time), len(started))
    first = {}
    for a in sorted(judged, key=lambda a: a.moment):
        first.setdefault((a.learner, a.content), a)
    cells |= rate("firstPassRate", sum(a.judgements[-1] for a in first.values()), len(first))
    cells |= median("score", [s / 10_000 for s in first_scores(attempts)])
    cells |= median("timeToComplete", [(a.completed.t - a.start.t) / 1000 for a in in_time if a.completed.t >= a.start.t])
    return cells


def first_scores(attempts):
    """M26: of each learner's first scored attempt per content, in millionths."""
    first = {}
    for a in sorted((a for a in attempts if a.score is not None), key=lambda a: (a.moment, a.events[0].order())):
        first.setdefault((a.learner, a.content), a.score)
    return list(first.values())


# ---- reach and engagement (section 2)


def sessions_of(events):
    """M10 of ordered events: (moment of the first event, seconds in the session) of each session. Two events are in one session if
    they follow each other within 30 minutes, or have one session id, or are connected by such."""
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
        members = grouped(range(len(mine)), find)
        for indices in members.values():
            times = [mine[i].t for i in indices]
            sessions.append((min(times), min(active(times), 4 * 60 * MINUTE) / 1000))
    return sessions


def active(times):
    """M29 (d) of moments in order, in milliseconds."""
    gaps = [b - a for a, b in zip(times, times[1:])]
    return sum(min(gap, 5 * MINUTE) for gap in gaps if gap <= 30 * MINUTE)


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


def over_time(events, by, first_seen=None):
    """M01, M03, M05, M10, M20 to M22 of ordered events per day, week or month. New learners only with the day each was first seen."""
    rows = defaultdict(dict)
    for at, mine in grouped(events, lambda e: bucket(e.day, by)).items():
        learners = {e.learner for e in mine}
        rows[at] = {"statements": len(mine), "learners": len(learners)}
        if first_seen:
            new = sum(bucket(first_seen[learner], by) == at for learner in learners)
            rows[at] |= {"new": new, "returning": len(learners) - new}
    for at, mine in grouped(attempts_of(events), lambda a: bucket(a.moment // DAY, by)).items():
        rows[at] |= attempt_figures(mine, completion_rate=False)
    for at, mine in grouped(sessions_of(events), lambda s: bucket(s[0] // DAY, by)).items():
        rows[at] |= {"sessions": len(mine), "activeTime": sum(s[1] for s in mine)}
    return {at: {"starts": 0, "completions": 0, "sessions": 0, **row} for at, row in rows.items()}


def overview(events, scope, store=False):
    learners = {e.learner for e in events}
    row = {"statements": len(events), "learners": len(learners)}
    if store:
        row |= {"new": len(learners), "returning": 0}
    sessions = sessions_of(events)
    row |= {"sessions": len(sessions), "activeTime": sum(s[1] for s in sessions)}
    return {scope: row | attempt_figures(attempts_of(events), completion_rate=False)}


def stickiness(events, first, last):
    """M04 over the days from first to last, all of them past."""
    daily = sum(len({e.learner for e in mine}) for mine in grouped(events, lambda e: e.day).values())
    return daily / (last - first + 1) / len({e.learner for e in events})


def retention(events, weeks):
    """M06 for the weeks after the first; by [week, weeks later]."""
    active_in, first = defaultdict(set), {}
    for e in events:
        active_in[monday(e.day)].add(e.learner)
        first.setdefault(e.learner, monday(e.day))
    rows = {}
    for week in sorted(set(first.values())):
        cohort = {learner for learner, seen in first.items() if seen == week}
        for later in range(weeks + 1):
            still = len(cohort & active_in[week + 7 * later])
            rows[f"{date_of(week)} {later:02d}"] = {"learners": len(cohort), "active": still, **rate("retention", still, len(cohort))}
    return rows


# ---- video (section 4); places are whole milliseconds

DECIMAL = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)\s*")


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
    """M49: segments from pairs of events, where no list was told."""
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
                segments.append((round(start * 1000), round(end * 1000) if length is None else min(round(end * 1000), length)))
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
        earlier = grouped((e for e in all_events if e.day < days.start), lambda e: e.registration)
        for registration, mine in grouped(events, lambda e: e.registration).items():
            lists = lists_of(mine, length)
            if lists:
                self.segments += added(lists, maximal_lists(lists_of(earlier[registration], length)))
            else:
                guessed = estimated(mine, length)
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


def video_figures(events, days):
    """M41 to M46 of ordered events about one video on the days of a range, and its heat map."""
    length = length_of(events)
    learners = grouped(events, lambda e: e.learner).values()
    viewers = [Viewer(mine, days, length) for mine in learners if any(e.day in days for e in mine)]
    watch, unique = sum(v.watched for v in viewers), sum(v.unique for v in viewers)
    row = {"viewers": len(viewers), "watchTime": watch / 1000, "uniqueSeconds": unique / 1000, "rewatchRatio": watch / unique - 1 if unique else None}
    row |= {"length": length / 1000 if length else None, "estimated": sum(v.estimated for v in viewers)}
    row |= rate("reported", sum(v.reported for v in viewers), len(viewers))
    if length:
        row |= median("coverage", [v.unique / length for v in viewers])
        row |= rate("measured", sum(v.unique / length >= v.threshold for v in viewers), len(viewers))
        row |= rate("inFull", sum(v.unique / length >= 0.95 for v in viewers), len(viewers))
    return row, heat_map(viewers, length) if length else {}


def heat_map(viewers, length):
    """M47 and M48."""
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
    return {
        f"{i:03d}": {
            "from": b[0] / 1000,
            "to": b[1] / 1000,
            "viewers": seen_by[i],
            "passes": passes[i],
            "repeats": passes[i] - seen_by[i],
            **rate("retention", seen_by[i], anywhere),
        }
        for i, b in enumerate(bins)
    }


# ---- active time of attempts (M29), after video, which it needs


def active_times(attempts, events):
    """M29 in seconds of the attempts that have any. All are at contents with nothing under them."""
    lengths = {content: length_of(mine) for content, mine in grouped(events, lambda e: e.content).items()}
    lists_before, times = defaultdict(list), {}
    for attempt in attempts:
        before = lists_before[attempt.learner, attempt.content] if attempt.events[0].registration is None else []
        times[attempt] = active_time(attempt, lengths[attempt.content], before)
    return {attempt: time for attempt, time in times.items() if time}


def active_time(attempt, length, before):
    """M29 of one attempt, by the first that applies; before are the maximal lists of the attempts before it, and becomes those
    of this one too."""
    told = [e for e in attempt.events if "duration" in e.result]
    if any("ended" in e.classes for e in told):  # (a)
        longest = defaultdict(float)
        for e in told:
            if "ended" in e.classes:
                key = e.session or e.t
                longest[key] = max(longest[key], min(seconds(e.result["duration"]), 4 * 3600))
        return sum(longest.values())
    if attempt.kind == "video":  # (b)
        time = watched_anew(attempt.events, length, before)
        if time is not None:
            return time / 1000
    if told:  # (c): nothing is under these contents, so that all are leaves
        longest = defaultdict(float)
        for e in told:
            longest[e.content, e.t] = max(longest[e.content, e.t], min(seconds(e.result["duration"]), 4 * 3600))
        return sum(longest.values())
    return active([e.t for e in attempt.events]) / 1000  # (d)


def watched_anew(events, length, before):
    """M41 in milliseconds of what the lists of these events add to the maximal lists of before (M40). None without lists and pairs of
    M49."""
    lists = lists_of(events, length)
    if not lists:
        return seen(estimated(events, length)) or None
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
    """The seconds of an ISO 8601 duration of days at most."""
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?", duration)
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def time_on(event, before):
    """M69 of a first response, in seconds; None when nothing tells it. before is the learner's previous event."""
    if "duration" in event.result:
        return min(seconds(event.result["duration"]), 4 * 3600)
    if before is None or event.t - before.t > 30 * MINUTE:
        return None
    return (event.t - before.t) / 1000


def question_reports(events):
    answers = grouped((e for e in events if "answered" in e.classes), lambda e: e.content)
    before, previous = {}, {}
    for e in events:
        before[e.id] = previous.get(e.learner)
        previous[e.learner] = e
    rows, first = {}, {}
    for item, mine in answers.items():
        judged = [e for e in mine if correct(e) is not None]
        first[item] = first_by_learner(judged)
        rows[item] = question_figures(judged, first[item].values())
        if judged:
            rows[item] |= median("time", [s for e in first[item].values() if (s := time_on(e, before[e.id])) is not None])
        yield report("question-answers", {"range": "all", "content": item}, "option", distractors(mine, first[item] or first_by_learner(mine)))
    for items in grouped(answers, lambda item: answers[item][-1].parent).values():
        for item, cells in items_together({item: first[item] for item in items if first[item]}).items():
            rows[item] |= cells
    yield report("questions", {"range": "all"}, "content", rows)


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


def items_together(first):
    """M64 to M66 of the items of one parent, from the first responses by item and learner. A store of test data has no least numbers."""
    answered = Counter(learner for responses in first.values() for learner in responses)
    learners = [learner for learner, n in answered.items() if n >= 0.8 * len(first)]
    scores = {item: [int(learner in responses and correct(responses[learner])) for learner in learners] for item, responses in first.items()}
    scores = {item: x for item, x in scores.items() if len(set(x)) > 1}
    totals = [sum(column) for column in zip(*scores.values())]
    cells = {}
    for item in first:
        cells[item] = {"discrimination": None}
        if item in scores and len(scores) > 1:
            rest = [total - x for total, x in zip(totals, scores[item])]
            cells[item] = {"discrimination": pearson(scores[item], rest), "discrimination.n": len(learners), **upper_lower(scores[item], rest)}
        if len(scores) > 1:
            cells[item] |= {"alpha": alpha(list(scores.values()), totals), "alpha.n": len(learners)}
    return cells


def pearson(x, y):
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    both = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y))
    squares = sum((a - mean_x) ** 2 for a in x) * sum((b - mean_y) ** 2 for b in y)
    return both / math.sqrt(squares) if squares else None


def upper_lower(scores, rest):
    """M65, unless who is among the best and the weakest hangs on the order of learners with equal rest scores."""
    order = sorted(zip(rest, scores))
    n = math.ceil(0.27 * len(order))
    if order[n - 1][0] == order[n][0] or order[-n][0] == order[-n - 1][0]:
        return {}
    return {"upperLower": (sum(x for _, x in order[-n:]) - sum(x for _, x in order[:n])) / n}


def alpha(items, totals):
    """M66."""
    k, total = len(items), variance(totals)
    return k / (k - 1) * (1 - sum(map(variance, items)) / total) if total else None


def variance(values):
    mean = sum(values) / len(values)
    return sum((v - mean) ** 2 for v in values) / (len(values) - 1)


def distractors(events, first):
    """M67 of first responses to a choice or likert item of single responses: a row per option and per other response."""
    definition = events[-1].definition
    options = [o["id"] for o in definition.get("choices", definition.get("scale", []))]
    given = Counter(e.result["response"] for e in first.values())
    return {option: {"responses": given[option], **rate("share", given[option], len(first))} for option in {*options, *given}}


# ---- the reports


def report(name, params, key, rows, complete=True):
    return {"report": name, "params": params, "key": key, "rows": rows, "complete": complete}


def reach_reports(events):
    all_time, days = {"range": "all"}, {e.day for e in events}
    first, last = monday(min(days)) - 7, monday(max(days)) + 13
    period = {"from": date_of(first).isoformat(), "to": date_of(last).isoformat()}
    first_seen = {}
    for e in events:
        first_seen.setdefault(e.learner, e.day)
    yield report("overview", all_time, "scope", overview(events, "store", store=True))
    sticky = overview(events, "store", store=True)
    sticky["store"]["stickiness"] = stickiness(events, first, last)
    yield report("overview", period, "scope", sticky)
    for scope in sorted({s for e in events for s in e.scopes}):
        under = [e for e in events if scope in e.scopes]
        yield report("overview", {**all_time, "content": scope}, "scope", overview(under, scope))
        yield report("activity", {**period, "by": "day", "content": scope}, "at", over_time(under, "day"), complete=False)
    for by in ("day", "week", "month"):
        yield report("activity", {**period, "by": by}, "at", over_time(events, by, first_seen), complete=False)
    yield report("retention", period, "week later", retention(events, 52))


def attempt_reports(events, days, period):
    attempts = attempts_of(events)
    times = active_times(attempts, events)
    attempts = [a for a in attempts if a.moment // DAY in days]
    events = [e for e in events if e.day in days]
    for name, key in (("kinds", "kind"), ("contents", "content")):
        rows = {}
        for value, mine in grouped(events, lambda e: getattr(e, key)).items():
            rows[value] = {"learners": len({e.learner for e in mine})}
            theirs = [a for a in attempts if getattr(a, key) == value]
            rows[value] |= attempt_figures(theirs)
            spent = [times[a] for a in theirs if a in times]
            rows[value] |= {"activeTime": sum(spent) if spent else None, **median("activeTimeMedian", spent)}
        yield report(name, period, key, rows)
    yield report("scores", period, "bin", histogram(first_scores(attempts)))


def histogram(scores):
    """M26: bins of 10, the last closed, and one of those below 0."""
    bins = Counter(-1 if s < 0 else min(s // 100_000, 9) for s in scores)
    return {"below 0" if i < 0 else f"{10 * i:02d} to {10 * i + 10}": {"attempts": bins[i]} for i in range(-1, 10)}


def video_reports(events, days, period):
    rows = {}
    for content, mine in grouped((e for e in events if e.kind == "video"), lambda e: e.content).items():
        row, bins = video_figures(mine, days)
        if row["viewers"]:
            rows[content] = row
        if bins:
            yield report("video-heatmap", {**period, "content": content}, "bin", bins)
    yield report("videos", period, "content", rows)


def by_period(reports, events):
    """Reports of all time and of the middle of the days on which something happened."""
    days = sorted({e.day for e in events})
    middle = range(days[len(days) // 3], days[2 * len(days) // 3] + 1)
    yield from reports(events, range(days[0], days[-1] + 1), {"range": "all"})
    yield from reports(events, middle, {"from": date_of(middle[0]).isoformat(), "to": date_of(middle[-1]).isoformat()})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    statements = read_statements(sys.argv[1])
    events = sorted((Event(s) for s in statements), key=Event.order)
    reports = [*reach_reports(events), *by_period(attempt_reports, events), *by_period(video_reports, events), *question_reports(events)]
    json.dump({"statements": len(statements), "reports": reports}, sys.stdout, allow_nan=False)


if __name__ == "__main__":
    main()
