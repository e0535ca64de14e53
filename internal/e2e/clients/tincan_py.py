"""Drives an LRS by PyPI's tincan. Usage: python tincan_py.py ENDPOINT KEY SECRET MODE

count: reads queries from standard input, one JSON object a line, reads each list to its end, and answers each with
       {"statements": how many came, "distinct": how many ids}.
keep:  stores, reads, finds and voids a statement; ends with 1 and a sentence when anything is not as it should be.
"""

import json
import sys

from tincan import Activity, Agent, RemoteLRS, Statement, StatementRef, Verb

endpoint, key, secret, mode = sys.argv[1:]
lrs = RemoteLRS(endpoint=endpoint + "/", username=key, password=secret)


def done(response):
    """The content of a response that must be a success."""
    if not response.success:
        raise SystemExit(f"status {response.response.status}: {response.data}")
    return response.content


def listed(query):
    """The ids of a list, read to its end."""
    params = dict(query, limit=500)
    if "agent" in params:
        params["agent"] = Agent(**params["agent"])
    if "verb" in params:
        params["verb"] = Verb(id=params["verb"])
    if "activity" in params:
        params["activity"] = Activity(id=params["activity"])
    page = done(lrs.query_statements(params))
    ids = [str(s.id) for s in page.statements]
    while page.more:
        page = done(lrs.more_statements(page.more))
        ids += [str(s.id) for s in page.statements]
    return ids


def count():
    for line in sys.stdin:
        ids = listed(json.loads(line))
        print(json.dumps({"statements": len(ids), "distinct": len(set(ids))}), flush=True)


def must(holds, sentence):
    if not holds:
        raise SystemExit(sentence)


def keep():
    agent = {"mbox": "mailto:tincan@example.org"}
    verb = Verb(id="http://adlnet.gov/expapi/verbs/experienced", display={"en": "experienced"})

    def made(activity):
        return Statement(actor=Agent(**agent), verb=verb, object=Activity(id=activity))

    statement = done(lrs.save_statement(made("http://example.org/tincan")))
    must(statement.id is not None, "the statement saved has no id")
    read = done(lrs.retrieve_statement(statement.id))
    must(read.id == statement.id and read.actor.mbox == agent["mbox"], "the statement read is not the one saved")
    must(read.stored is not None and read.authority is not None, "the statement read has no stored or authority")
    done(lrs.save_statements([made("http://example.org/one"), made("http://example.org/two")]))
    must(len(listed({"agent": agent})) == 3, "the learner's list does not have the three statements saved")
    voiding = done(
        lrs.save_statement(
            Statement(
                actor=Agent(**agent),
                verb=Verb(id="http://adlnet.gov/expapi/verbs/voided"),
                object=StatementRef(id=statement.id),
            )
        )
    )
    voided = done(lrs.retrieve_voided_statement(statement.id))
    must(voided.id == statement.id, "the voided statement is not there")
    gone = lrs.retrieve_statement(statement.id)
    must(not gone.success and gone.response.status == 404, "the voided statement still answers to its id")
    ids = listed({"agent": agent})
    must(
        len(ids) == 3 and str(statement.id) not in ids and str(voiding.id) in ids,
        "the list is wrong after the void",
    )


count() if mode == "count" else keep()
