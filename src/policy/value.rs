//! The values that expressions see.

pub use super::number::Number;

/// A claim or an argument.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Box<str>),
    /// A list.
    List(Vec<Value>),
    /// An object. INVARIANT: sorted by name (bytes), no name twice; [`Value::map`] makes it so.
    Map(Vec<(Box<str>, Value)>),
}

impl Value {
    /// The object of `members`, in any order; of members of one name the last stays.
    pub fn map<K: Into<Box<str>>>(members: impl IntoIterator<Item = (K, Self)>) -> Self {
        let mut sorted: Vec<(Box<str>, Self)> =
            members.into_iter().map(|(name, value)| (name.into(), value)).collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0)); // stable
        sorted.reverse();
        sorted.dedup_by(|earlier, later| earlier.0 == later.0);
        sorted.reverse();
        Self::Map(sorted)
    }

    /// The member `name`, where this is an object that has it.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => find(members, name),
            _ => None,
        }
    }

    /// The string, where this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

/// The value of `name` in the members of an object.
pub(super) fn find<'m>(members: &'m [(Box<str>, Value)], name: &str) -> Option<&'m Value> {
    // Below, most names differ in length, which is seen without looking at their bytes: of 15 claims one is
    // found in half the time that a binary search takes.
    const FEW: usize = 24;
    if members.len() <= FEW {
        return members.iter().find(|(key, _)| **key == *name).map(|(_, value)| value);
    }
    let at = members.binary_search_by(|(key, _)| (**key).cmp(name)).ok()?;
    members.get(at).map(|(_, value)| value)
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(int: i64) -> Self {
        Self::Number(int.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

/// Reads what `serde_json` parsed. Integers of 64 bits stay exact; others come as the shortest decimal of the
/// `f64` that `serde_json` made of them, which is the number written where it had up to 15 digits.
impl From<&serde_json::Value> for Value {
    fn from(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(truth) => Self::Bool(*truth),
            Json::Number(number) => {
                Number::from_token(&number.to_string()).map_or(Self::Null, Self::Number)
            }
            Json::String(text) => Self::String(text.as_str().into()),
            Json::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Json::Object(members) => {
                Self::map(members.iter().map(|(name, value)| (name.as_str(), Self::from(value))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_whatever_order_they_came_in() {
        let map = Value::map([("b", 1.into()), ("a", 2.into()), ("b", 3.into()), ("", 4.into())]);
        for (name, found) in [("a", Some(2)), ("b", Some(3)), ("", Some(4)), ("c", None)] {
            assert_eq!(map.member(name), found.map(Value::from).as_ref(), "{name:?}");
        }
        let many = Value::map((0..100).map(|n| (n.to_string(), n.into())));
        assert_eq!(many.member("42"), Some(&42.into()));
        assert_eq!(many.member("420"), None);
        assert_eq!(Value::Null.member("a"), None);
        assert_eq!(Value::from("a").member("a"), None);
    }

    #[test]
    fn json_is_read_exactly() {
        let json = serde_json::json!({"n": [9_007_199_254_740_993_u64, 0.1, -5], "b": {"z": null, "a": true}});
        let number = |token| Value::Number(Number::from_token(token).unwrap());
        assert_eq!(
            Value::from(&json),
            Value::map([
                ("n", Value::List(vec![number("9007199254740993"), number("0.1"), number("-5")])),
                ("b", Value::map([("a", true.into()), ("z", Value::Null)])),
            ])
        );
    }
}
