//! `FieldToMatch` and `TextTransformations`.

use serde::Deserialize;
use serde_json::Value;

use super::{only_member, shape};
use crate::{
    engine::{
        component::{Component, Names, Oversize, Picked, Source},
        json_body::JsonBody,
        transform::{Transform, Unknown},
    },
    error::{Refusal, invalid, not_imitated, reason},
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    oversize_handling: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Json {
    match_pattern: Value,
    match_scope: String,
    invalid_fallback_behavior: Option<String>,
    oversize_handling: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pairs {
    match_pattern: Value,
    match_scope: String,
    oversize_handling: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Transformation {
    priority: i64,
    r#type: String,
}

/// A field with its transformations, and what these two add to a statement's cost: the factor of the base, and units.
pub(super) struct Field {
    pub(super) source: Source,
    pub(super) factor: u64,
    pub(super) units: u64,
}

/// "WCUs" of each statement in the developer guide: a JSON body doubles the base, all query arguments add 10, a transformation adds 10.
pub(super) fn field(value: &Value, transformations: &Value) -> Result<Field, Refusal> {
    let component = component(value)?;
    let transforms = transforms(transformations)?;
    let factor = if matches!(component, Component::Json(_)) { 2 } else { 1 };
    let all = if component == Component::Arguments { 10 } else { 0 };
    let units = all + 10 * transforms.len() as u64;
    Ok(Field { source: Source { component, transforms }, factor, units })
}

fn component(value: &Value) -> Result<Component, Refusal> {
    let (kind, field) = only_member(value, "FIELD_TO_MATCH", "FieldToMatch")?;
    Ok(match kind {
        "SingleHeader" => {
            let Named { name } = shape(field)?;
            Component::Header(name.parse().map_err(|_| invalid(reason::FORMAT, "SINGLE_HEADER", name))?)
        }
        "SingleQueryArgument" => {
            let Named { name } = shape(field)?;
            if name.is_empty() || name.len() > 64 {
                return Err(invalid(reason::FORMAT, "SINGLE_QUERY_ARGUMENT", name));
            }
            Component::Argument(name.to_ascii_lowercase())
        }
        "AllQueryArguments" => Component::Arguments,
        "UriPath" => Component::Path,
        "QueryString" => Component::Query,
        "Method" => Component::Method,
        "Body" => Component::Body(oversize(shape::<Body>(field)?.oversize_handling.as_deref())?),
        "JsonBody" => json(&shape(field)?)?,
        "Headers" => Component::Headers(pairs(&shape(field)?, "Headers", "HEADER_MATCH_PATTERN")?),
        "Cookies" => Component::Cookies(pairs(&shape(field)?, "Cookies", "COOKIE_MATCH_PATTERN")?),
        "HeaderOrder" | "JA3Fingerprint" | "JA4Fingerprint" | "UriFragment" => {
            return Err(not_imitated(&format!("FieldToMatch with {kind}")));
        }
        other => return Err(invalid(reason::FORMAT, "FIELD_TO_MATCH", other)),
    })
}

fn oversize(name: Option<&str>) -> Result<Oversize, Refusal> {
    match name {
        None | Some("CONTINUE") => Ok(Oversize::Continue),
        Some("MATCH") => Ok(Oversize::Match),
        Some("NO_MATCH") => Ok(Oversize::NoMatch),
        Some(other) => Err(invalid(reason::FORMAT, "OVERSIZE_HANDLING", other)),
    }
}

/// `MatchScope`: whether keys, and whether values, are looked at.
fn scope(name: &str, field: &'static str) -> Result<(bool, bool), Refusal> {
    match name {
        "ALL" => Ok((true, true)),
        "KEY" => Ok((true, false)),
        "VALUE" => Ok((false, true)),
        other => Err(invalid(reason::FORMAT, field, other)),
    }
}

fn json(given: &Json) -> Result<Component, Refusal> {
    let (keys, values) = scope(&given.match_scope, "JSON_MATCH_SCOPE")?;
    let paths = match only_member(&given.match_pattern, "JSON_MATCH_PATTERN", "JsonMatchPattern")? {
        ("All", _) => None,
        ("IncludedPaths", paths) => Some(shape::<Vec<String>>(paths)?),
        (other, _) => return Err(invalid(reason::FORMAT, "JSON_MATCH_PATTERN", other)),
    };
    if let Some(path) = paths.iter().flatten().find(|path| !path.starts_with('/')) {
        return Err(invalid(reason::FORMAT, "JSON_MATCH_PATTERN", path));
    }
    let invalid = match given.invalid_fallback_behavior.as_deref() {
        None | Some("EVALUATE_AS_STRING") => None,
        Some("MATCH") => Some(true),
        Some("NO_MATCH") => Some(false),
        Some(other) => return Err(invalid(reason::FORMAT, "BODY_PARSING_FALLBACK_BEHAVIOR", other)),
    };
    let oversize = oversize(given.oversize_handling.as_deref())?;
    Ok(Component::Json(JsonBody { paths, keys, values, invalid, oversize }))
}

fn pairs(given: &Pairs, of: &str, field: &'static str) -> Result<Picked, Refusal> {
    let (keys, values) = scope(&given.match_scope, "MAP_MATCH_SCOPE")?;
    let (kind, names) = only_member(&given.match_pattern, field, "MatchPattern")?;
    let read = || -> Result<Vec<String>, Refusal> {
        let names: Vec<String> = shape(names)?;
        // Headers' names come in small letters; cookies' are as they are.
        Ok(if of == "Headers" { names.iter().map(|name| name.to_ascii_lowercase()).collect() } else { names })
    };
    let names = match kind.strip_suffix(of) {
        Some("Included") => Names::Only(read()?),
        Some("Excluded") => Names::AllBut(read()?),
        None if kind == "All" => Names::All,
        _ => return Err(invalid(reason::FORMAT, field, kind)),
    };
    Ok(Picked { names, keys, values, oversize: oversize(Some(&given.oversize_handling))? })
}

/// Transformations by their priority.
pub(super) fn transforms(value: &Value) -> Result<Vec<Transform>, Refusal> {
    let mut given: Vec<Transformation> = shape(value)?;
    if given.is_empty() {
        return Err(invalid(reason::TOO_FEW, "TEXT_TRANSFORMATION", "TextTransformations"));
    }
    given.sort_by_key(|transformation| transformation.priority);
    if given.windows(2).any(|pair| pair[0].priority == pair[1].priority) {
        return Err(invalid(reason::DUPLICATE, "TEXT_TRANSFORMATION", "Priority"));
    }
    let named = given.iter().filter_map(|Transformation { r#type, .. }| match Transform::named(r#type) {
        Ok(transform) => transform.map(Ok),
        Err(Unknown::NotImitated) => Some(Err(not_imitated(&format!("TextTransformation {}", r#type)))),
        Err(Unknown::NoSuch) => Some(Err(invalid(reason::FORMAT, "TEXT_TRANSFORMATION", r#type))),
    });
    named.collect()
}
