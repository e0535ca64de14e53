"""Videos (section 4)."""

import math
from collections import Counter

from facts import first_number
from samples import grouped, median, rate, variance
from segments import added, covered, estimated, length_of, lists_of, maximal_lists, seen, union
from vocabulary import VIDEO


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
