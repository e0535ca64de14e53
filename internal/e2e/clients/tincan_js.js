// Drives an LRS by npm's tincanjs. Usage: node tincan_js.js ENDPOINT KEY SECRET MODE
//
// count: reads queries from standard input, one JSON object a line, reads each list to its end, and answers each with
//        {"statements": how many came, "distinct": how many ids}.
// keep:  stores, reads, finds and voids a statement, and uses the other resources; ends with 1 and a sentence when
//        anything is not as it should be.
import TinCan from "tincanjs";
import { createInterface } from "node:readline";
import { endpoint, key, mode, must, secret } from "./arguments.js";

const lrs = new TinCan.LRS({ endpoint: endpoint + "/", username: key, password: secret, allowFail: false });

// call turns a method with a callback into a promise of its result. The method's settings are the last argument.
function call(method, ...args) {
  return new Promise((resolve, reject) => {
    args[args.length - 1].callback = (error, result) => {
      if (error !== null) {
        reject(new Error(`${method}: ${error.status ?? error} ${error.responseText ?? result?.responseText ?? ""}`));
      } else {
        resolve(result);
      }
    };
    lrs[method](...args);
  });
}

async function list(query) {
  const params = { ...query, limit: 500 };
  if (params.agent) params.agent = new TinCan.Agent(params.agent);
  if (params.verb) params.verb = new TinCan.Verb({ id: params.verb });
  if (params.activity) params.activity = new TinCan.Activity({ id: params.activity });
  const ids = [];
  let page = await call("queryStatements", { params });
  for (;;) {
    ids.push(...page.statements.map((s) => s.id));
    if (!page.more) return ids;
    page = await call("moreStatements", { url: page.more });
  }
}

async function count() {
  for await (const line of createInterface({ input: process.stdin })) {
    const ids = await list(JSON.parse(line));
    console.log(JSON.stringify({ statements: ids.length, distinct: new Set(ids).size }));
  }
}

async function keep() {
  const agent = { mbox: "mailto:tincanjs@example.org" };
  const verb = { id: "http://adlnet.gov/expapi/verbs/experienced", display: { und: "experienced" } };
  const statement = new TinCan.Statement({ actor: agent, verb, target: { id: "http://example.org/tincanjs" } });
  await call("saveStatement", statement, {});
  const read = await call("retrieveStatement", statement.id, {});
  must(read.id === statement.id && read.actor.mbox === agent.mbox, "the statement read is not the one saved");
  must(read.stored !== null && read.authority !== null, "the statement read has no stored or authority");
  await call("saveStatements", [
    new TinCan.Statement({ actor: agent, verb, target: { id: "http://example.org/one" } }),
    new TinCan.Statement({ actor: agent, verb, target: { id: "http://example.org/two" } }),
  ], {});
  must((await list({ agent })).length === 3, "the learner's list does not have the three statements saved");
  const voiding = new TinCan.Statement({
    actor: agent,
    verb: { id: "http://adlnet.gov/expapi/verbs/voided" },
    target: { objectType: "StatementRef", id: statement.id },
  });
  await call("saveStatement", voiding, {});
  const voided = await call("retrieveVoidedStatement", statement.id, {});
  must(voided.id === statement.id, "the voided statement is not there");
  const gone = await call("retrieveStatement", statement.id, {}).then(() => false, (e) => e.message.includes("404"));
  must(gone, "the voided statement still answers to its id");
  const ids = await list({ agent });
  must(ids.length === 3 && !ids.includes(statement.id) && ids.includes(voiding.id), "the list is wrong after the void");
}

// It knows no PUT with If-None-Match, and takes a state that is not there for null.
async function documents() {
  const agent = new TinCan.Agent({ name: "Ada", mbox: "mailto:tincanjs@example.org" });
  const activity = new TinCan.Activity({ id: "http://example.org/tincanjs", definition: { name: { en: "An activity" } } });
  const where = () => ({ agent, activity, contentType: "application/json" });
  must((await call("retrieveState", "bookmark", where())) === null, "a state that was never stored is there");
  await call("saveState", "bookmark", { page: 1 }, where());
  await call("saveState", "bookmark", { chapter: 2 }, { ...where(), method: "POST" });
  const state = await call("retrieveState", "bookmark", where());
  must(JSON.stringify(state.contents) === '{"page":1,"chapter":2}', "the states were not merged");
  await call("saveState", "bookmark", { page: 3 }, { ...where(), lastSHA1: state.etag });
  const stale = call("saveState", "bookmark", { page: 4 }, { ...where(), lastSHA1: state.etag });
  must(await stale.then(() => false, (e) => e.message.includes("412")), "a stale ETag was taken");
  must((await call("retrieveStateIds", where())).join() === "bookmark", "the list of states is wrong");
  await call("dropState", null, where());
  must((await call("retrieveStateIds", where())).length === 0, "states are left");

  await call("saveActivityProfile", "p", { colour: "red" }, where());
  must((await call("retrieveActivityProfile", "p", where())).contents.colour === "red", "the activity profile did not come back");
  await call("dropActivityProfile", "p", where());
  await call("saveAgentProfile", "p", { size: "large" }, where());
  must((await call("retrieveAgentProfileIds", where())).join() === "p", "the list of agent profiles is wrong");
  await call("dropAgentProfile", "p", where());

  await call("saveStatement", new TinCan.Statement({ actor: agent, verb: { id: "http://example.org/v" }, target: activity }), {});
  must((await call("retrieveActivity", activity.id, {})).definition.name.en === "An activity", "the activity has no definition");
  must((await call("about", {})).version.includes("1.0.3"), "about does not list 1.0.3");
}

if (mode === "count") {
  await count();
} else {
  await keep();
  await documents();
}
