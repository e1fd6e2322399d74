//! What a condition can come to when arguments are free.
//!
//! Each operand is given as the alternatives that it can be: values that are known, for which an atom is judged
//! as in an evaluation, and free ones, of which only a shape is known. An atom is judged for every pair of
//! alternatives; the nodes above compose the sets. Two things make the result larger than it must be, and
//! nothing makes it smaller: atoms over the same argument are taken as free of each other, and a pattern is
//! taken to match some strings and not others.

use std::cell::Cell;

use smallvec::{SmallVec, smallvec};

use super::super::value::Number;
use super::eval::{Frame, Machine, Operands};
use super::limits::{MAX_LIST, MAX_STEPS};
use super::program::{Atom, Node, NodeId, Operand, OperandId, Order, Set, TextTest};
use super::reads::Reads;
use super::text::Text;
use super::truth::{Possible, Truth};
use super::variable::Variable;
use super::view::{Affixes, List, View, Work, order};

/// The alternatives of an operand. More than [`MAX_ALTERNATIVES`] are one: free.
type Alternatives<'a> = SmallVec<[View<'a>; 2]>;

/// Alternatives of one operand (each `? :` may double them).
const MAX_ALTERNATIVES: usize = 16;

const T_OR_U: Possible = Possible::ANY.without(Truth::False);
const F_OR_U: Possible = Possible::ANY.without(Truth::True);
const U: Possible = Possible::only(Truth::Unknown);

/// What node `root` can come to.
pub(super) fn possible<'a>(machine: &'a Machine<'a>, root: NodeId) -> Possible {
    if machine.program.reads.any_of(Reads::ARGS.union(Reads::IS_RETRY)) {
        node(machine, root, None)
    } else {
        Possible::only(machine.truth(root, None))
    }
}

fn node<'a>(machine: &'a Machine<'a>, id: NodeId, frame: Option<&Frame<'_, 'a>>) -> Possible {
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
        Some(Node::Atom(Atom::Loop { every, list, body, free })) => {
            let free = free
                || std::iter::successors(frame, |frame| frame.outer).any(|f| f.element.is_free());
            if free {
                let lists = alternatives(machine, list, frame);
                let truths = lists.iter().map(|list| run_loop(machine, every, list, body, frame));
                // That it runs out of steps depends on what is not known here.
                truths.fold(U, Possible::union)
            } else {
                let list = machine.view(list, frame);
                Possible::only(machine.run_loop(every, &list, body, frame))
            }
        }
        Some(Node::Atom(atom)) => match Operands::of(atom) {
            Operands::One(operand) => {
                let views = alternatives(machine, operand, frame);
                let truths = views.iter().map(|view| judge(machine, atom, view, &View::Absent));
                truths.fold(Possible::NONE, Possible::union)
            }
            Operands::Two(left, right) => {
                let lefts = alternatives(machine, left, frame);
                let rights = alternatives(machine, right, frame);
                let pairs =
                    lefts.iter().flat_map(|left| rights.iter().map(move |right| (left, right)));
                let truths = pairs.map(|(left, right)| judge(machine, atom, left, right));
                truths.fold(Possible::NONE, Possible::union)
            }
        },
    }
}

fn run_loop<'a>(
    machine: &'a Machine<'a>,
    every: bool,
    list: &View<'a>,
    body: NodeId,
    outer: Option<&Frame<'_, 'a>>,
) -> Possible {
    let budget = Cell::new(MAX_STEPS);
    let steps = outer.map_or(&budget, |outer| outer.steps);
    let mut frame = Frame { element: View::Free, outer, steps };
    // Of no elements, every one does and none does.
    let empty = Possible::only(Truth::from(every));
    let join = |together: Possible, element| {
        if every { together.and(element) } else { together.or(element) }
    };
    match list {
        View::Free => join(empty, node(machine, body, Some(&frame))).union(empty).union(U),
        View::List(list) => {
            let mut together = empty;
            for at in 0..list.len() {
                if at >= MAX_LIST {
                    return join(together, U);
                }
                if frame.is_out_of_steps() {
                    return Possible::ANY;
                }
                frame.charge(1);
                frame.element = list.element(at).unwrap_or(View::Absent);
                together = join(together, node(machine, body, Some(&frame)));
                frame.charge(machine.take_work());
            }
            together
        }
        _ => U,
    }
}

fn alternatives<'a>(
    machine: &'a Machine<'a>,
    id: OperandId,
    frame: Option<&Frame<'_, 'a>>,
) -> Alternatives<'a> {
    let program = machine.program;
    let all: Alternatives<'a> = match program.operand(id) {
        None => smallvec![View::Unfit],
        Some(Operand::Variable(Variable::Arg(_))) => smallvec![View::Free],
        Some(Operand::Variable(Variable::McpIsRetry)) => {
            smallvec![View::Bool(true), View::Bool(false)]
        }
        Some(Operand::Size(of)) => {
            alternatives(machine, of, frame).iter().map(View::size).collect()
        }
        Some(Operand::Concat(links)) => {
            let mut joined: Vec<SmallVec<[View<'a>; 6]>> = vec![SmallVec::new()];
            for part in program.operands_of(links) {
                let parts = alternatives(machine, part, frame);
                if joined.len() * parts.len() > MAX_ALTERNATIVES {
                    return smallvec![View::Free];
                }
                let longer = |before: &SmallVec<[View<'a>; 6]>| {
                    let before = before.clone();
                    parts.clone().into_iter().map(move |part| {
                        let mut longer = before.clone();
                        longer.push(part);
                        longer
                    })
                };
                joined = joined.iter().flat_map(longer).collect();
            }
            joined.iter().map(|parts| concat(parts)).collect()
        }
        Some(Operand::List(links)) => {
            let element = |element| {
                let mut views = alternatives(machine, element, frame);
                match (views.pop(), views.is_empty()) {
                    (Some(view), true) => view,
                    _ => View::Free,
                }
            };
            smallvec![View::List(List::Views(program.operands_of(links).map(element).collect()))]
        }
        Some(Operand::If { condition, then, otherwise }) => {
            let branches =
                node(machine, condition, frame).members().flat_map(|truth| match truth {
                    Truth::True => alternatives(machine, then, frame),
                    Truth::False => alternatives(machine, otherwise, frame),
                    Truth::Unknown => smallvec![View::Unfit],
                });
            branches.collect()
        }
        Some(Operand::Truth(id)) => {
            let truths = node(machine, id, frame).members().map(|truth| match truth {
                Truth::True => View::Bool(true),
                Truth::False => View::Bool(false),
                Truth::Unknown => View::Unfit,
            });
            truths.collect()
        }
        Some(Operand::Constant(_) | Operand::Local { .. } | Operand::Variable(_)) => {
            smallvec![machine.view(id, frame)]
        }
    };
    if all.len() > MAX_ALTERNATIVES { smallvec![View::Free] } else { all }
}

/// Strings put together, some of them free.
fn concat<'a>(parts: &[View<'a>]) -> View<'a> {
    let is_text = |view: &&View<'_>| matches!(view, View::Text(_));
    if parts.iter().all(|part| is_text(&part)) {
        return View::concat(parts.iter().cloned());
    }
    if !parts.iter().all(|part| is_text(&part) || matches!(part, View::Free | View::FreeText(_))) {
        return View::Unfit;
    }
    let (mut prefix, mut suffix) = (SmallVec::new(), SmallVec::new());
    for part in parts {
        match part {
            View::Text(text) => text.append_to(&mut prefix),
            View::FreeText(affixes) => {
                affixes.prefix.append_to(&mut prefix);
                break;
            }
            _ => break,
        }
    }
    let behind = parts.iter().rposition(View::is_free).unwrap_or(0);
    for part in parts.iter().skip(behind) {
        match part {
            View::Text(text) => text.append_to(&mut suffix),
            View::FreeText(affixes) => affixes.suffix.append_to(&mut suffix),
            _ => {}
        }
    }
    let (prefix, suffix) = (Text::Pieces(prefix), Text::Pieces(suffix));
    View::FreeText(Box::new(Affixes { prefix, suffix }))
}

impl Affixes<'_> {
    /// Whether a string with these ends can be `text`.
    fn can_be(&self, text: &Text<'_>) -> bool {
        text.len() >= self.prefix.len() + self.suffix.len()
            && text.starts_with(&self.prefix)
            && text.ends_with(&self.suffix)
    }
}

/// What `atom` can come to over `left` and `right`, of which any may be free.
fn judge<'a>(machine: &'a Machine<'a>, atom: Atom, left: &View<'a>, right: &View<'a>) -> Possible {
    match atom {
        Atom::Has(_) if left.is_free() => Possible::DECIDED,
        Atom::Equal { negated, .. } => {
            let equal = equal(left, right);
            if negated { !equal } else { equal }
        }
        Atom::In { .. } => is_in(left, right),
        _ if !left.is_free() && !right.is_free() => {
            Possible::only(machine.judge(atom, left, right))
        }
        Atom::Order { order, .. } => match (left, right) {
            (left, right) if left.is_free() && right.is_free() => Possible::ANY,
            (left, right) if left.is_free() => ordered(left, order, right),
            (left, right) => ordered(right, order.flipped(), left),
        },
        Atom::InSet { set, .. } => match machine.program.set(set) {
            Some(set) => in_set(left, set),
            None => U,
        },
        Atom::Text { test, .. } => text(test, left, right),
        Atom::Matches { .. } | Atom::InNet { .. } => match left {
            View::Free | View::FreeText(_) => Possible::ANY,
            _ => U,
        },
        Atom::Has(_) | Atom::Holds(_) | Atom::IsNull { .. } | Atom::Loop { .. } => Possible::ANY,
    }
}

fn equal<'a>(left: &View<'a>, right: &View<'a>) -> Possible {
    match (left, right) {
        (free, known) | (known, free) if free.is_free() && !known.is_free() => {
            match (free, known) {
                (_, known) if known.is_unknown() => U,
                (_, View::Number(number)) if number.is_beyond() => U,
                (View::FreeCount, View::Number(number)) if !number.is_count() => F_OR_U,
                (View::FreeCount, View::Number(_) | View::Count(_)) => Possible::ANY,
                (View::FreeCount, _) => U,
                (View::FreeText(affixes), View::Text(text)) if !affixes.can_be(text) => F_OR_U,
                (View::FreeText(_), View::Text(_)) => Possible::ANY,
                (View::FreeText(_), _) => U,
                _ => Possible::ANY,
            }
        }
        (left, _) if left.is_free() => Possible::ANY,
        // Literals may have free elements.
        (View::List(List::Views(_)), View::List(_))
        | (View::List(_), View::List(List::Views(_))) => Possible::ANY,
        (left, right) => {
            Possible::only(Truth::from(super::view::equal(left, right, &Work::default())))
        }
    }
}

fn is_in<'a>(needle: &View<'a>, list: &View<'a>) -> Possible {
    match list {
        _ if needle.is_unknown() => U,
        View::Free => Possible::ANY,
        View::List(elements) => {
            let looked_at = (0..elements.len().min(MAX_LIST)).filter_map(|at| elements.element(at));
            let found = looked_at.map(|element| equal(needle, &element));
            let found = found.fold(Possible::only(Truth::False), Possible::or);
            let found = if elements.len() > MAX_LIST { found.or(U) } else { found };
            if needle.is_free() { found.union(U) } else { found }
        }
        View::Map([]) if needle.is_free() => F_OR_U,
        View::Map(_) if needle.is_free() => Possible::ANY,
        list => Possible::only(Truth::from(super::view::is_in(needle, list, &Work::default()))),
    }
}

fn in_set(needle: &View<'_>, set: &Set) -> Possible {
    let can_be_in = match (needle, set) {
        (_, set) if set.is_empty() => false,
        (View::FreeCount, Set::Numbers(numbers)) => numbers.iter().any(Number::is_count),
        (View::FreeText(affixes), Set::Texts(texts)) => {
            texts.iter().any(|text| affixes.can_be(&Text::Whole(text)))
        }
        (View::FreeCount | View::FreeText(_), _) => return U,
        _ => true,
    };
    if can_be_in { Possible::ANY } else { F_OR_U }
}

impl Order {
    /// The order of `b` and `a` where this is that of `a` and `b`.
    fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

/// What `free ⋚ known` can come to.
fn ordered(free: &View<'_>, asked: Order, known: &View<'_>) -> Possible {
    // The least that the free side can be: 0 of counts, "" of strings, nothing of numbers. There is no most.
    let least = match (free, known) {
        (_, View::Number(number)) if number.is_beyond() => return U,
        (View::Free, View::Number(_) | View::Count(_)) => return Possible::ANY,
        (View::FreeCount, View::Number(_) | View::Count(_)) => View::Count(0),
        (View::Free | View::FreeText(_), View::Text(_)) => View::Text(Text::Whole("")),
        _ => return U,
    };
    let Some(least) = order(&least, known, &Work::default()) else { return U };
    let sometimes = |truth: bool, always: Possible| if truth { Possible::ANY } else { always };
    match asked {
        Order::Less => sometimes(least.is_lt(), F_OR_U),
        Order::LessOrEqual => sometimes(least.is_le(), F_OR_U),
        Order::Greater => sometimes(least.is_le(), T_OR_U),
        Order::GreaterOrEqual => sometimes(least.is_lt(), T_OR_U),
    }
}

fn text(test: TextTest, subject: &View<'_>, part: &View<'_>) -> Possible {
    match (subject, part) {
        // Every string has the empty one.
        (View::Free | View::FreeText(_), View::Text(part)) if part.len() == 0 => T_OR_U,
        (View::Free, View::Text(_) | View::Free | View::FreeText(_)) => Possible::ANY,
        (View::FreeText(subject), View::Text(part)) => {
            let (always, sometimes) = match test {
                TextTest::StartsWith => {
                    (subject.prefix.starts_with(part), part.starts_with(&subject.prefix))
                }
                TextTest::EndsWith => {
                    (subject.suffix.ends_with(part), part.ends_with(&subject.suffix))
                }
                TextTest::Contains => {
                    (subject.prefix.contains(part) || subject.suffix.contains(part), true)
                }
            };
            match (always, sometimes) {
                (true, _) => T_OR_U,
                (false, true) => Possible::ANY,
                (false, false) => F_OR_U,
            }
        }
        (View::FreeText(_), View::Free | View::FreeText(_)) => Possible::ANY,
        (View::Text(_), View::Free) => Possible::ANY,
        (View::Text(subject), View::FreeText(part)) => {
            let can = match test {
                TextTest::StartsWith => subject.starts_with(&part.prefix),
                TextTest::EndsWith => subject.ends_with(&part.suffix),
                TextTest::Contains => {
                    subject.contains(&part.prefix) && subject.contains(&part.suffix)
                }
            };
            if can { Possible::ANY } else { F_OR_U }
        }
        _ => U,
    }
}
