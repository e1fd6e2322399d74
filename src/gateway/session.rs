//! GET and DELETE of legacy sessions: the server's own stream, and the end of a session.
//!
//! Both run under the caller's credential like any POST, and the session is the caller's own (T43): see [`super::affinity`].

use std::sync::Arc;

use http::request::Parts;

use super::affinity::{self, Session};
use super::answers::Way;
use super::forward::{self, Facts, Leave};
use super::judge::ReplyJudge;
use super::looks::{Kinds, Looks};
use super::notices::Audience;
use super::peer::Peer;
use super::read;
use super::record::Record;
use super::reject::Reject;
use super::relay::{self, Bounded, Question};
use super::route::Kind;
use super::sse::Announcer;
use super::state::Shared;
use super::{Answer, Known};
use crate::inspect::response::Watch;
use crate::upstream::RequestBody;
use crate::upstream::headers::MCP_SESSION_ID;
use crate::wire::mcp::{Revision, revision};

/// Relays the stream, or the end.
pub(super) async fn run(
    shared: &Arc<Shared>,
    peer: &Peer,
    known: &Known,
    kind: Kind,
    mut head: Parts,
    mut record: Box<Record>,
) -> Answer {
    let revision = match check(known, kind, &head) {
        Ok(revision) => revision,
        Err(reject) => return Err((reject, record)),
    };
    record.revision = Some(revision);
    let mut session = match Session::open(shared, known, &mut head.headers) {
        Ok(session) => session,
        Err(reject) => return Err((reject, record)),
    };
    let facts = Facts {
        shared,
        route: &known.route,
        peer,
        caller: known.caller.principal(),
        modern: false,
        session: &session,
        target: None,
    };
    let leave = Leave::session(&known.caller, &session);
    let way = Way::of(&head.headers);
    let request_id = record.request_id_value().clone();
    match forward::send(leave, head, RequestBody::empty(), &facts, &mut record).await {
        Ok((mut reply, upstream)) => {
            if kind == Kind::End && reply.status().is_success() {
                shared.outstanding.forget(session.key(known));
            }
            let headers = reply.headers_mut();
            if let Err(fault) = affinity::seal(shared, known, &mut session, upstream, headers) {
                return Err((Reject::reply(fault), record));
            }
            let may_announce = known.route.has_announcements() && session.id().is_none();
            // A list may come on this stream: the answer to an earlier POST, on a stream that was resumed (T17), or every
            // answer in the transport of 2024-11-05.
            let looks = Looks {
                lists: Kinds::ALL,
                is_light: !may_announce,
                is_bounded: false,
                carries: false,
                sealed: Watch::NOTHING,
            };
            let audience = match (kind, may_announce) {
                (Kind::Stream, false) => Audience::Session,
                (Kind::Stream, true) => Audience::Stream,
                _ => Audience::Nobody,
            };
            let question = Question {
                modern: false,
                id: None,
                batch: Box::default(),
                wants_message: kind == Kind::Stream,
                audience,
                judge: ReplyJudge::new(
                    shared,
                    known,
                    revision,
                    None,
                    request_id,
                    session.id().cloned(),
                    looks,
                ),
                way: way.within(session.id()),
                is_endless: true,
                expires: known.caller.expires(),
                late: None,
                bounded: Bounded::default(),
            };
            let credentials = &known.route.credentials;
            let mut response = relay::relay(shared, reply, question, credentials, record).await?;
            if kind == Kind::Stream {
                response.body_mut().announce(match may_announce {
                    true => Announcer::new(shared, known, upstream),
                    false => Announcer::guard(),
                });
            }
            Ok(response)
        }
        Err(failure) => Err((Reject::upstream(&failure), record)),
    }
}

fn check(known: &Known, kind: Kind, head: &Parts) -> Result<Revision, Box<Reject>> {
    let mirror = read::mirror(&head.headers)?;
    let served = known.route.revisions;
    let header = mirror.protocol_version();
    let has_session = head.headers.contains_key(MCP_SESSION_ID);
    // The first transport has no version header: where it can be no other, it is that.
    if kind == Kind::Stream
        && header.is_none()
        && !has_session
        && known.route.has_announcements()
        && !served.contains(Revision::V2025_03_26)
    {
        return Ok(Revision::V2024_11_05);
    }
    let revision = revision::decide_bodyless(header, None, served)
        .map_err(|error| Reject::revision(&error, served))?;
    if kind == Kind::End && !has_session {
        return Err(Reject::session_missing());
    }
    Ok(revision)
}
