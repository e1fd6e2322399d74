//! Reduced ordered binary decision diagrams: one node for each function, shared by all that are asked about.
//!
//! An [`Edge`] is a node and whether the function is negated, so that negation costs nothing and a function and its
//! negation are one node. Two functions are the same exactly where their edges are.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

/// A Boolean function of the diagram's variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Edge(u32);

impl Edge {
    pub(super) const TRUE: Self = Self(0);
    pub(super) const FALSE: Self = Self(1);

    const fn node(self) -> u32 {
        self.0 >> 1
    }

    const fn is_negated(self) -> bool {
        self.0 & 1 == 1
    }

    const fn negated_if(self, is: bool) -> Self {
        Self(self.0 ^ is as u32)
    }
}

impl std::ops::Not for Edge {
    type Output = Self;

    fn not(self) -> Self {
        self.negated_if(true)
    }
}

/// Most nodes of one diagram: some 100 MiB, reached after about a second. Beyond it nothing is claimed.
pub(super) const MAX_NODES: usize = 1 << 21;

/// INVARIANT: `high` is not negated, `low != high`, and both stand before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Node {
    variable: u32,
    low: Edge,
    high: Edge,
}

/// All functions that were made so far.
#[derive(Debug)]
pub(super) struct Diagram {
    /// Node 0 is the constant; its fields mean nothing.
    nodes: Vec<Node>,
    unique: HashMap<Node, u32, BuildHasherDefault<Mix>>,
    products: HashMap<(Edge, Edge), Edge, BuildHasherDefault<Mix>>,
    is_full: bool,
    most: usize,
}

/// What is left to do of a conjunction.
enum Task {
    /// Find the conjunction of the two.
    And(Edge, Edge),
    /// Join the last two results at the variable, as the conjunction of the two.
    Join { variable: u32, of: (Edge, Edge) },
}

impl Diagram {
    pub(super) fn new(most: usize) -> Self {
        let constant = Node { variable: u32::MAX, low: Edge::TRUE, high: Edge::TRUE };
        Self {
            nodes: vec![constant],
            unique: HashMap::default(),
            products: HashMap::default(),
            is_full: false,
            most: most.min(MAX_NODES),
        }
    }

    /// Whether a function did not fit: then no answer counts.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    fn node(&self, edge: Edge) -> Node {
        let constant = Node { variable: u32::MAX, low: Edge::TRUE, high: Edge::TRUE };
        self.nodes.get(edge.node() as usize).copied().unwrap_or(constant)
    }

    /// The function that is `high` where `variable` is true and `low` where not; both are of later variables.
    fn make(&mut self, variable: u32, low: Edge, high: Edge) -> Edge {
        if low == high {
            return low;
        }
        let flip = high.is_negated();
        let node = Node { variable, low: low.negated_if(flip), high: high.negated_if(flip) };
        if let Some(at) = self.unique.get(&node) {
            return Edge(*at << 1).negated_if(flip);
        }
        if self.nodes.len() >= self.most {
            self.is_full = true;
            return Edge::FALSE;
        }
        let Ok(at) = u32::try_from(self.nodes.len()) else { return Edge::FALSE };
        self.nodes.push(node);
        self.unique.insert(node, at);
        Edge(at << 1).negated_if(flip)
    }

    /// The function that `variable` is.
    pub(super) fn variable(&mut self, variable: u32) -> Edge {
        self.make(variable, Edge::FALSE, Edge::TRUE)
    }

    /// The function of the code in `bits` variables from `first` on, the highest bit first, that is true for the codes
    /// in `is`. A code beyond the end is as the last one.
    pub(super) fn codes(&mut self, first: u32, bits: u32, is: &[bool]) -> Edge {
        let last = is.last().copied().unwrap_or(false);
        let mut level: Vec<Edge> = (0..1_usize << bits)
            .map(|code| is.get(code).copied().unwrap_or(last))
            .map(|is| if is { Edge::TRUE } else { Edge::FALSE })
            .collect();
        for bit in (0..bits).rev() {
            level = level
                .chunks(2)
                .map(|pair| match pair {
                    [low, high] => self.make(first + bit, *low, *high),
                    _ => Edge::FALSE,
                })
                .collect();
        }
        level.first().copied().unwrap_or(Edge::FALSE)
    }

    /// Both. No recursion: diagrams are as deep as there are variables.
    pub(super) fn and(&mut self, a: Edge, b: Edge) -> Edge {
        let mut tasks = vec![Task::And(a, b)];
        let mut results: Vec<Edge> = Vec::new();
        while let Some(task) = tasks.pop() {
            match task {
                Task::And(a, b) => {
                    let (a, b) = if a <= b { (a, b) } else { (b, a) };
                    let simple = match (a, b) {
                        (Edge::FALSE, _) | (_, Edge::FALSE) => Some(Edge::FALSE),
                        (Edge::TRUE, other) => Some(other),
                        (a, b) if a == b => Some(a),
                        (a, b) if a == !b => Some(Edge::FALSE),
                        pair => self.products.get(&pair).copied(),
                    };
                    if let Some(result) = simple {
                        results.push(result);
                        continue;
                    }
                    if self.is_full {
                        results.push(Edge::FALSE);
                        continue;
                    }
                    let variable = self.node(a).variable.min(self.node(b).variable);
                    let (a_low, a_high) = self.cofactors(a, variable);
                    let (b_low, b_high) = self.cofactors(b, variable);
                    tasks.push(Task::Join { variable, of: (a, b) });
                    tasks.push(Task::And(a_high, b_high));
                    tasks.push(Task::And(a_low, b_low));
                }
                Task::Join { variable, of } => {
                    let high = results.pop().unwrap_or(Edge::FALSE);
                    let low = results.pop().unwrap_or(Edge::FALSE);
                    let made = self.make(variable, low, high);
                    self.products.insert(of, made);
                    results.push(made);
                }
            }
        }
        results.pop().unwrap_or(Edge::FALSE)
    }

    fn cofactors(&self, edge: Edge, variable: u32) -> (Edge, Edge) {
        let node = self.node(edge);
        if node.variable == variable {
            let flip = edge.is_negated();
            (node.low.negated_if(flip), node.high.negated_if(flip))
        } else {
            (edge, edge)
        }
    }

    pub(super) fn or(&mut self, a: Edge, b: Edge) -> Edge {
        !self.and(!a, !b)
    }

    /// All of `edges`.
    pub(super) fn all(&mut self, edges: impl IntoIterator<Item = Edge>) -> Edge {
        edges.into_iter().fold(Edge::TRUE, |all, edge| self.and(all, edge))
    }

    /// Any of `edges`, joined in pairs from the front, so that many single values make one balanced union.
    pub(super) fn any(&mut self, edges: impl IntoIterator<Item = Edge>) -> Edge {
        let mut edges: VecDeque<Edge> = edges.into_iter().collect();
        loop {
            match (edges.pop_front(), edges.pop_front()) {
                (Some(a), Some(b)) => edges.push_back(self.or(a, b)),
                (last, _) => return last.unwrap_or(Edge::FALSE),
            }
        }
    }

    /// Whether `a` is true wherever `b` is.
    pub(super) fn covers(&mut self, a: Edge, b: Edge) -> bool {
        self.and(b, !a) == Edge::FALSE && !self.is_full
    }

    /// A way to make `edge` true: the variables that matter, false before true; `None` where there is none.
    pub(super) fn witness(&self, edge: Edge) -> Option<Vec<(u32, bool)>> {
        let mut way = Vec::new();
        let mut at = edge;
        if at == Edge::FALSE {
            return None;
        }
        while at.node() != 0 {
            let node = self.node(at);
            let (low, high) = self.cofactors(at, node.variable);
            // Every function but FALSE can be made true.
            let take_high = low == Edge::FALSE;
            way.push((node.variable, take_high));
            at = if take_high { high } else { low };
        }
        Some(way)
    }

    /// The function that is true of `way` alone, as far as it goes.
    pub(super) fn cube(&mut self, way: &[(u32, bool)]) -> Edge {
        let mut way = way.to_vec();
        way.sort_unstable();
        way.iter().rev().fold(Edge::TRUE, |rest, (variable, is)| {
            if *is {
                self.make(*variable, Edge::FALSE, rest)
            } else {
                self.make(*variable, rest, Edge::FALSE)
            }
        })
    }
}

/// A multiplicative hash: the keys are small numbers that nobody outside chooses.
#[derive(Debug, Default)]
pub(super) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u8(&mut self, word: u8) {
        self.write_u64(u64::from(word));
    }

    fn write_u16(&mut self, word: u16) {
        self.write_u64(u64::from(word));
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A function of six variables, by its truth table.
    fn build(diagram: &mut Diagram, table: u64) -> Edge {
        let is: Vec<bool> = (0..64).map(|row| table >> row & 1 == 1).collect();
        diagram.codes(0, 6, &is)
    }

    proptest! {
        #[test]
        fn functions_are_their_tables(a: u64, b: u64) {
            let mut diagram = Diagram::new(MAX_NODES);
            let (x, y) = (build(&mut diagram, a), build(&mut diagram, b));
            let (and, or) = (diagram.and(x, y), diagram.or(x, y));
            prop_assert_eq!(and, build(&mut diagram, a & b));
            prop_assert_eq!(or, build(&mut diagram, a | b));
            prop_assert_eq!(!x, build(&mut diagram, !a));
            prop_assert_eq!(diagram.covers(x, y), b & !a == 0);
            match diagram.witness(x) {
                None => prop_assert_eq!(a, 0),
                Some(way) => {
                    let cube = diagram.cube(&way);
                    prop_assert!(cube != Edge::FALSE && diagram.covers(x, cube));
                }
            }
        }
    }

    #[test]
    fn a_diagram_that_is_full_says_so() {
        // Pairs that stand far apart need a node for every set of the first halves.
        let pairs = |most| {
            let mut diagram = Diagram::new(most);
            let mut all = Edge::TRUE;
            for at in 0..10 {
                let (x, y) = (diagram.variable(at), diagram.variable(at + 10));
                let (both, neither) = (diagram.and(x, y), diagram.and(!x, !y));
                let same = diagram.or(both, neither);
                all = diagram.and(all, same);
            }
            diagram.is_full()
        };
        assert!(pairs(1000));
        assert!(!pairs(MAX_NODES));
    }

    #[test]
    fn deep_diagrams_take_no_stack() {
        let mut diagram = Diagram::new(MAX_NODES);
        let way: Vec<(u32, bool)> = (0..200_000).map(|at| (at, at % 2 == 0)).collect();
        let other: Vec<(u32, bool)> =
            (0..200_000).map(|at| (at, at % 2 == 0 || at == 199_999)).collect();
        let (a, b) = (diagram.cube(&way), diagram.cube(&other));
        assert_eq!(diagram.and(a, b), Edge::FALSE);
        assert_eq!(diagram.witness(a).map(|way| way.len()), Some(200_000));
    }
}
