"""The SSE parser of the Python SDK on the fixtures of our own decoder: what we take for an event, it must, too.

    sse_parsers.py CASES.json
"""

import json
import sys

import httpx2

# Where it reads another stream than we do: it sees less.
KNOWN = {"mark": []}


def parse(chunks: list[bytes]) -> list[dict]:
    response = httpx2.Response(
        200,
        headers={"content-type": "text/event-stream"},
        content=iter(chunks),
        request=httpx2.Request("GET", "http://interop"),
    )
    # It dispatches events without data, too; its user drops whatever has none.
    return [{"data": one.data, "event": one.event} for one in httpx2.EventSource(response) if one.data]


def main() -> int:
    failed = 0
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    for case in cases:
        events = KNOWN.get(case["name"], case["events"])
        expected = [{"data": one["data"], "event": one.get("event") or "message"} for one in events if one["data"]]
        # At the end of the stream it takes a last CR for two line ends.
        given = (case["input"] + "\n" * case["input"].endswith("\r")).encode()
        for how, chunks in (("whole", [given]), ("by bytes", [given[at : at + 1] for at in range(len(given))])):
            found = parse(chunks)
            if found != expected:
                failed += 1
                print(f"FAIL httpx2: sse: {case['name']}: {how}: {found}, expected {expected}")
                break
        else:
            print(f"ok   httpx2: sse: {case['name']}")
    return 1 if failed else 0


sys.exit(main())
