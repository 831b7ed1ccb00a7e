//! DescribeDBInstances and DescribeDBClusters.

use time::format_description::well_known::Rfc3339;
use twin_platform::AwsError;

use super::{Parameters, Rds, is_ours, no_instance, xml};
use crate::{APPLICATION, IDENTIFIER, MASTER};

/// The smallest class of the burstable family, as the lab's AWS twin has it. Nothing here limits the server to its size.
const CLASS: &str = "db.t3.micro";
/// GiB; the least that RDS takes for PostgreSQL.
const STORAGE: &str = "20";

impl Rds {
    pub(super) fn describe_instances(&self, parameters: &Parameters) -> Result<String, AwsError> {
        let identifier = parameters.get("DBInstanceIdentifier");
        if let Some(other) = identifier.filter(|identifier| !is_ours(identifier)) {
            return Err(no_instance(other));
        }
        let shown = passes_filters(
            parameters,
            &[("db-instance-id", IDENTIFIER), ("db-cluster-id", IDENTIFIER), ("engine", "postgres")],
        )?;
        Ok(xml::around("DBInstances", &if shown { self.instance() } else { String::new() }))
    }

    pub(super) fn describe_clusters(&self, parameters: &Parameters) -> Result<String, AwsError> {
        if let Some(other) = parameters.get("DBClusterIdentifier").filter(|identifier| !is_ours(identifier)) {
            let message = format!("DBCluster {other} not found.");
            return Err(AwsError { status: 404, code: "DBClusterNotFoundFault".into(), message });
        }
        let shown = passes_filters(parameters, &[("db-cluster-id", IDENTIFIER), ("engine", "postgres")])?;
        Ok(xml::around("DBClusters", &if shown { self.cluster() } else { String::new() }))
    }

    /// `<DBInstance>` as it is now.
    pub(super) fn instance(&self) -> String {
        let (host, port) = self.database.address();
        let port = port.to_string();
        let created = self.created();
        let mut inner = xml::elements(&[
            ("DBInstanceIdentifier", IDENTIFIER),
            ("DBInstanceClass", CLASS),
            ("Engine", "postgres"),
            ("EngineVersion", self.database.version()),
            ("DBInstanceStatus", self.database.status().word()),
            ("MasterUsername", MASTER),
            ("DBName", APPLICATION),
            ("AllocatedStorage", STORAGE),
            ("StorageType", "gp3"),
            ("StorageEncrypted", "false"),
            ("InstanceCreateTime", &created),
            ("AvailabilityZone", &self.account.availability_zone(0)),
            ("MultiAZ", "false"),
            ("PubliclyAccessible", "false"),
            ("BackupRetentionPeriod", "0"),
            ("AutoMinorVersionUpgrade", "false"),
            ("DeletionProtection", "false"),
            ("IAMDatabaseAuthenticationEnabled", "false"),
            ("PerformanceInsightsEnabled", "false"),
            ("LicenseModel", "postgresql-license"),
            ("DbInstancePort", "0"),
            ("DBInstanceArn", &self.account.arn("rds", &format!("db:{IDENTIFIER}"))),
        ]);
        inner += &xml::around("Endpoint", &xml::elements(&[("Address", host), ("Port", &port)]));
        inner += "<DBSecurityGroups/><VpcSecurityGroups/><PendingModifiedValues/><ReadReplicaDBInstanceIdentifiers/><TagList/>";
        xml::around("DBInstance", &inner)
    }

    fn cluster(&self) -> String {
        let (host, port) = self.database.address();
        let (port, created) = (port.to_string(), self.created());
        let mut inner = xml::elements(&[
            ("DBClusterIdentifier", IDENTIFIER),
            ("Engine", "postgres"),
            ("EngineVersion", self.database.version()),
            ("Status", self.database.status().word()),
            ("Endpoint", host),
            ("Port", &port),
            ("MasterUsername", MASTER),
            ("DatabaseName", APPLICATION),
            ("AllocatedStorage", STORAGE),
            ("DBClusterInstanceClass", CLASS),
            ("ClusterCreateTime", &created),
            ("MultiAZ", "false"),
            ("StorageEncrypted", "false"),
            ("DeletionProtection", "false"),
            ("BackupRetentionPeriod", "0"),
            ("DBClusterArn", &self.account.arn("rds", &format!("cluster:{IDENTIFIER}"))),
        ]);
        let member =
            xml::elements(&[("DBInstanceIdentifier", IDENTIFIER), ("IsClusterWriter", "true"), ("PromotionTier", "1")]);
        inner += &xml::around("DBClusterMembers", &xml::around("DBClusterMember", &member));
        inner +=
            &xml::around("AvailabilityZones", &xml::element("AvailabilityZone", self.account.availability_zone(0)));
        inner += "<VpcSecurityGroups/><ReadReplicaIdentifiers/><AssociatedRoles/><TagList/>";
        xml::around("DBCluster", &inner)
    }

    fn created(&self) -> String {
        // A time of this century always has an RFC 3339 form.
        self.database.created_at().format(&Rfc3339).unwrap_or_default()
    }
}

/// Whether the one resource passes `Filters.Filter.N.Name` / `.Values.Value.M`. A filter that is not known here is refused,
/// because ignoring it would show what the caller did not ask for.
fn passes_filters(parameters: &Parameters, known: &[(&str, &str)]) -> Result<bool, AwsError> {
    for number in 1.. {
        let Some(name) = parameters.get(&format!("Filters.Filter.{number}.Name")) else { break };
        let Some((_, own)) = known.iter().find(|(filter, _)| filter == name) else {
            return Err(AwsError::client("InvalidParameterValue", format!("Unrecognized filter name: {name}")));
        };
        let prefix = format!("Filters.Filter.{number}.Values.Value.");
        let mut values = parameters.iter().filter(|(key, _)| key.starts_with(&prefix)).map(|(_, value)| value);
        // Both the identifier and its ARN name a resource.
        if !values.any(|value| value.rsplit(':').next().is_some_and(|value| value.eq_ignore_ascii_case(own))) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_select_by_identifier_or_arn_and_unknown_ones_are_refused() {
        let filter = |name: &str, value: &str| {
            Parameters::from([
                ("Filters.Filter.1.Name".into(), name.to_owned()),
                ("Filters.Filter.1.Values.Value.1".into(), value.to_owned()),
            ])
        };
        let known = [("db-instance-id", "golden-db")];
        assert_eq!(passes_filters(&Parameters::new(), &known), Ok(true));
        assert_eq!(passes_filters(&filter("db-instance-id", "golden-db"), &known), Ok(true));
        assert_eq!(passes_filters(&filter("db-instance-id", "arn:aws:rds:r:1:db:golden-db"), &known), Ok(true));
        assert_eq!(passes_filters(&filter("db-instance-id", "other"), &known), Ok(false));
        assert!(passes_filters(&filter("colour", "red"), &known).is_err());
    }
}
