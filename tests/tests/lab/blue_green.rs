//! ECS's own blue/green deployments of the lab's service under load: one that succeeds, and every way back.

use serde_json::{Value, json};
use tests::{Lab, Traffic, until};

/// Seconds in which anything here is over at the default speed.
const PATIENCE_S: u64 = 90;
/// The deployment of two tasks, without the bake time.
const DEPLOYMENT_S: f64 = 15.0;

/// The lab's service, moved to blue/green.
struct BlueGreen {
    lab: Lab,
    green: String,
    rule: String,
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

impl BlueGreen {
    /// A second target group behind the production listener, and the service told to take turns between the two.
    fn start() -> Self {
        let lab = Lab::up();
        let blue = lab.name("TARGET_GROUP_ARN").to_owned();
        let described = lab.aws(&["elbv2", "describe-target-groups", "--target-group-arns", &blue]);
        let model = &described["TargetGroups"][0];
        let made = lab.aws(&[
            "elbv2",
            "create-target-group",
            "--name",
            "golden-other",
            "--protocol",
            "HTTP",
            "--port",
            "8080",
            "--target-type",
            "ip",
            "--vpc-id",
            model["VpcId"].as_str().expect("a network"),
            "--health-check-path",
            model["HealthCheckPath"].as_str().expect("a path"),
            "--health-check-interval-seconds",
            &model["HealthCheckIntervalSeconds"].to_string(),
            "--healthy-threshold-count",
            &model["HealthyThresholdCount"].to_string(),
            "--unhealthy-threshold-count",
            &model["UnhealthyThresholdCount"].to_string(),
        ]);
        let green = text(&made["TargetGroups"][0]["TargetGroupArn"]);
        let balancer = text(&model["LoadBalancerArns"][0]);
        let listeners = lab.aws(&["elbv2", "describe-listeners", "--load-balancer-arn", &balancer]);
        let listener = text(&listeners["Listeners"][0]["ListenerArn"]);
        let both = json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": [
            { "TargetGroupArn": blue, "Weight": 100 }, { "TargetGroupArn": green, "Weight": 0 },
        ] } }]);
        lab.aws(&["elbv2", "modify-listener", "--listener-arn", &listener, "--default-actions", &both.to_string()]);
        let rules = lab.aws(&["elbv2", "describe-rules", "--listener-arn", &listener]);
        let default = rules["Rules"].as_array().and_then(|all| all.iter().find(|rule| rule["IsDefault"] == true));
        let rule = text(&default.expect("a listener has a default rule")["RuleArn"]);
        let alarm = ["cloudwatch", "put-metric-alarm", "--alarm-name", "blue-green", "--namespace", "Test"];
        let metric = ["--metric-name", "Errors", "--statistic", "Sum", "--period", "60", "--evaluation-periods", "1"];
        let when =
            ["--threshold", "1", "--comparison-operator", "GreaterThanThreshold", "--treat-missing-data", "ignore"];
        lab.aws(&[&alarm[..], &metric, &when].concat());
        let this = Self { lab, green, rule };
        let balancers = this.balancers();
        this.lab.deploy(&["--deployment-configuration", &configuration(1), "--load-balancers", &balancers.to_string()]);
        this.lab.until_deployed();
        assert_eq!(this.newest()["status"], "SUCCESSFUL");
        this
    }

    fn balancers(&self) -> Value {
        json!([{
            "targetGroupArn": self.lab.name("TARGET_GROUP_ARN"),
            "containerName": self.lab.service()["loadBalancers"][0]["containerName"],
            "containerPort": self.lab.service()["loadBalancers"][0]["containerPort"],
            "advancedConfiguration": {
                "alternateTargetGroupArn": self.green,
                "productionListenerRule": self.rule,
                "roleArn": "arn:aws:iam::123456789012:role/ecsInfrastructureRole",
            },
        }])
    }

    /// The newest service deployment.
    fn newest(&self) -> Value {
        let (cluster, service) = (self.lab.name("CLUSTER"), self.lab.name("SERVICE"));
        let listed = self.lab.aws(&["ecs", "list-service-deployments", "--cluster", cluster, "--service", service]);
        let arn = text(&listed["serviceDeployments"][0]["serviceDeploymentArn"]);
        self.lab.aws(&["ecs", "describe-service-deployments", "--service-deployment-arns", &arn])["serviceDeployments"]
            [0]
        .clone()
    }

    fn until_newest(&self, name: &str, wanted: &str) -> Value {
        until(&format!("the service deployment's {name} is {wanted}"), PATIENCE_S, || {
            let newest = self.newest();
            if newest[name] == wanted { Ok(newest) } else { Err(newest) }
        })
    }

    /// The weight of each target group at the production rule.
    fn weights(&self) -> Value {
        let described = self.lab.aws(&["elbv2", "describe-rules", "--rule-arns", &self.rule]);
        described["Rules"][0]["Actions"][0]["ForwardConfig"]["TargetGroups"].clone()
    }

    /// The task definition that a rollback must have come back to, with all of the traffic.
    fn assert_back(&self, good: &Value, weights: &Value) {
        let rolled_back = self.until_newest("status", "ROLLBACK_SUCCESSFUL");
        assert!(
            rolled_back["statusReason"]
                .as_str()
                .is_some_and(|it| it.starts_with("Service deployment rolled back because")),
            "{rolled_back}"
        );
        let service = self.lab.service();
        assert_eq!((&service["taskDefinition"], &service["runningCount"]), (good, &json!(2)));
        let of = |weights: &Value| {
            let groups = weights.as_array().into_iter().flatten();
            groups.filter(|it| it["Weight"] != 0).map(|it| it["TargetGroupArn"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(of(&self.weights()), of(weights));
    }
}

fn configuration(bake_minutes: u32) -> String {
    json!({
        "strategy": "BLUE_GREEN", "bakeTimeInMinutes": bake_minutes,
        "deploymentCircuitBreaker": { "enable": true, "rollback": true },
        "alarms": { "alarmNames": ["blue-green"], "enable": true, "rollback": true },
    })
    .to_string()
}

#[test]
fn a_good_revision_takes_over_under_load_and_drops_no_request() {
    let this = BlueGreen::start();
    this.lab.assert_served_by(&this.green);
    let before = this.weights();
    // Only what a task with a quarter of a CPU answers at this rate on a busy machine: it sheds `/work` by itself.
    let traffic = Traffic::start(this.lab.name("ALB_URL"), 200.0, &["/"]);
    let new = this.lab.revision_with(&[("COLOUR", "green")]);
    this.lab.deploy(&["--task-definition", &new]);
    let (cluster, service) = (this.lab.name("CLUSTER"), this.lab.name("SERVICE"));
    this.lab.aws(&["ecs", "wait", "services-stable", "--cluster", cluster, "--services", service]);
    let done = this.until_newest("status", "SUCCESSFUL");
    let summary = traffic.end();
    assert_eq!((summary.failed, summary.shed), (0, 0), "{summary:?}");
    let seconds = done["finishedAt"].as_f64().zip(done["startedAt"].as_f64()).map(|(end, start)| end - start);
    eprintln!("{} requests, deployed in {seconds:?} s", summary.finished);
    assert!(seconds.is_none_or(|it| it < DEPLOYMENT_S + 6.0), "{seconds:?} s with a bake time of 6 s");
    assert_ne!(this.weights(), before);
    assert_eq!(this.lab.service()["taskDefinition"], json!(new));
    this.lab.assert_served_by(this.lab.name("TARGET_GROUP_ARN"));
}

#[test]
fn a_bad_image_and_tasks_that_are_never_healthy_roll_back_by_themselves() {
    let this = BlueGreen::start();
    let (good, weights) = (this.lab.service()["taskDefinition"].clone(), this.weights());
    let traffic = Traffic::start(this.lab.name("ALB_URL"), 200.0, &["/"]);
    let bad_image = this.lab.revision(|container| container["image"] = json!("golden:no-such-tag"));
    this.lab.deploy(&["--task-definition", &bad_image]);
    this.assert_back(&good, &weights);
    let unhealthy = this.lab.revision(|container| {
        container["healthCheck"] =
            json!({ "command": ["CMD", "false"], "interval": 5, "timeout": 2, "retries": 1, "startPeriod": 0 });
    });
    this.lab.deploy(&["--task-definition", &unhealthy]);
    this.assert_back(&good, &weights);
    let summary = traffic.end();
    assert_eq!((summary.failed, summary.shed), (0, 0), "{summary:?}");
}

#[test]
fn an_alarm_and_a_person_stop_a_deployment_that_already_serves() {
    let this = BlueGreen::start();
    let (good, weights) = (this.lab.service()["taskDefinition"].clone(), this.weights());
    let traffic = Traffic::start(this.lab.name("ALB_URL"), 200.0, &["/"]);
    this.lab.deploy(&["--deployment-configuration", &configuration(30)]);
    this.lab.redeploy();
    this.until_newest("lifecycleStage", "BAKE_TIME");
    let state = |value: &str| {
        let alarm = ["cloudwatch", "set-alarm-state", "--alarm-name", "blue-green", "--state-reason", "a test"];
        this.lab.aws(&[&alarm[..], &["--state-value", value]].concat());
    };
    state("ALARM");
    this.assert_back(&good, &weights);
    state("OK");
    this.lab.redeploy();
    let baking = this.until_newest("lifecycleStage", "BAKE_TIME");
    let arn = text(&baking["serviceDeploymentArn"]);
    this.lab.aws(&["ecs", "stop-service-deployment", "--service-deployment-arn", &arn, "--stop-type", "ROLLBACK"]);
    this.assert_back(&good, &weights);
    let summary = traffic.end();
    assert_eq!((summary.failed, summary.shed), (0, 0), "{summary:?}");
}
