//! Properties of the watch on announced endpoints: chunk boundaries have no meaning, a client is told no endpoint but ours, and
//! everything else passes as it came.

use bytes::Bytes;

use super::sse;
use crate::inspect::response::{EndpointError, EndpointWatch, Fed};

/// What is announced in the place of any endpoint that is taken.
pub const OURS: &str = "/ours?mcpfw=1";

/// What became of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether all of it was good.
    pub verdict: Result<(), EndpointError>,
    /// What left.
    pub out: Vec<u8>,
    /// The URI that was announced.
    pub announced: Option<String>,
}

/// Feeds a stream. The server's own endpoints begin with `/`.
pub fn run<'a>(
    mut watch: EndpointWatch,
    limit: usize,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Outcome {
    let mut outcome = Outcome { verdict: Ok(()), out: Vec::new(), announced: None };
    for chunk in chunks {
        let announced = &mut outcome.announced;
        let mut rewrite = |uri: &str| {
            assert!(announced.is_none(), "asked once");
            *announced = Some(uri.to_owned());
            uri.starts_with('/').then(|| OURS.to_owned())
        };
        match watch.feed(&Bytes::copy_from_slice(chunk), &mut rewrite) {
            Ok(Fed { before, announced, rest }) => {
                outcome.out.extend(before);
                outcome.out.extend(announced.into_iter().flatten());
                outcome.out.extend(rest);
            }
            Err(error) => {
                outcome.verdict = Err(error);
                return outcome;
            }
        }
        // A line end counts as one byte, and may have two.
        assert!(watch.held() <= 2 * limit + 9, "the hold is bounded");
    }
    outcome.out.extend(watch.finish());
    outcome
}

/// The outcome of `stream`, after checking that it is the same in `chunks`.
pub fn same_in<'a>(
    watch: EndpointWatch,
    limit: usize,
    whole: &Outcome,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) {
    let cut = run(watch, limit, chunks);
    if whole.verdict.is_ok() {
        assert_eq!(&cut, whole);
    } else {
        // How far a stream gets that fails depends on the cuts.
        assert_eq!((cut.verdict, &cut.announced), (whole.verdict, &whole.announced));
        assert!(
            cut.out.starts_with(&whole.out),
            "more passes of smaller chunks, never other bytes"
        );
        told_nothing(&cut.out);
    }
}

/// No event of `out` but a first one of ours announces.
fn told_nothing(out: &[u8]) {
    for (at, event) in sse::read_naively(out).events.iter().enumerate() {
        let is_announcement = event.event.as_deref() == Some(b"endpoint");
        assert!(!is_announcement || (at == 0 && event.data == OURS.as_bytes()), "{event:?}");
    }
}

/// Target `rewrite_endpoint`: the first byte chooses the limit and whether anything may be announced, the rest is the stream.
pub fn rewrite(data: &[u8]) {
    let Some((&choice, stream)) = data.split_first() else { return };
    let limit = if choice & 1 == 0 { 2 << 10 } else { 40 };
    let may_announce = choice & 2 == 0;
    let watch = || if may_announce { EndpointWatch::new(limit) } else { EndpointWatch::guard() };
    let whole = run(watch(), limit, [stream]);
    same_in(watch(), limit, &whole, stream.chunks(1));
    same_in(watch(), limit, &whole, stream.chunks(usize::from(choice >> 2) + 2));
    told_nothing(&whole.out);
    let (before, after) = (sse::read_naively(stream), sse::read_naively(&whole.out));
    if whole.verdict.is_err() {
        return;
    }
    match &whole.announced {
        None => {
            assert!(stream.starts_with(&whole.out), "everything passes as it came");
            // But for an announcement that is not whole.
            assert_eq!(before.events, after.events);
            assert!(whole.out == stream || !before.at_boundary);
        }
        Some(uri) => {
            assert!(may_announce);
            assert_eq!(before.events.len(), after.events.len());
            let mut pairs = before.events.iter().zip(&after.events);
            assert!(pairs.next().is_some_and(|(theirs, _)| theirs.data == uri.as_bytes()));
            assert!(pairs.all(|(theirs, passed)| {
                (&theirs.event, &theirs.data) == (&passed.event, &passed.data)
            }));
        }
    }
}
