//! What an operand can be when arguments are free.

use smallvec::{SmallVec, smallvec};

use super::node;
use crate::policy::expr::eval::{Frame, Machine};
use crate::policy::expr::program::{Links, Operand, OperandId};
use crate::policy::expr::text::{Pieces, Text};
use crate::policy::expr::truth::Truth;
use crate::policy::expr::variable::Variable;
use crate::policy::expr::view::{Built, View};

/// The alternatives of an operand. More than [`MAX_ALTERNATIVES`] are one: free.
pub(super) type Alternatives<'a> = SmallVec<[Built<'a>; 1]>;

/// Alternatives of one operand (each `? :` may double them).
const MAX_ALTERNATIVES: usize = 16;

/// What operand `id` can be.
pub(super) fn alternatives<'v>(
    machine: &'v Machine<'_>,
    id: OperandId,
    frame: Option<&Frame<'_, 'v>>,
) -> Alternatives<'v> {
    let Some(operand) = machine.program.operand(id) else {
        return smallvec![Built::Plain(View::Unfit)];
    };
    let all: Alternatives<'v> = match operand {
        Operand::Variable(variable) if !machine.is_free(variable) => {
            smallvec![Built::Plain(machine.simple(operand, frame))]
        }
        Operand::Variable(Variable::McpIsRetry) => {
            [true, false].into_iter().map(|truth| Built::Plain(View::Bool(truth))).collect()
        }
        Operand::Size(of) => alternatives(machine, of, frame).iter().map(size).collect(),
        Operand::Concat(links) => concat(machine, links, frame),
        Operand::List(links) => {
            let element = |element| {
                let mut views = alternatives(machine, element, frame);
                match (views.pop(), views.is_empty()) {
                    (Some(view), true) => view,
                    _ => Built::Plain(View::Free),
                }
            };
            let elements = machine.program.operands_of(links).map(element);
            smallvec![Built::List(elements.collect())]
        }
        Operand::If { condition, then, otherwise } => {
            let branches =
                node(machine, condition, frame).members().flat_map(|truth| match truth {
                    Truth::True => alternatives(machine, then, frame),
                    Truth::False => alternatives(machine, otherwise, frame),
                    Truth::Unknown => smallvec![Built::Plain(View::Unfit)],
                });
            branches.collect()
        }
        Operand::Truth(id) => {
            let truths = node(machine, id, frame).members().map(|truth| match truth {
                Truth::True => Built::Plain(View::Bool(true)),
                Truth::False => Built::Plain(View::Bool(false)),
                Truth::Unknown => Built::Plain(View::Unfit),
            });
            truths.collect()
        }
        Operand::Variable(_) => smallvec![Built::Plain(View::Free)],
        Operand::Constant(_) | Operand::Local { .. } => {
            smallvec![Built::Plain(machine.simple(operand, frame))]
        }
    };
    if all.len() > MAX_ALTERNATIVES { smallvec![Built::Plain(View::Free)] } else { all }
}

fn size<'v>(of: &Built<'_>) -> Built<'v> {
    Built::Plain(match of {
        Built::Plain(view) => view.size(),
        Built::Text(pieces) => View::Text(Text::Pieces(pieces)).size(),
        Built::List(elements) => View::Count(u64::try_from(elements.len()).unwrap_or(u64::MAX)),
        Built::FreeText { .. } => View::FreeCount,
    })
}

/// Every way to put alternatives of strings together.
fn concat<'v>(
    machine: &'v Machine<'_>,
    links: Links,
    frame: Option<&Frame<'_, 'v>>,
) -> Alternatives<'v> {
    let mut all: Alternatives<'v> = smallvec![Built::Text(Pieces::new())];
    for part in machine.program.operands_of(links) {
        let parts = alternatives(machine, part, frame);
        if all.len() * parts.len() > MAX_ALTERNATIVES {
            return smallvec![Built::Plain(View::Free)];
        }
        let pairs = all.iter().flat_map(|start| parts.iter().map(move |end| joined(start, end)));
        all = pairs.collect();
    }
    all
}

fn joined<'v>(start: &Built<'v>, end: &Built<'v>) -> Built<'v> {
    let ends = |built: &Built<'v>| match built {
        Built::Text(pieces) => Some((pieces.clone(), None)),
        Built::FreeText { prefix, suffix } => Some((prefix.clone(), Some(suffix.clone()))),
        Built::Plain(View::Free) => Some((Pieces::new(), Some(Pieces::new()))),
        Built::Plain(View::Text(text)) => {
            let mut pieces = Pieces::new();
            text.append_to(&mut pieces);
            Some((pieces, None))
        }
        Built::Plain(_) | Built::List(_) => None,
    };
    match (ends(start), ends(end)) {
        (Some((mut whole, None)), Some((other, None))) => {
            whole.extend(other);
            Built::Text(whole)
        }
        (Some((mut prefix, None)), Some((other, Some(suffix)))) => {
            prefix.extend(other);
            Built::FreeText { prefix, suffix }
        }
        (Some((prefix, Some(mut suffix))), Some((other, None))) => {
            suffix.extend(other);
            Built::FreeText { prefix, suffix }
        }
        (Some((prefix, Some(_))), Some((_, Some(suffix)))) => Built::FreeText { prefix, suffix },
        (None, _) | (_, None) => Built::Plain(View::Unfit),
    }
}
