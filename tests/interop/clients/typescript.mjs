// The official TypeScript client, 1.x or 2.x, against a server or against mcpfw before it.
//
//   node typescript.mjs URL --sdk 1|2 [--mode legacy|auto] [--revision R] [--sse] [--firewalled] [--modern-server]
//
// --sse: over HTTP+SSE, the transport of 2024-11-05. --firewalled: policies/interop.toml is in force. --modern-server: the server
// is servers/modern.py.

import { parseArgs } from "node:util";
import { Checks, equal, holds, refusal } from "./checks.mjs";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sdk: { type: "string", default: "1" },
    mode: { type: "string", default: "legacy" },
    revision: { type: "string" },
    sse: { type: "boolean", default: false },
    firewalled: { type: "boolean", default: false },
    "modern-server": { type: "boolean", default: false },
  },
});
const url = new URL(positionals[0]);
const firewalled = flags.firewalled;
const reference = !flags["modern-server"];

const sdk =
  flags.sdk === "1"
    ? {
        ...(await import("@modelcontextprotocol/sdk/client/index.js")),
        ...(await import("@modelcontextprotocol/sdk/client/streamableHttp.js")),
        ...(await import("@modelcontextprotocol/sdk/client/sse.js")),
        ...(await import("@modelcontextprotocol/sdk/types.js")),
      }
    : await import("@modelcontextprotocol/client");

const checks = new Checks(`ts-${flags.sdk}.x/${flags.sse ? "sse" : flags.mode}`);
const options = flags.sdk === "2" ? { versionNegotiation: { mode: flags.mode } } : {};
const client = new sdk.Client({ name: "interop", version: "1" }, options);
const requests = [];
const Transport = flags.sse ? sdk.SSEClientTransport : sdk.StreamableHTTPClientTransport;
const transport = new Transport(url, { fetch: recorded });

/** What goes over the wire: method, status, content type. */
async function recorded(input, init) {
  const response = await fetch(input, init);
  requests.push({ method: init?.method ?? "GET", status: response.status, type: response.headers.get("content-type") });
  return response;
}

function call(name, args, more) {
  const params = { name, arguments: args };
  return flags.sdk === "1" ? client.callTool(params, undefined, more) : client.callTool(params, more);
}

function onLog(handler) {
  if (flags.sdk === "1") client.setNotificationHandler(sdk.LoggingMessageNotificationSchema, handler);
  else client.setNotificationHandler("notifications/message", handler);
}

const text = (result) => result.content.map((part) => part.text).join("");

let logged;
const firstLog = new Promise((resolve) => (logged = resolve));
onLog((notification) => logged(notification.params));

await checks.run("connects", async () => {
  await client.connect(transport);
  holds(client.getServerVersion()?.name !== undefined, "no server name");
  if (flags.sse) {
    const announced = transport._endpoint;
    equal(announced.origin, url.origin, "origin of the endpoint");
    equal(announced.search.startsWith("?mcpfw=fw1."), firewalled, "sealed");
    return;
  }
  const revision = flags.sdk === "1" ? transport.protocolVersion : client.getNegotiatedProtocolVersion();
  equal(revision, flags.revision, "revision");
});
const modern = flags.revision === "2026-07-28";

await checks.run("a tool that may be called answers", async () => {
  equal(text(await call("echo", { message: "größe 😀" })), "Echo: größe 😀", "text");
});

await checks.run("the list hides what may not be called", async () => {
  const names = (await client.listTools()).tools.map((tool) => tool.name).sort();
  holds(names.includes("echo"), "echo is not listed");
  equal(names.includes("get-env"), !firewalled, "get-env listed");
  if (firewalled) {
    const allowed = ["echo", "get-sum", "toggle-simulated-logging", "trigger-long-running-operation"];
    equal(names, reference ? allowed : allowed.filter((name) => name !== "toggle-simulated-logging"), "tools");
  }
});

await checks.run("a refused tool is an error with the reason", async () => {
  if (!firewalled) return holds(text(await call("get-env", {})).length > 0, "no text");
  const error = await refusal(call("get-env", {}));
  holds(String(error.message).includes("The environment holds secrets."), error.message);
  equal(error.code, 403, "code");
  equal([error.data?.source, error.data?.rule], ["mcpfw", "no-environment"], "data");
});

await checks.run("a refused argument is an error with the reason", async () => {
  equal(text(await call("get-sum", { a: 1000, b: 1 })), "The sum of 1000 and 1 is 1001.", "text");
  if (!firewalled) return;
  const error = await refusal(call("get-sum", { b: 1, a: 1001 }));
  holds(String(error.message).includes("Sums above 1000 need approval."), error.message);
});

if (firewalled) {
  await checks.run("a tool that no rule allows is refused", async () => {
    equal((await refusal(call("no-such-tool", {}))).code, 403, "code");
  });
}

await checks.run("progress comes while the tool works", async () => {
  const began = performance.now();
  const times = [];
  const onprogress = () => times.push(performance.now() - began);
  const result = await call("trigger-long-running-operation", { duration: 1, steps: 4 }, { onprogress });
  const ended = performance.now() - began;
  holds(text(result).includes("completed"), "not completed");
  // On one stream the last progress and the result come together, and the SDK forgets who waits before it tells the progress:
  // also without mcpfw.
  if (!(flags.sse && times.length === 3)) equal(times.length, 4, "notifications");
  // The first is sent after 250 ms, the result after 1000 ms: a relay that holds the stream shows them together.
  holds(ended - times[0] > 400, `the first progress came ${Math.round(ended - times[0])} ms before the result`);
});

await checks.run("prompts", async () => {
  const names = (await client.listPrompts()).prompts.map((prompt) => prompt.name);
  holds(names.includes("simple-prompt"), "simple-prompt is not listed");
  equal(names.includes("args-prompt"), !firewalled, "args-prompt listed");
  const prompt = await client.getPrompt({ name: "simple-prompt" });
  holds(prompt.messages[0].content.text.includes("simple prompt"), "no text");
  if (firewalled) {
    equal((await refusal(client.getPrompt({ name: "args-prompt", arguments: { city: "Rome" } }))).code, 403, "code");
  }
});

await checks.run("resources", async () => {
  const read = await client.readResource({ uri: "demo://resource/dynamic/text/1" });
  holds(read.contents[0].text.startsWith("Resource 1"), "no text");
  const blob = client.readResource({ uri: "demo://resource/dynamic/blob/1" });
  if (firewalled) equal((await refusal(blob)).code, 403, "code");
  else holds((await blob).contents[0].blob.length > 0, "no blob");
  const templates = (await client.listResourceTemplates()).resourceTemplates.map((one) => one.uriTemplate);
  holds(templates.some((uri) => uri.includes("/text/")), "the text template is not listed");
  equal(templates.some((uri) => uri.includes("/blob/")), !firewalled, "blob template listed");
});

if (reference) {
  await checks.run("completion is the prompt's own door", async () => {
    const complete = (name) =>
      client.complete({ ref: { type: "ref/prompt", name }, argument: { name: "department", value: "E" } });
    equal((await complete("completable-prompt")).completion.values, ["Engineering"], "values");
    if (firewalled) equal((await refusal(complete("args-prompt"))).code, 403, "code");
  });

  await checks.run("the session's GET stream carries notifications", async () => {
    await call("toggle-simulated-logging", {});
    holds(typeof (await firstLog).level === "string", "no level");
    await call("toggle-simulated-logging", {});
    const stream = requests.find((request) => request.method === "GET");
    if (flags.sse) equal(requests.filter((request) => request.method === "POST" && request.status !== 202), [], "POST");
    equal([stream?.status, stream?.type?.split(";")[0]], [200, "text/event-stream"], "GET");
  });
}

if (!modern && !flags.sse) {
  await checks.run("DELETE ends the session", async () => {
    const session = transport.sessionId;
    holds(session !== undefined, "no session");
    await transport.terminateSession();
    equal(requests.find((request) => request.method === "DELETE")?.status, 200, "DELETE");
    const headers = {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      "mcp-session-id": session,
    };
    const body = JSON.stringify({ jsonrpc: "2.0", id: 99, method: "ping" });
    const response = await fetch(url, { method: "POST", headers, body });
    await response.body?.cancel();
    holds(response.status === 400 || response.status === 404, `status ${response.status} after DELETE`);
  });
}

await checks.run("closes", () => client.close());
process.exit(checks.failed === 0 ? 0 : 1);
