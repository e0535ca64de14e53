#!/usr/bin/env python3
"""Made-up statements for figures.py, ordinary ones and hostile ones among them.

    made.py -seed 1 -now 2026-01-01T00:00:00Z FOLDER

It writes FOLDER/statements.ndjson and FOLDER/about.json, which figures.py takes: a store in Paris whose learners work at two courses, some of
them long ago, at the edges of days, weeks, months and summer time, and some so lately that what depends on the clock (M70 to M73) is told of
them. All ages are of half a day more than a whole number of days, so that no figure hangs on the minute of the test.
"""

import argparse
import datetime
import hashlib
import json
import os
import random
import uuid

from vocabulary import ACTIVITIES, ADL, CMI5, VIDEO, W3ADL

SITE = "http://example.org/"
UTC = datetime.timezone.utc
LANGUAGES = ["en-GB", "de", "zh-Hans", "ar", None]
PLATFORMS = ["web", "mobile app", "Ünïcode / 平台", None]
TEAMS = [
    {"objectType": "Group", "mbox": "mailto:Team.North@Example.org", "name": "North"},
    {"objectType": "Group", "account": {"homePage": "http://hr.example.org", "name": "south"}},
    None,
]
# The first and last moments of days, weeks and months in Paris, the two hours of a year that are there never and twice, and years' ends.
EDGES = [
    "2025-01-31T22:59:59.999Z",
    "2025-01-31T23:00:00Z",
    "2025-03-29T23:30:00+01:00",
    "2025-03-30T00:59:59.999Z",
    "2025-03-30T01:00:00Z",
    "2025-03-30T21:59:59.999999Z",
    "2025-03-30T22:00:00Z",
    "2025-10-25T22:00:00Z",
    "2025-10-26T00:30:00Z",
    "2025-10-26T01:30:00Z",
    "2025-10-26T22:59:59.999Z",
    "2025-10-26T23:00:00Z",
    "2024-12-29T22:59:59.999Z",
    "2024-12-29T23:00:00Z",
    "2024-12-31T23:00:00Z",
    "2024-02-29T04:59:59.999+05:30",
    "1999-12-31T23:59:59.999Z",
]


class Maker:
    def __init__(self, seed, now):
        self.random, self.now, self.statements = random.Random(seed), now, []

    def id(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def chance(self, share):
        return self.random.random() < share

    def say(self, actor, at, verb, target, result=None, context=None):
        """Adds a statement; at is a moment or a text, None for none."""
        s = {"id": self.id(), "actor": actor, "verb": {"id": verb}, "object": target}
        if at is not None:
            s["timestamp"] = at if isinstance(at, str) else at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if result:
            s["result"] = result
        if context:
            s["context"] = context
        self.statements.append(s)
        return s["id"]


def activity(name, kind=None, **definition):
    if kind:
        definition["type"] = kind
    return {"id": SITE + name, "definition": {"name": {"en": name, "de": "Das " + name}, **definition}}


COURSES = [activity(f"course{i}", ACTIVITIES + "course") for i in range(2)]
MODULES = [activity(f"module{i}", ACTIVITIES + "module") for i in range(4)]
VIDEOS = [activity(f"video{i}", VIDEO + "activity-type/video") for i in range(4)]
QUIZZES = [activity(f"quiz{i}", ACTIVITIES + "assessment") for i in range(2)]
DOCUMENT = activity("handout", ACTIVITIES + "file")
GAME = activity("game")  # no type: other
CHOICES = [{"id": c, "description": {"en": "Choice " + c}} for c in "abcd"]
QUESTIONS = [
    *[
        activity(f"question{i}", ACTIVITIES + "cmi.interaction", interactionType="choice", choices=CHOICES, correctResponsesPattern=["a[,]b" if i % 3 == 0 else "c"])
        for i in range(8)
    ],
    activity("fill", ACTIVITIES + "cmi.interaction", interactionType="fill-in", correctResponsesPattern=["{case_matters=false}Paris"]),
    activity("number", interactionType="numeric", correctResponsesPattern=["3[:]5"]),
    activity("likert", ACTIVITIES + "cmi.interaction", interactionType="likert", scale=CHOICES),
    activity("free", ACTIVITIES + "question"),
]


def people(m, count):
    """Agents of every kind of identifier; the second of the first two pairs is the first under another name."""
    same = "mailto:Anna.Same@example.org"
    yield {"mbox": same, "name": "Anna"}
    yield {"mbox": "mailto:Anna.Same@EXAMPLE.org", "objectType": "Agent"}
    yield {"mbox": "mailto:bo@example.org"}
    yield {"mbox_sha1sum": hashlib.sha1(b"mailto:bo@example.org").hexdigest()}
    for i in range(count):
        yield [
            {"mbox": f"mailto:p{i}@example.org", "name": f"Person {i}"},
            {"account": {"homePage": "http://lms.example.org", "name": f"P{i}"}},
            {"openid": f"http://id.example.org/p{i}"},
            {"mbox_sha1sum": hashlib.sha1(f"mailto:q{i}@example.org".encode()).hexdigest()},
        ][i % 4]


class Learner:
    """One learner at work in one course, from a moment on."""

    def __init__(self, m, actor, course, at, registration):
        self.m, self.actor, self.course, self.at, self.registration = m, actor, course, at, registration
        self.platform, self.language, self.team = m.random.choice(PLATFORMS), m.random.choice(LANGUAGES), m.random.choice(TEAMS)
        self.session = m.id() if m.chance(0.5) else None

    def later(self, seconds):
        self.at += datetime.timedelta(seconds=seconds)

    def does(self, verb, target, result=None, parents=(), **more):
        m = self.m
        groupings = [self.course] if target is not self.course and self.course not in parents else []
        context = {"contextActivities": {}, "extensions": more.pop("extensions", {})}
        if parents:
            context["contextActivities"]["parent"] = [{"id": p["id"]} for p in parents]
        if groupings and m.chance(0.9):
            context["contextActivities"]["grouping"] = [{"id": g["id"]} for g in groupings]
        if self.registration:
            context["registration"] = self.registration
        if self.platform and m.chance(0.95):
            context["platform"] = self.platform
        if self.language and m.chance(0.95):
            context["language"] = self.language
        if self.team and m.chance(0.95):
            context["team"] = self.team
        if self.session:
            context["extensions"][CMI5 + "context/extensions/sessionid"] = self.session
        if not target["id"].startswith(SITE + "fill") and m.chance(more.pop("bare", 0)):
            target = {"id": target["id"]}  # the definition was told before
        return m.say(self.actor, self.at, verb, target, result, context)

    def pause(self):
        """Some seconds, some minutes, some hours, once in a while nothing at all."""
        r = self.m.random
        self.later(r.choice([0, 5, 20, 61.25, 290, 301, 1790, 1800, 1801.5, 5000]) if self.m.chance(0.9) else r.randint(20_000, 300_000))

    def studies(self, diligence):
        """A visit to the course; of low diligence it ends early."""
        m, r, course = self.m, self.m.random, self.course
        number = COURSES.index(course)
        if m.chance(0.7):
            self.does(ADL + "launched", course)
            self.pause()
        if m.chance(0.9):
            self.does(ADL + "initialized", course)
        for module in MODULES[2 * number : 2 * number + 2]:
            if not m.chance(diligence):
                continue
            self.pause()
            self.does(ADL + r.choice(["initialized", "experienced", "attempted"]), module, parents=[course])
            for video in VIDEOS[2 * number : 2 * number + 2]:
                if m.chance(diligence):
                    self.watches(video, module)
            if m.chance(diligence):
                self.does(ADL + "completed", module, self.outcome(), parents=[course])
        if m.chance(diligence):
            self.answers(QUIZZES[number], QUESTIONS[6 * number : 6 * number + 6])
        if m.chance(0.3):
            self.does(ADL + "experienced", DOCUMENT, parents=[course, MODULES[0]] if m.chance(0.5) else [MODULES[0]])
        if m.chance(0.3):
            self.does(ADL + r.choice(["attempted", "experienced", "interacted"]), GAME, {"success": m.chance(0.5)} if m.chance(0.5) else None)
        for _ in range(r.randint(0, 4)):
            self.pause()
            self.does(ADL + "progressed", course, {"extensions": {CMI5 + "result/extensions/progress": r.choice([0, 10, 25.5, 50, 75, 100, 300])}})
        if m.chance(diligence / 2):
            self.pause()
            self.does(r.choice([ADL + "completed", ADL + "passed", ADL + "failed", W3ADL + "waived", W3ADL + "satisfied", ADL + "experienced"]), course, self.outcome())
        if m.chance(0.5):
            self.pause()
            self.does(r.choice([ADL + "terminated", ADL + "exited", W3ADL + "abandoned"]), course, {"duration": self.duration()} if m.chance(0.7) else None)

    def outcome(self):
        r, result = self.m.random, {}
        if self.m.chance(0.3):
            result["success"] = self.m.chance(0.6)
        if self.m.chance(0.4):
            result["completion"] = self.m.chance(0.8)
        if self.m.chance(0.5):
            result["score"] = r.choice(
                [
                    {"scaled": r.choice([-1, -0.25, 0, 0.1, 0.5, 0.5, 0.85, 0.9, 1])},
                    {"raw": r.randint(0, 20), "min": 0, "max": 20},
                    {"raw": r.randint(-3, 7), "max": 7},
                    {"raw": 5},
                    {"raw": 1, "min": 1, "max": 3, "scaled": 0.123456},
                    {"raw": -1e308, "max": 1},
                ]
            )
        if self.m.chance(0.3):
            result["duration"] = self.duration()
        return result or None

    def duration(self):
        return self.m.random.choice(["PT0S", "PT5M", "PT12.34S", "PT1H30M", "PT9H", "P1DT1S", "P1Y", "P2W", "PT600S"])

    def watches(self, video, module):
        """A visit to a video: with lists that go on, that start again or that are nonsense, or without any."""
        m, r = self.m, self.m.random
        length = r.choice([90, 90, 90, 91.5, 0]) if video is not VIDEOS[3] else 640
        told = {VIDEO + "extensions/length": length} if m.chance(0.9) else {}
        if m.chance(0.3):
            told[VIDEO + "extensions/completion-threshold"] = r.choice([0.5, 0.8, 1.0])
        if m.chance(0.2):
            told[VIDEO + "extensions/speed"] = r.choice(["2x", "0.5", "1.0x"])
        lists, parts, place = m.chance(0.7), [], 0.0

        def tell(verb, **result):
            result = {VIDEO + "extensions/" + name.replace("_", "-"): value for name, value in result.items()}
            if lists and parts and m.chance(0.8):
                result[VIDEO + "extensions/played-segments"] = "[,]".join(parts)
            self.does(verb, video, {"extensions": result}, parents=[module], extensions=dict(told), bare=0.1)

        if m.chance(0.5):
            self.does(ADL + "initialized", video, parents=[module], extensions=dict(told))
        for _ in range(r.randint(1, 5)):
            self.pause()
            tell(VIDEO + "verbs/played", time=round(place, 3))
            watched = r.choice([0, 1.5, 10, 30, 45.25, 90])
            self.later(watched / r.choice([1, 1, 1.1, 2]))
            end = min(place + watched, length or 90)
            parts.append(r.choice(["%.3f[.]%.3f" % (place, end)] * 9 + ["x[.]3", "5[.]4", "%.1f" % place, " 1 [.] 2.5 "]))
            place = end
            if m.chance(0.3):
                to = round(r.uniform(0, (length or 90) * 1.2), 2)
                tell(VIDEO + "verbs/seeked", time_from=round(place, 3), time_to=to)
                place = to
            else:
                tell(VIDEO + "verbs/paused", time=round(place, 3), progress=r.choice([0.1, 0.5, 1, 3]))
            if m.chance(0.1):
                parts.clear()
        if m.chance(0.3):
            tell(ADL + "completed", time=round(place, 3), progress=1)
        if m.chance(0.4):
            tell(ADL + "terminated", time=round(place, 3))

    def answers(self, quiz, questions):
        m, r = self.m, self.m.random
        self.pause()
        self.does(ADL + "initialized", quiz, parents=[self.course])
        skill = r.random()
        for question in questions:
            for _ in range(r.choice([0, 1, 1, 1, 1, 2, 4])):
                self.later(r.choice([0, 3, 15, 45, 200]))
                kind = question["definition"].get("interactionType")
                response = {
                    "choice": r.choice(["a", "b", "c", "d", "a[,]b", "b[,]a", "c", "c"]),
                    "fill-in": r.choice(["Paris", " paris ", "PARIS", "{lang=fr}Paris", "Lyon", "{case_matters=false}paris"]),
                    "numeric": r.choice(["4", "4.0", "7"]),
                    "likert": r.choice("abcd"),
                }.get(kind, r.choice(["yes", "Yes", "no"]))
                result = {"response": response}
                right = r.random() < skill
                if kind != "likert" and question is not QUESTIONS[-1]:
                    result |= r.choice([{"success": right}, {"success": right}, {"success": right, "score": {"scaled": 0.5}}, {"score": {"scaled": 1 if right else 0.3}}])
                if m.chance(0.5):
                    result["duration"] = r.choice(["PT3S", "PT45S", "PT6H", "PT0S"])
                verb = ADL + "answered" if m.chance(0.95) else "https://w3id.org/xapi/acrossx/verbs/evaluated"
                self.does(verb, question, result, parents=[quiz])
        self.pause()
        for _ in range(r.choice([1, 1, 2])):
            passed = r.random() < skill
            result = {"score": {"scaled": round(skill, 2)}, "success": passed if m.chance(0.9) else not passed}
            self.does(ADL + ("passed" if passed else "failed"), quiz, result, parents=[self.course])
            self.pause()


def hostile(m, actors):
    """What no course says but stores hold."""
    r = m.random
    for edge in EDGES:
        m.say(r.choice(actors), edge, ADL + "experienced", r.choice([GAME, DOCUMENT, COURSES[0]]))
        m.say(r.choice(actors), edge, ADL + "initialized", r.choice([*MODULES, *COURSES]), None, {"registration": m.id().upper()})
    recent = m.now - datetime.timedelta(days=3, hours=12)
    crowd = {"objectType": "Group", "member": [{"mbox": "mailto:p1@example.org"}, {"mbox": "mailto:stranger@example.org"}]}
    for i, actor in enumerate([crowd, TEAMS[0], TEAMS[1], crowd]):
        m.say(actor, recent + datetime.timedelta(minutes=i), ADL + "completed", COURSES[0], {"completion": True, "score": {"scaled": 0.5}}, {"platform": "web"})
    for target in [
        {"objectType": "Agent", "mbox": "mailto:p1@example.org"},
        {"objectType": "Group", "mbox": "mailto:somebody@example.org"},
        {"objectType": "StatementRef", "id": m.statements[0]["id"]},
        {"objectType": "SubStatement", "actor": {"mbox": "mailto:p2@example.org"}, "verb": {"id": ADL + "completed"}, "object": {"id": COURSES[1]["id"]}},
    ]:
        for _ in range(3):
            m.say(r.choice(actors), recent, ADL + "commented", target, None, {"contextActivities": {"parent": [{"id": COURSES[0]["id"]}]}})
    for _ in range(20):  # from clocks that run ahead or not at all
        m.say(r.choice(actors), r.choice(["2099-12-31T23:59:59Z", m.now + datetime.timedelta(days=40), None]), ADL + "attempted", r.choice([GAME, *MODULES]))
    many = [{"id": f"{SITE}group{i}"} for i in range(12)]
    for _ in range(6):
        activities = {"parent": [{"id": GAME["id"]}, *many[:2]], "grouping": [{"id": GAME["id"]}, *many]}
        m.say(r.choice(actors), recent, ADL + "attempted", GAME, None, {"contextActivities": activities})
    for s in r.sample(m.statements, 120):  # voids, some of them before what they void
        if s["verb"]["id"] != ADL + "voided":
            voided = {"objectType": "StatementRef", "id": r.choice([s["id"], s["id"].upper()])}
            m.say(r.choice(actors), r.choice([recent, None, "2025-06-01T00:00:00Z"]), ADL + "voided", voided)
    m.say(actors[0], recent, ADL + "voided", {"objectType": "StatementRef", "id": m.id()})  # what never comes


def make(seed, now):
    m = Maker(seed, now)
    actors = list(people(m, 56))
    for actor in actors:
        for course in COURSES if m.chance(0.6) else [m.random.choice(COURSES)]:
            registration = m.id() if m.chance(0.7) else None
            for visit in range(m.random.choice([1, 1, 2, 3])):
                days = m.random.choice([400, 250, 90, 45, 32, 31, 29, 28, 15, 10, 8, 7, 6, 5, 3, 2])
                if m.chance(0.3):
                    registration = m.id() if registration else None
                Learner(m, actor, course, now - datetime.timedelta(days=days + 0.5), registration).studies(m.random.choice([0.3, 0.7, 0.95]))
    # What is said of the time within the last two and a half days would lie ahead of the clock, or hang on the minute of the test.
    hostile(m, actors)
    m.random.shuffle(m.statements)
    for s in m.random.sample(m.statements, 60):  # said twice
        m.statements.append(dict(s))
    return m.statements, actors


def about(seed, now, actors):
    r = random.Random(seed)
    lines = ["learner,date,value"]
    for actor in actors[::2]:
        name = actor.get("mbox") or actor.get("mbox_sha1sum") or actor.get("openid") or actor["account"]["homePage"] + "|" + actor["account"]["name"]
        for _ in range(r.choice([0, 1, 1, 3])):
            day = (now - datetime.timedelta(days=r.choice([5, 20, 100]))).date()
            lines.append(f"{name.removeprefix('mailto:')},{day},{r.randint(-50, 500) / 4}")
    lines += [f"stranger{i}@example.org,2026-01-01,5" for i in range(4)]
    groups = ["group,date,value"]
    for _ in range(60):
        day = (now - datetime.timedelta(days=r.randint(0, 410))).date()
        groups.append(f"{r.choice(['Team.North@Example.org', 'http://hr.example.org|south', 'nobody@example.org'])},{day},{r.randint(1, 90)}")
    day = lambda ago: (now - datetime.timedelta(days=ago)).date().isoformat()
    return {
        "timeZone": "Europe/Paris",
        "filters": [
            {"kind": "video"},
            {"kind": "question"},
            {"kind": "other"},
            {"platform": PLATFORMS[2]},
            {"language": "de"},
            {"content": COURSES[0]["id"]},
            {"content": MODULES[0]["id"]},
            {"content": QUIZZES[1]["id"], "platform": "web"},
            {"group": json.dumps(TEAMS[0])},
            {"group": json.dumps(TEAMS[1]), "kind": "course"},
        ],
        "periods": [
            {"from": "2025-01-01", "to": "2025-12-31"},
            {"from": "2025-03-30", "to": "2025-03-30"},
            {"from": "2025-10-26", "to": "2025-10-26"},
            {"from": day(40), "to": day(9)},
        ],
        "kpis": {"sales": "\n".join(lines) + "\n", "errors": "\n".join(groups) + "\n"},
        "learners": True,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-seed", type=int, default=1)
    parser.add_argument("-now", required=True)
    parser.add_argument("folder")
    args = parser.parse_args()
    now = datetime.datetime.fromisoformat(args.now.replace("Z", "+00:00"))
    statements, actors = make(args.seed, now)
    with open(os.path.join(args.folder, "statements.ndjson"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(s) + "\n" for s in statements)
    with open(os.path.join(args.folder, "about.json"), "w", encoding="utf-8") as file:
        json.dump(about(args.seed, now, actors), file)


if __name__ == "__main__":
    main()
