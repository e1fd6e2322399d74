//! `mcp.lock.json`.

use super::Form::{Count, Json, Like, Revision, Table as Inner, Tables, Text};
use super::{Key, Presence, Table, key, required};

/// `mcp.lock.json`
pub(super) static LOCK: Table = Table {
    name: "the lock file",
    about: "What a server offered when it was reviewed. Written by `mcpfw lock`, not by hand: digests must fit.",
    keys: &[
        required("version", Count(1, 1), "The version of this file."),
        required("server", Inner(&SERVER), SERVER.about),
        required("revision", Revision, "The revision of MCP in which it was asked."),
        required("tools", Tables(&TOOL), "Its tools, by name."),
        required("prompts", Tables(&PROMPT), "Its prompts, by name."),
        required("resources", Tables(&RESOURCE), "Its resources, by URI."),
        required("templates", Tables(&TEMPLATE), "Its resource templates, by URI template."),
    ],
    rules: &[],
};

static SERVER: Table = Table {
    name: "server",
    about: "What the server says of itself.",
    keys: &[
        required("name", Text, "Its name."),
        required("version", Text, "Its version."),
        key("instructions", Text, "What it wants every model to be told."),
    ],
    rules: &[],
};

const NAME: Key = required("name", Text, "Its name.");
const DIGEST: Key = required("digest", Like("^sha256:[0-9a-f]{64}$"), "Of all the rest.");
const TITLE: Key = key("title", Json, "Its name for people.");
const DESCRIPTION: Key = key("description", Json, "What a model is told of it.");
const MIME_TYPE: Key = key("mimeType", Json, "Its media type.");

static TOOL: Table = Table {
    name: "tool",
    about: "A tool.",
    keys: &[
        NAME,
        TITLE,
        DESCRIPTION,
        key("inputSchema", Json, "The JSON Schema of its arguments."),
        key("outputSchema", Json, "The JSON Schema of its results."),
        key("annotations", Json, "Hints of what it does."),
        DIGEST,
    ],
    rules: &[Presence::LookAlikes],
};

static PROMPT: Table = Table {
    name: "prompt",
    about: "A prompt.",
    keys: &[NAME, TITLE, DESCRIPTION, key("arguments", Json, "Its arguments."), DIGEST],
    rules: &[Presence::LookAlikes],
};

static RESOURCE: Table = Table {
    name: "resource",
    about: "A resource.",
    keys: &[
        required("uri", Text, "Its URI."),
        key("name", Json, "Its name."),
        TITLE,
        DESCRIPTION,
        MIME_TYPE,
        DIGEST,
    ],
    rules: &[Presence::LookAlikes],
};

static TEMPLATE: Table = Table {
    name: "resource template",
    about: "A template of URIs.",
    keys: &[
        required("uriTemplate", Text, "Its URI template."),
        key("name", Json, "Its name."),
        TITLE,
        DESCRIPTION,
        MIME_TYPE,
        DIGEST,
    ],
    rules: &[Presence::LookAlikes],
};
