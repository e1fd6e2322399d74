//! Whether `Mcp-Param-*` say what the arguments say, found out while the arguments pass (T9; mcp-protocol.md §3.2).
//!
//! Nothing is kept of a string but how far it agrees. The tool is known before its arguments because a modern request names it
//! in `Mcp-Name`; where only the body names it, and too late, a header that mirrors something is refused.

use std::sync::Arc;

use http::header::HeaderName;
use smallvec::SmallVec;

use crate::inspect::annotation::{Annotations, ParamKind};
use crate::policy::Number;
use crate::wire::json::Kind;
use crate::wire::mcp::fold::Folded;
use crate::wire::mcp::headers::{Header, HeaderError, HeaderFault, Mirror};

/// Bytes of a number's token that are compared; the tokenizer's own limit may be set higher. A longer one differs.
const NUMBER: usize = 1024;

/// The comparison of one call.
#[derive(Debug)]
pub(super) struct Mirrored {
    plan: Arc<Annotations>,
    /// By slot of the plan.
    params: Vec<Param>,
    /// By node of the plan: the node of the same place for whoever else looks at the arguments, 0 for none.
    also: Vec<u16>,
    /// The first contradiction.
    differs: Option<HeaderError>,
    /// The first value that a modern request must mirror and this one does not.
    missing: Option<HeaderError>,
    /// A name that some parser takes for one on the way to a mirrored value (T2).
    is_folded: bool,
    is_closed: bool,
}

/// One mirrored value.
#[derive(Debug)]
struct Param {
    /// What the header says.
    claim: Option<Box<str>>,
    is_known: bool,
    /// How many bytes of the value agree with the claim; `None` once they do not.
    agreed: Option<usize>,
    number: SmallVec<[u8; 24]>,
}

impl Mirrored {
    /// The comparison of a call of a tool with `plan`, whose headers are `mirror`.
    pub(super) fn new(plan: Arc<Annotations>, mirror: &Mirror) -> Self {
        let mut differs = None;
        let mut claim = |(header, _): &(HeaderName, ParamKind)| match mirror.param(header) {
            Ok(text) => text.map(|text| Box::from(&*text)),
            Err(error) => {
                differs.get_or_insert(error);
                None
            }
        };
        let params = plan.params().iter().map(|param| Param::new(claim(param))).collect();
        let (missing, also) = (None, Vec::new());
        Self { plan, params, also, differs, missing, is_folded: false, is_closed: false }
    }

    /// The comparison of a call whose tool became known behind its arguments: nothing can be compared any more, and so no
    /// header that mirrors one of them can be believed.
    pub(super) fn too_late(plan: Arc<Annotations>, mirror: &Mirror) -> Self {
        let mut this = Self::new(plan, mirror);
        this.is_closed = true;
        let mut claimed = this.plan.params().iter().filter(|(header, _)| mirror.has_param(header));
        let first = claimed.next().map(|(header, _)| error(header, HeaderFault::Differs));
        this.differs = this.differs.or(first);
        this
    }

    /// What is wrong, as far as is known: `modern` requests must mirror what they have.
    pub(super) fn fault(&self, modern: bool) -> Option<&HeaderError> {
        self.differs.as_ref().or(self.missing.as_ref().filter(|_| modern))
    }

    /// Whether some parser could take one name for another that is mirrored.
    pub(super) fn is_folded(&self) -> bool {
        self.is_folded
    }

    /// Member `name` of the arguments, or of what is at node `at`; `also`: what it is to others. Returns its node.
    pub(super) fn key(&mut self, at: u16, name: &str, also: u16) -> Option<u16> {
        if self.is_closed {
            return None;
        }
        let Some(child) = self.plan.paths().child(at, name) else {
            let mut children = self.plan.paths().children(at).peekable();
            if children.peek().is_some() {
                let folded = Folded::of(name);
                self.is_folded |=
                    name == "__proto__" || children.any(|(key, _)| folded.is_alike(key));
            }
            return None;
        };
        let index = usize::from(child);
        if self.also.len() <= index {
            self.also.resize(index + 1, 0);
        }
        if let Some(known) = self.also.get_mut(index) {
            *known = also;
        }
        Some(child)
    }

    /// What node `at` is to others.
    pub(super) fn also(&self, at: u16) -> u16 {
        self.also.get(usize::from(at)).copied().unwrap_or(0)
    }

    /// The value at node `at` begins.
    pub(super) fn begin(&mut self, at: u16, kind: Kind) {
        let Some((param, header, expected)) = self.param(at) else { return };
        param.is_known = true;
        let fault = match (&param.claim, kind) {
            // Present and null is absent: there is nothing to mirror.
            (None, Kind::Null) => None,
            (None, _) => Some(HeaderFault::Missing),
            (Some(claim), kind) if !param.may_be(expected, kind, claim) => {
                Some(HeaderFault::Differs)
            }
            (Some(_), _) => None,
        };
        match fault {
            Some(HeaderFault::Missing) if expected != ParamKind::Number => {
                let missing = error(&header, HeaderFault::Missing);
                self.missing.get_or_insert(missing);
            }
            Some(HeaderFault::Differs) => self.differ(&header),
            _ => {}
        }
    }

    /// A piece of the text of the string or number at node `at`.
    pub(super) fn text(&mut self, at: u16, piece: &str) {
        let Some((param, _, expected)) = self.param(at) else { return };
        if expected != ParamKind::String {
            let room = NUMBER.saturating_sub(param.number.len());
            param.number.extend(piece.bytes().take(room));
            return;
        }
        let rest = |agreed| param.claim.as_deref().and_then(|claim| claim.get(agreed..));
        param.agreed = param
            .agreed
            .filter(|agreed| rest(*agreed).is_some_and(|rest| rest.starts_with(piece)))
            .map(|agreed| agreed + piece.len());
    }

    /// The value at node `at` ended.
    pub(super) fn end(&mut self, at: u16, kind: Kind) {
        let Some((param, header, _)) = self.param(at) else { return };
        let Some(claim) = &param.claim else { return };
        let agrees = match kind {
            Kind::String => param.agreed == Some(claim.len()),
            Kind::Number => {
                std::str::from_utf8(&param.number).is_ok_and(|token| same_number(claim, token))
            }
            // Said when it began.
            _ => true,
        };
        if !agrees {
            self.differ(&header);
        }
    }

    /// The arguments have ended, or never come: what has not been seen is absent.
    pub(super) fn close(&mut self) {
        if std::mem::replace(&mut self.is_closed, true) {
            return;
        }
        let mut all = self.params.iter().zip(self.plan.params());
        let absent = all.find(|(param, _)| !param.is_known && param.claim.is_some());
        if let Some((_, (header, _))) = absent {
            // A router may have acted on it.
            let header = header.clone();
            self.differ(&header);
        }
    }

    fn differ(&mut self, header: &HeaderName) {
        self.differs.get_or_insert_with(|| error(header, HeaderFault::Differs));
    }

    fn param(&mut self, at: u16) -> Option<(&mut Param, HeaderName, ParamKind)> {
        let slot = usize::from(self.plan.paths().slot(at)?);
        let (header, kind) = self.plan.params().get(slot)?;
        Some((self.params.get_mut(slot)?, header.clone(), *kind))
    }
}

impl Param {
    fn new(claim: Option<Box<str>>) -> Self {
        Self { claim, is_known: false, agreed: Some(0), number: SmallVec::new() }
    }

    /// Whether a value of `kind`, of which nothing else is known, may be what `claim` says. A value of another type than the
    /// annotation's has no header that would be right.
    fn may_be(&self, expected: ParamKind, kind: Kind, claim: &str) -> bool {
        match (expected, kind) {
            (ParamKind::String, Kind::String)
            | (ParamKind::Integer | ParamKind::Number, Kind::Number) => true,
            (ParamKind::Boolean, Kind::True) => claim == "true",
            (ParamKind::Boolean, Kind::False) => claim == "false",
            _ => false,
        }
    }
}

fn error(header: &HeaderName, fault: HeaderFault) -> HeaderError {
    HeaderError { header: Header::Param(header.clone()), fault }
}

/// Whether `claim`, which must be a plain decimal (`^-?\d+(\.\d+)?$`), is exactly the number of JSON token `token`.
fn same_number(claim: &str, token: &str) -> bool {
    let unsigned = claim.strip_prefix('-').unwrap_or(claim);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let is_decimal =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if claim.len() > NUMBER || !is_decimal(whole) || !is_decimal(fraction) {
        return false;
    }
    // JSON has no leading zeros; `007` is 7 to the servers that compare.
    let digits = whole.trim_start_matches('0');
    let sign = if claim.len() == unsigned.len() { "" } else { "-" };
    let claimed = format!("{sign}{}.{fraction}", if digits.is_empty() { "0" } else { digits });
    match (Number::from_token(&claimed), Number::from_token(token)) {
        (Some(claimed), Some(number)) => {
            claimed.compare(&number) == Some(std::cmp::Ordering::Equal)
        }
        _ => false,
    }
}
