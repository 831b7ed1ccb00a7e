//! The body as JSON: its keys, its values, or those at given paths.

use std::borrow::Cow;

use serde_json::Value;

use super::{component::Oversize, read::Read};

/// `JsonBody` of a field to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonBody {
    /// JSON pointers; none for all of it.
    pub(crate) paths: Option<Vec<String>>,
    pub(crate) keys: bool,
    pub(crate) values: bool,
    /// What a body that is no JSON means; none: it is looked at as text.
    pub(crate) invalid: Option<bool>,
    pub(crate) oversize: Oversize,
}

impl JsonBody {
    pub(super) fn read<'a>(&self, body: &'a [u8]) -> Read<'a> {
        let Ok(json) = serde_json::from_slice::<Value>(body) else {
            return self.invalid.map_or(Read::One(body.into()), Read::Verdict);
        };
        let mut found = Vec::new();
        match &self.paths {
            None => self.gather(&json, &mut found),
            Some(paths) => {
                for part in paths.iter().filter_map(|path| json.pointer(if path == "/" { "" } else { path })) {
                    self.gather(part, &mut found);
                }
            }
        }
        Read::Many(found)
    }

    fn gather(&self, json: &Value, found: &mut Vec<Cow<'_, [u8]>>) {
        match json {
            Value::Object(members) => {
                for (key, value) in members {
                    if self.keys {
                        found.push(key.clone().into_bytes().into());
                    }
                    self.gather(value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.gather(item, found)),
            Value::Null => {}
            Value::String(text) if self.values => found.push(text.clone().into_bytes().into()),
            other if self.values => found.push(other.to_string().into_bytes().into()),
            _ => {}
        }
    }
}
