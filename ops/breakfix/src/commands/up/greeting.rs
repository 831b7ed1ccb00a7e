//! What `up` says when the lab is up: the addresses and what to try.

use std::time::Duration;

use super::Started;
use crate::{commands::own_name, lab::StateDir, output};

pub(crate) fn print(started: &Started, state_dir: &StateDir, took: Duration) {
    output::say(text(started, state_dir, took, own_name()));
}

fn text(started: &Started, state_dir: &StateDir, took: Duration, name: &str) -> String {
    let (ready, created) = (&started.ready, &started.created);
    let (url, database) = (&created.alb_url, &ready.database);
    let (status, broken) = (format!("{name} status"), format!("{name} break return_500"));
    let width = broken.chars().count().max(27);
    format!(
        "The lab is up: all targets healthy and /db good after {took:.1} s (the platform's waiting runs {speed}x).\n\n  \
         balancer  {url}/\n  \
         AWS API   {endpoint} (account {account}, {region})\n  \
         database  {host}:{port}/{dbname} (credentials in the secret {secret})\n  \
         state     {state}, log in twin.log\n\n\
         Things to try in another terminal:\n  \
         {status:width$}  # who runs, who is healthy\n  \
         {broken:width$}  # then: curl -i {url}/\n  \
         {repair:width$}  # back to healthy, verified\n  \
         eval \"$({name} env)\" && aws ecs describe-services --cluster $CLUSTER --services $SERVICE",
        repair = format!("{name} reset"),
        took = took.as_secs_f64(),
        speed = ready.speed,
        endpoint = ready.endpoint,
        account = ready.account_id,
        region = ready.region,
        host = database.host,
        port = database.port,
        dbname = database.dbname,
        secret = contract::names::resource::DB_SECRET,
        state = state_dir.path().display(),
    )
}
