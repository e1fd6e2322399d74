"""The server of streams.mjs, written with the Python SDK 1.x or 2.x: whichever is installed.

Prints the port that it bound, then every request and what it was answered.
"""

import asyncio
import socket
import sys
import warnings
from typing import Any

import uvicorn
from mcp import types
from mcp.server.streamable_http import EventMessage, EventStore
from pydantic import BaseModel

warnings.simplefilter("ignore")

try:
    from mcp.server.mcpserver import Context, MCPServer
    from mcp.types import InputRequiredResult

    IS_FIRST = False
except ImportError:
    from mcp.server.fastmcp import Context, FastMCP

    InputRequiredResult = str  # 1.x knows none
    IS_FIRST = True


class Events(EventStore):
    """Events in the order in which they came; the id of one is its place."""

    def __init__(self) -> None:
        self.stored: list[tuple[str, Any]] = []

    async def store_event(self, stream_id, message):
        self.stored.append((stream_id, message))
        return str(len(self.stored))

    async def replay_events_after(self, last_event_id, send_callback):
        place = int(last_event_id)
        stream, _ = self.stored[place - 1]
        # As long as it takes: what is stored while this sends is sent too.
        while place < len(self.stored):
            of, message = self.stored[place]
            place += 1
            if of == stream and message is not None:
                await send_callback(EventMessage(message, str(place)))
        return stream


class Transcript:
    """Says what goes over the wire."""

    def __init__(self, app) -> None:
        self.app = app
        self.count = 0

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        self.count += 1
        number = self.count
        wanted = ("mcp-session-id", "last-event-id", "mcp-protocol-version", "mcp-name")
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        headers = " ".join(f"{name}={headers[name]}" for name in wanted if name in headers)

        def say(sign, text):
            print(f"#{number} {sign} " + text.rstrip().replace("\r", "").replace("\n", "\\n"), flush=True)

        async def recorded_receive():
            message = await receive()
            if message["type"] == "http.request":
                say(">", f"{scope['method']} {headers} {message.get('body', b'').decode()}")
            else:
                say("<", "(the client has gone)")
            return message

        async def recorded_send(message):
            if message["type"] == "http.response.start":
                say("<", str(message["status"]))
            elif message.get("body"):
                say("<", message["body"].decode())
            await send(message)

        if scope["method"] != "POST":
            say(">", f"{scope['method']} {headers}")
        await self.app(scope, recorded_receive, recorded_send)


events = Events()
if IS_FIRST:
    server = FastMCP("interop-streams", log_level="ERROR", event_store=events, retry_interval=50)
    lowlevel = server._mcp_server
else:
    server = MCPServer("interop-streams", log_level="ERROR")
    lowlevel = server._lowlevel_server


def is_modern(context: Context) -> bool:
    return not IS_FIRST and context.protocol_version == "2026-07-28"


class Name(BaseModel):
    name: str


MESSAGE = "What is your name?"
QUESTION = [
    types.SamplingMessage(role="user", content=types.TextContent(type="text", text="What is the capital of France?"))
]


# Within it a client resumes. Not while something is sent: what this SDK stores between the end of a replay and the start of what
# follows it, it sends to nobody.
REST = 0.3


def named(action: str, name: str | None) -> str:
    return f"Hello, {name}." if action == "accept" else f"No name: {action}."


@server.tool(name="count")
async def count(context: Context, to: int, rest_after: int = 0, hang_up_after: int = 0) -> str:
    for at in range(1, to + 1):
        await context.session.send_log_message("info", at, related_request_id=context.request_id)
        if at == hang_up_after:
            await context.close_sse_stream()
        await asyncio.sleep(REST if at == rest_after else 0.005)
    return f"counted to {to}"


@server.tool(name="announce")
async def announce(context: Context, to: int, rest_after: int = 0) -> str:
    """On the stream of the session, not on the one of this request."""
    for at in range(1, to + 1):
        await context.session.send_log_message("info", at)
        await asyncio.sleep(REST if at == rest_after else 0.005)
    return f"announced {to}"


@server.tool(name="ask-name", structured_output=False)
async def ask_name(context: Context, pause_ms: float = 0) -> str | InputRequiredResult:
    """The pause lets a client leave before it is asked."""
    if is_modern(context):
        answer = (context.input_responses or {}).get("name")
        if answer is None:
            schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
            ask = types.ElicitRequest(params=types.ElicitRequestFormParams(message=MESSAGE, requested_schema=schema))
            return InputRequiredResult(input_requests={"name": ask}, request_state="asked for the name")
        assert context.request_state == "asked for the name", context.request_state
        return named(answer.action, (answer.content or {}).get("name"))
    await asyncio.sleep(pause_ms / 1000)
    try:
        answer = await context.elicit(MESSAGE, Name)
    except Exception as error:
        return named(str(error), None)
    return named(answer.action, answer.data.name if answer.action == "accept" else None)


@server.tool(name="ask-model", structured_output=False)
async def ask_model(context: Context, pause_ms: float = 0) -> str | InputRequiredResult:
    if is_modern(context):
        answer = (context.input_responses or {}).get("capital")
        if answer is None:
            ask = types.CreateMessageRequest(params=types.CreateMessageRequestParams(messages=QUESTION, max_tokens=5))
            return InputRequiredResult(input_requests={"capital": ask})
        return f"The model says {answer.content.text}."
    await asyncio.sleep(pause_ms / 1000)
    try:
        answer = await context.session.create_message(
            QUESTION, max_tokens=5, related_request_id=context.request_id
        )
    except Exception as error:
        return f"No model: {error}"
    return f"The model says {answer.content.text}."


@server.tool(name="secret")
def secret() -> str:
    return "secret"


# By session and URI.
subscribed: set[tuple[str, str]] = set()


def session_of(context) -> str:
    return getattr(context, "request_context", context).request.headers["mcp-session-id"]


@server.tool(name="touch")
async def touch(context: Context, uri: str) -> str:
    if is_modern(context):
        await context.notify_resource_updated(uri)
    elif (session_of(context), uri) in subscribed:
        await context.session.send_resource_updated(uri)
    return f"touched {uri}"


@server.tool(name="change-lists")
async def change_lists(context: Context) -> str:
    if is_modern(context):
        await context.notify_prompts_changed()
        await context.notify_tools_changed()
    else:
        await context.session.send_tool_list_changed()
    return "changed"


# One server has all sessions.
if IS_FIRST:

    @lowlevel.subscribe_resource()
    async def subscribe(uri) -> None:
        subscribed.add((session_of(lowlevel), str(uri)))

    @lowlevel.unsubscribe_resource()
    async def unsubscribe(uri) -> None:
        subscribed.discard((session_of(lowlevel), str(uri)))

else:

    async def subscribe(context, params):
        subscribed.add((session_of(context), str(params.uri)))
        return types.EmptyResult()

    async def unsubscribe(context, params):
        subscribed.discard((session_of(context), str(params.uri)))
        return types.EmptyResult()

    lowlevel.add_request_handler("resources/subscribe", types.SubscribeRequestParams, subscribe)
    lowlevel.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, unsubscribe)


@server.prompt(name="simple-prompt")
def simple_prompt() -> str:
    return "a prompt"


@server.resource("note://open/1", name="open-1")
def open_1() -> str:
    return "note://open/1"


@server.resource("note://open/2", name="open-2")
def open_2() -> str:
    return "note://open/2"


@server.resource("note://closed/1", name="closed-1")
def closed_1() -> str:
    return "note://closed/1"


def main() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    app = server.streamable_http_app() if IS_FIRST else server.streamable_http_app(event_store=events, retry_interval=50)
    config = uvicorn.Config(Transcript(app), log_level="error", ws="none", timeout_graceful_shutdown=1)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    sys.exit(main())
