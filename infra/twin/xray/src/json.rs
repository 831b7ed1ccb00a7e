//! Writes JSON objects member by member into one string: segment documents are put together from texts that are JSON already.

use std::fmt::{Display, Write as _};

/// Appends a JSON string.
pub(crate) fn push_text(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
        plain = at + 1;
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

/// Members of a JSON object, separated as they come.
pub(crate) struct Members<'a> {
    out: &'a mut String,
    first: bool,
}

impl<'a> Members<'a> {
    /// Members alone, without braces.
    pub(crate) fn bare(out: &'a mut String) -> Self {
        Self { first: out.is_empty(), out }
    }

    fn key(&mut self, key: &str) {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        push_text(self.out, key);
        self.out.push(':');
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        push_text(self.out, value);
    }

    pub(crate) fn maybe_text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    /// A number or a boolean; of numbers only finite ones are JSON.
    pub(crate) fn plain(&mut self, key: &str, value: impl Display) {
        self.key(key);
        let _ = write!(self.out, "{value}");
    }

    /// `true`, or nothing at all.
    pub(crate) fn flag(&mut self, key: &str, value: bool) {
        if value {
            self.plain(key, true);
        }
    }

    /// A value that is JSON already.
    pub(crate) fn raw(&mut self, key: &str, json: &str) {
        self.key(key);
        self.out.push_str(json);
    }

    /// Members that are JSON already, without braces.
    pub(crate) fn rest(&mut self, members: &str) {
        if !members.is_empty() {
            if !self.first {
                self.out.push(',');
            }
            self.first = false;
            self.out.push_str(members);
        }
    }

    /// An object, written by `fill`.
    pub(crate) fn object(&mut self, key: &str, fill: impl FnOnce(&mut Members<'_>)) {
        self.key(key);
        object(self.out, fill);
    }

    /// Any value, written by `fill`.
    pub(crate) fn value(&mut self, key: &str, fill: impl FnOnce(&mut String)) {
        self.key(key);
        fill(self.out);
    }
}

/// Appends a JSON object.
pub(crate) fn object(out: &mut String, fill: impl FnOnce(&mut Members<'_>)) {
    out.push('{');
    fill(&mut Members { out, first: true });
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_text_survives(text in any::<String>()) {
            let mut out = String::new();
            push_text(&mut out, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&out).expect("a JSON string"), text);
        }
    }

    #[test]
    fn members_are_separated_whatever_comes_first() {
        let mut out = String::new();
        object(&mut out, |members| {
            members.rest("");
            members.flag("no", false);
            members.rest("\"a\":1");
            members.object("b", |inner| inner.plain("c", 2.5));
            members.maybe_text("d", None);
            members.flag("e", true);
        });
        assert_eq!(out, r#"{"a":1,"b":{"c":2.5},"e":true}"#);
    }
}
