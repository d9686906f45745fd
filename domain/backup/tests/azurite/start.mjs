// Starts Azurite's Blob service on a free port, creates a container in it, and prints the address of the account. It ends with its
// standard input. The account and its key are in AZURITE_ACCOUNTS, as Azurite reads them, and the container in AZURITE_CONTAINER.

import { createHmac } from "node:crypto";

const [account, key] = process.env.AZURITE_ACCOUNTS.split(":");
const container = process.env.AZURITE_CONTAINER;

async function createContainer(endpoint) {
  const headers = { "x-ms-date": new Date().toUTCString(), "x-ms-version": "2021-08-06" };
  const signed = [...Object.entries(headers).map(([name, value]) => `${name}:${value}`), `/${account}/${account}/${container}`, "restype:container"];
  const text = `PUT${"\n".repeat(12)}${signed.join("\n")}`;
  const signature = createHmac("sha256", Buffer.from(key, "base64")).update(text).digest("base64");
  headers.authorization = `SharedKey ${account}:${signature}`;
  const response = await fetch(`${endpoint}/${container}?restype=container`, { method: "PUT", headers });
  if (!response.ok) throw new Error(`the container was not created: ${response.status} ${await response.text()}`);
}

// It tells its port on the console only.
const print = console.log;
console.log = (line) => {
  const address = /listens on (\S+)/.exec(line)?.[1];
  if (address) createContainer(`${address}/${account}`).then(() => print(`${address}/${account}`));
};
process.stdin.resume().on("end", () => process.exit());
process.argv.push("--blobPort", "0", "--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck");
await import("azurite/dist/src/blob/main.js");
