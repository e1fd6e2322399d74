//! Every method of the five published revisions, as data: who sends it, when, and what it acts on.
//!
//! A method that is not in the table is [`Method::Other`]: it acts on nothing that mcpfw knows and
//! belongs to no revision, so only a policy that names it lets it through.

use super::ObjectKind;
use super::revision::{Revision, RevisionSet};

/// A method of the specification, in the order of its name on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is the wire name that TABLE gives beside it")]
pub enum Method {
    CompletionComplete,
    ElicitationCreate,
    Initialize,
    LoggingSetLevel,
    NotificationsCancelled,
    NotificationsElicitationComplete,
    NotificationsInitialized,
    NotificationsMessage,
    NotificationsProgress,
    NotificationsPromptsListChanged,
    NotificationsResourcesListChanged,
    NotificationsResourcesUpdated,
    NotificationsRootsListChanged,
    NotificationsSubscriptionsAcknowledged,
    NotificationsTasks,
    NotificationsTasksStatus,
    NotificationsToolsListChanged,
    Ping,
    PromptsGet,
    PromptsList,
    ResourcesList,
    ResourcesRead,
    ResourcesSubscribe,
    ResourcesTemplatesList,
    ResourcesUnsubscribe,
    RootsList,
    SamplingCreateMessage,
    ServerDiscover,
    SubscriptionsListen,
    TasksCancel,
    TasksGet,
    TasksList,
    TasksResult,
    TasksUpdate,
    ToolsCall,
    ToolsList,
    /// Not in the specification.
    Other,
}

/// Where the parameters of a method name what it acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// It acts on nothing that has a name.
    None,
    /// `params.name` is the name of a tool or prompt.
    Name(ObjectKind),
    /// `params.uri` is the URI of a resource.
    Uri,
    /// `params.ref`: by its `type`, `ref/prompt` with a `name` or `ref/resource` with a `uri`.
    Ref,
    /// `params.taskId` is the handle of a task, which stands for the call that made it.
    Task,
    /// `params.notifications`: flags, and lists of resource URIs and task handles.
    Filter,
}

/// Whether `Mcp-Name` mirrors the target of a method in the modern revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mirrored {
    /// It must.
    Required,
    /// It should, but the TypeScript SDK cannot send it: verified where it is there.
    IfPresent,
    /// It need not; where it is there it must not contradict the body.
    No,
}

/// What the specification says of one method.
#[derive(Clone, Copy, Debug)]
pub struct MethodInfo {
    /// The method.
    pub method: Method,
    /// Its name on the wire.
    pub name: &'static str,
    /// The revisions in which the downstream peer sends it to the server.
    pub to_server: RevisionSet,
    /// The revisions in which the server sends it downstream.
    pub to_client: RevisionSet,
    /// Whether it may stand in `inputRequests` of a modern result instead of being sent.
    pub is_input_request: bool,
    /// Whether it has no id and no reply. Everything else must have an id.
    pub is_notification: bool,
    /// Where its parameters name what it acts on.
    pub target: Target,
    /// Whether `Mcp-Name` mirrors that.
    pub mirrored: Mirrored,
    /// The kind of the objects that it lists, where its result is a list to filter.
    pub lists: Option<ObjectKind>,
    /// Whether it belongs to the set that every policy permits unless a rule refuses it: handshake, ping, log level,
    /// lists (whose results are filtered), and what a client merely notifies.
    pub is_lifecycle: bool,
}

impl MethodInfo {
    /// Whether downstream may send it in `revision`.
    #[must_use]
    pub const fn is_sent_to_server(&self, revision: Revision) -> bool {
        self.to_server.contains(revision)
    }

    /// Whether the server may send it in `revision`.
    #[must_use]
    pub const fn is_sent_to_client(&self, revision: Revision) -> bool {
        self.to_client.contains(revision)
    }

    const fn request(method: Method, name: &'static str, to_server: RevisionSet) -> Self {
        Self {
            method,
            name,
            to_server,
            to_client: RevisionSet::EMPTY,
            is_input_request: false,
            is_notification: false,
            target: Target::None,
            mirrored: No,
            lists: None,
            is_lifecycle: false,
        }
    }

    /// A notification that the server sends.
    const fn notice(method: Method, name: &'static str, to_client: RevisionSet) -> Self {
        Self { is_notification: true, ..Self::request(method, name, NEVER).back(to_client) }
    }

    /// A notification that the client sends, too.
    const fn client_notice(method: Method, name: &'static str, to_server: RevisionSet) -> Self {
        Self { is_notification: true, is_lifecycle: true, ..Self::request(method, name, to_server) }
    }

    /// A request of the server, from 2026-07-28 on an input request.
    const fn server_request(method: Method, name: &'static str, to_client: RevisionSet) -> Self {
        Self { is_input_request: true, ..Self::request(method, name, NEVER).back(to_client) }
    }

    const fn back(self, to_client: RevisionSet) -> Self {
        Self { to_client, ..self }
    }

    const fn on(self, target: Target, mirrored: Mirrored) -> Self {
        Self { target, mirrored, ..self }
    }

    const fn listing(self, kind: ObjectKind) -> Self {
        Self { lists: Some(kind), is_lifecycle: true, ..self }
    }

    const fn lifecycle(self) -> Self {
        Self { is_lifecycle: true, ..self }
    }
}

impl Method {
    /// The method whose name on the wire is `name`, byte for byte; [`Method::Other`] where the specification has none.
    #[must_use]
    pub fn from_wire(name: &str) -> Self {
        // Nearly every request; the search takes five comparisons.
        if name == "tools/call" {
            return Self::ToolsCall;
        }
        match TABLE.binary_search_by(|info| info.name.cmp(name)) {
            Ok(at) => TABLE.get(at).map_or(Self::Other, |info| info.method),
            Err(_) => Self::Other,
        }
    }

    /// What the specification says of it.
    #[must_use]
    pub fn info(self) -> &'static MethodInfo {
        TABLE.get(self as usize).unwrap_or(&OTHER)
    }

    /// Every method of the specification, in the order of their names.
    #[must_use]
    pub fn all() -> &'static [MethodInfo] {
        &TABLE
    }
}

const NEVER: RevisionSet = RevisionSet::EMPTY;
const ALL: RevisionSet = RevisionSet::ALL;
const LEGACY: RevisionSet = RevisionSet::LEGACY;
const MODERN: RevisionSet = RevisionSet::MODERN;
const NOVEMBER_2025: RevisionSet = RevisionSet::only(Revision::V2025_11_25);
const SINCE_NOVEMBER_2025: RevisionSet = NOVEMBER_2025.union(MODERN);
const ELICITING: RevisionSet = RevisionSet::between(Revision::V2025_06_18, Revision::V2025_11_25);

const OTHER: MethodInfo = MethodInfo::request(Method::Other, "", NEVER);

use self::MethodInfo as M;
use self::Mirrored::{IfPresent, No, Required};
use Method as X;
use ObjectKind::{Prompt, Resource, Tool};

/// One row a method, sorted by name, in the order of [`Method`]'s variants.
#[rustfmt::skip]
static TABLE: [MethodInfo; 36] = [
    M::request(X::CompletionComplete, "completion/complete", ALL).on(Target::Ref, No),
    M::server_request(X::ElicitationCreate, "elicitation/create", ELICITING),
    M::request(X::Initialize, "initialize", LEGACY).lifecycle(),
    M::request(X::LoggingSetLevel, "logging/setLevel", LEGACY).lifecycle(),
    // Over HTTP a modern client cancels by closing the stream; a server may still end a listen stream with it.
    M::client_notice(X::NotificationsCancelled, "notifications/cancelled", LEGACY).back(ALL),
    M::notice(X::NotificationsElicitationComplete, "notifications/elicitation/complete", NOVEMBER_2025),
    M::client_notice(X::NotificationsInitialized, "notifications/initialized", LEGACY),
    M::notice(X::NotificationsMessage, "notifications/message", ALL),
    M::client_notice(X::NotificationsProgress, "notifications/progress", LEGACY).back(ALL),
    M::notice(X::NotificationsPromptsListChanged, "notifications/prompts/list_changed", ALL),
    M::notice(X::NotificationsResourcesListChanged, "notifications/resources/list_changed", ALL),
    M::notice(X::NotificationsResourcesUpdated, "notifications/resources/updated", ALL).on(Target::Uri, No),
    M::client_notice(X::NotificationsRootsListChanged, "notifications/roots/list_changed", LEGACY),
    M::notice(X::NotificationsSubscriptionsAcknowledged, "notifications/subscriptions/acknowledged", MODERN)
        .on(Target::Filter, No),
    M::notice(X::NotificationsTasks, "notifications/tasks", MODERN).on(Target::Task, No),
    M::client_notice(X::NotificationsTasksStatus, "notifications/tasks/status", NOVEMBER_2025)
        .back(NOVEMBER_2025).on(Target::Task, No),
    M::notice(X::NotificationsToolsListChanged, "notifications/tools/list_changed", ALL),
    M::request(X::Ping, "ping", LEGACY).back(LEGACY).lifecycle(),
    M::request(X::PromptsGet, "prompts/get", ALL).on(Target::Name(Prompt), Required),
    M::request(X::PromptsList, "prompts/list", ALL).listing(Prompt),
    M::request(X::ResourcesList, "resources/list", ALL).listing(Resource),
    M::request(X::ResourcesRead, "resources/read", ALL).on(Target::Uri, Required),
    M::request(X::ResourcesSubscribe, "resources/subscribe", LEGACY).on(Target::Uri, No),
    M::request(X::ResourcesTemplatesList, "resources/templates/list", ALL).listing(Resource),
    M::request(X::ResourcesUnsubscribe, "resources/unsubscribe", LEGACY).on(Target::Uri, No),
    M::server_request(X::RootsList, "roots/list", LEGACY),
    M::server_request(X::SamplingCreateMessage, "sampling/createMessage", LEGACY),
    M::request(X::ServerDiscover, "server/discover", MODERN).lifecycle(),
    M::request(X::SubscriptionsListen, "subscriptions/listen", MODERN).on(Target::Filter, No),
    M::request(X::TasksCancel, "tasks/cancel", SINCE_NOVEMBER_2025).back(NOVEMBER_2025).on(Target::Task, IfPresent),
    M::request(X::TasksGet, "tasks/get", SINCE_NOVEMBER_2025).back(NOVEMBER_2025).on(Target::Task, IfPresent),
    // Not lifecycle: nothing in a task says whose it is, so its list cannot be filtered here.
    M::request(X::TasksList, "tasks/list", NOVEMBER_2025).back(NOVEMBER_2025),
    M::request(X::TasksResult, "tasks/result", NOVEMBER_2025).back(NOVEMBER_2025).on(Target::Task, IfPresent),
    M::request(X::TasksUpdate, "tasks/update", MODERN).on(Target::Task, IfPresent),
    M::request(X::ToolsCall, "tools/call", ALL).on(Target::Name(Tool), Required),
    M::request(X::ToolsList, "tools/list", ALL).listing(Tool),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_in_the_order_of_the_variants() {
        assert!(TABLE.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert_eq!(TABLE.len(), Method::Other as usize);
        for (at, info) in TABLE.iter().enumerate() {
            assert_eq!(info.method as usize, at, "{}", info.name);
            assert_eq!(Method::from_wire(info.name), info.method);
            assert_eq!(info.method.info().name, info.name);
        }
        assert_eq!(Method::Other.info().method, Method::Other);
    }
}
