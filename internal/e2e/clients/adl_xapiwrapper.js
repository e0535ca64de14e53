// Drives an LRS by npm's adl-xapiwrapper. Usage: node adl_xapiwrapper.js ENDPOINT KEY SECRET keep
//
// keep: uses every resource that it knows, in the version 1.0.1 that it sends; ends with 1 and a sentence when anything
//       is not as it should be.
import wrapper from "adl-xapiwrapper";
import { endpoint, key, must, secret } from "./arguments.js";

const lrs = new wrapper.XAPIWrapper({ url: endpoint + "/", auth: { user: key, pass: secret } });
const agent = { name: "Ada", mbox: "mailto:wrapper@example.org" };
const activity = "http://example.org/wrapper";
const verb = { id: "http://adlnet.gov/expapi/verbs/experienced", display: { "en-US": "experienced" } };

// call turns a method with a callback into a promise of status, headers and text.
function call(method, ...args) {
  return new Promise((resolve, reject) => {
    lrs[method](...args, (error, response, body) => (error ? reject(error) : resolve({ status: response.statusCode, etag: response.headers.etag, body })));
  });
}

async function answers(status, method, ...args) {
  const got = await call(method, ...args);
  must(got.status === status, `${method}: ${got.status}, want ${status}: ${got.body}`);
  return got;
}

must(await new Promise((resolve) => lrs.testConfig(resolve)), "it finds its settings wrong");

const made = [1, 2, 3].map((n) => ({ id: wrapper.ruuid(), actor: agent, verb, object: { id: activity, definition: { name: { "en-US": "An activity " + n } } } }));
await answers(200, "sendStatements", made);
const first = JSON.parse((await answers(200, "getStatements", { agent: JSON.stringify(agent), limit: 2 }, null)).body);
const second = JSON.parse((await answers(200, "getStatements", null, first.more)).body);
const found = [...first.statements, ...second.statements].map((s) => s.id).sort().join();
must(found === made.map((s) => s.id).sort().join(), "the list is not what was sent");
await answers(409, "sendStatements", { ...made[0], actor: { mbox: "mailto:other@example.org" } });
await answers(200, "sendStatements", made[0]);

const known = JSON.parse((await answers(200, "getActivities", activity)).body);
must(known.definition.name["en-US"] === "An activity 3", "the activity has not the latest name");
const person = JSON.parse((await answers(200, "getAgents", agent)).body);
must(person.name.includes("Ada") && person.mbox.includes(agent.mbox), "the person is incomplete");

// An object is merged by POST, an array replaces by PUT, text goes as "application/octect-stream", a type that is not.
await answers(204, "sendState", activity, agent, "object", null, { a: 1 }, null, null);
await answers(204, "sendState", activity, agent, "object", null, { b: 2 }, null, null);
const state = await answers(200, "getState", activity, agent, "object", null, null);
must(state.body === '{"a":1,"b":2}', "the states were not merged: " + state.body);
await answers(412, "sendState", activity, agent, "object", null, [1], '"' + wrapper.hash("something else") + '"', null);
await answers(204, "sendState", activity, agent, "object", null, [1], '"' + wrapper.hash(state.body) + '"', null);
await answers(204, "sendState", activity, agent, "text", null, "two words", null, null);
must((await answers(200, "getState", activity, agent, "text", null, null)).body === "two words", "the text did not come back");
const ids = JSON.parse((await answers(200, "getState", activity, agent, null, null, null)).body);
must(ids.sort().join() === "object,text", "the list of states is wrong");
const later = JSON.parse((await answers(200, "getState", activity, agent, null, null, new Date(Date.now() + 60_000))).body);
must(later.length === 0, "states of the future are listed");

// An unconditional PUT of a profile that is there is refused: with its ETag it is taken.
await answers(204, "sendActivityProfile", activity, "p", ["red"], null, "*");
await answers(412, "sendActivityProfile", activity, "p", ["blue"], null, "*");
await answers(409, "sendActivityProfile", activity, "p", ["blue"], null, null);
const profile = await answers(200, "getActivityProfile", activity, "p", null);
await answers(204, "sendActivityProfile", activity, "p", ["blue"], profile.etag, null);
must((await answers(200, "getActivityProfile", activity, "p", null)).body === '["blue"]', "the activity profile is not the last one");
await answers(204, "sendAgentProfile", agent, "p", { size: "large" }, null, null);
must((await answers(200, "getAgentProfile", agent, "p", null)).body === '{"size":"large"}', "the agent profile did not come back");
must((await answers(200, "getAgentProfile", agent, null, null)).body === '["p"]', "the list of agent profiles is wrong");
