//! Where the log-in comes from: Secrets Manager while running, or the environment once.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use contract::{DatabaseSecret, ErrorType, InvalidSecret};
use tokio::sync::Mutex;

use crate::{
    aws::{Clients, Cuts, describe},
    config::{Config, CredentialsSource, Hidden},
    telemetry::{aws_span, traced},
};

/// Two reads of the secret are at least this far apart: a database that refuses everybody must not become a storm on
/// Secrets Manager.
const MIN_INTERVAL: Duration = Duration::from_millis(250);

/// Address and account.
pub(crate) struct Login {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
    pub(crate) username: String,
    pub(crate) password: String,
    /// The secret's version; empty when no secret was read.
    version: String,
}

/// No usable credentials. The text never holds a value of the secret.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Neither a secret nor a host is named.
    #[error("no database is configured; set DB_SECRET_ARN")]
    NotConfigured,
    /// Secrets Manager did not give it.
    #[error("Secrets Manager did not give the database secret: {0}")]
    Unavailable(String),
    /// It gave something else.
    #[error(transparent)]
    Invalid(#[from] InvalidSecret),
}

impl CredentialsError {
    /// The kind, as the log line knows it.
    pub fn error_type(&self) -> ErrorType {
        match self {
            Self::NotConfigured | Self::Unavailable(_) => ErrorType::SecretUnavailable,
            Self::Invalid(_) => ErrorType::SecretInvalid,
        }
    }
}

/// The credentials of this task.
pub(crate) struct Credentials {
    source: CredentialsSource,
    account: Option<(String, Hidden)>,
    address: Option<(String, u16, String)>,
    secret: Option<String>,
    clients: Arc<Clients>,
    cuts: Arc<Cuts>,
    current: ArcSwapOption<Login>,
    at_start: OnceLock<Arc<Login>>,
    last: Mutex<Option<LastRead>>,
}

/// When the secret was read last, and what came of it.
struct LastRead {
    at: Instant,
    /// Whether it was made because the database had refused the log-in before it.
    after_refusal: bool,
    result: Result<Arc<Login>, CredentialsError>,
}

impl Credentials {
    pub(super) fn new(config: &Config, clients: Arc<Clients>, cuts: Arc<Cuts>) -> Self {
        let from_env = config.db_credentials == CredentialsSource::Env;
        Self {
            source: config.db_credentials,
            account: config.db_username.clone().zip(config.db_password.clone()).filter(|_| from_env),
            address: config
                .db_host
                .clone()
                .map(|host| (host, config.db_port, config.db_name.clone()))
                .filter(|_| from_env),
            secret: config.secret().map(Into::into),
            clients,
            cuts,
            current: ArcSwapOption::empty(),
            at_start: OnceLock::new(),
            last: Mutex::new(None),
        }
    }

    /// Whether reading again can help: the environment never changes.
    pub(super) fn can_be_read_again(&self) -> bool {
        self.source == CredentialsSource::Runtime
    }

    /// Version of the secret in use.
    pub(super) fn version(&self) -> Option<String> {
        self.current.load().as_ref().map(|login| login.version.clone())
    }

    /// The log-in in use; read first when there is none yet.
    pub(super) async fn current(&self) -> Result<Arc<Login>, CredentialsError> {
        match self.current.load_full() {
            Some(login) => Ok(login),
            None => self.read().await,
        }
    }

    /// The log-in that was read first in this process.
    pub(super) async fn at_start(&self) -> Result<Arc<Login>, CredentialsError> {
        match self.at_start.get() {
            Some(login) => Ok(Arc::clone(login)),
            None => self.read().await,
        }
    }

    /// Another log-in than the one that was refused, if the secret has changed.
    pub(super) async fn read_again(&self, refused: &Login) -> Result<Arc<Login>, CredentialsError> {
        match self.current.load_full() {
            Some(login) if login.version != refused.version => Ok(login),
            _ => self.read_for(true).await,
        }
    }

    /// Reads the secret; callers at the same time share one read.
    pub(super) async fn read(&self) -> Result<Arc<Login>, CredentialsError> {
        self.read_for(false).await
    }

    async fn read_for(&self, after_refusal: bool) -> Result<Arc<Login>, CredentialsError> {
        let mut last = self.last.lock().await;
        // What was read before the refusal is what was refused: only another caller's read after one will do.
        if let Some(read) = &*last
            && read.at.elapsed() < MIN_INTERVAL
            && (read.after_refusal || !after_refusal)
        {
            return read.result.clone();
        }
        let result = self.fetch().await.map(Arc::new);
        if let Ok(login) = &result {
            self.current.store(Some(Arc::clone(login)));
            let _ = self.at_start.set(Arc::clone(login));
        }
        *last = Some(LastRead { at: Instant::now(), after_refusal, result: result.clone() });
        result
    }

    async fn fetch(&self) -> Result<Login, CredentialsError> {
        let (username, password) = match &self.account {
            Some((username, password)) => (Some(username.clone()), Some(password.reveal().to_owned())),
            None => (None, None),
        };
        if let (Some((host, port, database)), Some(username), Some(password)) = (&self.address, &username, &password) {
            return Ok(Login {
                host: host.clone(),
                port: *port,
                database: database.clone(),
                username: username.clone(),
                password: password.clone(),
                version: String::new(),
            });
        }
        let secret_id = self.secret.as_deref().ok_or(CredentialsError::NotConfigured)?;
        let call = async {
            let call = self.clients.secrets(&self.cuts).get_secret_value().secret_id(secret_id).send();
            call.await.map_err(|error| CredentialsError::Unavailable(describe(&error)))
        };
        let output = traced(aws_span("SecretsManager/GetSecretValue"), call).await?;
        let text =
            output.secret_string.ok_or_else(|| CredentialsError::Unavailable("the secret holds no text".into()))?;
        let secret = DatabaseSecret::parse(&text)?;
        Ok(Login {
            host: secret.host,
            port: secret.port,
            database: secret.dbname,
            username: username.unwrap_or(secret.username),
            password: password.unwrap_or(secret.password),
            version: output.version_id.unwrap_or_default(),
        })
    }
}
