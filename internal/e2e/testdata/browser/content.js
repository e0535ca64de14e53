// Learning content as it runs in a learner's browser: on its host's origin, speaking to an LRS on another. Each function
// does one thing that content does and returns what it could see of the answer.
"use strict";

let endpoint, authorization;

function launch(to, as) {
  [endpoint, authorization] = [to, as];
}

function headers(more) {
  return { Authorization: authorization, "X-Experience-API-Version": "1.0.3", ...more };
}

async function ask(method, path, body, more) {
  return fetch(endpoint + path, { method, headers: headers(more), body });
}

const agent = { mbox: "mailto:learner@example.org" };
const json = { "Content-Type": "application/json" };

function statement(activity, more) {
  return { actor: agent, verb: { id: "http://adlnet.gov/expapi/verbs/experienced" }, object: { id: "http://example.org/" + activity }, ...more };
}

// query writes parameters as content does.
function query(parameters) {
  return "?" + new URLSearchParams(parameters);
}

const functions = {
  async post() {
    const answer = await ask("POST", "/statements", JSON.stringify(statement("post")), json);
    const ids = await answer.json();
    return { status: answer.status, ids: ids.length, version: answer.headers.get("X-Experience-API-Version") };
  },

  // What was stored after a moment, once the LRS says that it shows everything until then.
  async since() {
    const begun = new Date(Date.now() - 60_000).toISOString();
    const posted = await ask("POST", "/statements", JSON.stringify(statement("since")), json);
    const now = Date.parse(posted.headers.get("Date") ?? new Date().toISOString());
    for (;;) {
      const answer = await ask("GET", "/statements" + query({ since: begun, activity: "http://example.org/since" }));
      const list = await answer.json();
      const through = Date.parse(answer.headers.get("X-Experience-API-Consistent-Through"));
      if (list.statements.length === 0 && !(through > now + 2000)) continue;
      return {
        status: answer.status,
        statements: list.statements.length,
        through: through > Date.parse(begun),
        modified: Date.parse(answer.headers.get("Last-Modified")) > Date.parse(begun),
        version: answer.headers.get("X-Experience-API-Version"),
      };
    }
  },

  async more() {
    const batch = ["more", "more", "more"].map((activity) => statement(activity));
    const ids = await (await ask("POST", "/statements", JSON.stringify(batch), json)).json();
    const found = [];
    let url = endpoint + "/statements" + query({ activity: "http://example.org/more", limit: 2 });
    while (url !== "") {
      const page = await (await fetch(url, { headers: headers() })).json();
      found.push(...page.statements.map((s) => s.id));
      url = page.more && new URL(page.more, endpoint).href;
    }
    return { asStored: ids.reverse().join() === found.join() };
  },

  async head() {
    const id = crypto.randomUUID();
    await ask("PUT", "/statements" + query({ statementId: id }), JSON.stringify(statement("head")), json);
    const answer = await ask("HEAD", "/statements" + query({ statementId: id }));
    return { status: answer.status, length: Number(answer.headers.get("Content-Length")) > 100, body: await answer.text() };
  },

  async unauthorized() {
    const answer = await ask("GET", "/statements", undefined, { Authorization: "Basic " + btoa("nobody:nothing") });
    return { status: answer.status, message: (await answer.json()).error.message, challenge: answer.headers.get("WWW-Authenticate") !== null };
  },

  async withoutCredentials() {
    const answer = await fetch(endpoint + "/statements", { headers: { "X-Experience-API-Version": "1.0.3" } });
    return { status: answer.status, message: (await answer.json()).error.message };
  },

  async withoutVersion() {
    const answer = await fetch(endpoint + "/statements", { headers: { Authorization: authorization } });
    return { status: answer.status, message: (await answer.json()).error.message };
  },

  async invalid() {
    const bad = { ...statement("invalid"), verb: { id: "no IRI" } };
    const answer = await ask("POST", "/statements", JSON.stringify([statement("invalid"), bad]), json);
    const { error } = await answer.json();
    return { status: answer.status, statement: error.statement, path: error.path };
  },

  async unknownResource() {
    const answer = await ask("GET", "/statement");
    return { status: answer.status };
  },

  async longQuery() {
    const answer = await ask("GET", "/statements" + query({ activity: "http://example.org/" + "a".repeat(12_000) }));
    return { status: answer.status, wayOut: (await answer.json()).error.message.includes("?method=GET") };
  },

  // A header that the LRS does not name in its preflight answer: the browser must hold the request back.
  async unknownHeader() {
    return ask("GET", "/about", undefined, { "X-Unknown": "1" }).then(() => "sent", () => "refused by the browser");
  },

  // The alternate request syntax needs no preflight: old browsers had none.
  async form() {
    const id = crypto.randomUUID();
    const fields = { Authorization: authorization, "X-Experience-API-Version": "1.0.3" };
    const put = await fetch(endpoint + "/statements?method=PUT", {
      method: "POST",
      body: new URLSearchParams({ ...fields, statementId: id, "Content-Type": "application/json", content: JSON.stringify(statement("form")) }),
    });
    const got = await fetch(endpoint + "/statements?method=GET", { method: "POST", body: new URLSearchParams({ ...fields, statementId: id }) });
    return { put: put.status, got: got.status, same: (await got.json()).id === id };
  },

  // XMLHttpRequest, as the older libraries use it.
  async xhr() {
    const request = new XMLHttpRequest();
    request.open("POST", endpoint + "/statements");
    for (const [name, value] of Object.entries(headers(json))) request.setRequestHeader(name, value);
    await new Promise((resolve, reject) => {
      request.onload = resolve;
      request.onerror = () => reject(new Error("refused by the browser"));
      request.send(JSON.stringify(statement("xhr")));
    });
    return { status: request.status, version: request.getResponseHeader("X-Experience-API-Version"), ids: JSON.parse(request.responseText).length };
  },

  async attachments() {
    const file = new Uint8Array([0, 255, 13, 10, 45, 45, 128, 7]);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", file));
    const sha2 = Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("");
    const with1 = statement("attachments", {
      id: crypto.randomUUID(),
      attachments: [{ usageType: "http://example.org/usage", display: { en: "a file" }, contentType: "application/octet-stream", length: file.length, sha2 }],
    });
    const body = new Blob([
      "--cut\r\nContent-Type: application/json\r\n\r\n", JSON.stringify(with1),
      "\r\n--cut\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: ", sha2, "\r\n\r\n",
      file, "\r\n--cut--\r\n",
    ]);
    const posted = await ask("POST", "/statements", body, { "Content-Type": "multipart/mixed; boundary=cut" });
    const answer = await ask("GET", "/statements" + query({ statementId: with1.id, attachments: true }));
    const bytes = Array.from(new Uint8Array(await (await answer.blob()).arrayBuffer())).join();
    return { posted: posted.status, status: answer.status, type: answer.headers.get("Content-Type").split(";")[0], whole: bytes.includes(Array.from(file).join()) };
  },

  // A document with optimistic concurrency: the ETag is readable, and a stale one is refused.
  async state() {
    const path = "/activities/state" + query({ activityId: "http://example.org/state", agent: JSON.stringify(agent), stateId: "place" });
    const made = await ask("PUT", path, '{"page":1}', { ...json, "If-None-Match": "*" });
    const read = await ask("GET", path);
    const etag = read.headers.get("ETag");
    const changed = await ask("PUT", path, '{"page":2}', { ...json, "If-Match": etag });
    const stale = await ask("PUT", path, '{"page":3}', { ...json, "If-Match": etag });
    const gone = await ask("DELETE", path);
    const after = await ask("GET", path);
    return { made: made.status, page: (await read.json()).page, changed: changed.status, stale: stale.status, gone: gone.status, after: after.status };
  },

  async about() {
    return (await (await fetch(endpoint + "/about")).json()).version.join(" ");
  },
};
