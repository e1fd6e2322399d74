//! Member names that some parser takes for a protocol key (T2), and names that none does.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use mcpfw::wire::mcp::fold::{Place, folds_to_protocol_key, near_key};
use serde::Deserialize;

#[derive(Deserialize)]
struct Spellings {
    refused: Vec<Refused>,
    passed: Vec<Passed>,
}

#[derive(Deserialize)]
struct Refused {
    place: String,
    key: String,
    spelling: String,
    why: String,
}

#[derive(Deserialize)]
struct Passed {
    place: String,
    spelling: String,
}

fn place(name: &str) -> Place {
    match name {
        "root" => Place::Root,
        "params" => Place::Params,
        "meta" => Place::Meta,
        "ref" => Place::Ref,
        "filter" => Place::Filter,
        "result" => Place::Result,
        "item" => Place::Item,
        other => panic!("no place {other}"),
    }
}

fn spellings() -> Spellings {
    serde_json::from_str(include_str!("../../data/mcp/spellings.json")).unwrap()
}

#[test]
fn every_spelling_folds_to_its_key() {
    let refused = spellings().refused;
    assert!(refused.len() >= 200);
    for row in refused {
        let found = near_key(place(&row.place), &row.spelling);
        assert_eq!(found, Some(row.key.as_str()), "{:?}: {}", row.spelling, row.why);
    }
}

#[test]
fn other_names_pass() {
    for row in spellings().passed {
        let found = near_key(place(&row.place), &row.spelling);
        assert_eq!(found, None, "{:?} in {}", row.spelling, row.place);
    }
}

#[test]
fn every_key_is_itself_and_has_a_fold() {
    use Place::{Filter, Item, Meta, Params, Ref, Result, Root};
    for place in [Root, Params, Meta, Ref, Filter, Result, Item] {
        for key in place.keys() {
            assert!(!folds_to_protocol_key(place, key), "{key}");
            // Also the longest: a key that did not fit the fold's room would be unprotected.
            assert_eq!(near_key(place, &format!("{key}\0")), Some(*key));
        }
    }
}

#[test]
fn invisible_characters_cannot_hide_a_key_in_a_long_name() {
    let hidden =
        format!("{}me{}thod{}", "\u{200b}".repeat(300), "\u{2060}".repeat(300), "\0".repeat(300));
    assert_eq!(near_key(Place::Root, &hidden), Some("method"));
    assert_eq!(near_key(Place::Root, &"method".repeat(300)), None);
}
