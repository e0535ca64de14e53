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

Each topic of the definitions is a module beside this one. To read them in order: vocabulary, times and samples; facts, attempts, sessions,
segments and activetime, what is made of statements; store, what a request chooses of them; a module for each group of figures; reports and
asked, which figures make up the answers and what is asked.
"""

import argparse
import json
import sys

from asked import everything
from facts import read_statements
from store import Store


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
