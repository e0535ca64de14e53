"""Where learners are stuck (M70 to M72), and who needs support (M73)."""

from collections import defaultdict

from facts import Event, identifier
from questions import correct, events_before, time_on
from samples import grouped, quantile, rate
from store import kind_of_content, parents_of, touched
from times import DAY, moment

ELEMENTS = {"question", "module", "video"}
PAST = {"completed", "passed", "waived"}
SUPPORTED = {"course", "module", "assessment", "simulation", "other"}


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


def wrong_again(judged):
    """S1 of one learner's judged responses to one item."""
    verdicts = [correct(e) for e in judged]
    return len(verdicts) - 1 - max((i for i, right in enumerate(verdicts) if right), default=-1) >= 3


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
