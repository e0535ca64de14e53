"""What of a video was played: lists of segments (M40) and pairs of events (M49). Places are whole milliseconds."""

import functools
import re
from fractions import Fraction

from facts import first_number
from samples import grouped
from vocabulary import VIDEO

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


def lists_of(events, length):
    return [parse_segments(e.video("played-segments"), length) for e in events if isinstance(e.video("played-segments"), str)]


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


def length_of(events):
    """L in milliseconds of ordered events about a video."""
    return next((e.length() for e in reversed(events) if e.length()), None)


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


def seen(segments):
    return sum(b - a for a, b in segments)
