//! What a reload costs: reading a directory of 1 000 rules with their tests, compiling them, trying them out.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use criterion::{Criterion, criterion_group, criterion_main};
use mcpfw::gateway::policies::Reading;

const RULES: usize = 1_000;
const FILES: usize = 10;

fn reload(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    for file in 0..FILES {
        let mut text = String::new();
        for rule in (file..RULES).step_by(FILES) {
            text.push_str(&match rule % 4 {
                0 => format!("[[deny]]\nname = \"r{rule}\"\ntools = [\"tool_{rule}_*\"]\nwhen = 'claims.plan == \"p{rule}\"'\n"),
                1 => format!("[[limit]]\nname = \"r{rule}\"\ntools = [\"tool_{rule}\"]\nper = [\"claims.sub\"]\nrate = \"{rule}/min\"\n"),
                _ => format!("[[allow]]\nname = \"r{rule}\"\ntools = [\"tool_{rule}\"]\nwhen = 'args.path.startsWith(\"/data/{rule}/\")'\n"),
            });
            if rule % 20 == 2 {
                text.push_str(&format!("[[test]]\nname = \"t{rule}\"\ncall = {{ tool = \"tool_{rule}\", args = {{ path = \"/data/{rule}/x\" }} }}\nexpect = \"allow\"\n"));
            }
        }
        std::fs::write(folder.path().join(format!("{file}.toml")), text).unwrap();
    }
    let reading = Reading::new(None);
    let set = reading.read(folder.path()).tried();
    let policy = set.policy.unwrap();
    assert_eq!((policy.rules().len(), policy.tests().len()), (RULES, RULES / 20));
    let digest = *policy.digest();
    let mut group = criterion.benchmark_group("reload");
    group.sample_size(20);
    group.bench_function("changed/1000", |bencher| {
        bencher.iter(|| reading.read(folder.path()).tried());
    });
    group.bench_function("unchanged/1000", |bencher| {
        bencher.iter(|| reading.read_unless(folder.path(), &digest));
    });
    group.finish();
}

criterion_group!(benches, reload);
criterion_main!(benches);
