"""The official Python client against a server or against mcpfw before it.

    python_client.py URL [--mode legacy|auto] [--revision R] [--sse] [--firewalled] [--modern-server]

The checks are those of typescript.mjs.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from mcp import Client, MCPError
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import PromptReference

CHECK_SECONDS = 15

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("--mode", default="legacy")
parser.add_argument("--revision")
parser.add_argument("--sse", action="store_true")
parser.add_argument("--firewalled", action="store_true")
parser.add_argument("--modern-server", action="store_true")
flags = parser.parse_args()

label = f"python/{'sse' if flags.sse else flags.mode}"
failed = 0


async def check(name: str, body: Callable[[], Awaitable[None]]) -> None:
    global failed
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await body()
        print(f"ok   {label}: {name}", flush=True)
    except Exception as error:
        failed += 1
        detail = f"{type(error).__name__} {error}".replace("\n", " ")
        print(f"FAIL {label}: {name}: {detail}", flush=True)


async def refusal(call: Awaitable[object]) -> MCPError:
    try:
        await call
    except MCPError as error:
        return error
    raise AssertionError("it was not refused")


def text(result) -> str:
    return "".join(part.text for part in result.content)


async def main() -> None:
    requests: list[tuple[str, int, str]] = []

    async def record(response) -> None:
        requests.append((response.request.method, response.status_code, response.headers.get("content-type", "")))

    logged = asyncio.Event()

    async def on_log(_params) -> None:
        logged.set()

    def recording_client(*args, **more):
        client = create_mcp_http_client(*args, **more)
        client.event_hooks = {"response": [record]}
        return client

    http = recording_client()
    reference = not flags.modern_server
    async with http:
        if flags.sse:
            transport = sse_client(flags.url, httpx_client_factory=recording_client)
        else:
            transport = streamable_http_client(flags.url, http_client=http)
        async with Client(transport, mode=flags.mode, logging_callback=on_log) as client:

            async def connects() -> None:
                if not flags.sse:
                    assert client.protocol_version == flags.revision, client.protocol_version

            async def allowed() -> None:
                assert text(await client.call_tool("echo", {"message": "größe 😀"})) == "Echo: größe 😀"

            async def hidden() -> None:
                names = sorted(tool.name for tool in (await client.list_tools()).tools)
                assert "echo" in names
                assert ("get-env" in names) == (not flags.firewalled), names

            async def refused() -> None:
                if not flags.firewalled:
                    assert text(await client.call_tool("get-env", {}))
                    return
                error = await refusal(client.call_tool("get-env", {}))
                assert "The environment holds secrets." in str(error), error
                assert error.error.code == 403, error.error
                assert error.error.data["rule"] == "no-environment", error.error

            async def refused_argument() -> None:
                assert "1001" in text(await client.call_tool("get-sum", {"a": 1000, "b": 1}))
                if flags.firewalled:
                    error = await refusal(client.call_tool("get-sum", {"b": 1, "a": 1001}))
                    assert "Sums above 1000 need approval." in str(error), error

            async def unknown() -> None:
                assert (await refusal(client.call_tool("no-such-tool", {}))).error.code == 403

            async def progress() -> None:
                began = time.monotonic()
                times: list[float] = []

                async def on_progress(_progress, _total, _message) -> None:
                    times.append(time.monotonic() - began)

                arguments = {"duration": 1, "steps": 4}
                result = await client.call_tool("trigger-long-running-operation", arguments, progress_callback=on_progress)
                ended = time.monotonic() - began
                assert "completed" in text(result)
                assert len(times) == 4, times
                # The first is sent after 250 ms, the result after 1000 ms.
                assert ended - times[0] > 0.4, (times, ended)

            async def prompts() -> None:
                names = [prompt.name for prompt in (await client.list_prompts()).prompts]
                assert "simple-prompt" in names
                assert ("args-prompt" in names) == (not flags.firewalled), names
                prompt = await client.get_prompt("simple-prompt")
                assert "simple prompt" in prompt.messages[0].content.text
                if flags.firewalled:
                    error = await refusal(client.get_prompt("args-prompt", {"city": "Rome"}))
                    assert error.error.code == 403, error.error

            async def resources() -> None:
                read = await client.read_resource("demo://resource/dynamic/text/1")
                assert read.contents[0].text.startswith("Resource 1")
                blob = client.read_resource("demo://resource/dynamic/blob/1")
                if flags.firewalled:
                    assert (await refusal(blob)).error.code == 403
                else:
                    assert (await blob).contents[0].blob
                templates = [one.uri_template for one in (await client.list_resource_templates()).resource_templates]
                assert any("/text/" in uri for uri in templates), templates
                assert any("/blob/" in uri for uri in templates) == (not flags.firewalled), templates

            async def completion() -> None:
                def complete(name: str):
                    return client.complete(PromptReference(type="ref/prompt", name=name), {"name": "department", "value": "E"})

                assert (await complete("completable-prompt")).completion.values == ["Engineering"]
                if flags.firewalled:
                    assert (await refusal(complete("args-prompt"))).error.code == 403

            async def get_stream() -> None:
                await client.call_tool("toggle-simulated-logging", {})
                await logged.wait()
                await client.call_tool("toggle-simulated-logging", {})
                stream = [request for request in requests if request[0] == "GET"]
                if flags.sse:
                    assert all(status == 202 for method, status, _ in requests if method == "POST"), requests
                assert stream and stream[0][1] == 200 and stream[0][2].startswith("text/event-stream"), stream

            await check("connects", connects)
            await check("a tool that may be called answers", allowed)
            await check("the list hides what may not be called", hidden)
            await check("a refused tool is an error with the reason", refused)
            await check("a refused argument is an error with the reason", refused_argument)
            if flags.firewalled:
                await check("a tool that no rule allows is refused", unknown)
            await check("progress comes while the tool works", progress)
            await check("prompts", prompts)
            await check("resources", resources)
            if reference:
                await check("completion is the prompt's own door", completion)
                await check("the session's GET stream carries notifications", get_stream)

        async def deleted() -> None:
            ends = [status for method, status, _ in requests if method == "DELETE"]
            assert ends == [200], ends

        if flags.revision != "2026-07-28" and not flags.sse:
            await check("DELETE ends the session", deleted)


asyncio.run(main())
sys.exit(1 if failed else 0)
