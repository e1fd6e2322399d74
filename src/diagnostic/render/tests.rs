//! Tests of the renderers: one set of findings in every format.

use proptest::prelude::*;

use super::super::{Applicability, Code, Fix, Source, Span};
use super::*;
use crate::diagnostic::Sources;

const TEXT: &str = "# 日本\r\npolices = \"policies/\"\r\n\r\n[listen]\r\naddress = \"0.0.0.0:0\" # é\u{202e}\u{1b}[2J\r\n";

fn of(source: &Source, id: crate::diagnostic::SourceId, part: &str) -> Span {
    let at = source.text().find(part).unwrap();
    Span::new(id, at..at + part.len())
}

fn example() -> (Sources, Vec<Diagnostic>) {
    let mut sources = Sources::new();
    let id = sources.add("mcpfw.toml", TEXT);
    let flag = sources.add("--listen", "nowhere\u{1b}]0;");
    let file = sources.source(id).unwrap();
    let findings = vec![
        Diagnostic::error(Code("C020"), "cannot read `policies\u{1b}[2J/`: no such directory")
            .help("make the directory, or name another with `policies`"),
        Diagnostic::error(Code("C002"), "unknown key `polices`")
            .primary(of(file, id, "polices"), "not a key of the config file")
            .help("did you mean `policies`?")
            .fix(Fix::new(
                "write `policies`",
                of(file, id, "polices"),
                "policies",
                Applicability::Safe,
            )),
        Diagnostic::warning(Code("C030"), "two findings\nin one")
            .primary(of(file, id, "\u{1b}[2J"), "hidden")
            .secondary(of(file, id, "[listen]"), ""),
        Diagnostic::error(Code("C004"), "`--listen` cannot be `nowhere\u{1b}]0;`")
            .primary(Span::new(flag, 0..11), "expected an address such as `127.0.0.1:8080`")
            .secondary(of(file, id, "\"0.0.0.0:0\""), "would be replaced"),
        Diagnostic::error(Code("C005"), "an empty place").primary(Span::new(id, 999..999), "here"),
    ];
    (sources, findings)
}

#[test]
fn for_people() {
    let (sources, findings) = example();
    insta::assert_snapshot!(human(&sources, &findings, Look::PLAIN), @r#"
error[C020]: cannot read `policies\u{1b}[2J/`: no such directory
 |
 = help: make the directory, or name another with `policies`

error[C002]: unknown key `polices`
 --> mcpfw.toml:2:1
  |
2 | polices = "policies/"
  | ^^^^^^^ not a key of the config file
  |
  = help: did you mean `policies`?

warning[C030]: two findings\u{a}in one
 --> mcpfw.toml:5:27
  |
4 | [listen]
  | --------
5 | address = "0.0.0.0:0" # é��[2J
  |                           ^^^^ hidden

error[C004]: `--listen` cannot be `nowhere\u{1b}]0;`
 --> --listen:1:1
  |
1 | nowhere�]0;
  | ^^^^^^^^^^^ expected an address such as `127.0.0.1:8080`
  |
 ::: mcpfw.toml:5:11
  |
5 | address = "0.0.0.0:0" # é��[2J
  |           ----------- would be replaced

error[C005]: an empty place
 --> mcpfw.toml:6:1
  |
6 |
  | ^ here
"#);
}

#[test]
fn secrets_are_not_quoted() {
    let mut sources = Sources::new();
    let id = sources.add("a.toml", "value = \"gehé\u{1b}im\" # seen\n");
    let file = sources.source(id).unwrap();
    let (secret, seen) = (of(file, id, "\"gehé\u{1b}im\""), of(file, id, "seen"));
    sources.hide(secret);
    let finding =
        Diagnostic::warning(Code("C061"), "a secret").primary(secret, "").secondary(seen, "here");
    insta::assert_snapshot!(human(&sources, &[finding], Look::PLAIN), @r#"
warning[C061]: a secret
 --> a.toml:1:9
  |
1 | value = ********* # seen
  |         ^^^^^^^^^   ---- here
"#);
}

#[test]
fn lines_that_are_too_long_are_not_quoted() {
    let mut sources = Sources::new();
    let long = sources.add("a.toml", format!("x = 1\ny = \"{}é\" # here\n", "x".repeat(5_000)));
    let file = sources.source(long).unwrap();
    let finding = Diagnostic::error(Code("X1"), "too long to be shown")
        .primary(of(file, long, "here"), "what is wrong")
        .help("break it up");
    insta::assert_snapshot!(human(&sources, &[finding], Look::PLAIN), @r#"
error[X1]: too long to be shown
--> a.toml:2:5011
 = note: what is wrong
 = help: break it up
"#);
}

#[test]
fn with_colour() {
    let (sources, findings) = example();
    let look = Look { color: true, ..Look::PLAIN };
    let text = human(&sources, &findings[1..2], look).replace('\u{1b}', "<ESC>");
    insta::assert_snapshot!(text, @r#"
<ESC>[1m<ESC>[91merror[C002]<ESC>[0m<ESC>[1m: unknown key `polices`<ESC>[0m
 <ESC>[1m<ESC>[94m--> <ESC>[0mmcpfw.toml:2:1
  <ESC>[1m<ESC>[94m|<ESC>[0m
<ESC>[1m<ESC>[94m2<ESC>[0m <ESC>[1m<ESC>[94m|<ESC>[0m polices = "policies/"
  <ESC>[1m<ESC>[94m|<ESC>[0m <ESC>[1m<ESC>[91m^^^^^^^<ESC>[0m <ESC>[1m<ESC>[91mnot a key of the config file<ESC>[0m
  <ESC>[1m<ESC>[94m|<ESC>[0m
  <ESC>[1m<ESC>[94m= <ESC>[0m<ESC>[1mhelp<ESC>[0m: did you mean `policies`?
"#);
}

#[test]
fn for_programs() {
    let (sources, findings) = example();
    let text = json(&sources, &findings);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value[3]["message"], "`--listen` cannot be `nowhere\u{1b}]0;`");
    assert!(!text.trim_end().contains(crate::diagnostic::is_hidden), "{text}");
    insta::assert_snapshot!(text.replace("},{\"code\"", "},\n{\"code\""), @r#"
[{"code":"C020","severity":"error","message":"cannot read `policies\u001b[2J/`: no such directory","file":null,"line":null,"column":null,"end_line":null,"end_column":null,"help":"make the directory, or name another with `policies`","labels":[],"fix":null},
{"code":"C002","severity":"error","message":"unknown key `polices`","file":"mcpfw.toml","line":2,"column":1,"end_line":2,"end_column":8,"help":"did you mean `policies`?","labels":[{"file":"mcpfw.toml","line":2,"column":1,"end_line":2,"end_column":8,"text":"not a key of the config file","primary":true}],"fix":{"title":"write `policies`","applicability":"safe","edits":[{"file":"mcpfw.toml","line":2,"column":1,"end_line":2,"end_column":8,"replacement":"policies"}]}},
{"code":"C030","severity":"warning","message":"two findings\nin one","file":"mcpfw.toml","line":5,"column":27,"end_line":5,"end_column":31,"help":null,"labels":[{"file":"mcpfw.toml","line":5,"column":27,"end_line":5,"end_column":31,"text":"hidden","primary":true},{"file":"mcpfw.toml","line":4,"column":1,"end_line":4,"end_column":9,"text":"","primary":false}],"fix":null},
{"code":"C004","severity":"error","message":"`--listen` cannot be `nowhere\u001b]0;`","file":"--listen","line":1,"column":1,"end_line":1,"end_column":12,"help":null,"labels":[{"file":"--listen","line":1,"column":1,"end_line":1,"end_column":12,"text":"expected an address such as `127.0.0.1:8080`","primary":true},{"file":"mcpfw.toml","line":5,"column":11,"end_line":5,"end_column":22,"text":"would be replaced","primary":false}],"fix":null},
{"code":"C005","severity":"error","message":"an empty place","file":"mcpfw.toml","line":6,"column":1,"end_line":6,"end_column":1,"help":null,"labels":[{"file":"mcpfw.toml","line":6,"column":1,"end_line":6,"end_column":1,"text":"here","primary":true}],"fix":null}]
"#);
    assert_eq!(json(&sources, &[]), "[]\n");
}

#[test]
fn for_github() {
    let (sources, findings) = example();
    insta::assert_snapshot!(github(&sources, &findings), @r#"
::error title=C020::cannot read `policies\u{1b}[2J/`: no such directory%0Ahelp: make the directory, or name another with `policies`
::error file=mcpfw.toml,line=2,endLine=2,col=1,endColumn=8,title=C002::unknown key `polices`%0Ahelp: did you mean `policies`?
::warning file=mcpfw.toml,line=5,endLine=5,col=27,endColumn=31,title=C030::two findings\u{a}in one
::error file=--listen,line=1,endLine=1,col=1,endColumn=12,title=C004::`--listen` cannot be `nowhere\u{1b}]0;`
::error file=mcpfw.toml,line=6,endLine=6,col=1,endColumn=1,title=C005::an empty place
"#);
}

#[test]
fn counts() {
    let (_, findings) = example();
    assert_eq!(summary(&findings).unwrap(), "4 errors, 1 warning");
    assert_eq!(summary(&findings[..1]).unwrap(), "1 error");
    assert_eq!(summary(&findings[2..3]).unwrap(), "1 warning");
    assert_eq!(summary(&[]), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Any text, any span, even one of nowhere: every renderer answers, and none lets a hidden character through.
    #[test]
    fn nothing_hidden_comes_out(
        text in "(?s)[ab\t\r\n\u{0}-\u{ff}\u{2028}\u{202e}日\u{e0041}]{0,60}",
        places in prop::collection::vec((0_usize..90, 0_usize..90, any::<bool>(), ".{0,8}"), 0..4),
    ) {
        let mut sources = Sources::new();
        let id = sources.add(text.as_str(), text.as_str());
        let mut finding = Diagnostic::error(Code("X1"), text.as_str()).help(text.as_str());
        for (start, length, is_primary, label) in places {
            let span = Span::new(id, start..start + length);
            finding = if is_primary { finding.primary(span, label) } else { finding.secondary(span, label) };
        }
        let findings = [finding];
        for out in [human(&sources, &findings, Look { color: false, width: 40 }), json(&sources, &findings), github(&sources, &findings)] {
            prop_assert!(!out.contains(crate::diagnostic::is_hidden), "{out:?}");
        }
    }
}
