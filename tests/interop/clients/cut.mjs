// A fetch that writes down what goes over the wire and can lose a stream in the middle of an event.

import { createWriteStream } from "node:fs";

export class Wire {
  /** Requests in order: method, status, headers sent, body sent. */
  requests = [];
  #cut;

  constructor(transcript) {
    this.file = transcript && createWriteStream(transcript);
  }

  say(text) {
    this.file?.write(`${text.trimEnd().replaceAll("\r", "").replaceAll("\n", "\\n")}\n`);
  }

  /** The next stream of `method` that brings more than `events` events breaks in the middle of the one behind them. */
  cut(method, events) {
    this.#cut = { method, events };
  }

  /** True when a cut was made, or none was asked for. */
  get isCut() {
    return this.#cut === undefined;
  }

  fetch = async (input, init = {}) => {
    const method = init.method ?? "GET";
    const request = { method, headers: new Headers(init.headers), body: init.body };
    const number = this.requests.push(request);
    const resume = request.headers.get("last-event-id");
    this.say(`#${number} > ${method}${resume ? ` last-event-id=${resume}` : ""} ${init.body ?? ""}`);
    const response = await fetch(input, init);
    request.status = response.status;
    request.type = response.headers.get("content-type") ?? "";
    this.say(`#${number} < ${response.status} ${request.type}`);
    if (!response.body) return response;
    const { status, statusText, headers } = response;
    return new Response(this.#relayed(response.body, request, number), { status, statusText, headers });
  };

  #relayed(body, request, number) {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const lose = async (controller) => {
      this.#cut = undefined;
      this.say(`#${number} < (cut here)`);
      controller.error(new TypeError("the connection was lost"));
      await reader.cancel().catch(() => {});
    };
    return new ReadableStream({
      pull: async (controller) => {
        const { done, value } = await reader.read().catch((error) => (controller.error(error), { done: undefined }));
        if (done === undefined) return;
        if (done) {
          this.say(`#${number} < (end)`);
          return controller.close();
        }
        const text = decoder.decode(value, { stream: true });
        this.say(`#${number} < ${text}`);
        const wanted = this.#cut;
        if (wanted?.method !== request.method || !request.type.startsWith("text/event-stream")) {
          return controller.enqueue(value);
        }
        // Events end with an empty line; comments alone are none.
        let rest = text;
        while (wanted.events > 0) {
          const end = /\r?\n\r?\n/.exec(rest);
          if (!end) break;
          if (/^(data|id|event):/m.test(rest.slice(0, end.index))) wanted.events -= 1;
          rest = rest.slice(end.index + end[0].length);
        }
        if (wanted.events > 0 || rest.length === 0) return controller.enqueue(value);
        const kept = text.slice(0, text.length - Math.ceil(rest.length / 2));
        controller.enqueue(new TextEncoder().encode(kept));
        await lose(controller);
      },
      cancel: (reason) => reader.cancel(reason),
    });
  }
}
