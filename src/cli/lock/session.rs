//! A short conversation with a server: who are you, what do you offer, goodbye.

use std::collections::HashSet;

use serde_json::json;

use crate::lock::{Item, Json, List, Lock, Server, Value};
use crate::wire::mcp::{Revision, codes};

use super::fault::{Fault, Problem};
use super::http::{Http, Reply, client_info};
use super::{Target, Wanted};

/// Most pages of one list: ten elements a page at the most elements that a lock has.
pub(super) const MAX_PAGES: usize = 1_000;

/// What the server said of itself.
struct Met {
    server: Server,
    revision: Revision,
    /// `capabilities`
    capabilities: Option<Json>,
}

/// Asks the server for everything that a lock holds. `progress` is told each step.
///
/// # Cancel safety
/// A session that was begun is left to the server's own timeout.
pub(super) async fn ask(target: &Target, progress: &dyn Fn(&str)) -> Result<Lock, Problem> {
    let mut http = Http::new(target).map_err(|fault| Problem::at(target.url.as_str(), fault))?;
    progress(&format!("asking {}", target.url));
    let met = meet(&mut http, target.wanted, progress).await?;
    progress(&format!("`{}` {} speaks {}", met.server.name, met.server.version, met.revision));
    let mut lock = Lock::new(met.server, met.revision);
    let mut outcome = Ok(());
    for list in List::ALL {
        let is_offered = offers(met.capabilities.as_ref(), list);
        outcome = pages(&mut http, &mut lock, list, is_offered, progress).await;
        if outcome.is_err() {
            break;
        }
    }
    http.end().await;
    outcome.map(|()| lock)
}

/// Whether the server says that it has `list`.
fn offers(capabilities: Option<&Json>, list: List) -> bool {
    let name = match list {
        List::Tools => "tools",
        List::Prompts => "prompts",
        List::Resources | List::Templates => "resources",
    };
    capabilities.and_then(|all| all.member(name)).is_some_and(|it| it.as_object().is_some())
}

/// Finds the revision that both sides speak: first the newest, which needs no handshake, then the handshake of the
/// older ones, then their oldest transport.
async fn meet(http: &mut Http, wanted: Wanted, progress: &dyn Fn(&str)) -> Result<Met, Problem> {
    match wanted {
        Wanted::Only(Revision::V2026_07_28) => match discover(http).await? {
            Ok(met) => Ok(met),
            Err(fault) => Err(Problem::at("server/discover", fault)),
        },
        Wanted::Only(revision) => initialize(http, revision, true).await,
        Wanted::Auto => match discover(http).await? {
            Ok(met) => Ok(met),
            Err(_) => {
                progress("no `server/discover`: trying `initialize`");
                initialize(http, Revision::V2025_11_25, false).await
            }
        },
    }
}

/// Asks for the discovery of 2026-07-28. The inner fault means that the server is older.
async fn discover(http: &mut Http) -> Result<Result<Met, Fault>, Problem> {
    http.revision = Some(Revision::V2026_07_28);
    let older = |http: &mut Http, fault| {
        http.revision = None;
        Ok(Err(fault))
    };
    let result = match http.request("server/discover", json!({})).await {
        Ok(Reply::Result(result)) => result,
        Ok(Reply::Error { code, message, .. }) => {
            return older(http, Fault::Rpc { code, message });
        }
        // What is neither a refusal nor a failure of the server is how old ones say that they do not know it.
        Err(fault @ Fault::Status(400..500)) => return older(http, fault),
        Err(fault) => return Err(Problem::at("server/discover", fault)),
    };
    let versions = result.member("supportedVersions").and_then(Json::as_array).unwrap_or_default();
    let is_modern = |version: &Json| version.as_str() == Some(Revision::V2026_07_28.as_str());
    if !versions.iter().any(is_modern) {
        let versions: Vec<&str> = versions.iter().filter_map(Json::as_str).collect();
        return older(http, Fault::Revision(versions.join(", ")));
    }
    let named =
        result.member("_meta").and_then(|it| it.member("io.modelcontextprotocol/serverInfo"));
    Ok(Ok(Met {
        server: server(named.or(result.member("serverInfo")), &result),
        revision: Revision::V2026_07_28,
        capabilities: result.member("capabilities").cloned(),
    }))
}

/// The handshake of the revisions up to 2025-11-25. `is_fixed`: no other revision will do.
async fn initialize(http: &mut Http, asked: Revision, is_fixed: bool) -> Result<Met, Problem> {
    const METHOD: &str = "initialize";
    let params = json!({
        "protocolVersion": asked.as_str(), "capabilities": {}, "clientInfo": client_info(),
    });
    let at = |fault| Problem::at(METHOD, fault);
    let reply = match http.request(METHOD, params.clone()).await {
        // How a server of 2024-11-05 answers a POST to its stream.
        Err(fault @ Fault::Status(400 | 404 | 405)) => match http.open_stream().await {
            Ok(true) => http.request(METHOD, params).await.map_err(at)?,
            Ok(false) => return Err(at(fault)),
            Err(other) => return Err(Problem::at("the event stream", other)),
        },
        reply => reply.map_err(at)?,
    };
    let result = match reply {
        Reply::Result(result) => result,
        Reply::Error { supported, .. } if !supported.is_empty() => {
            return Err(at(Fault::Revision(supported.join(", "))));
        }
        Reply::Error { code, message, .. } => return Err(at(Fault::Rpc { code, message })),
    };
    let version = result.member("protocolVersion").and_then(Json::as_str);
    let version = version.ok_or_else(|| at(Fault::Shape("protocolVersion")))?;
    let revision = version.parse::<Revision>().ok().filter(|it| !it.is_modern());
    let revision = revision
        .filter(|revision| !is_fixed || *revision == asked)
        .ok_or_else(|| at(Fault::Revision(version.to_owned())))?;
    http.revision = Some(revision);
    let notification = "notifications/initialized";
    http.notify(notification).await.map_err(|fault| Problem::at(notification, fault))?;
    Ok(Met {
        server: server(result.member("serverInfo"), &result),
        revision,
        capabilities: result.member("capabilities").cloned(),
    })
}

fn server(info: Option<&Json>, result: &Json) -> Server {
    let text = |json: Option<&Json>, key: &str| -> Option<Box<str>> {
        json?.member(key)?.as_str().map(Into::into)
    };
    Server {
        name: text(info, "name").unwrap_or_default(),
        version: text(info, "version").unwrap_or_default(),
        instructions: text(Some(result), "instructions"),
    }
}

/// Adds every page of `list` to `lock`. A server that does not offer the list may refuse it; it is asked all the same,
/// because a client might, too.
async fn pages(
    http: &mut Http,
    lock: &mut Lock,
    list: List,
    is_offered: bool,
    progress: &dyn Fn(&str),
) -> Result<(), Problem> {
    let at = |fault| Problem::at(list.method(), fault);
    let mut cursors: HashSet<Box<str>> = HashSet::new();
    let mut params = json!({});
    for page in 1..=MAX_PAGES {
        let result = match http.request(list.method(), params).await {
            Ok(Reply::Result(result)) => result,
            Ok(Reply::Error { code, .. })
                if page == 1 && (!is_offered || code == codes::METHOD_NOT_FOUND) =>
            {
                return Ok(());
            }
            Ok(Reply::Error { code, message, .. }) => return Err(at(Fault::Rpc { code, message })),
            Err(Fault::Status(400..500)) if page == 1 && !is_offered => return Ok(()),
            Err(fault) => return Err(at(fault)),
        };
        let Value::Object(mut members) = result.value else {
            return Err(at(Fault::Shape("result")));
        };
        let elements = match members.remove(list.member()).map(|elements| elements.value) {
            Some(Value::Array(elements)) => elements,
            // Go servers write a list without elements so.
            Some(Value::Null) => Vec::new(),
            _ => return Err(at(Fault::Shape(list.member()))),
        };
        for (index, element) in elements.into_iter().enumerate() {
            let item = Item::new(list, element)
                .map_err(|fault| at(Fault::Item { at: index + 1, fault }))?;
            let id = item.id().to_owned();
            if !lock.add(item) {
                return Err(at(Fault::Twice { noun: list.noun(), id }));
            }
        }
        progress(&format!("{}: {} so far", list.method(), lock.items(list).len()));
        params = match members.get("nextCursor").map(|cursor| &cursor.value) {
            None | Some(Value::Null) => return Ok(()),
            // An empty one is one, too.
            Some(Value::String(cursor)) if cursors.insert(cursor.clone()) => {
                json!({"cursor": &**cursor})
            }
            Some(Value::String(_)) => return Err(at(Fault::RepeatedPage)),
            Some(_) => return Err(at(Fault::Shape("nextCursor"))),
        };
    }
    Err(at(Fault::Pages))
}
