//! What AWS offers as managed rule groups, of which three are imitated.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, regional};
use crate::{error::nonexistent, managed};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Scoped {
    scope: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Group {
    vendor_name: String,
    name: String,
    scope: String,
    version_name: Option<String>,
}

pub(super) fn available(input: &Scoped) -> Answer {
    regional(&input.scope)?;
    let groups: Vec<Value> = managed::GROUPS
        .iter()
        .map(|group| {
            json!({
                "VendorName": "AWS", "Name": group.name, "VersioningSupported": group.versioned,
                "Description": group.description,
            })
        })
        .collect();
    Ok(json!({"ManagedRuleGroups": groups}))
}

pub(super) fn versions(input: &Group) -> Answer {
    regional(&input.scope)?;
    let group = managed::find(&input.vendor_name, &input.name)?;
    Ok(match group.versioned {
        true => json!({"Versions": [{"Name": managed::VERSION}], "CurrentDefaultVersion": managed::VERSION}),
        false => json!({"Versions": []}),
    })
}

pub(super) fn describe(input: &Group) -> Answer {
    regional(&input.scope)?;
    let group = managed::find(&input.vendor_name, &input.name)?;
    if input.version_name.is_some() && !group.versioned {
        return Err(nonexistent());
    }
    group.check_version(input.version_name.as_deref())?;
    let mut description = group.description();
    if group.versioned {
        description["VersionName"] = json!(input.version_name.as_deref().unwrap_or(managed::VERSION));
    }
    Ok(description)
}
