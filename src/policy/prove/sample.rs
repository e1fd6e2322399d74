//! Texts that a regular expression may match: guesses for examples, each of which is tried before it counts.

/// Most steps of the search for one text.
const MAX_STEPS: usize = 20_000;

/// Some text that `pattern` matches; none where none was found soon.
pub(super) fn of(pattern: &str) -> Option<String> {
    use regex_automata::Anchored;
    use regex_automata::dfa::{Automaton, StartKind, dense};
    use regex_automata::util::start;
    // Anchored searches are enough: what is found matches from the start on.
    let config = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .dfa_size_limit(Some(1 << 20))
        .determinize_size_limit(Some(1 << 20));
    let dfa = dense::Builder::new().configure(config).build(pattern).ok()?;
    let first = dfa.start_state(&start::Config::new().anchored(Anchored::Yes)).ok()?;
    let mut states = vec![(first, 0_usize, 0_u8)];
    let mut seen = std::collections::HashSet::from([first]);
    let mut at = 0;
    // Letters first: an example is read by people.
    let mut bytes: Vec<u8> = (b'a'..=b'z').chain(b'0'..=b'9').chain(b'A'..=b'Z').collect();
    bytes.extend((0x20..=0x7e_u8).filter(|byte| !byte.is_ascii_alphanumeric()));
    bytes.extend(0x80..=0xff_u8);
    while let Some((state, ..)) = states.get(at).copied() {
        if dfa.is_match_state(dfa.next_eoi_state(state)) {
            let mut text = Vec::new();
            let mut from = at;
            while from != 0 {
                let (_, before, byte) = states.get(from).copied()?;
                text.push(byte);
                from = before;
            }
            text.reverse();
            return String::from_utf8(text).ok();
        }
        for byte in &bytes {
            let next = dfa.next_state(state, *byte);
            if !dfa.is_dead_state(next) && !dfa.is_quit_state(next) && seen.insert(next) {
                states.push((next, at, *byte));
            }
        }
        if states.len() > MAX_STEPS {
            return None;
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_sample_matches() {
        for pattern in ["^[a-z]+$", "abc", r"^\d{4}-\d{2}$", "a|b", "^é+$", "(?i)^X.Y$", ""] {
            let sample = super::of(pattern).unwrap_or_else(|| panic!("{pattern}"));
            assert!(regex::Regex::new(pattern).unwrap().is_match(&sample), "{pattern} {sample}");
        }
        assert_eq!(super::of("a$b"), None);
    }
}
