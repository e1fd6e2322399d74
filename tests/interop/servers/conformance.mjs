// What the conformance suite asks of a server under test: its tools, resources and prompts by the names that the suite calls, for
// 2025-11-25 with sessions and for 2026-07-28. Written with the TypeScript SDK 2.x.

import { setTimeout as pause } from "node:timers/promises";
import * as kit from "@modelcontextprotocol/server";
import * as z from "zod";
import { serve } from "./http.mjs";

// The least that each format allows.
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";

const text = (text) => ({ type: "text", text });
const result = (...content) => ({ content });
const image = { type: "image", data: PNG, mimeType: "image/png" };
const embedded = (uri, mimeType, text) => ({ type: "resource", resource: { uri, mimeType, text } });
const ask = (message, name, type = "string") => ({
  message,
  requestedSchema: { type: "object", properties: { [name]: { type } }, required: [name] },
});
const prompt = (...content) => ({ messages: content.map((one) => ({ role: "user", content: one })) });
const question = (words, maxTokens = 100) => ({
  messages: [{ role: "user", content: text(words) }],
  maxTokens,
});

const state = kit.createRequestStateCodec({ key: crypto.getRandomValues(new Uint8Array(32)) });
let modern;

const ENUMS = {
  untitledSingle: { type: "string", enum: ["one", "two", "three"] },
  titledSingle: { type: "string", oneOf: ["one", "two"].map((word) => ({ const: word, title: `Number ${word}` })) },
  legacyEnum: { type: "string", enum: ["one", "two"], enumNames: ["Number one", "Number two"] },
  untitledMulti: { type: "array", items: { type: "string", enum: ["one", "two", "three"] } },
  titledMulti: {
    type: "array",
    items: { anyOf: ["one", "two"].map((word) => ({ const: word, title: `Number ${word}` })) },
  },
};

const DEFAULTS = {
  name: { type: "string", default: "John Doe" },
  age: { type: "integer", default: 30 },
  score: { type: "number", default: 95.5 },
  status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
  verified: { type: "boolean", default: true },
};

// Every keyword of JSON Schema 2020-12 that the suite looks for.
const DRAFT_2020_12 = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } },
    },
  },
  type: "object",
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" },
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false,
};

const MIRRORED = {
  type: "object",
  properties: { region: { type: "string", "x-mcp-header": "Region" }, level: { type: "integer" } },
};

/** Tools with one answer. */
const PLAIN = {
  test_simple_text: result(text("This is a simple text response for testing.")),
  test_image_content: result(image),
  test_audio_content: result({ type: "audio", data: WAV, mimeType: "audio/wav" }),
  test_embedded_resource: result(embedded("test://embedded-resource", "text/plain", "An embedded resource.")),
  test_multiple_content_types: result(
    text("Several kinds:"),
    image,
    embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
  ),
  test_streaming_elicitation: result(text("Nothing but this comes on the stream.")),
};

/** Calls that ask back on the stream of the call: 2025-11-25. */
function legacyQuestions(tool) {
  const told = (answer) => result(text(`answer: ${JSON.stringify(answer)}`));
  const asking = (send) => (args, client) =>
    send(args, client).then(told, (error) => result(text(`no answer: ${error.message}`)));
  const form = (message, properties) => ({ message, requestedSchema: { type: "object", properties, required: [] } });
  tool(
    "test_sampling",
    { prompt: z.string() },
    asking(({ prompt }, { mcpReq }) => mcpReq.send({ method: "sampling/createMessage", params: question(prompt) })),
  );
  const elicit = (name, shape, params) =>
    tool(
      name,
      shape,
      asking((args, { mcpReq }) => mcpReq.send({ method: "elicitation/create", params: params(args) })),
    );
  elicit("test_elicitation", { message: z.string() }, ({ message }) => ask(message, "response"));
  elicit("test_elicitation_sep1034_defaults", {}, () => form("Are these right?", DEFAULTS));
  elicit("test_elicitation_sep1330_enums", {}, () => form("Which?", ENUMS));
}

/** Calls that ask back in their result: 2026-07-28. */
function modernQuestions(tool) {
  const { inputRequired, acceptedContent } = kit;
  const accepted = (client, key) => acceptedContent(client.mcpReq.inputResponses, key);
  const name = inputRequired.elicit(ask("What is your name?", "name"));
  const greeting = inputRequired.createMessage(question("Greet somebody.", 50));
  const roots = inputRequired.listRoots();
  const confirm = inputRequired.elicit(ask("Is it so?", "ok", "boolean"));
  const asked = (name, body) => tool(`test_input_required_result_${name}`, {}, (_, client) => body(client));

  asked("elicitation", (client) => {
    const answer = accepted(client, "user_name")?.name;
    if (typeof answer !== "string") return inputRequired({ inputRequests: { user_name: name } });
    return result(text(`Hello, ${answer}!`));
  });
  asked("sampling", (client) => {
    const answer = client.mcpReq.inputResponses?.capital_question;
    if (answer) return result(text(`The model says ${answer.content.text}.`));
    const capital_question = inputRequired.createMessage(question("What is the capital of France?"));
    return inputRequired({ inputRequests: { capital_question } });
  });
  asked("list_roots", (client) => {
    const answer = client.mcpReq.inputResponses?.client_roots?.roots;
    if (!Array.isArray(answer)) return inputRequired({ inputRequests: { client_roots: roots } });
    return result(text(`${answer.length} roots: ${answer.map(({ uri }) => uri)}`));
  });
  asked("request_state", async (client) => {
    if (!accepted(client, "confirm")) {
      return inputRequired({ inputRequests: { confirm }, requestState: await state.mint({ of: "request_state" }) });
    }
    if (!client.mcpReq.requestState()) {
      throw new kit.ProtocolError(kit.ProtocolErrorCode.InvalidParams, "no requestState");
    }
    return result(text("state-ok"));
  });
  asked("tampered_state", async (client) => {
    if (accepted(client, "confirm") && client.mcpReq.requestState()) return result(text("integrity-ok"));
    return inputRequired({ inputRequests: { confirm }, requestState: await state.mint({ of: "tampered_state" }) });
  });
  asked("multiple_inputs", async (client) => {
    const { greeting: said, client_roots } = client.mcpReq.inputResponses ?? {};
    const who = accepted(client, "user_name")?.name;
    if (who && said && client_roots) return result(text(`${said.content.text}, ${who}: ${client_roots.roots.length}`));
    const requestState = await state.mint({ of: "multiple_inputs" });
    return inputRequired({ inputRequests: { user_name: name, greeting, client_roots: roots }, requestState });
  });
  asked("multi_round", async (client) => {
    const { round = 0, who } = client.mcpReq.requestState() ?? {};
    const steps = [ask("Your name?", "name"), ask("Your colour?", "color")];
    if (round === 2) return result(text(`${who} likes ${accepted(client, "step2")?.color}`));
    const next = { round: round + 1, who: accepted(client, "step1")?.name };
    const inputRequests = { [`step${round + 1}`]: inputRequired.elicit(steps[round]) };
    return inputRequired({ inputRequests, requestState: await state.mint(next) });
  });
  asked("capabilities", (client) => {
    if (client.mcpReq.inputResponses) return result(text("answered"));
    const declared = client.mcpReq.envelope?.[kit.CLIENT_CAPABILITIES_META_KEY] ?? {};
    const all = { elicitation: { user_name: name }, sampling: { greeting }, roots: { client_roots: roots } };
    const inputRequests = Object.assign({}, ...Object.keys(all).map((key) => (declared[key] ? all[key] : {})));
    return Object.keys(inputRequests).length > 0 ? inputRequired({ inputRequests }) : result(text("nobody to ask"));
  });
  tool("test_missing_capability", {}, (_, client) =>
    client.mcpReq.inputResponses?.greeting ? result(text("done")) : inputRequired({ inputRequests: { greeting } }),
  );
}

function tools(server) {
  const tool = (name, shape, body) => {
    const inputSchema = shape.type === "object" ? kit.fromJsonSchema(shape) : z.object(shape);
    server.registerTool(name, { description: `Conformance: ${name}`, inputSchema }, async (args, client) =>
      body(args, client),
    );
  };
  for (const [name, answer] of Object.entries(PLAIN)) tool(name, {}, () => answer);
  tool("json_schema_2020_12_tool", DRAFT_2020_12, (args) => result(text(JSON.stringify(args))));
  tool("test_x_mcp_header", MIRRORED, ({ region }) => result(text(`region ${region}`)));
  tool("test_error_handling", {}, () => {
    throw new Error("This tool fails as it should.");
  });
  tool("test_tool_with_logging", {}, async (_, { mcpReq }) => {
    for (const data of ["started", "working", "ended"]) {
      await mcpReq.notify({ method: "notifications/message", params: { level: "info", data } });
      await pause(20);
    }
    return result(text("logged"));
  });
  tool("test_logging_tool", {}, async (_, { mcpReq }) => {
    await mcpReq.log("info", "only where it was asked for");
    return result(text("logged"));
  });
  tool("test_tool_with_progress", {}, async (_, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
      await mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: 100 } });
      await pause(20);
    }
    return result(text(`progress of ${progressToken}`));
  });
  tool("test_reconnection", {}, async (_, { http }) => {
    http.closeSSE?.();
    await pause(100);
    return result(text("resumed"));
  });
  legacyQuestions(tool);
  modernQuestions(tool);
  for (const what of ["tool", "prompt"]) {
    tool(`test_trigger_${what}_change`, {}, () => {
      modern.notify[`${what}sChanged`]();
      return result(text("published"));
    });
  }
}

function resources(server) {
  const resource = (name, uri, mimeType, body) => {
    server.registerResource(name, uri, { mimeType, description: `Conformance: ${name}` }, (uri, variables) => ({
      contents: [{ uri: String(uri), mimeType, ...body(variables) }],
    }));
  };
  resource("static-text", "test://static-text", "text/plain", () => ({ text: "The text." }));
  resource("static-binary", "test://static-binary", "image/png", () => ({ blob: PNG }));
  resource("watched", "test://watched-resource", "text/plain", () => ({ text: "Watched." }));
  const template = new kit.ResourceTemplate("test://template/{id}/data", { list: undefined });
  resource("template", template, "application/json", ({ id }) => ({
    text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
  }));
}

function prompts(server) {
  const register = (name, shape, body) =>
    server.registerPrompt(
      name,
      { description: `Conformance: ${name}`, ...(shape && { argsSchema: z.object(shape) }) },
      body,
    );
  register("test_simple_prompt", undefined, () => prompt(text("This is a simple prompt for testing.")));
  register("test_prompt_with_arguments", { arg1: z.string(), arg2: z.string() }, ({ arg1, arg2 }) =>
    prompt(text(`arg1='${arg1}', arg2='${arg2}'`)),
  );
  register("test_prompt_with_embedded_resource", { resourceUri: z.string() }, ({ resourceUri }) =>
    prompt(embedded(resourceUri, "text/plain", "Embedded."), text("Read it.")),
  );
  register("test_prompt_with_image", undefined, () => prompt(image, text("Look at it.")));
  // Without arguments the context comes first.
  register("test_input_required_result_prompt", undefined, ({ mcpReq }) => {
    const answer = kit.acceptedContent(mcpReq.inputResponses, "user_context")?.context;
    if (typeof answer === "string") return prompt(text(`In the context of ${answer}.`));
    const user_context = kit.inputRequired.elicit(ask("In which context?", "context"));
    return kit.inputRequired({ inputRequests: { user_context } });
  });
}

function build() {
  const capabilities = {
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    prompts: { listChanged: true },
    logging: {},
    completions: {},
  };
  const options = { capabilities, requestState: { verify: state.verify } };
  const server = new kit.McpServer({ name: "interop-conformance", version: "1" }, options);
  tools(server);
  resources(server);
  prompts(server);
  for (const method of ["resources/subscribe", "resources/unsubscribe", "logging/setLevel"]) {
    server.server.setRequestHandler(method, () => ({}));
  }
  server.server.setRequestHandler("completion/complete", () => ({ completion: { values: [], total: 0, hasMore: false } }));
  return server;
}

modern = await serve("2", build, { retryInterval: 500 });
