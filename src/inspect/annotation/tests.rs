//! Annotations: where they may stand, and what is remembered of them.

use super::*;
use crate::inspect::response::ElementPart;
use crate::wire::json::{Ignore, Kind, Limits, Node, Tokenizer, Visit};

/// Header and path of every annotation.
fn read(schema: &str) -> Result<Vec<(String, String)>, SchemaFault> {
    let mut strict = Tokenizer::new(Limits::default(), 1);
    assert!(strict.feed(schema.as_bytes(), &mut Ignore).is_ok(), "{schema}");
    let annotations = Annotations::of_schema(schema.as_bytes())?;
    let mut found = Vec::new();
    let mut open = vec![(0, String::new())];
    while let Some((at, path)) = open.pop() {
        if let Some(slot) = annotations.paths().slot(at) {
            let (header, kind) = &annotations.params()[usize::from(slot)];
            found.push((header.to_string(), format!("{path}: {kind:?}")));
        }
        for (name, child) in annotations.paths().children(at) {
            open.push((child, format!("{path}/{name}")));
        }
    }
    found.sort();
    Ok(found)
}

#[test]
fn annotations_stand_at_properties() {
    let found = |pairs: &[(&str, &str)]| {
        Ok(pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>())
    };
    let cases = [
        (r#"{"type":"object"}"#, found(&[])),
        (r#"true"#, found(&[])),
        (
            r#"{"type":"object","properties":{"shard":{"type":"integer","x-mcp-header":"Shard"}}}"#,
            found(&[("mcp-param-shard", "/shard: Integer")]),
        ),
        // In any order, nested, of every kind, beside properties without, among them boolean schemas and odd names.
        (
            r#"{"properties":{"a":{"x-mcp-header":"A","properties":{"b":{"x-mcp-header":"B","type":"boolean"},"t":true,"c":{"type":"number","description":"x-mcp-header","x-mcp-header":"C-c"}},"type":"string"},"x-mcp-header":{"type":"string"},"type":{"type":"string","x-mcp-header":"type"},"":{"properties":{"properties":{"type":"string","x-mcp-header":"p"}}}}}"#,
            found(&[
                ("mcp-param-a", "/a: String"),
                ("mcp-param-b", "/a/b: Boolean"),
                ("mcp-param-c-c", "/a/c: Number"),
                ("mcp-param-p", "//properties: String"),
                ("mcp-param-type", "/type: String"),
            ]),
        ),
        // Data is not schema.
        (
            r#"{"properties":{"a":{"type":"string","default":{"x-mcp-header":"D"},"enum":[{"x-mcp-header":"D"}],"x-mcp-header":"A","title":"t"}},"items":{"const":{"x-mcp-header":"D"}},"example":{"x-mcp-header":1}}"#,
            found(&[("mcp-param-a", "/a: String")]),
        ),
    ];
    for (schema, expected) in cases {
        assert_eq!(read(schema), expected, "{schema}");
    }
}

#[test]
fn annotations_elsewhere_mean_nothing() {
    let at = |schema: &str| {
        format!(
            r#"{{"type":"object","properties":{{"ok":{{"type":"string","x-mcp-header":"Ok"}}}},{schema}}}"#
        )
    };
    let note = r#"{"type":"string","x-mcp-header":"N"}"#;
    let under = |keyword: &str, value: &str| {
        (at(&format!("\"{keyword}\":{value}")), SchemaFault::Misplaced)
    };
    let property = |schema: &str| format!(r#"{{"properties":{{"p":{schema}}}}}"#);
    let mut cases = vec![
        (property(r#"{"x-mcp-header":"N"}"#), SchemaFault::Type),
        (property(r#"{"type":"object","x-mcp-header":"N"}"#), SchemaFault::Type),
        (property(r#"{"type":"array","x-mcp-header":"N"}"#), SchemaFault::Type),
        (property(r#"{"type":"null","x-mcp-header":"N"}"#), SchemaFault::Type),
        (property(r#"{"type":["string","null"],"x-mcp-header":"N"}"#), SchemaFault::Type),
        (property(r##"{"$ref":"#/$defs/a","x-mcp-header":"N"}"##), SchemaFault::Type),
        (r#"{"type":"string","x-mcp-header":"N"}"#.to_owned(), SchemaFault::Misplaced),
        (
            r#"{"properties":{"a":{"type":"string","x-mcp-header":"N"},"b":{"type":"string","x-mcp-header":"n"}}}"#.to_owned(),
            SchemaFault::Repeated,
        ),
        under("items", note),
        under("items", &format!("[{note}]")),
        under("items", &property(note)),
        under("prefixItems", &format!("[{note}]")),
        under("contains", note),
        under("oneOf", &format!("[true,{}]", property(note))),
        under("anyOf", &format!("[{note}]")),
        under("allOf", &format!("[{}]", property(note))),
        under("not", note),
        under("if", note),
        under("then", &property(note)),
        under("else", note),
        under("additionalProperties", note),
        under("patternProperties", &format!("{{\"^a\":{note}}}")),
        under("dependentSchemas", &format!("{{\"a\":{}}}", property(note))),
        under("$defs", &format!("{{\"a\":{note}}}")),
        under("definitions", &format!("{{\"a\":{note}}}")),
        (property(&format!(r#"{{"type":"object","properties":{{}},"items":{note}}}"#)), SchemaFault::Misplaced),
    ];
    for name in
        [r#""""#, r#""a b""#, r#""größe""#, r#""a:b""#, r#""a\u0000""#, "5", "null", r#"["A"]"#]
    {
        let schema = property(&format!(r#"{{"type":"string","x-mcp-header":{name}}}"#));
        cases.push((schema, SchemaFault::Name));
    }
    for (schema, fault) in cases {
        assert_eq!(read(&schema), Err(fault), "{schema}");
    }
    assert_eq!(Annotations::of_schema(b"{").err(), Some(SchemaFault::Syntax));
}

#[test]
fn annotations_at_their_limits() {
    let many = |count: usize| {
        let property = |n: usize| format!(r#""p{n}":{{"type":"string","x-mcp-header":"h{n}"}}"#);
        let all: Vec<String> = (0..count).map(property).collect();
        format!(r#"{{"properties":{{{}}}}}"#, all.join(","))
    };
    assert_eq!(read(&many(MAX_ANNOTATIONS)).map(|all| all.len()), Ok(MAX_ANNOTATIONS));
    assert_eq!(read(&many(MAX_ANNOTATIONS + 1)), Err(SchemaFault::TooMany));
    let named = |name: &str, header: usize| {
        let header = "h".repeat(header);
        format!(r#"{{"properties":{{"{name}":{{"type":"string","x-mcp-header":"{header}"}}}}}}"#)
    };
    assert!(read(&named("a", MAX_HEADER_NAME)).is_ok());
    assert_eq!(read(&named("a", MAX_HEADER_NAME + 1)), Err(SchemaFault::Name));
    let half = "a".repeat(MAX_PATH_BYTES / 2);
    let long =
        |bytes: usize| format!(r#"{{"properties":{{"{half}":{}}}}}"#, named(&"b".repeat(bytes), 1));
    assert!(read(&long(MAX_PATH_BYTES / 2)).is_ok());
    assert_eq!(read(&long(MAX_PATH_BYTES / 2 + 1)), Err(SchemaFault::TooMany));
    let deep = |depth: usize| {
        let (open, close) = (r#"{"properties":{"a":"#.repeat(depth), "}}".repeat(depth));
        format!(r#"{open}{{"type":"string","x-mcp-header":"h"}}{close}"#)
    };
    assert!(read(&deep(MAX_SCHEMA_DEPTH - 1)).is_ok());
    assert_eq!(read(&deep(MAX_SCHEMA_DEPTH)), Err(SchemaFault::TooMany));
}

#[test]
fn the_last_list_counts() {
    let of = |header: &str| {
        let schema =
            format!(r#"{{"properties":{{"a":{{"type":"string","x-mcp-header":"{header}"}}}}}}"#);
        Annotations::of_schema(schema.as_bytes()).ok()
    };
    let header = |store: &Annotated, tool| {
        store.of(tool).map(|annotations| annotations.params()[0].0.to_string())
    };
    let store = Annotated::new(2);
    store.learn("t", None);
    assert_eq!((store.len(), header(&store, "t")), (0, None));
    store.learn("t", of("One"));
    assert_eq!(header(&store, "t").as_deref(), Some("mcp-param-one"));
    store.learn("t", of("Two"));
    store.learn("u", of("One"));
    // Full: what is there can change, and go, but nothing else comes.
    store.learn("v", of("One"));
    store.learn("u", of("Three"));
    assert_eq!(header(&store, "v"), None);
    assert_eq!(header(&store, "t").as_deref(), Some("mcp-param-two"));
    assert_eq!(header(&store, "u").as_deref(), Some("mcp-param-three"));
    // A tool that is listed without annotations, or with some that mean nothing, has none.
    store.learn("t", Some(Annotations::default()));
    store.learn("u", None);
    assert!(store.is_empty());
    store.learn(&"n".repeat(256), of("One"));
    store.learn(&"n".repeat(257), of("One"));
    assert_eq!(store.len(), 1);
}

/// Tells of a text part by part.
struct Teller<'a>(ToolReader, &'a Annotated);

impl Visit for Teller<'_> {
    type Stop = std::convert::Infallible;

    fn root(&mut self) -> Node {
        Node::new(1)
    }

    fn key(&mut self, _: Node, name: &str) -> Result<Node, Self::Stop> {
        self.0.part(ElementPart::Key(name), self.1);
        Ok(Node::new(1).with_text())
    }

    fn element(&mut self, _: Node, _: u32) -> Result<Node, Self::Stop> {
        Ok(Node::new(1).with_text())
    }

    fn begin(&mut self, _: Node, kind: Kind, _: u64) -> Result<(), Self::Stop> {
        self.0.part(ElementPart::Begin(kind), self.1);
        Ok(())
    }

    fn text(&mut self, _: Node, piece: &str) -> Result<(), Self::Stop> {
        self.0.part(ElementPart::Text(piece), self.1);
        Ok(())
    }

    fn end(&mut self, _: Node, kind: Kind, _: u64) -> Result<(), Self::Stop> {
        self.0.part(ElementPart::End(kind), self.1);
        Ok(())
    }
}

#[test]
fn tools_are_learnt_from_the_elements_of_a_list() {
    let tool = |name: &str, schema: &str| {
        format!(
            r#"{{"description":"inputSchema","inputSchema":{schema},"annotations":{{"name":"x","inputSchema":{{"properties":{{"z":{{"type":"string","x-mcp-header":"Z"}}}}}}}},"name":"{name}","x":[1,[2,{{"name":"y"}}]]}}"#
        )
    };
    let good = r#"{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A"},"l":{"type":"array","items":{"type":"string"}}},"required":["a"]}"#;
    let bad = r#"{"anyOf":[true,{"type":"string","x-mcp-header":"A"}]}"#;
    let annotated = Annotated::default();
    let mut reader = ToolReader::default();
    for (tool, name, is_known) in [
        (tool("good", good), "good", true),
        (tool("plain", "{}"), "plain", false),
        (tool("bad", bad), "bad", false),
        (tool("e\\u0073caped", good), "escaped", true),
        (r#"{"name":"none"}"#.to_owned(), "none", false),
        (r#"{"name":"odd","inputSchema":[5]}"#.to_owned(), "odd", false),
    ] {
        for step in [1, 3, tool.len()] {
            let mut teller = Teller(reader, &annotated);
            let mut tokenizer = Tokenizer::new(Limits::default(), 1);
            for chunk in tool.as_bytes().chunks(step) {
                tokenizer.feed(chunk, &mut teller).unwrap();
            }
            reader = teller.0;
            let known = annotated.of(name);
            assert_eq!(known.is_some(), is_known, "{tool}");
            if let Some(known) = known {
                assert_eq!(known.params().len(), 1);
                assert_eq!(known.params()[0].0, "mcp-param-a");
            }
            annotated.learn(name, None);
        }
    }
}
