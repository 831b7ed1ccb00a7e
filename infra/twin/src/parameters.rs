//! Systems Manager Parameter Store. Nothing else of Systems Manager is imitated.

use std::{future::Future, pin::Pin, sync::Arc};

use serde_json::{Value, json};
use twin_platform::{Account, AwsError, Request, Response, Service};
use winterbaume_ssm::SsmService;

use crate::ready_made::ReadyMade;

/// What is true in the ready-made service. Values are not encrypted: a `SecureString` is stored and shown as it is.
const ACTIONS: &[&str] = &[
    "AddTagsToResource",
    "DeleteParameter",
    "DeleteParameters",
    "DescribeParameters",
    "GetParameter",
    "GetParameterHistory",
    "GetParameters",
    "GetParametersByPath",
    "LabelParameterVersion",
    "ListTagsForResource",
    "PutParameter",
    "RemoveTagsFromResource",
    "UnlabelParameterVersion",
];

/// Parameter Store.
pub(crate) struct Parameters(ReadyMade<SsmService>);

/// Parameter Store of this account.
pub(crate) fn service(account: &Account) -> Arc<Parameters> {
    Arc::new(Parameters(ReadyMade { inner: SsmService::new(), account: account.clone(), actions: ACTIONS }))
}

impl Parameters {
    /// GetParameter. A parameter is named by its name or ARN, with `:version` or `:label` at the end for an older value
    /// ("Working with parameter versions", AWS Systems Manager User Guide).
    pub(crate) async fn get(&self, selector: &str) -> Result<Value, AwsError> {
        let (name, version) = select(selector);
        let current = self.0.ask("GetParameter", &json!({"Name": name})).await?;
        let Some(version) = version else { return Ok(current) };
        let history = self.0.ask("GetParameterHistory", &json!({"Name": name})).await?;
        let matches = |entry: &&Value| {
            let labelled = entry["Labels"].as_array().is_some_and(|labels| labels.contains(&version.into()));
            labelled || version.parse() == Ok(entry["Version"].as_i64().unwrap_or_default())
        };
        let Some(entry) = history["Parameters"].as_array().and_then(|entries| entries.iter().find(matches)) else {
            let message = format!(
                "Systems Manager could not find version {version} of {name}. Verify the version and try again."
            );
            return Err(AwsError::client("ParameterVersionNotFound", message));
        };
        let mut parameter = current["Parameter"].clone();
        for member in ["Type", "Value", "Version", "LastModifiedDate"] {
            parameter[member] = entry[member].clone();
        }
        parameter["Selector"] = format!(":{version}").into();
        Ok(json!({"Parameter": parameter}))
    }
}

/// The name, and what follows a colon after it.
pub(crate) fn select(selector: &str) -> (String, Option<&str>) {
    let plain = match selector.strip_prefix("arn:").and_then(|arn| arn.split_once(":parameter")) {
        Some((_, name)) => name,
        None => selector,
    };
    let (name, version) = plain.split_once(':').map_or((plain, None), |(name, version)| (name, Some(version)));
    // The ARN of `a` is …:parameter/a, and that of `/a/b` is …:parameter/a/b.
    let from_arn = plain.len() != selector.len();
    let name = if from_arn && name.matches('/').count() == 1 { name.trim_start_matches('/') } else { name };
    (name.to_owned(), version)
}

impl Service for Parameters {
    fn service_name(&self) -> &str {
        "ssm"
    }

    fn url_patterns(&self) -> Vec<&str> {
        self.0.url_patterns()
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move {
            let target = request.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
            match target {
                // The hot path: a plain name goes straight through.
                "AmazonSSM.GetParameter" if request.body.windows(5).any(|part| part == b"\"Name") => {
                    let input: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                    match input["Name"].as_str() {
                        Some(name) if name.contains(':') => match self.get(name).await {
                            Ok(found) => Response::json(200, found.to_string()),
                            Err(error) => error.json(),
                        },
                        _ => self.0.handle(request).await,
                    }
                }
                "AmazonSSM.PutParameter" => match self.check(&request.body).await {
                    Ok(()) => self.0.handle(request).await,
                    Err(error) => error.json(),
                },
                _ => self.0.handle(request).await,
            }
        })
    }
}

/// Bytes of a standard parameter's value ("Managing parameter tiers", AWS Systems Manager User Guide).
const VALUE_LIMIT: usize = 4096;

impl Parameters {
    /// What AWS checks of a new value and the ready-made service does not.
    async fn check(&self, body: &[u8]) -> Result<(), AwsError> {
        let invalid = |message: String| Err(AwsError::client("ValidationException", message));
        let Ok(input) = serde_json::from_slice::<Value>(body) else {
            return Err(AwsError::client("SerializationException", "The request body is not JSON."));
        };
        let name = input["Name"].as_str().unwrap_or_default();
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | '/');
        if !name.chars().all(plain) || (name.contains('/') && !name.starts_with('/')) || name.ends_with('/') {
            return invalid(format!(
                "Parameter name \"{name}\": only a mix of letters, numbers and the following 3 symbols .-_ is allowed, in a hierarchy that begins with /."
            ));
        }
        if !input["AllowedPattern"].is_null() || !input["Policies"].is_null() {
            return Err(AwsError::not_implemented("ssm", "PutParameter with AllowedPattern or Policies"));
        }
        if input["Value"].as_str().is_some_and(|value| value.len() > VALUE_LIMIT) {
            return invalid("Standard tier parameters support a maximum parameter value of 4096 characters.".into());
        }
        match input["Type"].as_str() {
            Some("String" | "StringList" | "SecureString") => Ok(()),
            Some(other) => invalid(format!(
                "1 validation error detected: Value '{other}' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [SecureString, StringList, String]"
            )),
            // The type of a parameter that exists is kept; a new one needs it.
            None => match self.0.ask("GetParameter", &json!({"Name": name})).await {
                Ok(_) => Ok(()),
                Err(_) => invalid("A parameter type is required when you create a parameter.".into()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_arns_and_selectors() {
        for (selector, wanted) in [
            ("/golden/failure_mode", ("/golden/failure_mode", None)),
            ("/golden/failure_mode:3", ("/golden/failure_mode", Some("3"))),
            ("arn:aws:ssm:us-east-1:123456789012:parameter/golden/failure_mode", ("/golden/failure_mode", None)),
            ("arn:aws:ssm:us-east-1:123456789012:parameter/plain:good", ("plain", Some("good"))),
        ] {
            assert_eq!(select(selector), (wanted.0.to_owned(), wanted.1), "{selector}");
        }
    }

    #[tokio::test]
    async fn older_values_are_found_by_version_and_missing_ones_are_named() {
        let parameters = service(&Account::in_region("us-east-1"));
        for value in ["one", "two"] {
            let input = json!({"Name": "/a/b", "Value": value, "Type": "String", "Overwrite": true});
            parameters.0.ask("PutParameter", &input).await.expect("stored");
        }
        assert_eq!(parameters.get("/a/b").await.expect("there")["Parameter"]["Value"], "two");
        let first = parameters.get("/a/b:1").await.expect("there");
        assert_eq!((&first["Parameter"]["Value"], &first["Parameter"]["Version"]), (&"one".into(), &1.into()));
        assert_eq!(parameters.get("/a/b:7").await.expect_err("missing").code, "ParameterVersionNotFound");
        assert_eq!(parameters.get("/a/c").await.expect_err("missing").code, "ParameterNotFound");
        let refused = parameters.0.ask("SendCommand", &json!({})).await.expect_err("not imitated");
        assert_eq!((refused.status, refused.message.contains("ssm:SendCommand")), (501, true));
    }
}
