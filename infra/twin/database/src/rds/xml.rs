//! The little XML that the query protocol needs, written as text with every value escaped.

use std::fmt::Write as _;

const NAMESPACE: &str = "http://rds.amazonaws.com/doc/2014-10-31/";

/// `<name>value</name>`, the value escaped.
pub(super) fn element(name: &str, value: impl std::fmt::Display) -> String {
    format!("<{name}>{}</{name}>", winterbaume_core::xml_escape(&value.to_string()))
}

/// `<name>…</name>` around what is XML already.
pub(super) fn around(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>")
}

/// The pairs as elements, one after the other.
pub(super) fn elements(pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = write!(text, "{}", element(name, value));
        text
    })
}

/// The whole answer to an action.
pub(super) fn envelope(action: &str, result: &str) -> String {
    format!(
        r#"<{action}Response xmlns="{NAMESPACE}"><{action}Result>{result}</{action}Result><ResponseMetadata>{}</ResponseMetadata></{action}Response>"#,
        element("RequestId", uuid::Uuid::new_v4()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_structure_is_not() {
        let text = around("A", &elements(&[("B", "1 < 2 & 3"), ("C", "")]));
        assert_eq!(text, "<A><B>1 &lt; 2 &amp; 3</B><C></C></A>");
        assert!(envelope("DescribeX", &text).starts_with("<DescribeXResponse xmlns="));
    }
}
