// Plays an assignable unit by npm's @rusticisoftware/cmi5. Usage: node cmi5_js.js ENDPOINT KEY SECRET keep
//
// keep: does what a launching system does, then what content does, then reads what is there; ends with 1 and a sentence
//       when anything is not as it should be.
import { createServer } from "node:http";
import { authorization, endpoint, key, must, secret } from "./arguments.js";

globalThis.self = globalThis; // it is made for browsers
const { default: Cmi5 } = await import("@rusticisoftware/cmi5");

const actor = { objectType: "Agent", account: { homePage: "http://example.org", name: "cmi5-learner" } };
const activityId = "http://example.org/cmi5/unit";
const registration = crypto.randomUUID();
const headers = { Authorization: authorization, "X-Experience-API-Version": "1.0.3", "Content-Type": "application/json" };

async function ask(method, resource, parameters, body) {
  const answer = await fetch(endpoint + resource + "?" + new URLSearchParams(parameters), { method, headers, body });
  must(answer.ok, `${method} ${resource}: ${answer.status} ${await answer.clone().text()}`);
  return answer;
}

// The launching system stores what the content will ask for, and gives out the credential once, by the fetch URL.
await ask("PUT", "/activities/state", { activityId, agent: JSON.stringify(actor), registration, stateId: "LMS.LaunchData" }, JSON.stringify({
  contextTemplate: {
    contextActivities: { grouping: [{ id: activityId + "/publisher" }] },
    extensions: { "https://w3id.org/xapi/cmi5/context/extensions/sessionid": "session" },
  },
  launchMode: "Normal", moveOn: "Passed", masteryScore: 0.5,
}));
const fetchServer = createServer((request, response) => {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ "auth-token": Buffer.from(key + ":" + secret).toString("base64") }));
});
await new Promise((listening) => fetchServer.listen(0, "127.0.0.1", listening));

const unit = new Cmi5("http://127.0.0.1/unit?" + new URLSearchParams({
  endpoint: endpoint + "/", fetch: `http://127.0.0.1:${fetchServer.address().port}/`, actor: JSON.stringify(actor), activityId, registration,
}));
await unit.start();
must(unit.getLaunchMode() === "Normal" && unit.getMasteryScore() === 0.5, "the launch data are wrong");

// It sends the ETag of the answer to its first PUT as If-Match of the second, without a GET between them.
unit.setLanguagePreference("de-DE");
await unit.saveLearnerPrefs();
unit.setAudioPreference("off");
await unit.saveLearnerPrefs();

await unit.completed();
await unit.passed({ scaled: 0.9 });
await unit.terminate();
fetchServer.close();

const preferences = await (await ask("GET", "/agents/profile", { agent: JSON.stringify(actor), profileId: "cmi5LearnerPreferences" })).json();
must(preferences.languagePreference === "de-DE" && preferences.audioPreference === "off", "the preferences are " + JSON.stringify(preferences));
const { statements } = await (await ask("GET", "/statements", { registration, ascending: true })).json();
const verbs = statements.map((s) => s.verb.id.split("/").pop()).join(" ");
must(verbs === "initialized completed passed terminated", "the session is: " + verbs);
const bySource = await (await ask("GET", "/statements", { activity: activityId + "/publisher", related_activities: true })).json();
must(bySource.statements.length === 4, `${bySource.statements.length} statements are found by their grouping`);
