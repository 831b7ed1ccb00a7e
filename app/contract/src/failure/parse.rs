//! Reads the parameter's value. Every refusal is one line that names the thing, the value and the mend.

use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Dependency, Fault, HeaderMatch, Mode, ModeName, Plan, RequestMatch, Tasks};

/// A value of the failure-mode parameter that is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidFailureMode(String);

type Result<T> = std::result::Result<T, InvalidFailureMode>;

fn refuse<T>(reason: impl Into<String>) -> Result<T> {
    Err(InvalidFailureMode(reason.into()))
}

pub(super) fn plan(value: &str) -> Result<Plan> {
    let value = value.trim();
    let entries = match value.chars().next() {
        None => return refuse("the value is empty; write `none` to break nothing"),
        Some('{' | '[') => match serde_json::from_str(value) {
            Ok(Value::Array(entries)) if entries.is_empty() => {
                return refuse("the list is empty; write `none` to break nothing");
            }
            Ok(Value::Array(entries)) => entries,
            Ok(entry) => vec![entry],
            Err(error) => return refuse(format!("the value is not JSON: {error}")),
        },
        Some(_) => vec![Value::Object(Map::from_iter([("mode".to_owned(), Value::from(value))]))],
    };
    let alone = entries.len() == 1;
    let mut faults = Vec::with_capacity(entries.len());
    for entry in entries {
        let Value::Object(fields) = entry else {
            return refuse(format!("{} is not a JSON object with a `mode`", shorten(&entry)));
        };
        match fault(Fields(fields))? {
            Some(fault) => faults.push(fault),
            None if alone => return Ok(Plan::none()),
            None => return refuse("`none` stands beside other modes; give it alone"),
        }
    }
    faults.sort_by_key(|fault| fault.mode.name());
    if let Some(twice) = faults.windows(2).find(|pair| pair[0].mode.name() == pair[1].mode.name()) {
        return refuse(format!("mode `{}` is given twice; give each mode once", twice[0].mode.name().as_str()));
    }
    Ok(Plan { faults })
}

fn fault(mut fields: Fields) -> Result<Option<Fault>> {
    let Some(word) = fields.text("mode")? else {
        return refuse("field `mode` is missing; name a mode, or write `none`");
    };
    if word == "none" {
        fields.finish("none")?;
        return Ok(None);
    }
    let Some(name) = ModeName::from_word(&word) else {
        let known: Vec<_> = ModeName::ALL.iter().map(|mode| mode.as_str()).collect();
        return refuse(format!("unknown mode `{}`; known are none, {}", shorten(&Value::from(word)), known.join(", ")));
    };
    let mode = mode(name, &mut fields)?;
    let percentage = fields.percent("percentage")?;
    let every = fields.whole("every", 1, u64::from(u32::MAX))?;
    if percentage.is_some() && every.is_some() {
        return refuse("`percentage` and `every` exclude each other; give one");
    }
    let request = match fields.object("match")? {
        Some(inner) => Some(request_match(inner)?),
        None => None,
    };
    if !name.is_per_request() && (percentage.is_some() || every.is_some() || request.is_some()) {
        return refuse(format!(
            "mode `{word}` holds the whole process, so `percentage`, `every` and `match` do not apply; choose `tasks` instead"
        ));
    }
    let tasks = match fields.object("tasks")? {
        Some(inner) => Some(tasks(inner)?),
        None => None,
    };
    let expires_at = match fields.text("expires_at")? {
        None => None,
        Some(text) => match OffsetDateTime::parse(&text, &Rfc3339) {
            Ok(at) => Some(at),
            Err(_) => {
                return refuse(format!(
                    "`expires_at` is `{}`; write a time as RFC 3339 has it, like 2026-11-20T18:00:00Z",
                    shorten(&Value::from(text))
                ));
            }
        },
    };
    let fault = Fault {
        mode,
        percentage: percentage.unwrap_or(100.0),
        every,
        request,
        tasks,
        expires_at,
        for_s: fields.whole("for_s", 1, 604_800)?,
        seed: fields.whole("seed", 0, u64::MAX)?,
        blind: fields.flag("blind")?.unwrap_or(false),
    };
    fields.finish(&word)?;
    Ok(Some(fault))
}

fn mode(name: ModeName, fields: &mut Fields) -> Result<Mode> {
    let mut values = [None; 2];
    for (slot, parameter) in values.iter_mut().zip(name.parameters()) {
        *slot = fields.whole(parameter.name, parameter.min, parameter.max)?.or(parameter.default);
    }
    let [first, second] = values;
    // The table gives every number below a default and a range that fits its type, so neither conversion can fail.
    let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let status = |value: u64| u16::try_from(value).unwrap_or(u16::MAX);
    let (one, two) = (first.unwrap_or_default(), second.unwrap_or_default());
    Ok(match name {
        ModeName::Return500 => Mode::Return500 { status: status(one) },
        ModeName::Unhealthy => Mode::Unhealthy { status: status(one) },
        ModeName::Latency if one > two => {
            return refuse(format!("`min_ms` {one} is above `max_ms` {two}; give both, the smaller first"));
        }
        ModeName::Latency => Mode::Latency { min_ms: one, max_ms: two },
        ModeName::Hang => Mode::Hang,
        ModeName::CorruptBody => Mode::CorruptBody,
        ModeName::ConnectionLeak => Mode::ConnectionLeak { per_request: narrow(one), max: narrow(two) },
        ModeName::SlowQuery => Mode::SlowQuery { ms: one },
        ModeName::LockContention => Mode::LockContention { hold_ms: one },
        ModeName::StaleCredentials => Mode::StaleCredentials,
        ModeName::CpuBurn => Mode::CpuBurn { percent: narrow(one), workers: second.map(narrow) },
        ModeName::BlockedRuntime => Mode::BlockedRuntime { ms: one },
        ModeName::MemoryLeak => Mode::MemoryLeak { mib_per_request: narrow(one), cap_mib: second.map(narrow) },
        ModeName::Crash => Mode::Crash { after_s: one, exit_code: u8::try_from(two).unwrap_or(u8::MAX) },
        ModeName::DiskFill => Mode::DiskFill { mib: narrow(one) },
        ModeName::DependencyDown => Mode::DependencyDown { targets: targets(fields)? },
    })
}

fn targets(fields: &mut Fields) -> Result<Vec<Dependency>> {
    let known = Dependency::ALL.map(Dependency::as_str).join(", ");
    // One target may be written as a word, and several as `s3,ssm`, so that `key=value` on a command line can say it.
    let words: Vec<String> = match fields.0.remove("targets") {
        Some(Value::Array(items)) => {
            items.iter().map(|item| item.as_str().map_or_else(|| shorten(item), Into::into)).collect()
        }
        Some(Value::String(text)) => text.split(',').map(|word| word.trim().to_owned()).collect(),
        Some(other) => return refuse(format!("`targets` is {}; give a list of {known}", shorten(&other))),
        None => return refuse(format!("mode `dependency_down` needs `targets`, a list of {known}")),
    };
    if words.is_empty() {
        return refuse(format!("`targets` is empty; give a list of {known}"));
    }
    let mut targets = Vec::with_capacity(words.len());
    for word in words {
        match Dependency::ALL.into_iter().find(|dependency| dependency.as_str() == word) {
            Some(dependency) => targets.push(dependency),
            None => return refuse(format!("`targets` holds `{}`; known are {known}", shorten(&Value::from(word)))),
        }
    }
    targets.sort();
    targets.dedup();
    Ok(targets)
}

fn request_match(mut fields: Fields) -> Result<RequestMatch> {
    let path = fields.text("path")?;
    if let Some(path) = &path
        && !path.starts_with('/')
    {
        return refuse(format!(
            "`match.path` is `{}`; a path prefix starts with `/`",
            shorten(&Value::from(path.as_str()))
        ));
    }
    let method = fields.text("method")?.map(|method| method.to_ascii_uppercase());
    let header = match fields.object("header")? {
        None => None,
        Some(mut inner) => {
            let (name, value) = (inner.text("name")?, inner.text("value")?);
            inner.finish("match.header")?;
            match (name, value) {
                (Some(name), Some(value)) => Some(HeaderMatch { name: name.to_ascii_lowercase(), value }),
                _ => return refuse("`match.header` needs `name` and `value`"),
            }
        }
    };
    fields.finish("match")?;
    if path.is_none() && method.is_none() && header.is_none() {
        return refuse("`match` is empty; give `path`, `method` or `header`, or leave it out");
    }
    Ok(RequestMatch { path, method, header })
}

fn tasks(mut fields: Fields) -> Result<Tasks> {
    let percent = fields.percent("percent")?;
    let az = fields.text("az")?;
    let ids = match fields.0.remove("ids") {
        None => None,
        Some(Value::Array(ids)) if !ids.is_empty() && ids.iter().all(Value::is_string) => {
            Some(ids.into_iter().filter_map(|id| id.as_str().map(Into::into)).collect())
        }
        Some(other) => return refuse(format!("`tasks.ids` is {}; give a list of task ids", shorten(&other))),
    };
    fields.finish("tasks")?;
    match (percent, ids, az) {
        (Some(percent), None, None) => Ok(Tasks::Percent(percent)),
        (None, Some(ids), None) => Ok(Tasks::Ids(ids)),
        (None, None, Some(az)) => Ok(Tasks::AvailabilityZone(az)),
        _ => refuse("`tasks` takes exactly one of `percent`, `ids`, `az`"),
    }
}

/// The fields of one object that are not yet read; what is left at the end is unknown.
struct Fields(Map<String, Value>);

impl Fields {
    fn text(&mut self, name: &str) -> Result<Option<String>> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => refuse(format!("`{name}` is {}; give text in quotes", shorten(&other))),
        }
    }

    fn flag(&mut self, name: &str) -> Result<Option<bool>> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => refuse(format!("`{name}` is {}; give true or false", shorten(&other))),
        }
    }

    fn whole(&mut self, name: &str, min: u64, max: u64) -> Result<Option<u64>> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(value) => match value.as_u64().filter(|number| (min..=max).contains(number)) {
                Some(number) => Ok(Some(number)),
                None => refuse(format!("`{name}` is {}; give a whole number from {min} to {max}", shorten(&value))),
            },
        }
    }

    fn percent(&mut self, name: &str) -> Result<Option<f64>> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(value) => match value.as_f64().filter(|number| (0.0..=100.0).contains(number)) {
                Some(number) => Ok(Some(number)),
                None => refuse(format!("`{name}` is {}; give a number from 0 to 100", shorten(&value))),
            },
        }
    }

    fn object(&mut self, name: &str) -> Result<Option<Self>> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self(fields))),
            Some(other) => refuse(format!("`{name}` is {}; give a JSON object", shorten(&other))),
        }
    }

    fn finish(self, owner: &str) -> Result<()> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(unknown) => refuse(format!("`{owner}` has no field `{}`", shorten(&Value::from(unknown.as_str())))),
        }
    }
}

/// A value for an error line: whole when short, cut at a character boundary when long.
fn shorten(value: &Value) -> String {
    const MOST: usize = 60;
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match text.char_indices().nth(MOST) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bare_word_takes_the_defaults_of_the_table() {
        assert!(plan(" none ").expect("none parses").is_none());
        for name in ModeName::ALL.into_iter().filter(|name| *name != ModeName::DependencyDown) {
            let parsed = plan(name.as_str()).unwrap_or_else(|error| panic!("{}: {error}", name.as_str()));
            assert_eq!(parsed.faults()[0].mode.name(), name);
        }
    }

    #[test]
    fn composed_modes_come_in_the_order_of_the_table() {
        let parsed = plan(r#"[{"mode":"crash"},{"mode":"latency","min_ms":1,"max_ms":2},{"mode":"return_500"}]"#)
            .expect("parses");
        let names: Vec<_> = parsed.faults().iter().map(|fault| fault.mode.name().as_str()).collect();
        assert_eq!(names, ["return_500", "latency", "crash"]);
    }

    #[test]
    fn every_refusal_names_the_thing_the_value_and_the_mend() {
        for (value, wanted) in [
            ("", "empty; write `none`"),
            ("[]", "empty; write `none`"),
            ("return_501", "unknown mode `return_501`; known are none, return_500"),
            (r#"{"mode":"latency","min_ms":9,"max_ms":3}"#, "`min_ms` 9 is above `max_ms` 3"),
            (r#"{"mode":"return_500","status":200}"#, "`status` is 200; give a whole number from 400 to 599"),
            (r#"{"mode":"hang","percentage":101}"#, "`percentage` is 101; give a number from 0 to 100"),
            (r#"{"mode":"hang","percentage":5,"every":2}"#, "exclude each other"),
            (r#"{"mode":"hang","colour":"red"}"#, "`hang` has no field `colour`"),
            (r#"{"mode":"hang","match":{"path":"work"}}"#, "`match.path` is `work`; a path prefix starts with `/`"),
            (r#"{"mode":"hang","expires_at":"soon"}"#, "`expires_at` is `soon`"),
            (r#"{"mode":"dependency_down"}"#, "needs `targets`"),
            (
                r#"{"mode":"dependency_down","targets":["sqs"]}"#,
                "`targets` holds `sqs`; known are s3, ssm, secrets, database",
            ),
            (r#"{"mode":"crash","percentage":5}"#, "holds the whole process"),
            (r#"[{"mode":"hang"},{"mode":"hang"}]"#, "given twice"),
            (r#"[{"mode":"hang"},{"mode":"none"}]"#, "`none` stands beside"),
            (r#"{"mode":"hang""#, "not JSON"),
        ] {
            let error = plan(value).expect_err(value).to_string();
            assert!(error.contains(wanted), "{value}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    /// Objects that are nearly right: known and unknown keys with values of every kind.
    fn nearly() -> impl Strategy<Value = String> {
        let key = prop_oneof![
            Just("mode"),
            Just("percentage"),
            Just("every"),
            Just("match"),
            Just("tasks"),
            Just("expires_at"),
            Just("for_s"),
            Just("seed"),
            Just("blind"),
            Just("status"),
            Just("min_ms"),
            Just("max_ms"),
            Just("targets"),
            Just("other")
        ];
        let value = prop_oneof![
            (0..15_usize).prop_map(|n| Value::from(ModeName::ALL[n].as_str())),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            Just(serde_json::json!({"path": "/work"})),
            Just(serde_json::json!({"percent": 50})),
            Just(Value::Null),
        ];
        prop::collection::vec((key, value), 0..6).prop_map(|pairs| {
            Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()).to_string()
        })
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let _ = plan(&text);
        }

        #[test]
        fn a_value_is_taken_whole_or_refused_whole(text in nearly(), sound in 0..14_usize) {
            match plan(&text) {
                Ok(parsed) => for fault in parsed.faults() {
                    prop_assert!((0.0..=100.0).contains(&fault.percentage));
                    prop_assert!(fault.every.is_none_or(|every| every > 0));
                },
                // What is refused alone is refused beside a sound neighbour too.
                Err(_) => {
                    let pair = format!(r#"[{{"mode":"{}"}},{text}]"#, ModeName::ALL[sound].as_str());
                    prop_assert!(plan(&pair).is_err(), "half of {} was taken", pair);
                }
            }
        }
    }
}
