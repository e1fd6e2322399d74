//! Strict JSON into [`Value`]s, for tokens and key sets: duplicate names at any depth are an error, numbers stay the tokens they
//! were (T36).

use std::convert::Infallible;

use crate::policy::{Number, Value};
use crate::wire::json::{Error, Kind, Limits, Node, SyntaxError, Tokenizer, Visit};

/// Parses one JSON text. `seed` keys the tokenizer's hash of names.
pub(super) fn parse(text: &[u8], limits: Limits, seed: u64) -> Result<Value, SyntaxError> {
    let mut builder = Builder::default();
    let mut tokenizer = Tokenizer::new(limits, seed);
    let scanned = tokenizer.feed(text, &mut builder).and_then(|()| tokenizer.finish(&mut builder));
    match scanned {
        Ok(()) => Ok(builder.root.unwrap_or(Value::Null)),
        Err(Error::Syntax(error)) => Err(error),
        Err(Error::Stop(never)) => match never {},
    }
}

/// Every place is of interest, and all are alike.
const ANY: Node = Node::new(1).with_text();

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    text: String,
    root: Option<Value>,
}

enum Open {
    List(Vec<Value>),
    Map(Vec<(Box<str>, Value)>, Box<str>),
}

impl Visit for Builder {
    type Stop = Infallible;

    fn root(&mut self) -> Node {
        ANY
    }

    fn key(&mut self, _object: Node, name: &str) -> Result<Node, Infallible> {
        if let Some(Open::Map(_, key)) = self.open.last_mut() {
            *key = name.into();
        }
        Ok(ANY)
    }

    fn element(&mut self, _array: Node, _index: u32) -> Result<Node, Infallible> {
        Ok(ANY)
    }

    fn begin(&mut self, _node: Node, kind: Kind, _at: u64) -> Result<(), Infallible> {
        match kind {
            Kind::Object => self.open.push(Open::Map(Vec::new(), Box::default())),
            Kind::Array => self.open.push(Open::List(Vec::new())),
            _ => self.text.clear(),
        }
        Ok(())
    }

    fn text(&mut self, _node: Node, piece: &str) -> Result<(), Infallible> {
        self.text.push_str(piece);
        Ok(())
    }

    fn end(&mut self, _node: Node, kind: Kind, _at: u64) -> Result<(), Infallible> {
        let value = match kind {
            Kind::Null => Value::Null,
            Kind::True => Value::Bool(true),
            Kind::False => Value::Bool(false),
            Kind::String => Value::String(self.text.as_str().into()),
            Kind::Number => Number::from_token(&self.text).map_or(Value::Null, Value::Number),
            Kind::Object | Kind::Array => match self.open.pop() {
                // The tokenizer refuses a name that stands twice, so nothing is lost here.
                Some(Open::Map(members, _)) => Value::map(members),
                Some(Open::List(values)) => Value::List(values),
                None => Value::Null,
            },
        };
        match self.open.last_mut() {
            Some(Open::Map(members, key)) => members.push((std::mem::take(key), value)),
            Some(Open::List(values)) => values.push(value),
            None => self.root = Some(value),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(token: &str) -> Value {
        Value::Number(Number::from_token(token).unwrap())
    }

    #[test]
    fn values_are_kept_exactly_and_objects_sorted() {
        let text = br#"{"b":[1,9007199254740993,-0.10,1e400],"a":{"z":null,"y":"\u00e9"},"":true}"#;
        let value = parse(text, Limits::default(), 7).unwrap();
        let list = ["1", "9007199254740993", "-0.10", "1e400"].map(number);
        assert_eq!(value.member("b"), Some(&Value::List(list.to_vec())));
        let inner = value.member("a").unwrap();
        assert_eq!(inner.member("y").and_then(Value::as_str), Some("é"));
        assert_eq!(inner.member("z"), Some(&Value::Null));
        assert_eq!(value.member(""), Some(&Value::Bool(true)));
        assert_eq!(value.member("c"), None);
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for text in [
            &br#"{"a":1,"a":1}"#[..],
            br#"{"x":{"a":1,"\u0061":1}}"#,
            br#"{"a":1} {}"#,
            b"\xEF\xBB\xBF{}",
            b"{\"a\":\"\xFF\"}",
            b"",
        ] {
            assert!(
                parse(text, Limits::default(), 7).is_err(),
                "{}",
                String::from_utf8_lossy(text)
            );
        }
        assert!(parse(br#"{"x":{"a":1},"a":1}"#, Limits::default(), 7).is_ok());
    }
}
