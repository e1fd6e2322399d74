// Serves `/mcp` of an SDK's server on a free port of the loopback: sessions with an event store for the revisions with a handshake and,
// where the SDK has it, one handler for 2026-07-28. Standard output says the port, then every request and what it was answered.

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";

/** Events in the order in which they came; the id of one is its place. */
class Events {
  stored = [];

  async storeEvent(stream, message) {
    this.stored.push({ stream, message });
    return String(this.stored.length);
  }

  async getStreamIdForEventId(id) {
    return this.stored[Number(id) - 1]?.stream;
  }

  async replayEventsAfter(id, { send }) {
    const stream = this.stored[Number(id) - 1]?.stream;
    // As long as it takes: what is stored while this sends is sent too.
    for (let at = Number(id); at < this.stored.length; at++) {
      const event = this.stored[at];
      if (event.stream === stream && Object.keys(event.message).length > 0) await send(String(at + 1), event.message);
    }
    return stream;
  }
}

const sdks = {
  1: async () => ({
    Transport: (await import("@modelcontextprotocol/sdk/server/streamableHttp.js")).StreamableHTTPServerTransport,
  }),
  2: async () => {
    const node = await import("@modelcontextprotocol/node");
    const { createMcpHandler, classifyInboundRequest } = await import("@modelcontextprotocol/server");
    const { NodeStreamableHTTPServerTransport: Transport, localhostHostValidation, toNodeHandler } = node;
    return { Transport, createMcpHandler, classifyInboundRequest, localhostHostValidation, toNodeHandler };
  },
};

async function whole(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

/** Says what goes over the wire. */
function transcript(number, request, body, response) {
  const say = (sign, text) => console.log(`#${number} ${sign} ${String(text).trimEnd().replaceAll("\n", "\\n")}`);
  const names = ["mcp-session-id", "last-event-id", "mcp-protocol-version", "mcp-name"];
  const headers = names.filter((name) => name in request.headers).map((name) => `${name}=${request.headers[name]}`);
  say(">", `${request.method} ${headers.join(" ")} ${body}`);
  for (const method of ["write", "end"]) {
    const inner = response[method].bind(response);
    response[method] = (piece, ...more) => {
      if (piece && typeof piece !== "function") say("<", `${response.statusCode} ${Buffer.from(piece)}`);
      return inner(piece, ...more);
    };
  }
  response.on("close", () => say("<", response.writableFinished ? "(end)" : "(the client has gone)"));
}

/**
 * `build` makes a server for one session, or for one request of 2026-07-28. Returns the handler of that revision, if there is one:
 * its `notify` reaches those who listen.
 */
export async function serve(sdk, build, { retryInterval = 50 } = {}) {
  const kit = await sdks[sdk]();
  const sessions = new Map();
  const modern = kit.createMcpHandler?.(build, { onerror: (error) => console.log(`error ${error}`) });
  const answerModern = modern && kit.toNodeHandler(modern);
  const hostIsOurs = kit.localhostHostValidation?.() ?? (() => true);

  async function answer(request, response, text) {
    if (!hostIsOurs(request, response)) return;
    let body;
    if (request.method === "POST") {
      try {
        body = JSON.parse(text);
      } catch {
        const error = { code: -32700, message: "Parse error" };
        response.writeHead(400, { "content-type": "application/json" });
        response.end(JSON.stringify({ jsonrpc: "2.0", error, id: null }));
        return;
      }
      const kind = kit.classifyInboundRequest?.({
        httpMethod: request.method,
        protocolVersionHeader: request.headers["mcp-protocol-version"],
        mcpMethodHeader: request.headers["mcp-method"],
        body,
      }).kind;
      if (kind !== undefined && kind !== "legacy") return answerModern(request, response, body);
    }
    const id = request.headers["mcp-session-id"];
    let transport = sessions.get(id);
    if (!transport && id === undefined && body?.method === "initialize") {
      transport = new kit.Transport({
        sessionIdGenerator: randomUUID,
        eventStore: new Events(),
        retryInterval,
        onsessioninitialized: (id) => void sessions.set(id, transport),
        onsessionclosed: (id) => void sessions.delete(id),
      });
      await build({ era: "legacy" }).connect(transport);
    }
    if (transport) return transport.handleRequest(request, response, body);
    const error = id ? { code: -32001, message: "Session not found" } : { code: -32000, message: "no session" };
    response.writeHead(id ? 404 : 400, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", error, id: null }));
  }

  let count = 0;
  const listener = createServer(async (request, response) => {
    const number = ++count;
    try {
      const text = await whole(request);
      transcript(number, request, text, response);
      await answer(request, response, text);
    } catch (error) {
      console.log(`#${number} error ${error.stack}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  });
  listener.listen(0, "127.0.0.1", () => console.log(listener.address().port));
  return modern;
}
