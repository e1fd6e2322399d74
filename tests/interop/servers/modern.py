"""A server that speaks 2026-07-28 and the revisions before it, with the names of the reference server.

Prints the port that it bound, serves `/mcp` (with `--sse`: `/sse`, over HTTP+SSE), and ends with its process.
"""

import asyncio
import os
import socket
import sys

import uvicorn
from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("interop-modern", log_level="ERROR")


@server.tool(name="echo")
def echo(message: str) -> str:
    return f"Echo: {message}"


@server.tool(name="get-sum")
def get_sum(a: float, b: float) -> str:
    return f"The sum of {a:g} and {b:g} is {a + b:g}."


@server.tool(name="get-env")
def get_env() -> str:
    return repr(dict(os.environ))


@server.tool(name="trigger-long-running-operation")
async def trigger_long_running_operation(duration: float, steps: int, context: Context) -> str:
    for step in range(1, steps + 1):
        await asyncio.sleep(duration / steps)
        await context.report_progress(step, steps)
    return f"Long running operation completed. Duration: {duration:g} seconds, Steps: {steps}."


@server.prompt(name="simple-prompt")
def simple_prompt() -> str:
    return "This is a simple prompt without arguments."


@server.prompt(name="args-prompt")
def args_prompt(city: str) -> str:
    return f"What's weather in {city}?"


@server.resource("demo://resource/dynamic/text/{resource_id}")
def text(resource_id: str) -> str:
    return f"Resource {resource_id}: This is a plaintext resource."


@server.resource("demo://resource/dynamic/blob/{resource_id}")
def blob(resource_id: str) -> bytes:
    return resource_id.encode()


def main() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    app = server.sse_app() if "--sse" in sys.argv else server.streamable_http_app()
    config = uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=1)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    sys.exit(main())
