//! Amazon RDS in front of the one real PostgreSQL: query protocol, version 2014-10-31.
//!
//! Imitates DescribeDBInstances, DescribeDBClusters, DescribeEvents, RebootDBInstance, StopDBInstance, StartDBInstance.
//! Everything described is asked from, or was given to, the running server.

mod describe;
mod events;
mod xml;

use std::{collections::HashMap, future::Future, pin::Pin, sync::Arc};

use twin_platform::{Account, AwsError, Request, Response, Service};

use crate::{Database, IDENTIFIER};

/// The service with SigV4 scope `rds`.
pub struct Rds {
    account: Account,
    database: Arc<Database>,
}

type Parameters = HashMap<String, String>;

impl Rds {
    /// RDS for this database.
    pub fn new(account: Account, database: Arc<Database>) -> Arc<Self> {
        Arc::new(Self { account, database })
    }

    async fn answer(&self, parameters: &Parameters) -> Result<String, AwsError> {
        let action = parameters.get("Action").map(String::as_str).unwrap_or_default();
        match action {
            "DescribeDBInstances" => self.describe_instances(parameters),
            "DescribeDBClusters" => self.describe_clusters(parameters),
            "DescribeEvents" => self.describe_events(parameters),
            "RebootDBInstance" => self.change(parameters, "available", self.database.reboot()).await,
            "StopDBInstance" => self.change(parameters, "available", self.database.stop()).await,
            "StartDBInstance" => self.change(parameters, "stopped", self.database.start_again()).await,
            "" => Err(AwsError::client("MissingAction", "The request must contain the parameter Action.")),
            other => Err(AwsError::not_implemented("rds", other)),
        }
        .map(|result| xml::envelope(action, &result))
    }

    /// Reboot, stop and start: accepted only in the right state, and answered with the instance as it is from then on.
    async fn change(
        &self,
        parameters: &Parameters,
        wanted: &str,
        order: impl Future<Output = bool>,
    ) -> Result<String, AwsError> {
        match parameters.get("DBInstanceIdentifier") {
            None => return Err(missing("DBInstanceIdentifier")),
            Some(identifier) if !is_ours(identifier) => return Err(no_instance(identifier)),
            Some(_) => {}
        }
        for refused in ["ForceFailover", "DBSnapshotIdentifier"] {
            if parameters.get(refused).is_some_and(|value| value != "false") {
                return Err(AwsError::client(
                    "InvalidParameterCombination",
                    format!("{refused} is not imitated: the instance has neither a standby nor snapshots"),
                ));
            }
        }
        if order.await {
            Ok(self.instance())
        } else {
            let message = format!("Instance {IDENTIFIER} is not in {wanted} state.");
            Err(AwsError::client("InvalidDBInstanceState", message))
        }
    }
}

/// Identifiers are stored in lower case and compared without regard to it.
fn is_ours(identifier: &str) -> bool {
    identifier.eq_ignore_ascii_case(IDENTIFIER)
}

fn no_instance(identifier: &str) -> AwsError {
    AwsError { status: 404, code: "DBInstanceNotFound".into(), message: format!("DBInstance {identifier} not found.") }
}

fn missing(parameter: &str) -> AwsError {
    AwsError::client("MissingParameter", format!("The request must contain the parameter {parameter}."))
}

impl Service for Rds {
    fn service_name(&self) -> &str {
        "rds"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"https?://rds\..*\.amazonaws\.com"]
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move {
            let mut text = winterbaume_core::extract_query_string(&request.uri).to_owned();
            text.push('&');
            text.push_str(&String::from_utf8_lossy(&request.body));
            let parameters = winterbaume_core::parse_query_string(&text);
            match self.answer(&parameters).await {
                Ok(body) => Response::xml(200, body),
                Err(error) => error.xml(),
            }
        })
    }
}
