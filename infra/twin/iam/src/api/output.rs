//! What answers share: dates, documents, and the end of a page.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use twin_platform::xml::Xml;

use crate::{managed::Managed, role::Role};

/// To the second, as IAM has it.
fn date(moment: OffsetDateTime) -> String {
    moment.replace_nanosecond(0).unwrap_or(moment).format(&Rfc3339).unwrap_or_default()
}

/// "The policy document returned in this structure is URL-encoded compliant with RFC 3986."
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

pub(super) fn created(xml: &mut Xml, moment: OffsetDateTime) {
    xml.text("CreateDate", date(moment));
}

/// The members of a role. Lists leave its tags out.
pub(super) fn role(xml: &mut Xml, role: &Role, whole: bool) {
    xml.text("Path", &role.path).text("RoleName", &role.name).text("RoleId", &role.id).text("Arn", &role.arn);
    created(xml, role.created);
    xml.text("AssumeRolePolicyDocument", encoded(&role.trust.text));
    xml.maybe("Description", role.description.as_ref());
    xml.text("MaxSessionDuration", role.max_session_s);
    if whole && !role.tags.is_empty() {
        tags(xml, role.tags.iter());
    }
}

/// The members of a managed policy. Lists leave its description and tags out.
pub(super) fn policy(xml: &mut Xml, arn: &str, policy: &Managed, attachments: usize, whole: bool) {
    xml.text("PolicyName", &policy.name).text("PolicyId", &policy.id).text("Arn", arn).text("Path", &policy.path);
    xml.text("DefaultVersionId", format!("v{}", policy.default)).text("AttachmentCount", attachments);
    xml.text("PermissionsBoundaryUsageCount", 0).text("IsAttachable", true);
    created(xml, policy.created);
    xml.text("UpdateDate", date(policy.updated));
    if whole {
        xml.maybe("Description", policy.description.as_ref());
        if !policy.tags.is_empty() {
            tags(xml, policy.tags.iter());
        }
    }
}

pub(super) fn tags<'a>(xml: &mut Xml, tags: impl Iterator<Item = (&'a String, &'a String)>) {
    xml.list("Tags", tags, |xml, (key, value)| {
        xml.text("Key", key).text("Value", value);
    });
}

/// Whether there is more, and where it begins.
pub(super) fn end_of_page(xml: &mut Xml, marker: Option<String>) {
    xml.text("IsTruncated", marker.is_some()).maybe("Marker", marker);
}
