//! Conditions of rules, and their limits (user guide, "Listener rules").

use http::HeaderName;
use twin_platform::AwsError;

use crate::{
    api::SERVICE,
    pattern::Pattern,
    query::{Scope, invalid},
    rules::{Condition, Network},
    xml::Xml,
};

/// Comparison strings that one rule may have.
const MAX_VALUES: usize = 5;
/// Length of one comparison string.
const MAX_LENGTH: usize = 128;

/// Reads the conditions of a rule.
pub(super) fn read(call: &Scope<'_>) -> Result<Vec<Condition>, AwsError> {
    let scopes = call.list("Conditions");
    if scopes.is_empty() {
        return Err(invalid("A rule needs at least one condition"));
    }
    let conditions: Vec<Condition> = scopes.iter().map(one).collect::<Result<_, _>>()?;
    let values: usize = conditions.iter().map(count).sum();
    if values > MAX_VALUES {
        let message = format!("A rule can have at most {MAX_VALUES} condition values, not {values}");
        return Err(AwsError::client("TooManyConditionValues", message));
    }
    for field in ["host-header", "path-pattern", "http-request-method", "source-ip"] {
        if conditions.iter().filter(|condition| name(condition) == field).count() > 1 {
            return Err(AwsError::client(
                "InvalidConfigurationRequest",
                format!("A rule can have at most one '{field}' condition"),
            ));
        }
    }
    Ok(conditions)
}

fn one(scope: &Scope<'_>) -> Result<Condition, AwsError> {
    if scope.has("RegexValues") {
        return Err(AwsError::not_implemented(SERVICE, "a rule condition with RegexValues"));
    }
    let field = scope.require("Field")?;
    let config = |name: &str| {
        let config = scope.scope(name);
        if config.has("RegexValues") {
            return Err(AwsError::not_implemented(SERVICE, "a rule condition with RegexValues"));
        }
        // `Values` beside `Field` is the older form, for hosts and paths.
        let values = [config.texts("Values"), scope.texts("Values")].concat();
        match values.iter().find(|value| value.is_empty() || value.len() > MAX_LENGTH) {
            Some(wrong) => Err(invalid(format!("Condition value '{wrong}' must have 1 to {MAX_LENGTH} characters"))),
            None if values.is_empty() => Err(invalid(format!("A condition on '{field}' needs at least one value"))),
            None => Ok(values),
        }
    };
    let patterns = |values: Vec<&str>| values.into_iter().map(Pattern::ignoring_case).collect();
    Ok(match field {
        "path-pattern" => Condition::Path(config("PathPatternConfig")?.into_iter().map(Pattern::exact).collect()),
        "host-header" => Condition::Host(patterns(config("HostHeaderConfig")?)),
        "http-header" => {
            let name = scope.scope("HttpHeaderConfig").require("HttpHeaderName")?;
            let parsed =
                name.parse::<HeaderName>().map_err(|_| invalid(format!("'{name}' is not a valid HTTP header name")))?;
            Condition::Header(parsed, name.to_owned(), patterns(config("HttpHeaderConfig")?))
        }
        "http-request-method" => {
            Condition::Method(config("HttpRequestMethodConfig")?.into_iter().map(str::to_owned).collect())
        }
        "source-ip" => {
            let network = |text: &str| {
                Network::parse(text).ok_or_else(|| {
                    invalid(format!("'{text}' is not a network in IPv4 CIDR notation, such as 10.0.0.0/8"))
                })
            };
            Condition::Source(config("SourceIpConfig")?.into_iter().map(network).collect::<Result<_, _>>()?)
        }
        "query-string" => Condition::Query(query(scope)?),
        other => {
            return Err(invalid(format!(
                "Condition field '{other}' must be one of http-header, http-request-method, host-header, path-pattern, query-string, source-ip"
            )));
        }
    })
}

fn query(scope: &Scope<'_>) -> Result<Vec<(Option<Pattern>, Pattern)>, AwsError> {
    let pairs = scope.scope("QueryStringConfig").list("Values");
    if pairs.is_empty() {
        return Err(invalid("A condition on 'query-string' needs at least one value"));
    }
    let pair = |pair: &Scope<'_>| {
        let (key, value) = (pair.get("Key").filter(|key| !key.is_empty()), pair.require("Value")?);
        if value.len() > MAX_LENGTH || key.is_some_and(|key| key.len() > MAX_LENGTH) {
            return Err(invalid(format!(
                "Condition value '{value}' and its key must have at most {MAX_LENGTH} characters"
            )));
        }
        Ok((key.map(Pattern::ignoring_case), Pattern::ignoring_case(value)))
    };
    pairs.iter().map(pair).collect()
}

fn count(condition: &Condition) -> usize {
    match condition {
        Condition::Path(values) | Condition::Host(values) | Condition::Header(_, _, values) => values.len(),
        Condition::Method(values) => values.len(),
        Condition::Query(values) => values.len(),
        Condition::Source(values) => values.len(),
    }
}

fn name(condition: &Condition) -> &'static str {
    match condition {
        Condition::Path(_) => "path-pattern",
        Condition::Host(_) => "host-header",
        Condition::Header(..) => "http-header",
        Condition::Method(_) => "http-request-method",
        Condition::Query(_) => "query-string",
        Condition::Source(_) => "source-ip",
    }
}

/// Writes a condition, hosts and paths in both forms as AWS does.
pub(super) fn write(xml: &mut Xml, condition: &Condition) {
    xml.text("Field", name(condition));
    let texts = |values: &[Pattern]| values.iter().map(|value| value.text().to_owned()).collect::<Vec<_>>();
    let mut config = |name: &str, values: Vec<String>| {
        xml.element(name, |xml| {
            xml.texts("Values", values);
        });
    };
    match condition {
        Condition::Path(values) => {
            config("PathPatternConfig", texts(values));
            xml.texts("Values", texts(values));
        }
        Condition::Host(values) => {
            config("HostHeaderConfig", texts(values));
            xml.texts("Values", texts(values));
        }
        Condition::Method(values) => config("HttpRequestMethodConfig", values.clone()),
        Condition::Source(values) => {
            config(
                "SourceIpConfig",
                values.iter().map(|network| format!("{}/{}", network.address, network.prefix)).collect(),
            );
        }
        Condition::Header(_, header, values) => {
            xml.element("HttpHeaderConfig", |xml| {
                xml.text("HttpHeaderName", header).texts("Values", texts(values));
            });
        }
        Condition::Query(values) => {
            xml.element("QueryStringConfig", |xml| {
                xml.list("Values", values, |xml, (key, value)| {
                    xml.maybe("Key", key.as_ref().map(Pattern::text)).text("Value", value.text());
                });
            });
        }
    }
}
