//! When something that is looked at every now and then has changed and come to rest. Pure: the clock is an argument.

use std::time::{Duration, Instant};

/// How long changes may follow each other before what is there is taken as it is: a directory that something writes to every
/// second would otherwise never be read.
const MOST: Duration = Duration::from_secs(10);

/// What was seen, and what is known.
#[derive(Debug)]
pub struct Rest<S> {
    known: Option<S>,
    /// What was seen last, since it differs from what is known, and since when it does.
    changing: Option<(S, Instant)>,
}

impl<S: PartialEq> Rest<S> {
    /// `known`: what has been dealt with; `None` where that is not known.
    #[must_use]
    pub fn new(known: Option<S>) -> Self {
        Self { known, changing: None }
    }

    /// What is seen at `now`. Whether it is to be dealt with: it is not what is known, and was the same at the last look.
    #[must_use]
    pub fn look(&mut self, seen: S, now: Instant) -> bool {
        if self.known.as_ref() == Some(&seen) {
            self.changing = None;
            return false;
        }
        let (is_at_rest, since) = match self.changing.take() {
            Some((last, since)) => (last == seen, since),
            None => (false, now),
        };
        self.changing = Some((seen, since));
        is_at_rest || now.duration_since(since) >= MOST
    }

    /// It has been dealt with as it was in `seen`.
    pub fn settle(&mut self, seen: S) {
        self.known = Some(seen);
        self.changing = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_dealt_with_when_it_rests() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut rest = Rest::new(Some('a'));
        for (second, seen, want) in [
            (0, 'a', false),
            (1, 'b', false),
            // Still being written.
            (2, 'c', false),
            (3, 'c', true),
            // Not dealt with: it is due until it is.
            (4, 'c', true),
            // Back to what it was.
            (5, 'a', false),
            (6, 'c', false),
            (7, 'c', true),
        ] {
            assert_eq!(rest.look(seen, at(second)), want, "{second}");
        }
        rest.settle('c');
        assert!(!rest.look('c', at(8)));
        // Never at rest: after ten seconds it is taken as it is.
        let restless =
            (9..30).find(|second| rest.look(char::from(b'a' + *second), at(u64::from(*second))));
        assert_eq!(restless, Some(19));
        // Nothing is known after a start that could not read.
        let mut rest = Rest::new(None);
        assert!(!rest.look('a', at(0)) && rest.look('a', at(1)));
    }
}
