//! What is refused before anything is touched.

use tests::{Lab, text, until};

use super::{SPEED, last, parameter, start, status};

#[test]
fn nothing_is_touched_beside_another_run_in_a_sick_lab_or_for_a_scenario_with_a_typo() {
    let lab = Lab::up_with(&SPEED);
    let before = lab.aws(&["ssm", "get-parameter", "--name", lab.name("PARAM_FAILURE_MODE")])["Parameter"].clone();
    let file = lab.state_dir().join("typo.yaml");
    std::fs::write(&file, "title: x\nbrief: y\nseverity: high\nsteady_stat:\n  probes: []\n").expect("written");
    let refused = lab.breakfix(&["gameday", "run", &file.to_string_lossy()]);
    let said = text(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("typo.yaml:4:1") && said.contains("steady_state, inject"),
        "{said}"
    );
    let after = lab.aws(&["ssm", "get-parameter", "--name", lab.name("PARAM_FAILURE_MODE")])["Parameter"].clone();
    assert_eq!(before, after);

    let mut run = start(&lab, &["no-fault"]);
    until("it goes on", 30, || if status(&lab)["phase"].is_string() { Ok(()) } else { Err("not yet") });
    let second = lab.breakfix(&["gameday", "run", "no-fault"]);
    assert!(!second.status.success() && text(&second.stderr).contains("is going on"), "{}", text(&second.stderr));
    assert!(lab.breakfix(&["gameday", "abort"]).status.success());
    assert_eq!(run.wait().expect("it ends").code(), Some(1));
    assert!(
        last(&lab)["reason"].as_str().is_some_and(|reason| reason.starts_with("stopped: ended by")),
        "{}",
        last(&lab)
    );

    lab.set_mode("return_500");
    let refused = lab.breakfix(&["gameday", "run", "secret-drift"]);
    let said = text(&refused.stderr);
    assert!(!refused.status.success() && said.contains("sick") && said.contains("failure_mode"), "{said}");
    assert_eq!(parameter(&lab), "return_500", "the sick lab is left as it was");
    lab.reset();
}
