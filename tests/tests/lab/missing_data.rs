//! What an alarm makes of data that is missing, in all four ways, on a metric that stops and on one that never comes.

use serde_json::Value;
use tests::{Lab, until};

const TREATMENTS: [&str; 4] = ["missing", "notBreaching", "breaching", "ignore"];

fn alarm_on(lab: &Lab, metric: &str, treatment: &str) -> String {
    let name = format!("{metric}-{treatment}");
    let of = ["--alarm-name", &name, "--namespace", "Lab", "--metric-name", metric, "--treat-missing-data", treatment];
    let when = ["--statistic", "Maximum", "--period", "60", "--evaluation-periods", "1", "--threshold", "0"];
    let compare = ["--comparison-operator", "GreaterThanThreshold"];
    lab.aws(&[&["cloudwatch", "put-metric-alarm"], &of[..], &when, &compare].concat());
    name
}

fn states(lab: &Lab, metric: &str) -> Vec<Value> {
    let found = lab.aws(&["cloudwatch", "describe-alarms", "--alarm-name-prefix", &format!("{metric}-")]);
    let state = |treatment: &str| {
        let alarms = found["MetricAlarms"].as_array().into_iter().flatten();
        let mut of = alarms.filter(|alarm| alarm["TreatMissingData"] == treatment);
        of.next().map(|alarm| alarm["StateValue"].clone()).unwrap_or_default()
    };
    TREATMENTS.map(state).into()
}

fn until_states(lab: &Lab, metric: &str, wanted: [&str; 4], mut meanwhile: impl FnMut()) {
    until(&format!("{metric} is {wanted:?}"), 60, || {
        meanwhile();
        let states = states(lab, metric);
        if states == wanted { Ok(()) } else { Err(format!("{states:?}")) }
    });
}

#[test]
fn missing_data_is_treated_in_all_four_ways() {
    let lab = Lab::up_with(&["--speed", "20"]);
    for treatment in TREATMENTS {
        alarm_on(&lab, "Never", treatment);
        alarm_on(&lab, "Stops", treatment);
    }
    until_states(&lab, "Never", ["INSUFFICIENT_DATA", "OK", "ALARM", "INSUFFICIENT_DATA"], || ());
    until_states(&lab, "Stops", ["ALARM"; 4], || {
        let of = ["--namespace", "Lab", "--metric-name", "Stops", "--value", "1"];
        lab.aws(&[&["cloudwatch", "put-metric-data"], &of[..]].concat());
    });
    until_states(&lab, "Stops", ["INSUFFICIENT_DATA", "OK", "ALARM", "ALARM"], || ());
}
