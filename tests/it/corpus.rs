//! Every fuzz target over its committed corpus: what a fuzzer once found stays found.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mcpfw::fuzz;

/// A target's name and its property.
type Target = (&'static str, fn(&[u8]));

const TARGETS: &[Target] = &[
    ("batch", fuzz::batch::batch),
    ("envelope", fuzz::envelope::envelope),
    ("expr", fuzz::expr::condition),
    ("header_base64", fuzz::header_base64::header_base64),
    ("json_chunking", fuzz::json::chunking),
    ("json_differential", fuzz::json::differential),
    ("key_set", fuzz::tokens::key_set),
    ("list_filter", fuzz::list_filter::filter),
    ("lsp", fuzz::lsp::session),
    ("policy_file", fuzz::policy_file::policy_file),
    ("rewrite_endpoint", fuzz::endpoint::rewrite),
    ("sse_chunking", fuzz::sse::chunking),
    ("sse_filter", fuzz::reply::filter),
    ("token", fuzz::tokens::token),
    ("transducer_ops", fuzz::transducer::ops),
    ("uri_canonical", fuzz::uri::canonical),
    ("words", fuzz::words::words),
];

/// Seeds below which a corpus is too thin to be called one.
const FEW: usize = 25;

#[test]
fn every_seed_holds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut with_corpus = BTreeSet::new();
    for directory in fs::read_dir(&root).unwrap() {
        let directory = directory.unwrap();
        let name = directory.file_name().into_string().unwrap();
        let Some((_, property)) = TARGETS.iter().find(|(target, _)| *target == name) else {
            panic!("fuzz/corpus/{name} belongs to no target");
        };
        let mut seeds: Vec<_> =
            fs::read_dir(directory.path()).unwrap().map(|seed| seed.unwrap().path()).collect();
        seeds.sort();
        assert!(seeds.len() >= FEW, "fuzz/corpus/{name} has {} seeds", seeds.len());
        for seed in seeds {
            let bytes = fs::read(&seed).unwrap();
            let outcome = std::panic::catch_unwind(|| property(&bytes));
            assert!(outcome.is_ok(), "{}", seed.display());
        }
        with_corpus.insert(name);
    }
    assert!(!with_corpus.is_empty());
}
