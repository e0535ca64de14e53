"""Drives an LRS by PyPI's tincan. Usage: python tincan_py.py ENDPOINT KEY SECRET MODE

count: reads queries from standard input, one JSON object a line, reads each list to its end, and answers each with
       {"statements": how many came, "distinct": how many ids}.
keep:  stores, reads, finds and voids a statement, and uses the other resources that the library knows; ends with 1 and
       a sentence when anything is not as it should be.
"""

import json
import sys

from tincan import (
    Activity,
    ActivityProfileDocument,
    Agent,
    HTTPRequest,
    RemoteLRS,
    StateDocument,
    Statement,
    StatementRef,
    Verb,
)

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


def documents():
    agent = Agent(mbox="mailto:tincan@example.org")
    activity = Activity(id="http://example.org/tincan")
    content = '{"page": 1}'
    # It sends every state twice: the second PUT, of a document that is there by then, must succeed as well.
    done(lrs.save_state(StateDocument(id="bookmark", activity=activity, agent=agent, content=content, content_type="application/json")))
    must(done(lrs.retrieve_state(activity, agent, "bookmark")).content.decode() == content, "the state did not come back")
    must(done(lrs.retrieve_state_ids(activity, agent)) == ["bookmark"], "the list of states is wrong")
    done(lrs.clear_state(activity, agent))
    must(done(lrs.retrieve_state_ids(activity, agent)) == [], "states are left")

    # It sends If-Match with an ETag that it is given and never If-None-Match, so it cannot make a profile, for which the
    # specification demands a precondition. It reads and replaces those of others.
    made = HTTPRequest(
        method="PUT",
        resource="activities/profile",
        content=content,
        headers={"Content-Type": "application/json", "If-None-Match": "*"},
        query_params={"activityId": activity.id, "profileId": "p"},
    )
    profile = ActivityProfileDocument(id="p", activity=activity, content=content, content_type="application/json")
    must(lrs.save_activity_profile(profile).response.status == 400, "a profile was made without a precondition")
    etag = lrs._send_request(made).response.getheader("ETag")
    must(lrs.save_activity_profile(profile).response.status == 409, "a profile was replaced without a precondition")
    profile.etag = etag
    done(lrs.save_activity_profile(profile))
    must(done(lrs.retrieve_activity_profile(activity, "p")).content.decode() == content, "the activity profile did not come back")
    must(done(lrs.retrieve_activity_profile_ids(activity)) == ["p"], "the list of activity profiles is wrong")
    done(lrs.delete_activity_profile(profile))
    must(done(lrs.retrieve_agent_profile_ids(agent)) == [], "there are agent profiles")


if mode == "count":
    count()
else:
    keep()
    documents()
