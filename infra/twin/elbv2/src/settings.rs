//! A target group's health-check settings and their limits (ELBv2 API reference, `CreateTargetGroup`; user guide,
//! "Health check settings").

use std::{ops::RangeInclusive, str::FromStr};

use twin_platform::AwsError;

use crate::query::{Scope, invalid};

/// Health-check settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Path and query of the check.
    pub(crate) path: String,
    /// A port, or none for the port that gets the traffic.
    pub(crate) port: Option<u16>,
    /// Seconds between two checks, before the time factor.
    pub(crate) interval_s: u32,
    /// Seconds without an answer that make a check fail.
    pub(crate) timeout_s: u32,
    /// Passes in a row that bring an unhealthy target back.
    pub(crate) healthy_threshold: u32,
    /// Failures in a row that take a target out.
    pub(crate) unhealthy_threshold: u32,
    /// The codes that pass.
    pub(crate) matcher: Matcher,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: "/".into(),
            port: None,
            interval_s: 30,
            timeout_s: 5,
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            matcher: Matcher { text: "200".into(), ranges: vec![200..=200] },
        }
    }
}

/// The codes that pass: `200`, `200,202`, `200-299`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Matcher {
    text: String,
    ranges: Vec<RangeInclusive<u16>>,
}

impl Matcher {
    /// As written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the code passes.
    pub(crate) fn passes(&self, code: u16) -> bool {
        self.ranges.iter().any(|range| range.contains(&code))
    }
}

impl FromStr for Matcher {
    type Err = AwsError;

    fn from_str(text: &str) -> Result<Self, AwsError> {
        let wrong = || invalid(format!("Health check matcher HTTP code '{text}' must be within '200-499' inclusive"));
        let code = |part: &str| part.parse().ok().filter(|code| (200..=499).contains(code)).ok_or_else(wrong);
        let range = |part: &str| match part.split_once('-') {
            None => code(part).map(|one| one..=one),
            Some((low, high)) => {
                let (low, high) = (code(low)?, code(high)?);
                if low < high { Ok(low..=high) } else { Err(wrong()) }
            }
        };
        Ok(Self { text: text.to_owned(), ranges: text.split(',').map(range).collect::<Result<_, _>>()? })
    }
}

impl Settings {
    /// These settings with what the call changes; nothing is changed when one value is out of range.
    pub(crate) fn changed_by(&self, call: &Scope<'_>) -> Result<Self, AwsError> {
        let mut new = self.clone();
        if call.parsed::<bool>("HealthCheckEnabled")? == Some(false) {
            return Err(invalid("Health checks cannot be disabled for target groups with target type 'ip'"));
        }
        if let Some(protocol) = call.get("HealthCheckProtocol").filter(|protocol| *protocol != "HTTP") {
            return Err(AwsError::not_implemented(
                "elasticloadbalancing",
                &format!("health checks over '{protocol}' (only HTTP)"),
            ));
        }
        if let Some(path) = call.get("HealthCheckPath") {
            let parses = path.starts_with('/') && path.len() <= 1024 && path.parse::<http::uri::PathAndQuery>().is_ok();
            if !parses {
                return Err(invalid(format!(
                    "Health check path '{path}' must begin with a '/' and be a valid URI of at most 1024 characters"
                )));
            }
            new.path = path.to_owned();
        }
        if let Some(port) = call.get("HealthCheckPort") {
            new.port = match (port, port.parse::<u16>()) {
                ("traffic-port", _) => None,
                (_, Ok(number)) if number > 0 => Some(number),
                _ => {
                    return Err(invalid(format!(
                        "Health check port '{port}' must be 'traffic-port' or a number from 1 to 65535"
                    )));
                }
            };
        }
        number(call, "HealthCheckIntervalSeconds", "interval", 5..=300, &mut new.interval_s)?;
        number(call, "HealthCheckTimeoutSeconds", "timeout", 2..=120, &mut new.timeout_s)?;
        number(call, "HealthyThresholdCount", "healthy threshold count", 2..=10, &mut new.healthy_threshold)?;
        number(call, "UnhealthyThresholdCount", "unhealthy threshold count", 2..=10, &mut new.unhealthy_threshold)?;
        if new.timeout_s >= new.interval_s {
            return Err(invalid(format!(
                "Health check timeout '{}' must be smaller than the interval '{}'",
                new.timeout_s, new.interval_s
            )));
        }
        let matcher = call.scope("Matcher");
        if matcher.has("GrpcCode") {
            return Err(AwsError::not_implemented("elasticloadbalancing", "a matcher with GrpcCode"));
        }
        if let Some(codes) = matcher.get("HttpCode") {
            new.matcher = codes.parse()?;
        }
        Ok(new)
    }
}

fn number(
    call: &Scope<'_>,
    name: &str,
    words: &str,
    range: RangeInclusive<u32>,
    field: &mut u32,
) -> Result<(), AwsError> {
    let Some(value) = call.parsed::<u32>(name)? else { return Ok(()) };
    if !range.contains(&value) {
        let (low, high) = range.into_inner();
        return Err(invalid(format!("Health check {words} '{value}' must be between {low} and {high} inclusive")));
    }
    *field = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Params;

    #[test]
    fn matchers() {
        let several: Matcher = "200,202,301-303".parse().expect("a valid matcher");
        assert!([200, 202, 302].into_iter().all(|code| several.passes(code)));
        assert!(![201, 204, 304].into_iter().any(|code| several.passes(code)));
        for wrong in ["", "200-", "abc", "199", "200-500", "300-200", "200,,201", "200 "] {
            assert!(wrong.parse::<Matcher>().is_err(), "{wrong:?} must be refused");
        }
    }

    #[test]
    fn limits() {
        for (call, code) in [
            ("HealthCheckIntervalSeconds=4", "ValidationError"),
            ("HealthCheckIntervalSeconds=5", "ValidationError"),
            ("HealthCheckTimeoutSeconds=1", "ValidationError"),
            ("HealthyThresholdCount=1", "ValidationError"),
            ("UnhealthyThresholdCount=11", "ValidationError"),
            ("HealthCheckPath=x", "ValidationError"),
            ("HealthCheckPort=0", "ValidationError"),
            ("HealthCheckProtocol=HTTPS", "NotImplemented"),
        ] {
            let params = Params::parse(call.as_bytes());
            let error = Settings::default().changed_by(&params.root()).expect_err(call);
            assert_eq!(error.code, code, "{call}");
        }
        let params =
            Params::parse(b"HealthCheckIntervalSeconds=10&HealthCheckTimeoutSeconds=9&Matcher.HttpCode=200-299");
        let new = Settings::default().changed_by(&params.root()).expect("valid");
        assert_eq!((new.interval_s, new.timeout_s, new.matcher.text()), (10, 9, "200-299"));
    }
}
