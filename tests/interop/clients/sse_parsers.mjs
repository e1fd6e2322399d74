// The SSE parser of the TypeScript SDKs on the fixtures of our own decoder: what we take for an event, it must, too.
//
//   node sse_parsers.mjs CASES.json

import { readFileSync } from "node:fs";
import { createParser } from "eventsource-parser";
import { Checks, equal } from "./checks.mjs";

const checks = new Checks("eventsource-parser");

// Where it reads another stream than we do. mcpfw must not relay such a field: the list filter refuses unknown ones.
const known = { "a mark encoded twice is a name": [{ data: "a" }, { data: "b" }] };

function parse(chunks) {
  const events = [];
  const decoder = new TextDecoder();
  const parser = createParser({ onEvent: ({ data, event }) => events.push({ data, event: event || "message" }) });
  for (const chunk of chunks) parser.feed(decoder.decode(chunk, { stream: true }));
  return events;
}

for (const one of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const expected = (known[one.name] ?? one.events).map(({ data, event }) => ({ data, event: event || "message" }));
  // It keeps a last CR for the byte behind it, which never comes in a fixture.
  const input = new TextEncoder().encode(one.input.endsWith("\r") ? `${one.input}\n` : one.input);
  await checks.run(`sse: ${one.name}`, async () => {
    equal(parse([input]), expected, "whole");
    // Only of the first chunk does it ask whether it begins with its mark.
    if (!(one.name in known)) equal(parse([...input].map((byte) => Uint8Array.of(byte))), expected, "by bytes");
  });
}
process.exit(checks.failed === 0 ? 0 : 1);
