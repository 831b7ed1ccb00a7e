//! What a span's attributes say, by their names in OpenTelemetry's semantic conventions, the old ones (`http.method`) and the new
//! (`http.request.method`).

use opentelemetry_proto::tonic::common::v1::KeyValue;

use super::value::{integer, text, texts};

/// The attributes that have a place of their own in a segment. The rest is metadata.
#[derive(Default)]
pub(super) struct Attributes<'a> {
    pub(super) method: Option<&'a str>,
    pub(super) status: Option<u16>,
    pub(super) url: Option<&'a str>,
    pub(super) scheme: Option<&'a str>,
    pub(super) path: Option<&'a str>,
    pub(super) query: Option<&'a str>,
    pub(super) host: Option<&'a str>,
    pub(super) port: Option<i64>,
    pub(super) client_ip: Option<&'a str>,
    pub(super) user_agent: Option<&'a str>,
    pub(super) content_length: Option<i64>,
    pub(super) is_aws: bool,
    pub(super) rpc_service: Option<&'a str>,
    pub(super) rpc_method: Option<&'a str>,
    pub(super) local_service: Option<&'a str>,
    pub(super) remote_service: Option<&'a str>,
    pub(super) operation: Option<&'a str>,
    pub(super) account: Option<&'a str>,
    pub(super) region: Option<&'a str>,
    pub(super) request_id: Option<&'a str>,
    pub(super) queue_url: Option<&'a str>,
    pub(super) table_name: Option<&'a str>,
    pub(super) bucket: Option<&'a str>,
    pub(super) db_system: Option<&'a str>,
    pub(super) db_name: Option<&'a str>,
    pub(super) db_query: Option<&'a str>,
    pub(super) db_user: Option<&'a str>,
    pub(super) db_connection: Option<&'a str>,
    pub(super) error_type: Option<&'a str>,
    pub(super) user: Option<&'a str>,
    pub(super) annotated: Vec<&'a str>,
    pub(super) rest: Vec<&'a KeyValue>,
}

impl<'a> Attributes<'a> {
    pub(super) fn of(attributes: &'a [KeyValue]) -> Self {
        let mut all = Self::default();
        for attribute in attributes {
            all.take(attribute);
        }
        all
    }

    fn take(&mut self, attribute: &'a KeyValue) {
        let value = attribute.value.as_ref();
        let place = match attribute.key.as_str() {
            "http.request.method" | "http.method" => &mut self.method,
            "url.full" | "http.url" => &mut self.url,
            "url.scheme" | "http.scheme" => &mut self.scheme,
            "url.path" | "http.target" => &mut self.path,
            "url.query" => &mut self.query,
            "server.address" | "http.host" | "net.host.name" | "net.peer.name" => &mut self.host,
            "client.address" | "http.client_ip" => &mut self.client_ip,
            "user_agent.original" | "http.user_agent" => &mut self.user_agent,
            "rpc.service" | "aws.service" => &mut self.rpc_service,
            "peer.service" | "aws.remote.service" => &mut self.remote_service,
            "rpc.method" => &mut self.rpc_method,
            "aws.local.service" => &mut self.local_service,
            "aws.operation" => &mut self.operation,
            "aws.account_id" => &mut self.account,
            "aws.region" => &mut self.region,
            "aws.request_id" | "aws.requestId" => &mut self.request_id,
            "aws.queue_url" | "aws.queue.url" => &mut self.queue_url,
            "aws.table_name" | "aws.table.name" => &mut self.table_name,
            "aws.s3.bucket" => &mut self.bucket,
            "db.system.name" | "db.system" => &mut self.db_system,
            "db.namespace" | "db.name" => &mut self.db_name,
            "db.query.text" | "db.statement" => &mut self.db_query,
            "db.user" => &mut self.db_user,
            "db.connection_string" => &mut self.db_connection,
            "error.type" => &mut self.error_type,
            "enduser.id" | "user.id" => &mut self.user,
            "http.response.status_code" | "http.status_code" => {
                self.status = integer(value).and_then(|status| u16::try_from(status).ok());
                return;
            }
            "http.response.body.size" | "http.response_content_length" => {
                self.content_length = integer(value);
                return;
            }
            "server.port" | "net.host.port" | "net.peer.port" => {
                self.port = integer(value);
                return;
            }
            "rpc.system" | "rpc.system.name" if text(value) == Some("aws-api") => {
                self.is_aws = true;
                return;
            }
            "aws.xray.annotations" => {
                self.annotated = texts(value);
                return;
            }
            _ => {
                self.rest.push(attribute);
                return;
            }
        };
        match text(value) {
            Some(text) => *place = Some(text),
            None => self.rest.push(attribute),
        }
    }

    /// Whether anything of a request over HTTP is said.
    pub(super) fn is_http(&self) -> bool {
        self.method.is_some() || self.status.is_some() || self.url.is_some() || self.path.is_some()
    }

    /// Whether it is about an SQL database (the semantic conventions' names of relational systems).
    pub(super) fn is_sql(&self) -> bool {
        const SQL: [&str; 14] = [
            "postgresql",
            "mysql",
            "mariadb",
            "sqlite",
            "mssql",
            "microsoft.sql_server",
            "oracle",
            "oracle.db",
            "db2",
            "ibm.db2",
            "derby",
            "hive",
            "teradata",
            "other_sql",
        ];
        self.db_system.is_some_and(|system| SQL.contains(&system))
    }

    /// The AWS service that is called: `rpc.service`, or what stands before the slash in `rpc.method`.
    pub(super) fn aws_service(&self) -> Option<&'a str> {
        let of_method = || self.rpc_method.and_then(|method| method.split_once('/')).map(|(service, _)| service);
        self.rpc_service.or_else(of_method).filter(|_| self.is_aws)
    }

    /// Its operation: `aws.operation`, or `rpc.method` without what stands before the slash.
    pub(super) fn aws_operation(&self) -> Option<&'a str> {
        let of_method = || self.rpc_method.map(|method| method.split_once('/').map_or(method, |(_, name)| name));
        self.operation.or_else(of_method)
    }
}
