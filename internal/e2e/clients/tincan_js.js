// Drives an LRS by npm's tincanjs. Usage: node tincan_js.js ENDPOINT KEY SECRET MODE
//
// count: reads queries from standard input, one JSON object a line, reads each list to its end, and answers each with
//        {"statements": how many came, "distinct": how many ids}.
// keep:  stores, reads, finds and voids a statement; ends with 1 and a sentence when anything is not as it should be.
import TinCan from "tincanjs";
import { createInterface } from "node:readline";

const [endpoint, username, password, mode] = process.argv.slice(2);
const lrs = new TinCan.LRS({ endpoint: endpoint + "/", username, password, allowFail: false });

// call turns a method with a callback into a promise of its result.
function call(method, ...args) {
  return new Promise((resolve, reject) => {
    const callback = (error, result) => {
      if (error !== null) {
        reject(new Error(`${method}: ${error.status ?? error} ${error.responseText ?? result?.responseText ?? ""}`));
      } else {
        resolve(result);
      }
    };
    if (method === "queryStatements") {
      lrs.queryStatements({ params: args[0], callback });
    } else if (method === "moreStatements") {
      lrs.moreStatements({ url: args[0], callback });
    } else {
      lrs[method](...args, { callback });
    }
  });
}

async function list(query) {
  const params = { ...query, limit: 500 };
  if (params.agent) params.agent = new TinCan.Agent(params.agent);
  if (params.verb) params.verb = new TinCan.Verb({ id: params.verb });
  if (params.activity) params.activity = new TinCan.Activity({ id: params.activity });
  const ids = [];
  let page = await call("queryStatements", params);
  for (;;) {
    ids.push(...page.statements.map((s) => s.id));
    if (!page.more) return ids;
    page = await call("moreStatements", page.more);
  }
}

async function count() {
  for await (const line of createInterface({ input: process.stdin })) {
    const ids = await list(JSON.parse(line));
    console.log(JSON.stringify({ statements: ids.length, distinct: new Set(ids).size }));
  }
}

function must(holds, sentence) {
  if (!holds) throw new Error(sentence);
}

async function keep() {
  const agent = { mbox: "mailto:tincanjs@example.org" };
  const verb = { id: "http://adlnet.gov/expapi/verbs/experienced", display: { und: "experienced" } };
  const statement = new TinCan.Statement({ actor: agent, verb, target: { id: "http://example.org/tincanjs" } });
  await call("saveStatement", statement);
  const read = await call("retrieveStatement", statement.id);
  must(read.id === statement.id && read.actor.mbox === agent.mbox, "the statement read is not the one saved");
  must(read.stored !== null && read.authority !== null, "the statement read has no stored or authority");
  await call("saveStatements", [
    new TinCan.Statement({ actor: agent, verb, target: { id: "http://example.org/one" } }),
    new TinCan.Statement({ actor: agent, verb, target: { id: "http://example.org/two" } }),
  ]);
  must((await list({ agent })).length === 3, "the learner's list does not have the three statements saved");
  const voiding = new TinCan.Statement({
    actor: agent,
    verb: { id: "http://adlnet.gov/expapi/verbs/voided" },
    target: { objectType: "StatementRef", id: statement.id },
  });
  await call("saveStatement", voiding);
  const voided = await call("retrieveVoidedStatement", statement.id);
  must(voided.id === statement.id, "the voided statement is not there");
  const gone = await call("retrieveStatement", statement.id).then(() => false, (e) => e.message.includes("404"));
  must(gone, "the voided statement still answers to its id");
  const ids = await list({ agent });
  must(ids.length === 3 && !ids.includes(statement.id) && ids.includes(voiding.id), "the list is wrong after the void");
}

await (mode === "count" ? count() : keep());
