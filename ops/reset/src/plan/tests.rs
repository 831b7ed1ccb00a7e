//! Every kind of drift, spoiled one by one on a healthy lab.

use super::*;
use crate::{
    observe::{HeldTransaction, Login, Part, StoppedTask},
    sample,
};

fn actions(seen: &Observation) -> Vec<Action> {
    plan(seen, 2).into_iter().map(|step| step.action).collect()
}

fn refused(sqlstate: &str, state: LoginState) -> Login {
    Login { state, sqlstate: Some(sqlstate.into()), error: Some("refused".into()) }
}

fn stopped(number: u32, has_run: bool) -> StoppedTask {
    StoppedTask {
        id: "t0".into(),
        task_definition: sample::revision(number),
        stop_code: Some(if has_run { "EssentialContainerExited" } else { "TaskFailedToStart" }.into()),
        stopped_reason: Some("CannotPullContainerError: golden:nope: not found".into()),
        exit_code: None,
        has_run,
        stopped_at: None,
    }
}

/// The service deploys revision 2, which does not start, while revision 1 still runs.
fn bad_image() -> Observation {
    let mut seen = sample::healthy();
    let service = sample::service(&mut seen);
    service.task_definition = sample::revision(2);
    service.revisions = vec![sample::revision(2), sample::revision(1)];
    service.deployments = vec![sample::deployment("PRIMARY", 2, 0), sample::deployment("ACTIVE", 1, 2)];
    service.deployments[0].failed = 1;
    seen.stopped_tasks = Part::Known(vec![stopped(2, false)]);
    seen
}

#[test]
fn a_healthy_lab_needs_nothing() {
    assert_eq!(plan(&sample::healthy(), 2), []);
}

#[test]
fn a_parameter_that_breaks_or_is_refused_or_cannot_be_read_is_set() {
    for value in ["return_500", r#"{"mode":"latency","min_ms":5}"#, "nonsense"] {
        let mut seen = sample::healthy();
        seen.parameter = Part::Known(sample::parameter(value));
        assert_eq!(actions(&seen), [Action::SetParameter], "{value}");
    }
    let mut seen = sample::healthy();
    seen.parameter = Part::error("ssm:GetParameter: ParameterNotFound: no such parameter");
    assert_eq!(actions(&seen), [Action::SetParameter]);
}

#[test]
fn the_health_check_goes_back_to_the_labs() {
    let mut seen = sample::healthy();
    sample::health_check(&mut seen).path = "/nowhere".into();
    let wanted = HealthCheck::of_the_lab(sample::GROUP);
    assert_eq!(actions(&seen), [Action::RestoreHealthCheck(wanted.clone())]);
    *sample::health_check(&mut seen) = wanted;
    assert_eq!(actions(&seen), []);
}

#[test]
fn a_policy_that_lacks_a_statement_or_is_overruled_is_restored() {
    let mut seen = sample::healthy();
    let Part::Known(policies) = &mut seen.role_policies else { panic!("the sample knows every part") };
    policies[0].drift = Some("ReadDatabaseSecret not as shipped".into());
    policies[1].denying = vec!["drill".into()];
    let wanted: Vec<_> = policies.iter().cloned().map(Action::RestoreRolePolicy).collect();
    assert_eq!(actions(&seen), wanted);
    let line = plan(&seen, 2)[1].to_string();
    assert!(line.starts_with("policy of role golden-execution: denied by drill -> as shipped ("), "{line}");
}

#[test]
fn the_firewall_goes_back_to_the_labs() {
    for spoil in [
        |held: &mut Firewall| held.drift.push("rule rate-per-client blocks".into()),
        |held: &mut Firewall| held.unprotected = Some("arn:balancer".into()),
        |held: &mut Firewall| held.web_acl_arn = None,
    ] {
        let mut seen = sample::healthy();
        let mut held = seen.firewall.known().expect("seen").clone();
        spoil(&mut held);
        seen.firewall = Part::Known(held.clone());
        assert_eq!(actions(&seen), [Action::RestoreFirewall(held)]);
    }
}

#[test]
fn the_count_goes_back_and_a_larger_one_may_be_wanted() {
    let mut seen = sample::healthy();
    sample::service(&mut seen).desired = 0;
    sample::service(&mut seen).running = 0;
    sample::tasks(&mut seen).clear();
    assert_eq!(actions(&seen), [Action::SetDesiredCount { count: 2 }]);
    assert_eq!(plan(&sample::healthy(), 3)[0].action, Action::SetDesiredCount { count: 3 });
}

#[test]
fn credentials_are_repaired_when_they_are_refused_unusable_or_lead_nowhere() {
    for (sqlstate, state) in [("28P01", LoginState::Refused), ("3D000", LoginState::Unreachable)] {
        let mut seen = sample::healthy();
        sample::database(&mut seen).login = refused(sqlstate, state);
        sample::database(&mut seen).sessions = Part::error("cannot log in");
        assert_eq!(actions(&seen), [Action::RepairCredentials], "{sqlstate}");
    }
    let mut seen = sample::healthy();
    sample::secret(&mut seen).unusable = Some("key `password` is missing".into());
    seen.database = Part::error("no credentials");
    assert_eq!(actions(&seen), [Action::RepairCredentials]);
}

#[test]
fn leaked_sessions_a_full_database_and_forgotten_transactions_end() {
    let mut seen = sample::healthy();
    sample::sessions(&mut seen).leaked = 12;
    assert_eq!(actions(&seen), [Action::EndSessions { forgotten: vec![] }]);

    let mut seen = sample::healthy();
    sample::database(&mut seen).login = refused("53300", LoginState::Full);
    sample::database(&mut seen).sessions = Part::error("cannot log in");
    assert_eq!(actions(&seen), [Action::EndSessions { forgotten: vec![] }]);

    let mut seen = sample::healthy();
    let held = |pid, open_s| HeldTransaction { pid, application_name: "psql".into(), open_s };
    sample::sessions(&mut seen).idle_in_transaction = vec![held(7, 60), held(8, 2)];
    assert_eq!(actions(&seen), [Action::EndSessions { forgotten: vec![7] }]);
}

#[test]
fn a_secret_that_waits_for_its_deletion_is_restored_and_nothing_else_is_tried_on_it() {
    let mut seen = sample::healthy();
    sample::secret(&mut seen).marked_deleted = true;
    sample::secret(&mut seen).unusable = Some("marked deleted".into());
    seen.database = Part::error("no credentials");
    assert_eq!(actions(&seen), [Action::RestoreSecret]);
}

#[test]
fn tasks_out_of_service_are_waited_for() {
    let spoil: [fn(&mut Observation); 4] = [
        |seen| sample::service(seen).running = 1,
        |seen| sample::tasks(seen)[0].health = "UNHEALTHY".into(),
        |seen| sample::targets(seen)[0].state = "unhealthy".into(),
        |seen| sample::targets(seen).truncate(1),
    ];
    for (index, spoil) in spoil.into_iter().enumerate() {
        let mut seen = sample::healthy();
        spoil(&mut seen);
        assert_eq!(actions(&seen), [Action::HealTasks], "case {index}");
    }
}

#[test]
fn a_revision_that_cannot_start_is_rolled_back_to_the_one_that_runs() {
    let to = Action::RollBack { task_definition: sample::revision(1) };
    assert_eq!(actions(&bad_image()), [to.clone(), Action::HealTasks]);

    // The old tasks are gone too: the revision before is all that is left.
    let mut seen = bad_image();
    sample::service(&mut seen).deployments.truncate(1);
    sample::tasks(&mut seen).clear();
    sample::service(&mut seen).running = 0;
    assert_eq!(actions(&seen), [to, Action::HealTasks]);

    // Afterwards the rolled-back service has nothing to do, although the stopped task is still remembered.
    let mut seen = bad_image();
    let service = sample::service(&mut seen);
    service.task_definition = sample::revision(1);
    service.deployments = vec![sample::deployment("PRIMARY", 1, 2)];
    assert_eq!(actions(&seen), []);
}

#[test]
fn a_revision_whose_tasks_crash_by_a_mode_is_not_rolled_back() {
    let mut seen = sample::healthy();
    seen.parameter = Part::Known(sample::parameter("crash"));
    seen.stopped_tasks = Part::Known(vec![stopped(1, true), stopped(1, false)]);
    sample::tasks(&mut seen).clear();
    let service = sample::service(&mut seen);
    service.running = 0;
    service.revisions = vec![sample::revision(1)];
    service.deployments[0].running = 0;
    service.deployments[0].failed = 5;
    assert_eq!(actions(&seen), [Action::SetParameter, Action::HealTasks]);
}

#[test]
fn what_was_not_seen_is_not_planned() {
    let mut seen = sample::healthy();
    seen.service = Part::error("no such service");
    seen.tasks = Part::error("no such service");
    seen.targets = Part::error("no such group");
    seen.health_check = Part::error("no such group");
    seen.secret = Part::error("no such secret");
    seen.database = Part::error("no credentials");
    assert_eq!(actions(&seen), []);
}

#[test]
fn the_plan_reads_well() {
    let mut seen = bad_image();
    seen.parameter = Part::Known(sample::parameter(r#"{"mode":"connection_leak","per_request":2}"#));
    sample::health_check(&mut seen).path = "/nowhere".into();
    sample::health_check(&mut seen).interval_s = 5;
    sample::service(&mut seen).desired = 1;
    sample::sessions(&mut seen).leaked = 12;
    sample::sessions(&mut seen).total = 17;
    sample::targets(&mut seen)[1].state = "unhealthy".into();
    insta::assert_snapshot!(crate::Event::Planned(plan(&seen, 2)), @r#"
    plan: 6 steps
      1. /golden/failure_mode: {"mode":"connection_leak","per_request":2} -> none (something is broken on purpose)
      2. target group health check: path /nowhere, interval 5 s -> path /healthz, interval 30 s (the balancer judges the targets by other rules than the lab's)
      3. task definition: golden:2 -> golden:1 (CannotPullContainerError: golden:nope: not found)
      4. desired count: 1 -> 2 (the service runs another number of tasks than the lab's)
      5. database sessions: 12 leaked, 0 forgotten in a transaction -> none leaked or forgotten (17 of 20 sessions are taken)
      6. tasks: 2 deployments are under way, task t2 is unhealthy at the balancer -> 2 in service (waited for; a new deployment is forced when they do not heal by themselves)
    "#);
}

#[test]
fn every_step_serializes_with_its_action() {
    let json = serde_json::to_value(plan(&bad_image(), 2)).expect("steps serialize");
    let expected_action = serde_json::json!({"roll_back": {"task_definition": sample::revision(1)}});
    assert_eq!(json[0]["action"], expected_action);
    assert_eq!(json[1]["action"], "heal_tasks");
    for field in ["what", "from", "to", "why"] {
        assert!(json[0][field].is_string(), "{field} is missing in {json}");
    }
}

#[test]
fn a_service_that_was_scaled_out_is_held_until_nobody_asks_for_more() {
    let mut seen = sample::healthy();
    sample::service(&mut seen).desired = 4;
    sample::scaling(&mut seen).pressing = vec!["golden-cpu".into()];
    let id = "service/golden/golden";
    assert_eq!(actions(&seen), [Action::HoldCapacity { resource_id: id.into(), count: 2 }, Action::HealTasks]);
    // Held.
    sample::service(&mut seen).desired = 2;
    sample::scaling(&mut seen).limits.maximum = 2;
    assert_eq!(actions(&seen), [], "the policy would scale out again");
    sample::scaling(&mut seen).pressing.clear();
    let limits = crate::observe::Limits::of_the_lab(2);
    assert_eq!(actions(&seen), [Action::RestoreScaling { resource_id: id.into(), limits }]);
}

#[test]
fn limits_that_somebody_changed_are_restored() {
    let spoil: [fn(&mut crate::observe::Limits); 4] = [
        |limits| limits.minimum = 0,
        |limits| limits.maximum = 100,
        |limits| limits.scale_in_suspended = true,
        |limits| limits.scale_out_suspended = true,
    ];
    for spoil in spoil {
        let mut seen = sample::healthy();
        spoil(&mut sample::scaling(&mut seen).limits);
        let limits = crate::observe::Limits::of_the_lab(2);
        let resource_id = "service/golden/golden".to_owned();
        assert_eq!(actions(&seen), [Action::RestoreScaling { resource_id, limits }]);
    }
}

#[test]
fn a_deployment_of_code_deploy_is_stopped_and_rolled_back() {
    let mut seen = sample::healthy();
    sample::service(&mut seen).code_deploy = Some("d-ABC123DEF".into());
    assert_eq!(actions(&seen), [Action::StopDeployment { id: "d-ABC123DEF".into() }]);
}
