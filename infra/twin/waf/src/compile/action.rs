//! Actions, with the answers and headers that go with them.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use twin_elbv2::CustomResponse;

use super::{Compiler, is_name, only_member, shape};
use crate::{
    engine::outcome::{Action, Inserted},
    error::{Refusal, invalid, not_imitated, reason},
};

/// Bytes of all response bodies of a web ACL, and of one ("AWS WAF quotas").
const MOST_BODY_BYTES: usize = 50 * 1024;
const BODY_BYTES: usize = 4 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    content_type: String,
    content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Block {
    custom_response: Option<Response>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    response_code: u16,
    custom_response_body_key: Option<String>,
    #[serde(default)]
    response_headers: Vec<Header>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Passing {
    custom_request_handling: Option<Handling>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Handling {
    insert_headers: Vec<Header>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Header {
    name: String,
    value: String,
}

fn bodies(value: &Value) -> Result<HashMap<String, Body>, Refusal> {
    if value.is_null() { Ok(HashMap::new()) } else { shape(value) }
}

fn media_type(name: &str) -> Option<&'static str> {
    match name {
        "TEXT_PLAIN" => Some("text/plain"),
        "TEXT_HTML" => Some("text/html"),
        "APPLICATION_JSON" => Some("application/json"),
        _ => None,
    }
}

/// Refuses bodies that AWS refuses.
pub(super) fn check_bodies(value: &Value) -> Result<(), Refusal> {
    let bodies = bodies(value)?;
    for (key, body) in &bodies {
        if !is_name(key) || body.content.is_empty() || body.content.len() > BODY_BYTES {
            return Err(invalid(reason::FORMAT, "CUSTOM_RESPONSE_BODY", key));
        }
        if media_type(&body.content_type).is_none() {
            return Err(invalid(reason::FORMAT, "RESPONSE_CONTENT_TYPE", &body.content_type));
        }
    }
    if bodies.values().map(|body| body.content.len()).sum::<usize>() > MOST_BODY_BYTES {
        return Err(crate::error::limits());
    }
    Ok(())
}

impl Compiler<'_> {
    /// `RuleAction`.
    pub(super) fn rule_action(&self, value: &Value) -> Result<Action, Refusal> {
        match only_member(value, "RULE_ACTION", "RuleAction")? {
            ("Allow", passing) => Ok(Action::Allow(inserted(passing)?)),
            ("Count", passing) => Ok(Action::Count(inserted(passing)?)),
            ("Block", block) => {
                let response = shape::<Block>(block)?.custom_response;
                Ok(Action::Block(response.map(|response| self.response(response)).transpose()?))
            }
            (name @ ("Captcha" | "Challenge"), _) => Err(not_imitated(&format!("RuleAction with {name}"))),
            (other, _) => Err(invalid(reason::FORMAT, "RULE_ACTION", other)),
        }
    }

    fn response(&self, response: Response) -> Result<Arc<CustomResponse>, Refusal> {
        let status = response.response_code;
        if !(200..=599).contains(&status) {
            return Err(invalid(reason::FORMAT, "CUSTOM_RESPONSE", status.to_string()));
        }
        let body = match &response.custom_response_body_key {
            None => None,
            Some(key) => {
                let mut bodies = bodies(self.bodies)?;
                let body = bodies.remove(key).ok_or_else(|| invalid(reason::REFERENCE, "CUSTOM_RESPONSE", key))?;
                let kind = media_type(&body.content_type);
                let kind = kind.ok_or_else(|| invalid(reason::FORMAT, "RESPONSE_CONTENT_TYPE", body.content_type))?;
                Some((kind, Bytes::from(body.content)))
            }
        };
        let headers = headers(&response.response_headers, "CUSTOM_RESPONSE", "")?;
        Ok(Arc::new(CustomResponse { status, headers, body }))
    }
}

/// AWS puts `x-amzn-waf-` in front of every header that it inserts, so that none can be taken for the client's.
fn inserted(passing: &Value) -> Result<Inserted, Refusal> {
    let Some(handling) = shape::<Passing>(passing)?.custom_request_handling else { return Ok(Arc::new([])) };
    Ok(headers(&handling.insert_headers, "CUSTOM_REQUEST_HANDLING", "x-amzn-waf-")?.into())
}

fn headers(given: &[Header], field: &'static str, prefix: &str) -> Result<Vec<(HeaderName, HeaderValue)>, Refusal> {
    let header = |Header { name, value }: &Header| {
        let parsed = format!("{prefix}{name}").parse::<HeaderName>().ok().zip(HeaderValue::from_str(value).ok());
        parsed.filter(|_| name.len() <= 64 && value.len() <= 255).ok_or_else(|| invalid(reason::FORMAT, field, name))
    };
    given.iter().map(header).collect()
}
