"""The official Python client, 1.x or 2.x, whichever is installed, against servers/streams.*, or against mcpfw before it.

    streams.py URL --era legacy|modern [--firewalled] [--transcript FILE] [--label LABEL]

The checks are those of streams.mjs.
"""

import argparse
import asyncio
import importlib.metadata
import json
import re
import sys
import warnings
from contextlib import AsyncExitStack

from mcp import types
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.types import CreateMessageResult, ElicitResult, TextContent

warnings.simplefilter("ignore")
CHECK_SECONDS = 15
IS_FIRST = importlib.metadata.version("mcp").startswith("1.")

if IS_FIRST:
    import httpx
    from mcp import ClientSession, McpError
    from pydantic import AnyUrl as Url
else:
    import httpx2 as httpx
    from mcp import Client, MCPError as McpError

    Url = str

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("--era", default="legacy")
parser.add_argument("--firewalled", action="store_true")
parser.add_argument("--transcript", default="/dev/null")
parser.add_argument("--label", default="")
flags = parser.parse_args()
modern = flags.era == "modern"
failed = 0


class Wire(httpx.AsyncBaseTransport):
    """Writes down what goes over the wire, and can lose a stream in the middle of an event."""

    def __init__(self, inner) -> None:
        self.inner = inner
        self.requests: list[httpx.Request] = []
        self.statuses: list[tuple[str, int]] = []
        self.file = open(flags.transcript, "w")
        self.wanted: tuple[str, int] | None = None

    def say(self, text: str) -> None:
        self.file.write(text.rstrip().replace("\r", "").replace("\n", "\\n") + "\n")
        self.file.flush()

    def cut(self, method: str, events: int) -> None:
        """The next stream of `method` that brings more than `events` events breaks in the middle of the one behind them."""
        self.wanted = (method, events)

    async def handle_async_request(self, request):
        self.requests.append(request)
        number = len(self.requests)
        body = (await request.aread()).decode()
        resume = request.headers.get("last-event-id")
        self.say(f"#{number} > {request.method}{f' last-event-id={resume}' if resume else ''} {body}")
        response = await self.inner.handle_async_request(request)
        self.statuses.append((request.method, response.status_code))
        self.say(f"#{number} < {response.status_code} {response.headers.get('content-type', '')}")
        response.stream = Cuttable(self, request, number, response)
        return response

    async def aclose(self) -> None:
        await self.inner.aclose()


class Cuttable(httpx.AsyncByteStream):
    def __init__(self, wire: Wire, request, number: int, response) -> None:
        self.wire, self.request, self.number, self.inner = wire, request, number, response.stream
        self.is_events = response.headers.get("content-type", "").startswith("text/event-stream")

    async def __aiter__(self):
        async for piece in self.inner:
            text = piece.decode()
            self.wire.say(f"#{self.number} < {text}")
            wanted = self.wire.wanted
            if wanted is None or wanted[0] != self.request.method or not self.is_events:
                yield piece
                continue
            left, rest = wanted[1], text
            # Events end with an empty line; comments alone are none.
            while left > 0 and (end := re.search(r"\r?\n\r?\n", rest)):
                if re.search(r"^(data|id|event):", rest[: end.start()], re.MULTILINE):
                    left -= 1
                rest = rest[end.end() :]
            self.wire.wanted = (wanted[0], left)
            if left > 0 or not rest:
                yield piece
                continue
            self.wire.wanted = None
            self.wire.say(f"#{self.number} < (cut here)")
            yield text[: len(text) - (len(rest) + 1) // 2].encode()
            raise httpx.ReadError("the connection was lost", request=self.request)
        self.wire.say(f"#{self.number} < (end)")

    async def aclose(self) -> None:
        await self.inner.aclose()


http = create_mcp_http_client()
wire = Wire(http._transport)
http._transport = wire

# What comes unasked.
logs: list[int] = []
news: list[str] = []
asked: list[str] = []


async def on_log(params) -> None:
    logs.append(params.data)


async def on_message(message) -> None:
    notification = getattr(message, "root", message)
    method = getattr(notification, "method", "")
    if method == "notifications/resources/updated":
        news.append(str(notification.params.uri))
    elif match := re.fullmatch("notifications/(.*)/list_changed", method):
        news.append(match[1])


async def on_elicit(_context, params):
    asked.append(f"form: {params.message}")
    return ElicitResult(action="accept", content={"name": "Ada"})


async def on_sample(_context, _params):
    asked.append("model")
    return CreateMessageResult(model="m", role="assistant", content=TextContent(type="text", text="Paris"))


callbacks = {
    "logging_callback": on_log,
    "message_handler": on_message,
    "elicitation_callback": on_elicit,
    "sampling_callback": on_sample,
}


async def check(name, body) -> None:
    global failed
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            detail = await body()
        print(f"ok   {flags.label}: {name}" + (f" ({detail})" if isinstance(detail, str) else ""), flush=True)
    except Exception as error:
        failed += 1
        detail = f"{type(error).__name__} {error}".replace("\n", " ")
        print(f"FAIL {flags.label}: {name}: {detail}", flush=True)


async def refusal(call):
    try:
        await call
    except McpError as error:
        return error.error
    raise AssertionError("it was not refused")


async def until(condition, what) -> None:
    try:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"{what()} after 10 s") from None


def equal(actual, expected, what) -> None:
    assert actual == expected, f"{what}: {actual!r}, expected {expected!r}"


def resumed(start: int) -> list[str]:
    """What was resumed since request number `start`, as the id behind which it was."""
    ids = (request.headers.get("last-event-id") for request in wire.requests[start:])
    return [id for id in ids if id]


async def cutting(method, events, body) -> str:
    """Runs `body` with a stream of `method` cut behind `events` events; says behind which id it was resumed."""
    start = len(wire.requests)
    wire.cut(method, events)
    await body()
    assert wire.wanted is None, "the stream was not cut"
    behind = resumed(start)
    assert behind, "nothing was resumed"
    return f"resumed behind {', '.join(behind)}"


async def main() -> None:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(http)
        # Its end is a DELETE.
        session_stack = await stack.enter_async_context(AsyncExitStack())
        if IS_FIRST:
            streams = await session_stack.enter_async_context(streamable_http_client(flags.url, http_client=http))
            client = await session_stack.enter_async_context(ClientSession(*streams[:2], **callbacks))
            revision = str((await client.initialize()).protocolVersion)
        else:
            transport = streamable_http_client(flags.url, http_client=http)
            mode = "auto" if modern else "legacy"
            client = await session_stack.enter_async_context(Client(transport, mode=mode, **callbacks))
            revision = client.protocol_version

        async def connects():
            equal(revision, "2026-07-28" if modern else "2025-11-25", "revision")
            return revision

        async def call(name, arguments) -> str:
            result = await client.call_tool(name, arguments)
            return "".join(part.text for part in result.content)

        async def lists():
            names = sorted(tool.name for tool in (await client.list_tools()).tools)
            all = ["announce", "ask-model", "ask-name", "change-lists", "count", "secret", "touch"]
            equal(names, [name for name in all if not (flags.firewalled and name == "secret")], "tools")
            if flags.firewalled:
                equal((await refusal(call("secret", {}))).code, 403, "code")
            else:
                equal(await call("secret", {}), "secret", "text")

        async def asks_the_model(arguments):
            before = len(asked)
            result = await call("ask-model", arguments)
            if flags.firewalled:
                assert re.match("No model: .*denied by policy", result), result
                equal(asked[before:], [], "asked of the client")
            else:
                equal(result, "The model says Paris.", "result")
                equal(asked[before:], ["model"], "asked of the client")

        await check("connects", connects)
        await check("the list and the call", lists)
        if modern:
            await modern_checks(client, call)
        else:
            await legacy_checks(client, call, asks_the_model)
            await session_stack.aclose()

            async def deleted():
                equal([status for method, status in wire.statuses if method == "DELETE"], [200], "DELETE")

            await check("DELETE ends the session", deleted)


async def legacy_checks(client, call, asks_the_model) -> None:
    async def breaks():
        logs.clear()

        async def body():
            equal(await call("count", {"to": 6, "rest_after": 4}), "counted to 6", "result")

        how = await cutting("POST", 3, body)
        equal(logs, [1, 2, 3, 4, 5, 6], "came")
        return f"{how}: 1 to 6 came, once each"

    async def hangs_up():
        logs.clear()
        start = len(wire.requests)
        equal(await call("count", {"to": 6, "rest_after": 4, "hang_up_after": 3}), "counted to 6", "result")
        equal(logs, [1, 2, 3, 4, 5, 6], "came")
        behind = resumed(start)
        assert behind, "nothing was resumed"
        return f"resumed behind {', '.join(behind)}: 1 to 6 came, once each"

    async def session_stream():
        logs.clear()
        await until(lambda: ("GET", 200) in wire.statuses, lambda: "no GET")

        async def body():
            equal(await call("announce", {"to": 6, "rest_after": 4}), "announced 6", "result")
            await until(lambda: len(logs) >= 6, lambda: f"came: {logs}")

        how = await cutting("GET", 2, body)
        equal(logs, [1, 2, 3, 4, 5, 6], "came")
        return f"{how}: 1 to 6 came, once each"

    async def list_resumed():
        async def body():
            names = [tool.name for tool in (await client.list_tools()).tools]
            assert "count" in names, names
            equal("secret" in names, not flags.firewalled, "secret listed")

        return await cutting("POST", 1, body)

    async def asks(arguments):
        before = len(asked)
        equal(await call("ask-name", arguments), "Hello, Ada.", "result")
        equal(asked[before:], ["form: What is your name?"], "asked")

    async def subscription():
        news.clear()
        await client.subscribe_resource(Url("note://open/1"))
        closed = client.subscribe_resource(Url("note://closed/1"))
        if flags.firewalled:
            equal((await refusal(closed)).code, 403, "code")
        else:
            await closed
        await call("touch", {"uri": "note://closed/1"})
        await call("touch", {"uri": "note://open/2"})
        await call("touch", {"uri": "note://open/1"})
        await call("change-lists", {})
        expected = [*([] if flags.firewalled else ["note://closed/1"]), "note://open/1", "tools"]
        await until(lambda: len(news) >= len(expected), lambda: f"came: {news}")
        equal(news, expected, "came")
        return ", ".join(news)

    await check("a stream that breaks in the middle is resumed", breaks)
    await check("a stream that its server closes is resumed", hangs_up)
    await check("the stream of the session is resumed", session_stream)
    await check("a list is filtered on a resumed stream", list_resumed)
    await check("a form is asked for on the stream of a call", lambda: asks({}))
    await check("a form is asked for on a resumed stream", lambda: cutting("POST", 1, lambda: asks({"pause_ms": 50})))
    await check("the model is asked on the stream of a call", lambda: asks_the_model({}))
    await check(
        "the model is asked on a resumed stream", lambda: cutting("POST", 1, lambda: asks_the_model({"pause_ms": 50}))
    )
    await check("a subscription brings what was asked for, and no more", subscription)


async def modern_checks(client, call) -> None:
    from mcp.client.subscriptions import ResourceUpdated, ToolsListChanged

    def named(event) -> str:
        return event.uri if isinstance(event, ResourceUpdated) else type(event).__name__

    async def listens():
        came = []
        async with client.listen(tools_list_changed=True, resource_subscriptions=["note://open/1"]) as subscription:
            equal(subscription.honored.resource_subscriptions, ["note://open/1"], "honoured")
            await call("touch", {"uri": "note://open/2"})
            await call("touch", {"uri": "note://closed/1"})
            await call("change-lists", {})
            await call("touch", {"uri": "note://open/1"})
            async for event in subscription:
                came.append(named(event))
                if isinstance(event, ResourceUpdated):
                    break
        equal(came, [ToolsListChanged.__name__, "note://open/1"], "came")
        return ", ".join(came)

    async def listens_closed():
        async def listen():
            async with client.listen(resource_subscriptions=["note://open/1", "note://closed/1"]) as subscription:
                await call("touch", {"uri": "note://closed/1"})
                return named(await anext(subscription))

        if flags.firewalled:
            error = await refusal(listen())
            equal(error.code, 403, "code")
            return f"refused: {error.message}"
        equal(await listen(), "note://closed/1", "came")

    async def asks_name():
        start = len(wire.requests)
        equal(await call("ask-name", {}), "Hello, Ada.", "result")
        equal(asked, ["form: What is your name?"], "asked")
        sent = [json.loads(request.content)["params"] for request in wire.requests[start:]]
        equal(len(sent), 2, "calls")
        assert "requestState" not in sent[0], sent[0]
        assert isinstance(sent[1]["requestState"], str), sent[1]
        equal(list(sent[1]["inputResponses"]), ["name"], "responses")
        return "2 calls, state and response in the second"

    async def asks_model():
        before = len(asked)
        if not flags.firewalled:
            equal(await call("ask-model", {}), "The model says Paris.", "result")
            return None
        error = await refusal(call("ask-model", {}))
        equal((error.code, error.data["reason"]), (403, "input_request_refused"), error.message)
        equal(asked[before:], [], "asked of the client")
        return f"refused: {error.message}"

    await check("listen brings what was asked for, and no more", listens)
    await check("listen to a URI that is not allowed", listens_closed)
    await check("a form is asked for in a result, filled in, and sent back", asks_name)
    await check("the model is asked for in a result", asks_model)


asyncio.run(main())
sys.exit(1 if failed else 0)
