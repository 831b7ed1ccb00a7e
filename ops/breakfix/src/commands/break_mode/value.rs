//! From the command line to the parameter's value, checked by the service's own parser.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use contract::{duration, failure::Plan};
use serde_json::{Map, Value, json};

use super::likely;
use crate::{commands::own_name, number::within, problem::usage};

/// Whom the mode hits, and for how long.
#[derive(Debug, Default, Args)]
pub(crate) struct Scope {
    /// Share of the matching requests that are hit, 0 to 100. Default 100.
    #[arg(long, value_name = "PERCENT", value_parser = within(0.0, 100.0), allow_negative_numbers = true)]
    pub percentage: Option<f64>,
    /// Hit every Nth matching request instead.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), allow_negative_numbers = true)]
    pub every: Option<u64>,
    /// End after this time (30s, 10m, 2h), counted from the write. Default: the service's own limit (4 h).
    #[arg(long = "for", value_name = "DURATION", value_parser = duration::parse)]
    pub run_for: Option<Duration>,
    /// Only requests whose path starts with this.
    #[arg(long, value_name = "PREFIX")]
    pub path: Option<String>,
    /// Only requests with this method.
    #[arg(long)]
    pub method: Option<String>,
    /// Only requests with this header.
    #[arg(long, value_name = "NAME:VALUE")]
    pub header: Option<String>,
    /// Only these tasks: a share (50%), ids (id,id), or a zone (az=us-west-2a).
    #[arg(long, value_name = "50%|ID,ID|az=ZONE")]
    pub tasks: Option<String>,
    /// Keep the mode's name out of logs, spans and replies, so that it has to be found.
    #[arg(long)]
    pub blind: bool,
    /// Draw the same lots again for --percentage and --tasks.
    #[arg(long, allow_negative_numbers = true)]
    pub seed: Option<u64>,
}

/// Builds the value and has it checked.
///
/// # Errors
/// A usage error with the parser's own words.
pub(crate) fn build(mode: &str, parameters: &[String], scope: &Scope) -> Result<String> {
    let mut fields = Map::new();
    for parameter in parameters {
        let Some((key, value)) = parameter.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(refused(&format!("`{parameter}` is no KEY=VALUE")));
        };
        put(&mut fields, key, literal(value))?;
    }
    add_scope(&mut fields, scope)?;
    let value = if mode.trim_start().starts_with(['{', '[']) {
        if !fields.is_empty() {
            return Err(refused("a whole JSON value takes no further parameters or options"));
        }
        mode.to_owned()
    } else if fields.is_empty() {
        mode.to_owned()
    } else {
        put(&mut fields, "mode", Value::from(mode))?;
        Value::Object(fields).to_string()
    };
    match Plan::parse(&value) {
        Ok(_) => Ok(value),
        Err(error) => Err(match likely::hint(mode, parameters) {
            Some(meant) => usage(in_our_words(&error.to_string(), scope), format!("{meant} {}", list())),
            None => refused(&in_our_words(&error.to_string(), scope)),
        }),
    }
}

fn refused(reason: &str) -> anyhow::Error {
    usage(reason, list())
}

fn list() -> String {
    format!("`{} break --list` shows the modes and their parameters; nothing was written", own_name())
}

/// The parser speaks of fields; who gave a flag reads the flag.
fn in_our_words(reason: &str, scope: &Scope) -> String {
    let flags = [
        ("`match.path`", "--path", scope.path.is_some()),
        ("`percentage`", "--percentage", scope.percentage.is_some()),
        ("`every`", "--every", scope.every.is_some()),
        ("`tasks.ids`", "--tasks", scope.tasks.is_some()),
        ("`tasks`", "--tasks", scope.tasks.is_some()),
        ("`for_s`", "--for", scope.run_for.is_some()),
        (
            "`match`",
            "--path, --method and --header",
            scope.path.is_some() || scope.method.is_some() || scope.header.is_some(),
        ),
    ];
    let given = flags.iter().filter(|(_, _, given)| *given);
    given.fold(reason.to_owned(), |reason, (field, flag, _)| reason.replace(field, flag))
}

fn put(fields: &mut Map<String, Value>, key: &str, value: Value) -> Result<()> {
    match fields.insert(key.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(refused(&format!("`{key}` is given twice"))),
    }
}

/// Numbers and truth values as such, everything else as text.
fn literal(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => Value::from(text),
    }
}

fn add_scope(fields: &mut Map<String, Value>, scope: &Scope) -> Result<()> {
    if let Some(percentage) = scope.percentage {
        // A whole number reads better without its ".0".
        put(fields, "percentage", literal(&percentage.to_string()))?;
    }
    if let Some(every) = scope.every {
        put(fields, "every", every.into())?;
    }
    if let Some(run_for) = scope.run_for {
        // Less than a second would round to 0, which the parser refuses in words of seconds.
        put(fields, "for_s", run_for.as_secs().into())?;
    }
    let mut request = Map::new();
    if let Some(path) = &scope.path {
        put(&mut request, "path", path.as_str().into())?;
    }
    if let Some(method) = &scope.method {
        put(&mut request, "method", method.as_str().into())?;
    }
    if let Some(header) = &scope.header {
        let Some((name, value)) = header.split_once(':') else {
            return Err(refused(&format!("--header `{header}` is no NAME:VALUE")));
        };
        put(&mut request, "header", json!({ "name": name.trim(), "value": value.trim() }))?;
    }
    if !request.is_empty() {
        put(fields, "match", Value::Object(request))?;
    }
    if let Some(tasks) = &scope.tasks {
        put(fields, "tasks", whom(tasks)?)?;
    }
    if scope.blind {
        put(fields, "blind", true.into())?;
    }
    if let Some(seed) = scope.seed {
        put(fields, "seed", seed.into())?;
    }
    Ok(())
}

fn whom(tasks: &str) -> Result<Value> {
    if let Some(percent) = tasks.strip_suffix('%') {
        return match literal(percent) {
            Value::Number(percent) => Ok(json!({ "percent": percent })),
            _ => Err(refused(&format!("--tasks `{tasks}` is no percentage"))),
        };
    }
    if let Some(zone) = tasks.strip_prefix("az=") {
        return Ok(json!({ "az": zone }));
    }
    // A number is shorter than any id: the sign was forgotten.
    if tasks.len() < 10 && tasks.trim().parse::<f64>().is_ok() {
        return Err(refused(&format!(
            "--tasks `{tasks}` is neither a share nor an id; a share is written {}%",
            tasks.trim()
        )));
    }
    let ids: Vec<&str> = tasks.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    Ok(json!({ "ids": ids }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(mode: &str, parameters: &[&str], scope: &Scope) -> Result<String, String> {
        let parameters: Vec<String> = parameters.iter().map(|text| (*text).to_owned()).collect();
        build(mode, &parameters, scope).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_becomes_the_value() {
        let scope = Scope {
            percentage: Some(30.0),
            path: Some("/work".into()),
            method: Some("get".into()),
            header: Some("x-drill: yes".into()),
            tasks: Some("50%".into()),
            run_for: Some(Duration::from_secs(600)),
            blind: true,
            seed: Some(7),
            ..Scope::default()
        };
        insta::assert_snapshot!(
            built("latency", &["min_ms=200", "max_ms=800"], &scope).expect("valid"),
            @r#"{"blind":true,"for_s":600,"match":{"header":{"name":"x-drill","value":"yes"},"method":"get","path":"/work"},"max_ms":800,"min_ms":200,"mode":"latency","percentage":30,"seed":7,"tasks":{"percent":50}}"#
        );
    }

    #[test]
    fn the_short_form_stays_short() {
        let plain = Scope::default();
        assert_eq!(built("return_500", &[], &plain).as_deref(), Ok("return_500"));
        assert_eq!(built("none", &[], &plain).as_deref(), Ok("none"));
        assert_eq!(
            built("dependency_down", &["targets=s3,ssm"], &plain).as_deref(),
            Ok(r#"{"mode":"dependency_down","targets":"s3,ssm"}"#)
        );
        let whole = r#"[{"mode":"hang"},{"mode":"crash"}]"#;
        assert_eq!(built(whole, &[], &plain).as_deref(), Ok(whole));
    }

    #[test]
    fn tasks_are_a_share_a_zone_or_ids() {
        for (text, wanted) in [
            ("12.5%", json!({"percent": 12.5})),
            ("az=us-west-2a", json!({"az": "us-west-2a"})),
            ("abc, def", json!({"ids": ["abc", "def"]})),
        ] {
            assert_eq!(whom(text).expect("valid"), wanted);
        }
    }

    #[test]
    fn what_the_service_would_refuse_is_not_written() {
        let with = |change: fn(&mut Scope)| {
            let mut scope = Scope::default();
            change(&mut scope);
            scope
        };
        for (mode, parameters, scope, wanted) in [
            ("return_501", vec![], with(|_| ()), "unknown mode `return_501`"),
            ("latency", vec!["min_ms=ten"], with(|_| ()), "`min_ms` is ten"),
            ("latency", vec!["min_ms"], with(|_| ()), "`min_ms` is no KEY=VALUE"),
            ("latency", vec!["colour=red"], with(|_| ()), "no field `colour`"),
            ("hang", vec!["percentage=5"], with(|s| s.percentage = Some(6.0)), "`percentage` is given twice"),
            ("hang", vec![], with(|s| s.percentage = Some(f64::NAN)), "--percentage is NaN"),
            ("hang", vec![], with(|s| (s.percentage, s.every) = (Some(5.0), Some(2))), "exclude each other"),
            ("hang", vec![], with(|s| s.tasks = Some("half%".into())), "`half%` is no percentage"),
            ("hang", vec![], with(|s| s.tasks = Some("50".into())), "a share is written 50%"),
            ("hang", vec![], with(|s| s.tasks = Some(",".into())), "--tasks is"),
            ("hang", vec![], with(|s| s.path = Some("work".into())), "--path is `work`"),
            ("crash", vec![], with(|s| s.path = Some("/work".into())), "--path, --method and --header do not apply"),
            ("hang", vec![], with(|s| s.header = Some("x".into())), "no NAME:VALUE"),
            ("hang", vec![], with(|s| s.run_for = Some(Duration::ZERO)), "--for is 0"),
            ("none", vec![], with(|s| s.blind = true), "`none` has no field"),
            (r#"{"mode":"hang"}"#, vec![], with(|s| s.blind = true), "takes no further"),
        ] {
            let error = built(mode, &parameters, &scope).expect_err(mode);
            assert!(error.contains(wanted), "{mode} {parameters:?}: {error}");
        }
    }
}
