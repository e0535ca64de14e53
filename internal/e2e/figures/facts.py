"""Statements, and what the figures need of one (sections 0 and 1)."""

import gzip
import hashlib
import json

from times import MINUTE, day_of, milliseconds
from vocabulary import ADL, ANSWERED, CMI5, ENDED, KINDS, STARTED, VIDEO, W3ADL


def read_statements(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        text = file.read()
    if text.lstrip().startswith("["):
        return json.loads(text)
    return [json.loads(line) for line in text.splitlines() if line.strip()]


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
    """The first of the values that is a number; None if none is."""
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
        self.day = day_of(self.t, zone)
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
