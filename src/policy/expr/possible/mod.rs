//! What a condition can come to when arguments are free.
//!
//! Each operand is given as the alternatives that it can be: values that are known, for which an atom is judged
//! as in an evaluation, and free ones, of which only a shape is known. An atom is judged for every pair of
//! alternatives; the nodes above compose the sets. Two things make the result larger than it must be, and
//! nothing makes it smaller: atoms over the same argument are taken as free of each other, and a pattern is
//! taken to match some strings and not others.

mod alternatives;
mod judge;

use std::cell::Cell;

use self::alternatives::alternatives;
use self::judge::judge;
use super::eval::{Frame, Machine, Operands};
use super::limits::{MAX_LIST, MAX_STEPS};
use super::program::{Atom, Node, NodeId};
use super::reads::Reads;
use super::truth::{Possible, Truth};
use super::view::{Built, View};

const T_OR_U: Possible = Possible::ANY.without(Truth::False);
const F_OR_U: Possible = Possible::ANY.without(Truth::True);
const U: Possible = Possible::only(Truth::Unknown);

/// What node `root` can come to without what is missing.
pub(super) fn possible_without(machine: &Machine<'_>, root: NodeId) -> Possible {
    node(machine, root, None)
}

/// What node `root` can come to.
pub(super) fn possible(machine: &Machine<'_>, root: NodeId) -> Possible {
    if machine.program.reads.any_of(Reads::ARGS.union(Reads::IS_RETRY)) {
        node(machine, root, None)
    } else {
        Possible::only(machine.truth(root, None))
    }
}

fn node<'v>(machine: &'v Machine<'_>, id: NodeId, frame: Option<&Frame<'_, 'v>>) -> Possible {
    let of = |id| node(machine, id, frame);
    match machine.program.node(id) {
        None => Possible::ANY,
        Some(Node::True) => Possible::only(Truth::True),
        Some(Node::False) => Possible::only(Truth::False),
        Some(Node::And(links)) => {
            let terms = machine.program.nodes_of(links).map(of);
            terms.fold(Possible::only(Truth::True), Possible::and)
        }
        Some(Node::Or(links)) => {
            let terms = machine.program.nodes_of(links).map(of);
            terms.fold(Possible::only(Truth::False), Possible::or)
        }
        Some(Node::Not(id)) => !of(id),
        Some(Node::If { condition, then, otherwise }) => {
            let branches = of(condition).members().map(|truth| match truth {
                Truth::True => of(then),
                Truth::False => of(otherwise),
                Truth::Unknown => U,
            });
            branches.fold(Possible::NONE, Possible::union)
        }
        Some(Node::Atom(atom)) => self::atom(machine, atom, frame),
    }
}

fn atom<'v>(machine: &'v Machine<'_>, atom: Atom, frame: Option<&Frame<'_, 'v>>) -> Possible {
    if let Atom::Loop { every, list, body, free } = atom {
        let mut frames = std::iter::successors(frame, |frame| frame.outer);
        if machine.missing.is_none() && !free && !frames.any(|frame| frame.element.is_free()) {
            return Possible::only(machine.atom(atom, frame));
        }
        let lists = alternatives(machine, list, frame);
        let truths = lists.iter().map(|list| run_loop(machine, every, list, body, frame));
        // Whether it runs out of steps depends on what is not known here.
        return truths.fold(U, Possible::union);
    }
    match Operands::of(atom) {
        Operands::One(operand) => {
            let alternatives = alternatives(machine, operand, frame);
            let nothing = Built::Plain(View::Absent);
            let truths = alternatives.iter().map(|one| judge(machine, atom, one, &nothing));
            truths.fold(Possible::NONE, Possible::union)
        }
        Operands::Two(left, right) => {
            let lefts = alternatives(machine, left, frame);
            let rights = alternatives(machine, right, frame);
            let pairs = lefts.iter().flat_map(|left| rights.iter().map(move |right| (left, right)));
            let truths = pairs.map(|(left, right)| judge(machine, atom, left, right));
            truths.fold(Possible::NONE, Possible::union)
        }
    }
}

fn run_loop(
    machine: &Machine<'_>,
    every: bool,
    list: &Built<'_>,
    body: NodeId,
    outer: Option<&Frame<'_, '_>>,
) -> Possible {
    let budget = Cell::new(MAX_STEPS);
    let steps = outer.map_or(&budget, |outer| outer.steps);
    let mut frame = Frame { element: View::Free, outer, steps };
    // Of no elements, every one does and none does.
    let empty = Possible::only(Truth::from(every));
    let join = |together: Possible, element| {
        if every { together.and(element) } else { together.or(element) }
    };
    let elements: &mut dyn Iterator<Item = View<'_>> = match list {
        Built::Plain(View::Free) => {
            let some = join(empty, node(machine, body, Some(&frame)));
            return if frame.is_out_of_steps() { Possible::ANY } else { some.union(empty) };
        }
        Built::Plain(View::List(list)) => &mut list.elements(),
        Built::List(elements) => &mut elements.iter().map(Built::view),
        Built::Plain(_) | Built::Text(_) | Built::FreeText { .. } => return U,
    };
    let mut together = empty;
    for (at, element) in elements.enumerate() {
        if at >= MAX_LIST {
            return join(together, U);
        }
        frame.charge(1);
        frame.element = element;
        together = join(together, node(machine, body, Some(&frame)));
        frame.charge(machine.take_work());
        // An evaluation looks at fewer atoms, so it may still have steps left.
        if frame.is_out_of_steps() {
            return Possible::ANY;
        }
    }
    together
}
