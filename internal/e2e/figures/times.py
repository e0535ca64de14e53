"""Moments are whole milliseconds since 1970, days are numbered from then; spans are days, weeks from Monday, and months (0.3, 0.5)."""

import datetime
import re

DAY = 86_400_000  # milliseconds
MINUTE = 60_000
ALWAYS = range(-(10**6), 10**6)  # days
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def milliseconds(timestamp):
    """The moment of a timestamp in whole milliseconds since 1970 (0.3)."""
    moment = datetime.datetime.fromisoformat(timestamp.replace("Z", "+00:00"))
    return (moment - EPOCH) // datetime.timedelta(milliseconds=1)


def local(t, zone):
    return (EPOCH + datetime.timedelta(milliseconds=t)).astimezone(zone)


def moment(t, zone=datetime.timezone.utc):
    """A moment as reports write it."""
    return local(t, zone).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day_of(t, zone):
    """The day of a moment in a time zone."""
    return local(t, zone).date().toordinal() - EPOCH.toordinal()


def day_number(text):
    """The day of a date as requests write it."""
    return (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days


def date_of(day):
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=day)


def monday(day):
    return day - date_of(day).weekday()


SPANS = ("day", "week", "month")


def bucket(day, by):
    """The day, week or month that a day is in, as reports name it."""
    if by == "month":
        return date_of(day).strftime("%Y-%m")
    return date_of(monday(day) if by == "week" else day).isoformat()


def seconds(duration):
    """The seconds of an ISO 8601 duration (M29)."""
    match = re.fullmatch(r"P(?:([\d.]+)W)?(?:([\d.]+)Y)?(?:([\d.]+)M)?(?:([\d.]+)D)?(?:T(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?", duration)
    weeks, years, months, days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return (((years * 365.25 + months * 365.25 / 12 + weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + rest
