"""Groups, rates, quantiles, correlations and their intervals (section 7), the cells of rows."""

import math
from collections import defaultdict
from fractions import Fraction

Z = 1.959963984540054


def grouped(items, key):
    """Items by what key makes of each, in the order in which they come."""
    groups = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


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


def mean(values):
    return sum(values) / len(values)


def variance(values):
    mean = sum(values) / len(values)
    return sum((v - mean) ** 2 for v in values) / (len(values) - 1)


def pearson(x, y):
    """M64, of exact fractions: an r of 0 is no hair below it."""
    x, y = [Fraction(v) for v in x], [Fraction(v) for v in y]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    both = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y))
    squares = sum((a - mean_x) ** 2 for a in x) * sum((b - mean_y) ** 2 for b in y)
    return float(both) / math.sqrt(squares) if squares else None


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
