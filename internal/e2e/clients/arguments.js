// What every client script here is started with: ENDPOINT KEY SECRET MODE.
export const [endpoint, key, secret, mode] = process.argv.slice(2);

// authorization is the Basic header of the credential.
export const authorization = "Basic " + Buffer.from(key + ":" + secret).toString("base64");

// must ends the script with 1 and a sentence when something is not as it should be.
export function must(holds, sentence) {
  if (!holds) throw new Error(sentence);
}
