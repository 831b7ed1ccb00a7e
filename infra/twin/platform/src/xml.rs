//! Answers in the AWS query protocol: small, ordered XML.

use std::fmt::Display;

use winterbaume_core::xml_escape;

use crate::Response;

/// XML under construction.
#[derive(Debug, Default)]
pub struct Xml(String);

impl Xml {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// `<name>value</name>`; characters that XML 1.0 cannot carry are left out.
    pub fn text(&mut self, name: &str, value: impl Display) -> &mut Self {
        let value: String =
            value.to_string().chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')).collect();
        self.0.push_str(&format!("<{name}>{}</{name}>", xml_escape(&value)));
        self
    }

    /// The element when there is a value.
    pub fn maybe(&mut self, name: &str, value: Option<impl Display>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// `<name>…</name>` with what `content` writes.
    pub fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) -> &mut Self {
        self.0.push_str(&format!("<{name}>"));
        content(self);
        self.0.push_str(&format!("</{name}>"));
        self
    }

    /// `<name><member>…</member>…</name>`.
    pub fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut member: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.element(name, |xml| {
            for item in items {
                xml.element("member", |xml| member(xml, item));
            }
        })
    }

    /// A list of texts.
    pub fn texts<T: Display>(&mut self, name: &str, items: impl IntoIterator<Item = T>) -> &mut Self {
        self.element(name, |xml| {
            for item in items {
                xml.text("member", item);
            }
        })
    }

    /// The answer to `action`, in the XML namespace of the service.
    pub fn response(self, action: &str, namespace: &str) -> Response {
        winterbaume_core::aws_query_response(action, namespace, &self.0)
    }
}
