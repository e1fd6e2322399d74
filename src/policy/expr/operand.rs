//! Evaluation of operands: most are borrowed as they are, strings and lists that are put together live on the
//! stack of the one who asks.

use super::address::AddressText;
use super::eval::{Frame, Machine};
use super::program::{Links, Operand, OperandId};
use super::text::{Pieces, Text};
use super::truth::Truth;
use super::variable::Variable;
use super::view::{Built, List, View};

impl Machine<'_> {
    /// Gives the value of operand `id` to `then`. What had to be put together lives as long as the call.
    pub(super) fn with<'v, T>(
        &'v self,
        id: OperandId,
        frame: Option<&Frame<'_, 'v>>,
        then: impl FnOnce(View<'_>) -> T,
    ) -> T {
        match self.settle(id, frame) {
            None => then(View::Unfit),
            Some(Operand::Concat(links)) => {
                let mut pieces = Pieces::new();
                let fits = self.append(links, frame, &mut pieces);
                then(if fits { View::Text(Text::Pieces(&pieces)) } else { View::Unfit })
            }
            Some(Operand::List(links)) => {
                let ids = self.program.operands_of(links);
                let built: Vec<Built<'_>> = ids.map(|id| self.element(id, frame)).collect();
                let views: Vec<View<'_>> = built.iter().map(Built::view).collect();
                then(View::List(List::Views(&views)))
            }
            Some(operand) => then(self.simple(operand, frame)),
        }
    }

    /// The operand that `id` is, once every `? :` is decided; `None` where one is not.
    fn settle<'v>(&'v self, id: OperandId, frame: Option<&Frame<'_, 'v>>) -> Option<Operand> {
        let mut operand = self.program.operand(id)?;
        while let Operand::If { condition, then, otherwise } = operand {
            operand = match self.truth(condition, frame) {
                Truth::True => self.program.operand(then)?,
                Truth::False => self.program.operand(otherwise)?,
                Truth::Unknown => return None,
            };
        }
        Some(operand)
    }

    /// Puts the strings `links` at the end of `pieces`; false where one is not a string.
    fn append<'v>(
        &'v self,
        links: Links,
        frame: Option<&Frame<'_, 'v>>,
        pieces: &mut Pieces<'v>,
    ) -> bool {
        self.program.operands_of(links).all(|part| match self.settle(part, frame) {
            Some(Operand::Concat(links)) => self.append(links, frame, pieces),
            Some(operand) => match self.simple(operand, frame) {
                View::Text(text) => {
                    text.append_to(pieces);
                    true
                }
                _ => false,
            },
            None => false,
        })
    }

    /// An element of a list literal.
    fn element<'v>(&'v self, id: OperandId, frame: Option<&Frame<'_, 'v>>) -> Built<'v> {
        match self.settle(id, frame) {
            Some(Operand::Concat(links)) => {
                let mut pieces = Pieces::new();
                match self.append(links, frame, &mut pieces) {
                    true => Built::Text(pieces),
                    false => Built::Plain(View::Unfit),
                }
            }
            Some(operand) => Built::Plain(self.simple(operand, frame)),
            None => Built::Plain(View::Unfit),
        }
    }

    /// The value of an operand that is not put together.
    pub(super) fn simple<'v>(
        &'v self,
        operand: Operand,
        frame: Option<&Frame<'_, 'v>>,
    ) -> View<'v> {
        match operand {
            Operand::Constant(at) => self.program.constant(at).map_or(View::Unfit, View::of),
            Operand::Variable(Variable::ClientIp) => {
                View::whole(self.ip.get_or_init(|| AddressText::of(self.scope.context.ip)).as_str())
            }
            Operand::Variable(variable) => variable.value(self.program, self.scope),
            Operand::Local { depth, names } => {
                let mut at = frame;
                for _ in 0..depth {
                    at = at.and_then(|frame| frame.outer);
                }
                let element = at.map_or(View::Unfit, |frame| frame.element);
                element.descend(self.program.names(names))
            }
            Operand::Size(of) => self.size(of, frame),
            Operand::Truth(node) => match self.truth(node, frame) {
                Truth::True => View::Bool(true),
                Truth::False => View::Bool(false),
                Truth::Unknown => View::Unfit,
            },
            Operand::Concat(_) | Operand::List(_) | Operand::If { .. } => View::Unfit,
        }
    }

    fn size<'v>(&'v self, of: OperandId, frame: Option<&Frame<'_, 'v>>) -> View<'v> {
        let mut size = View::Unfit;
        self.with(of, frame, |view| {
            if let View::Text(text) = &view {
                self.work.add_text(text.len());
            }
            size = view.size();
        });
        size
    }
}
