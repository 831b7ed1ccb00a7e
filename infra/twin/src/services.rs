//! All services, and who knows whom.

use std::{net::Ipv4Addr, path::PathBuf, sync::Arc};

use tokio_util::sync::CancellationToken;
use twin_autoscaling::AutoScaling;
use twin_cloudwatch::CloudWatch;
use twin_codedeploy::{CodeDeploy, Neighbours};
use twin_database::{Database, Rds, SecretsManager};
use twin_ecs::Ecs;
use twin_elbv2::Elbv2;
use twin_iam::Iam;
use twin_logs::Logs;
use twin_messaging::{Sns, Sqs};
use twin_platform::{Account, Service, Spawner, Speed};
use twin_waf::Waf;
use twin_xray::XRay;

use crate::{
    access_logs,
    alarm_actions::Actions,
    faults::Faults,
    metrics::{self, Requests},
    parameters,
    permission::Permission,
    requests::Watchers,
    s3::S3,
    secret_values::Values,
    sts::Sts,
};

/// What the services are made from.
pub(crate) struct Settings {
    pub(crate) account: Account,
    pub(crate) speed: Speed,
    pub(crate) spawner: Spawner,
    /// The twin's own address, as tasks reach it.
    pub(crate) endpoint: String,
    pub(crate) images: Vec<(String, PathBuf)>,
    /// Scratch folders of the tasks.
    pub(crate) scratch: PathBuf,
    pub(crate) database: Arc<Database>,
}

/// All services.
pub(crate) struct Services {
    /// By SigV4 scope. **The routing table**: a service is reachable when it is here.
    table: Vec<(&'static str, Arc<dyn Service>)>,
    /// Ends what runs beside the services.
    stop: CancellationToken,
    ecs: Arc<Ecs>,
    elbv2: Arc<Elbv2>,
    database: Arc<Database>,
    xray: Arc<XRay>,
    permission: Permission,
    faults: Faults,
}

impl Services {
    pub(crate) fn new(settings: Settings) -> Self {
        let Settings { account, speed, spawner, endpoint, images, scratch, database } = settings;
        let logs = Logs::new(account.clone());
        let iam = Iam::new(account.clone());
        let elbv2 = Elbv2::new(account.clone(), speed, Ipv4Addr::LOCALHOST);
        let parameters = parameters::service(&account);
        let secrets = SecretsManager::new(account.clone(), database.clone());
        let values = Arc::new(Values::new(account.clone(), secrets.clone(), parameters.clone(), iam.clone()));
        let queues = Sqs::new(account.clone(), endpoint.clone());
        let topics = Sns::new(account.clone(), speed, endpoint.clone(), queues.clone());
        let actions = Arc::new(Actions::new(topics.clone()));
        let cloudwatch = CloudWatch::new(account.clone(), speed, actions.clone());
        logs.set_metrics(cloudwatch.clone(), speed);
        let xray = XRay::new(account.clone());
        let s3 = Arc::new(S3::new(&account));
        let ecs_settings = twin_ecs::Settings {
            account: account.clone(),
            speed,
            spawner,
            endpoint,
            images,
            scratch,
            roles: iam.clone(),
        };
        let ecs = Ecs::new(ecs_settings, elbv2.clone(), logs.clone(), values, cloudwatch.clone());
        let scaling = AutoScaling::new(account.clone(), speed, ecs.clone(), cloudwatch.clone());
        actions.set_scaling(&scaling);
        let (stop, requests) = (CancellationToken::new(), Arc::new(Requests::default()));
        elbv2.set_observer(Arc::new(Watchers::new(requests.clone(), xray.clone())));
        let waf = Waf::new(account.clone(), speed, elbv2.clone());
        elbv2.set_filter(waf.clone());
        access_logs::deliver(&elbv2, s3.clone(), account.clone(), speed, stop.clone());
        let sources = metrics::Sources {
            requests,
            elbv2: elbv2.clone(),
            ecs: ecs.clone(),
            database: database.clone(),
            queues: queues.clone(),
            waf: waf.clone(),
            sink: cloudwatch.clone(),
            speed,
        };
        metrics::emit(sources, &stop);
        tokio::spawn(stop.clone().run_until_cancelled_owned(cloudwatch.clone().evaluate_forever()));
        tokio::spawn(stop.clone().run_until_cancelled_owned(scaling.clone().follow_forever()));
        let permission = Permission::new(account.clone(), ecs.clone(), iam.clone(), secrets.clone());
        let neighbours =
            Neighbours { ecs: ecs.clone(), routes: elbv2.clone(), monitoring: cloudwatch.clone(), s3: s3.clone() };
        let table: Vec<(&'static str, Arc<dyn Service>)> = vec![
            ("application-autoscaling", scaling),
            ("codedeploy", CodeDeploy::new(account.clone(), speed, neighbours)),
            ("ecs", ecs.clone()),
            ("elasticloadbalancing", elbv2.clone()),
            ("iam", iam.clone()),
            ("logs", logs),
            ("monitoring", cloudwatch),
            ("rds", Rds::new(account.clone(), database.clone())),
            ("s3", s3),
            ("secretsmanager", secrets),
            ("sns", topics),
            ("sqs", queues),
            ("ssm", parameters),
            ("sts", Arc::new(Sts::new(account, ecs.clone(), iam))),
            ("wafv2", waf),
            ("xray", xray.clone()),
        ];
        Self { table, stop, ecs, elbv2, database, xray, permission, faults: Faults::default() }
    }

    /// The service with this SigV4 scope.
    pub(crate) fn get(&self, scope: &str) -> Option<&Arc<dyn Service>> {
        self.table.iter().find(|(known, _)| *known == scope).map(|(_, service)| service)
    }

    /// The scopes that are answered.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &'static str> {
        self.table.iter().map(|(scope, _)| *scope)
    }

    pub(crate) fn ecs(&self) -> &Arc<Ecs> {
        &self.ecs
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(crate) fn permission(&self) -> &Permission {
        &self.permission
    }

    pub(crate) fn xray(&self) -> &Arc<XRay> {
        &self.xray
    }

    /// Ends the tasks, then the balancer. The database is ended by whoever started it.
    pub(crate) async fn shutdown(&self) {
        self.ecs.shutdown().await;
        self.elbv2.shutdown().await;
        self.stop.cancel();
    }
}
