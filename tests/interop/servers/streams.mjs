// A server whose tools use its streams: notifications, requests of the client, subscriptions. Written with the TypeScript SDK 1.x or 2.x
// (`--sdk 1|2`); servers/streams.py is the same in Python.

import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import * as z from "zod";
import { serve } from "./http.mjs";

const { values: flags } = parseArgs({ options: { sdk: { type: "string" } } });
const kit =
  flags.sdk === "1"
    ? {
        ...(await import("@modelcontextprotocol/sdk/server/mcp.js")),
        ...(await import("@modelcontextprotocol/sdk/types.js")),
      }
    : await import("@modelcontextprotocol/server");

// What both call alike, from what they hand to a tool.
const door =
  flags.sdk === "1"
    ? (extra) => ({
        notify: (notification) => extra.sendNotification(notification),
        elicit: (params) => extra.sendRequest({ method: "elicitation/create", params }, kit.ElicitResultSchema),
        sample: (params) =>
          extra.sendRequest({ method: "sampling/createMessage", params }, kit.CreateMessageResultSchema),
        hangUp: () => extra.closeSSEStream(),
      })
    : (context) => ({
        notify: (notification) => context.mcpReq.notify(notification),
        elicit: (params) => context.mcpReq.elicitInput(params),
        sample: (params) => context.mcpReq.requestSampling(params),
        hangUp: () => context.http.closeSSE(),
        responses: context.mcpReq.inputResponses,
        state: () => context.mcpReq.requestState(),
      });

// Within it a client resumes.
const REST_MS = 300;

const text = (text) => ({ content: [{ type: "text", text }] });
const log = (data) => ({ method: "notifications/message", params: { level: "info", data } });
const form = {
  message: "What is your name?",
  requestedSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
};
const question = {
  messages: [{ role: "user", content: { type: "text", text: "What is the capital of France?" } }],
  maxTokens: 5,
};
const named = (answer) => (answer.action === "accept" ? `Hello, ${answer.content.name}.` : `No name: ${answer.action}.`);
const told = (answer) => `The model says ${answer.content.text}.`;

let codec;
if (flags.sdk === "2") codec = kit.createRequestStateCodec({ key: crypto.getRandomValues(new Uint8Array(32)) });
let listeners;

function build({ era }) {
  const modern = era === "modern";
  const capabilities = {
    logging: {},
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
  };
  const options = { capabilities, ...(codec && { requestState: { verify: codec.verify } }) };
  const server = new kit.McpServer({ name: "interop-streams", version: "1" }, options);
  const tool = (name, shape, body) =>
    server.registerTool(name, { inputSchema: z.object(shape) }, (args, context) => body(args, door(context)));

  const after = z.number().optional();
  tool("count", { to: z.number(), rest_after: after, hang_up_after: after }, async (args, client) => {
    for (let at = 1; at <= args.to; at++) {
      await client.notify(log(at));
      if (at === args.hang_up_after) client.hangUp();
      await pause(at === args.rest_after ? REST_MS : 5);
    }
    return text(`counted to ${args.to}`);
  });

  // On the stream of the session, not on the one of this request.
  tool("announce", { to: z.number(), rest_after: after }, async ({ to, rest_after }) => {
    for (let at = 1; at <= to; at++) {
      await server.server.notification(log(at));
      await pause(at === rest_after ? REST_MS : 5);
    }
    return text(`announced ${to}`);
  });

  // The pause lets a client leave before it is asked.
  tool("ask-name", { pause_ms: z.number().optional() }, async ({ pause_ms }, client) => {
    if (!modern) {
      await pause(pause_ms ?? 0);
      return text(named(await client.elicit({ mode: "form", ...form }).catch((error) => ({ action: error.message }))));
    }
    const answer = client.responses?.name;
    if (answer === undefined) {
      const state = await codec.mint({ asked: "name" });
      return kit.inputRequired({ inputRequests: { name: kit.inputRequired.elicit(form) }, requestState: state });
    }
    if (client.state()?.asked !== "name") throw new Error("the state did not come back");
    return text(named(answer));
  });

  tool("ask-model", { pause_ms: z.number().optional() }, async ({ pause_ms }, client) => {
    if (!modern) {
      await pause(pause_ms ?? 0);
      return client.sample(question).then(
        (answer) => text(told(answer)),
        (error) => text(`No model: ${error.message}`),
      );
    }
    const answer = client.responses?.capital;
    if (answer !== undefined) return text(told(answer));
    return kit.inputRequired({ inputRequests: { capital: kit.inputRequired.createMessage(question) } });
  });

  tool("secret", {}, () => text("secret"));

  tool("touch", { uri: z.string() }, async ({ uri }) => {
    if (modern) listeners.notify.resourceUpdated(uri);
    else if (subscribed.has(uri)) await server.server.sendResourceUpdated({ uri });
    return text(`touched ${uri}`);
  });

  tool("change-lists", {}, async () => {
    if (modern) {
      listeners.notify.promptsChanged();
      listeners.notify.toolsChanged();
    } else {
      await server.server.sendToolListChanged();
    }
    return text("changed");
  });

  const subscribed = new Set();
  if (!modern) {
    const on = (method, schema, body) => server.server.setRequestHandler(flags.sdk === "1" ? kit[schema] : method, body);
    on("resources/subscribe", "SubscribeRequestSchema", ({ params }) => {
      subscribed.add(params.uri);
      return {};
    });
    on("resources/unsubscribe", "UnsubscribeRequestSchema", ({ params }) => {
      subscribed.delete(params.uri);
      return {};
    });
  }

  server.registerPrompt("simple-prompt", {}, () => ({
    messages: [{ role: "user", content: { type: "text", text: "a prompt" } }],
  }));
  for (const uri of ["note://open/1", "note://open/2", "note://closed/1"]) {
    server.registerResource(uri, uri, {}, () => ({ contents: [{ uri, text: uri }] }));
  }
  return server;
}

listeners = await serve(flags.sdk, build);
