// Drives an LRS by npm's @xapi/xapi. Usage: node xapi_js.js ENDPOINT KEY SECRET keep
//
// keep: uses every resource; ends with 1 and a sentence when anything is not as it should be.
import XAPI from "@xapi/xapi";
import { createHash } from "node:crypto";
import { authorization, endpoint, must } from "./arguments.js";

const agent = { objectType: "Agent", name: "Ada", mbox: "" };
const activityId = "http://example.org/xapi";
const verb = { id: "http://adlnet.gov/expapi/verbs/experienced", display: { en: "experienced" } };

function statement(id, more) {
  return { actor: agent, verb, object: { id, objectType: "Activity", definition: { name: { en: "An activity" } } }, ...more };
}

// refused is the status of a call that must fail. By fetch the client keeps nothing of the answer but its text.
async function refused(call) {
  return call.then((answer) => answer.status, (error) => error.response?.status ?? JSON.parse(error.message).error.status);
}

async function statements(lrs) {
  const { data: [id] } = await lrs.sendStatement({ statement: statement(activityId) });
  const read = (await lrs.getStatement({ statementId: id })).data;
  must(read.id === id && read.stored && read.authority, "the statement read is not the one saved");
  await lrs.sendStatements({ statements: [statement(activityId + "/1"), statement(activityId + "/2"), statement(activityId + "/3")] });
  const found = [];
  let page = (await lrs.getStatements({ agent, verb: verb.id, limit: 3 })).data;
  found.push(...page.statements);
  while (page.more) {
    page = (await lrs.getMoreStatements({ more: page.more })).data;
    found.push(...page.statements);
  }
  must(new Set(found.map((s) => s.id)).size === 4, `the list has ${found.length} statements`);
  await lrs.voidStatement({ actor: agent, statementId: id });
  must((await lrs.getVoidedStatement({ voidedStatementId: id })).data.id === id, "the voided statement is not there");
  must(await refused(lrs.getStatement({ statementId: id })) === 404, "the voided statement still answers to its id");
  must(await refused(lrs.sendStatement({ statement: { actor: agent } })) === 400, "half a statement was taken");
}

// Its first part carries Content-Disposition: form-data, which belongs to another kind of multipart. It reads back the
// last line of an attachment only, so this one has a single line.
async function attachments(lrs) {
  const file = new TextEncoder().encode("Simple attachment").buffer;
  const sha2 = createHash("sha256").update(new Uint8Array(file)).digest("hex");
  const { data: [id] } = await lrs.sendStatement({
    statement: statement(activityId, {
      attachments: [{ usageType: "http://example.org/usage", display: { en: "a file" }, contentType: "text/plain", length: file.byteLength, sha2 }],
    }),
    attachments: [file],
  });
  const parts = (await lrs.getStatement({ statementId: id, attachments: true })).data;
  must(parts[0].id === id, "the first part is not the statement");
  must(parts[1] === "Simple attachment", "the attachment did not come back");
}

async function documents(lrs) {
  const where = { agent, activityId, stateId: "bookmark" };
  must(await refused(lrs.getState(where)) === 404, "a state that was never stored is there");
  await lrs.createState({ ...where, state: { page: 1 } });
  await lrs.createState({ ...where, state: { chapter: 2 } });
  const state = await lrs.getState(where);
  must(JSON.stringify(state.data) === '{"page":1,"chapter":2}', "the states were not merged: " + JSON.stringify(state.data));
  await lrs.setState({ ...where, state: { page: 3 }, etag: state.headers.etag, matchHeader: "If-Match" });
  must(await refused(lrs.setState({ ...where, state: { page: 4 }, etag: state.headers.etag, matchHeader: "If-Match" })) === 412,
    "a stale ETag was taken");
  must((await lrs.getStates({ agent, activityId })).data.join() === "bookmark", "the list of states is wrong");
  await lrs.deleteState(where);
  await lrs.deleteStates({ agent, activityId });
  must((await lrs.getStates({ agent, activityId })).data.length === 0, "states are left");

  await lrs.setAgentProfile({ agent, profileId: "p", profile: { size: "large" }, etag: "*", matchHeader: "If-None-Match" });
  must((await lrs.getAgentProfile({ agent, profileId: "p" })).data.size === "large", "the agent profile did not come back");
  must((await lrs.getAgentProfiles({ agent })).data.join() === "p", "the list of agent profiles is wrong");
  await lrs.deleteAgentProfile({ agent, profileId: "p" });

  await lrs.createActivityProfile({ activityId, profileId: "p", profile: { colour: "red" } });
  must((await lrs.getActivityProfile({ activityId, profileId: "p" })).data.colour === "red", "the activity profile did not come back");
  must((await lrs.getActivityProfiles({ activityId })).data.join() === "p", "the list of activity profiles is wrong");
  await lrs.deleteActivityProfile({ activityId, profileId: "p" });
}

async function merged(lrs) {
  const about = (await lrs.getAbout()).data;
  must(about.version.includes("1.0.3") && about.version.includes("2.0.0"), "about does not list both versions");
  const activity = (await lrs.getActivity({ activityId })).data;
  must(activity.id === activityId && activity.definition.name.en === "An activity", "the activity has no definition");
  const person = (await lrs.getAgent({ agent })).data;
  must(person.objectType === "Person" && person.name.includes("Ada"), "the person has no name");
}

for (const version of ["1.0.3", "2.0.0"]) {
  for (const adapter of ["axios", "fetch"]) {
    agent.mbox = `mailto:${crypto.randomUUID()}@example.org`;
    const lrs = new XAPI({ endpoint: endpoint + "/", auth: authorization, version, adapter });
    await statements(lrs);
    // By axios on Node it announces every multipart body as application/octet-stream, which no LRS may take.
    if (adapter === "fetch") await attachments(lrs);
    await documents(lrs);
    await merged(lrs);
  }
}
