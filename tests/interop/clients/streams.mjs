// The official TypeScript client, 1.x or 2.x, against servers/streams.*, or against mcpfw before it.
//
//   node streams.mjs URL --sdk 1|2 --era legacy|modern [--firewalled] [--transcript FILE]
//
// --firewalled: policies/interop.toml is in force. The checks are those of streams.py.

import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Checks, equal, holds, refusal } from "./checks.mjs";
import { Wire } from "./cut.mjs";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sdk: { type: "string" },
    era: { type: "string", default: "legacy" },
    firewalled: { type: "boolean", default: false },
    transcript: { type: "string" },
    label: { type: "string", default: "" },
  },
});
const firewalled = flags.firewalled;
const modern = flags.era === "modern";
const kit =
  flags.sdk === "1"
    ? {
        ...(await import("@modelcontextprotocol/sdk/client/index.js")),
        ...(await import("@modelcontextprotocol/sdk/client/streamableHttp.js")),
        ...(await import("@modelcontextprotocol/sdk/types.js")),
      }
    : await import("@modelcontextprotocol/client");

const checks = new Checks(flags.label);
const wire = new Wire(flags.transcript);
const client = new kit.Client(
  { name: "interop", version: "1" },
  {
    capabilities: { elicitation: { form: {} }, sampling: {} },
    ...(flags.sdk === "2" && { versionNegotiation: { mode: modern ? "auto" : "legacy" } }),
  },
);
const reconnectionOptions = {
  initialReconnectionDelay: 50,
  maxReconnectionDelay: 200,
  reconnectionDelayGrowFactor: 1.5,
  maxRetries: 5,
};
const transport = new kit.StreamableHTTPClientTransport(new URL(positionals[0]), {
  fetch: wire.fetch,
  reconnectionOptions,
});

const on = (method, schema, handler) =>
  flags.sdk === "1"
    ? client.setNotificationHandler(kit[schema], handler)
    : client.setNotificationHandler(method, handler);
const answer = (method, schema, handler) =>
  flags.sdk === "1" ? client.setRequestHandler(kit[schema], handler) : client.setRequestHandler(method, handler);

// What comes unasked.
let logs = [];
let news = [];
const asked = [];
on("notifications/message", "LoggingMessageNotificationSchema", ({ params }) => void logs.push(params.data));
on("notifications/resources/updated", "ResourceUpdatedNotificationSchema", ({ params }) => void news.push(params.uri));
for (const [what, schema] of [
  ["tools", "ToolListChangedNotificationSchema"],
  ["prompts", "PromptListChangedNotificationSchema"],
]) {
  on(`notifications/${what}/list_changed`, schema, () => void news.push(what));
}
answer("elicitation/create", "ElicitRequestSchema", ({ params }) => {
  asked.push(`form: ${params.message}`);
  return { action: "accept", content: { name: "Ada" } };
});
answer("sampling/createMessage", "CreateMessageRequestSchema", ({ params }) => {
  asked.push("model");
  return { model: "m", role: "assistant", content: { type: "text", text: "Paris" } };
});

async function until(condition, what) {
  for (const end = Date.now() + 10_000; !condition(); ) {
    if (Date.now() > end) throw new Error(`${what()} after 10 s`);
    await pause(10);
  }
}
const call = async (name, args) => {
  const params = { name, arguments: args };
  const result = await client.callTool(params);
  return result.content.map((part) => part.text).join("");
};
const toOne = (to) => Array.from({ length: to }, (_, at) => at + 1);
/** What was resumed since request number `from`, as the id behind which it was. */
const resumed = (from) =>
  wire.requests.slice(from).flatMap(({ headers }) => headers.get("last-event-id") ?? []);

/** Runs `body` with a stream of `method` cut behind `events` events; says behind which id it was resumed. */
async function cutting(method, events, body) {
  const from = wire.requests.length;
  wire.cut(method, events);
  await body();
  holds(wire.isCut, "the stream was not cut");
  const behind = resumed(from);
  holds(behind.length > 0, "nothing was resumed");
  return `resumed behind ${behind.join(", ")}`;
}

/** The model is asked, or its server told why it is not. */
async function asksTheModel(args) {
  const before = asked.length;
  const result = await call("ask-model", args);
  if (firewalled) {
    holds(/^No model: .*denied by policy/.test(result), result);
    equal(asked.slice(before), [], "asked of the client");
  } else {
    equal(result, "The model says Paris.", "result");
    equal(asked.slice(before), ["model"], "asked of the client");
  }
}

await checks.run("connects", async () => {
  await client.connect(transport);
  const revision = flags.sdk === "1" ? transport.protocolVersion : client.getNegotiatedProtocolVersion();
  equal(revision, modern ? "2026-07-28" : "2025-11-25", "revision");
  equal(transport.sessionId !== undefined, !modern, "session");
  return revision;
});

async function listIsFiltered() {
  const names = (await client.listTools()).tools.map((tool) => tool.name).sort();
  const all = ["announce", "ask-model", "ask-name", "change-lists", "count", "secret", "touch"];
  equal(names, all.filter((name) => !(firewalled && name === "secret")), "tools");
  if (firewalled) equal((await refusal(call("secret", {}))).code, 403, "code");
  else equal(await call("secret", {}), "secret", "text");
}

if (modern) {
  await checks.run("the list and the call", listIsFiltered);

  await checks.run("listen brings what was asked for, and no more", async () => {
    const filter = { toolsListChanged: true, resourceSubscriptions: ["note://open/1"] };
    const subscription = await client.listen(filter);
    equal(subscription.honoredFilter, filter, "honoured");
    await call("touch", { uri: "note://open/2" });
    await call("touch", { uri: "note://closed/1" });
    await call("change-lists", {});
    await call("touch", { uri: "note://open/1" });
    await until(() => news.length >= 2, () => `came: ${news}`);
    await subscription.close();
    await call("touch", { uri: "note://open/1" });
    await call("change-lists", {});
    equal(news, ["tools", "note://open/1"], "came");
    return news.join(", ");
  });

  await checks.run("listen to a URI that is not allowed", async () => {
    const listening = client.listen({ resourceSubscriptions: ["note://open/1", "note://closed/1"] });
    if (firewalled) {
      const error = await refusal(listening);
      equal(error.code, 403, `code of ${error.message}`);
      return `refused: ${error.message}`;
    }
    news = [];
    const subscription = await listening;
    await call("touch", { uri: "note://closed/1" });
    await until(() => news.length > 0, () => "nothing came");
    await subscription.close();
    equal(news, ["note://closed/1"], "came");
  });

  await checks.run("a form is asked for in a result, filled in, and sent back", async () => {
    const from = wire.requests.length;
    equal(await call("ask-name", {}), "Hello, Ada.", "result");
    equal(asked, ["form: What is your name?"], "asked");
    const sent = wire.requests.slice(from).map(({ body }) => JSON.parse(body).params);
    equal(sent.length, 2, "calls");
    equal(sent[0].requestState, undefined, "state of the first");
    holds(typeof sent[1].requestState === "string", "no state in the second");
    equal(Object.keys(sent[1].inputResponses), ["name"], "responses");
    return "2 calls, state and response in the second";
  });

  await checks.run("the model is asked for in a result", async () => {
    const before = asked.length;
    if (!firewalled) return equal(await call("ask-model", {}), "The model says Paris.", "result");
    const error = await refusal(call("ask-model", {}));
    equal([error.code, error.data?.reason], [403, "input_request_refused"], `error ${error.message}`);
    equal(asked.slice(before), [], "asked of the client");
    return `refused: ${error.message}`;
  });
} else {
  await checks.run("the list and the call", listIsFiltered);

  await checks.run("a stream that breaks in the middle is resumed", async () => {
    logs = [];
    const how = await cutting("POST", 3, async () => equal(await call("count", { to: 6, rest_after: 4 }), "counted to 6", "result"));
    equal(logs, toOne(6), "came");
    return `${how}: 1 to 6 came, once each`;
  });

  await checks.run("a stream that its server closes is resumed", async () => {
    logs = [];
    const from = wire.requests.length;
    equal(await call("count", { to: 6, rest_after: 4, hang_up_after: 3 }), "counted to 6", "result");
    equal(logs, toOne(6), "came");
    const behind = resumed(from);
    holds(behind.length > 0, "nothing was resumed");
    return `resumed behind ${behind.join(", ")}: 1 to 6 came, once each`;
  });

  await checks.run("the stream of the session is resumed", async () => {
    logs = [];
    await until(() => wire.requests.some(({ method, status }) => method === "GET" && status === 200), () => "no GET");
    const how = await cutting("GET", 2, async () => {
      equal(await call("announce", { to: 6, rest_after: 4 }), "announced 6", "result");
      await until(() => logs.length >= 6, () => `came: ${logs}`);
    });
    equal(logs, toOne(6), "came");
    return `${how}: 1 to 6 came, once each`;
  });

  await checks.run("a list is filtered on a resumed stream", async () => {
    return await cutting("POST", 1, async () => {
      const names = (await client.listTools()).tools.map((tool) => tool.name);
      holds(names.includes("count"), `listed: ${names}`);
      equal(names.includes("secret"), !firewalled, "secret listed");
    });
  });

  await checks.run("a form is asked for on the stream of a call", async () => {
    const before = asked.length;
    equal(await call("ask-name", {}), "Hello, Ada.", "result");
    equal(asked.slice(before), ["form: What is your name?"], "asked");
  });

  await checks.run("a form is asked for on a resumed stream", async () => {
    const before = asked.length;
    const how = await cutting("POST", 1, async () => equal(await call("ask-name", { pause_ms: 50 }), "Hello, Ada.", "result"));
    equal(asked.slice(before), ["form: What is your name?"], "asked");
    return how;
  });

  await checks.run("the model is asked on the stream of a call", () => asksTheModel({}));
  await checks.run("the model is asked on a resumed stream", () =>
    cutting("POST", 1, () => asksTheModel({ pause_ms: 50 })));

  await checks.run("a subscription brings what was asked for, and no more", async () => {
    news = [];
    await client.subscribeResource({ uri: "note://open/1" });
    const closed = client.subscribeResource({ uri: "note://closed/1" });
    if (firewalled) equal((await refusal(closed)).code, 403, "code");
    else await closed;
    await call("touch", { uri: "note://closed/1" });
    await call("touch", { uri: "note://open/2" });
    await call("touch", { uri: "note://open/1" });
    await call("change-lists", {});
    const expected = [...(firewalled ? [] : ["note://closed/1"]), "note://open/1", "tools"];
    await until(() => news.length >= expected.length, () => `came: ${news}`);
    equal(news, expected, "came");
    return news.join(", ");
  });

  await checks.run("DELETE ends the session", async () => {
    await transport.terminateSession();
    equal(wire.requests.find(({ method }) => method === "DELETE")?.status, 200, "DELETE");
  });
}

await checks.run("closes", () => client.close());
process.exit(checks.failed === 0 ? 0 : 1);
