//! The failure-mode parameter.

use serde_json::Value;

use super::{Change, Prepared};
use crate::{Lab, journal::Undo};

pub(super) async fn prepare(lab: &Lab, value: &str, blind: bool) -> Result<Prepared, String> {
    let undo = Undo::Parameter { name: lab.names.parameter.clone(), value: read(lab).await? };
    let value = if blind { hidden(value)? } else { value.to_owned() };
    Ok(Prepared { undo, change: Change::Parameter(value) })
}

/// The value with `blind` in every fault of it, so that neither logs nor replies name the mode.
fn hidden(value: &str) -> Result<String, String> {
    let mut json = if value.trim_start().starts_with(['{', '[']) {
        serde_json::from_str(value).map_err(|error| error.to_string())?
    } else {
        serde_json::json!({ "mode": value })
    };
    let faults: Vec<&mut Value> = match &mut json {
        Value::Array(faults) => faults.iter_mut().collect(),
        fault => vec![fault],
    };
    for fault in faults {
        fault["blind"] = Value::Bool(true);
    }
    Ok(json.to_string())
}

pub(super) async fn read(lab: &Lab) -> Result<String, String> {
    let read = lab.clients.ssm.get_parameter().name(&lab.names.parameter).send().await;
    let read = read.map_err(|error| reset::AwsError::from_sdk("ssm:GetParameter")(error).to_string())?;
    read.parameter.and_then(|parameter| parameter.value).ok_or_else(|| "the parameter has no value".to_owned())
}

pub(super) async fn write(lab: &Lab, value: &str) -> Result<(), String> {
    let put = lab.clients.ssm.put_parameter().name(&lab.names.parameter).value(value).overwrite(true);
    put.send().await.map(drop).map_err(|error| reset::AwsError::from_sdk("ssm:PutParameter")(error).to_string())
}

/// Writes only where something changes, so that whoever has mended it keeps the version that mended it.
pub(super) async fn restore(lab: &Lab, name: &str, value: &str) -> Result<(), String> {
    let mut lab = lab.clone();
    name.clone_into(&mut lab.names.parameter);
    match read(&lab).await {
        Ok(held) if held == value => Ok(()),
        _ => write(&lab, value).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::failure::Plan;

    #[test]
    fn every_fault_of_a_blind_value_is_blind() {
        for value in ["hang", r#"{"mode":"latency","min_ms":1}"#, r#"[{"mode":"hang"},{"mode":"crash"}]"#] {
            let hidden = hidden(value).expect(value);
            let plan = Plan::parse(&hidden).unwrap_or_else(|error| panic!("{hidden}: {error}"));
            assert!(plan.faults().iter().all(|fault| fault.blind), "{hidden}");
        }
    }
}
