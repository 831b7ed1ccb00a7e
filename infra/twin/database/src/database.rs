//! The handle on the database that the rest of the twin holds.

use std::{
    collections::VecDeque,
    net::Ipv4Addr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};
use twin_platform::{Spawner, Speed};

use crate::{
    APPLICATION, Credentials, MASTER, Programs, StartError, bootstrap,
    cluster::{self, Cluster},
    credentials::random_password,
    owner::Owner,
    session::{Session, SessionError},
    supervisor::{self, Order},
};

/// Events older than the newest hundred are dropped; RDS keeps two weeks of them.
const EVENTS: usize = 100;
/// Between the choice of a free port and the server's bind another program may take it.
const PORT_TRIES: usize = 5;

/// What the database is started with.
pub struct Settings {
    /// PostgreSQL's programs.
    pub programs: Programs,
    /// The twin's state directory; it must exist.
    pub state_dir: PathBuf,
    /// TCP port; 0 picks a free one.
    pub port: u16,
    /// Sessions in all; three of them are the master's.
    pub max_connections: u16,
    /// Divides the wait before a crashed server is started again.
    pub speed: Speed,
    /// Starts the server's process.
    pub spawner: Spawner,
}

/// `DBInstanceStatus` as "Viewing DB instance status" in the Amazon RDS User Guide words it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It takes log-ins.
    Available,
    /// On its way up.
    Starting,
    /// Between down and up.
    Rebooting,
    /// On its way down.
    Stopping,
    /// Down because somebody asked for it.
    Stopped,
    /// Down by itself; it is started again soon.
    Failed,
}

impl Status {
    /// The word in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Starting => "starting",
            Self::Rebooting => "rebooting",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// One line of the instance's history.
#[derive(Clone, Debug)]
pub struct Event {
    /// When.
    pub at: OffsetDateTime,
    /// RDS's event category: `availability`, `failure`, `recovery`, `notification`.
    pub category: &'static str,
    /// In RDS's words where it has them.
    pub message: String,
}

/// What the supervisor and the handle both know.
pub(crate) struct Shared {
    pub(crate) cluster: Cluster,
    pub(crate) speed: Speed,
    status: Mutex<Status>,
    events: Mutex<VecDeque<Event>>,
}

impl Shared {
    pub(crate) fn set(&self, status: Status) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    pub(crate) fn status(&self) -> Status {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell(&self, category: &'static str, message: impl Into<String>) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.push_back(Event { at: OffsetDateTime::now_utc(), category, message: message.into() });
        while events.len() > EVENTS {
            events.pop_front();
        }
    }
}

/// A running PostgreSQL.
pub struct Database {
    shared: Arc<Shared>,
    orders: mpsc::Sender<(Order, oneshot::Sender<bool>)>,
    version: String,
    created_at: OffsetDateTime,
    application: Credentials,
}

impl Database {
    /// Makes a new data directory, starts the server on it, and fills it. Call inside a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`]; then no process and no data directory is left.
    pub async fn start(settings: Settings) -> Result<Arc<Self>, StartError> {
        let owner = Owner::find()?;
        let log = settings.state_dir.join("postgres.log");
        let file_error = |operation, path: &PathBuf, source| StartError::File { operation, path: path.clone(), source };
        std::fs::write(&log, "").map_err(|source| file_error("creating", &log, source))?;
        let state_dir = std::path::absolute(&settings.state_dir)
            .map_err(|source| file_error("finding", &settings.state_dir, source))?;
        let mut cluster = Cluster {
            folder: owner.folder(&state_dir),
            owner,
            programs: settings.programs,
            spawner: settings.spawner,
            log,
            max_connections: settings.max_connections,
            master: Credentials {
                engine: "postgres",
                host: Ipv4Addr::LOCALHOST.to_string(),
                port: settings.port,
                username: MASTER.into(),
                password: random_password(),
                dbname: "postgres".into(),
            },
        };
        let application = Credentials {
            username: APPLICATION.into(),
            password: random_password(),
            dbname: APPLICATION.into(),
            ..cluster.master.clone()
        };
        match Self::bring_up(&mut cluster, &application).await {
            Ok((child, version)) => {
                let application = Credentials { port: cluster.master.port, ..application };
                let shared = Arc::new(Shared {
                    cluster,
                    speed: settings.speed,
                    status: Mutex::new(Status::Available),
                    events: Mutex::default(),
                });
                shared.tell("creation", "DB instance created");
                let (orders, inbox) = mpsc::channel(8);
                tokio::spawn(supervisor::run(shared.clone(), child, inbox));
                Ok(Arc::new(Self { shared, orders, version, created_at: OffsetDateTime::now_utc(), application }))
            }
            Err(error) => {
                remove(&cluster.folder);
                Err(error)
            }
        }
    }

    async fn bring_up(
        cluster: &mut Cluster,
        application: &Credentials,
    ) -> Result<(tokio::process::Child, String), StartError> {
        cluster.initialise().await?;
        let mut child = Self::launch_on_a_port(cluster).await?;
        let filled = async {
            bootstrap::fill(&cluster.master, &application.password).await?;
            let mut session = Session::open(&cluster.master).await?;
            let version = session.version().await?;
            session.close().await;
            Ok(version)
        };
        match filled.await {
            Ok(version) => Ok((child, version)),
            Err(error) => {
                cluster.end(&mut child, nix::sys::signal::Signal::SIGQUIT).await;
                Err(StartError::Bootstrap(error))
            }
        }
    }

    async fn launch_on_a_port(cluster: &mut Cluster) -> Result<tokio::process::Child, StartError> {
        if cluster.master.port != 0 {
            return cluster.launch().await;
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let folder = &cluster.folder;
            cluster.master.port = cluster::free_port().map_err(|source| StartError::File {
                operation: "finding a free port for",
                path: folder.clone(),
                source,
            })?;
            match cluster.launch().await {
                Err(StartError::Failed { .. }) if tries < PORT_TRIES => {}
                other => return other,
            }
        }
    }

    /// Credentials of the application's role as they were at the start.
    pub fn first_credentials(&self) -> &Credentials {
        &self.application
    }

    /// Host and port that the server listens on.
    pub fn address(&self) -> (&str, u16) {
        (&self.shared.cluster.master.host, self.shared.cluster.master.port)
    }

    /// The server's version, e.g. `15.14`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// `15` of `15.14`.
    pub(crate) fn major_version(&self) -> u32 {
        let digits = |letter: char| !letter.is_ascii_digit();
        self.version.split(digits).next().and_then(|major| major.parse().ok()).unwrap_or_default()
    }

    /// When it was made.
    pub fn created_at(&self) -> OffsetDateTime {
        self.created_at
    }

    /// The master's credentials, and the data directory's parent.
    pub(crate) fn place(&self) -> (&Credentials, &std::path::Path) {
        (&self.shared.cluster.master, &self.shared.cluster.folder)
    }

    /// The server's first process; none while it is down.
    pub(crate) fn postmaster(&self) -> Option<u32> {
        self.shared.cluster.postmaster()
    }

    /// What state it is in.
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// Its history, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.shared.events.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Notes an event, such as a rotation.
    pub fn tell(&self, category: &'static str, message: impl Into<String>) {
        self.shared.tell(category, message);
    }

    /// Whether the role exists.
    ///
    /// # Errors
    /// When the master cannot log in or ask.
    pub async fn role_exists(&self, role: &str) -> Result<bool, SessionError> {
        let mut session = Session::open(&self.shared.cluster.master).await?;
        let exists = session.role_exists(role).await?;
        session.close().await;
        Ok(exists)
    }

    /// Sets a role's password, as the master. Open sessions of the role live on.
    ///
    /// # Errors
    /// When the master cannot log in, or the server refuses.
    pub async fn alter_role_password(&self, role: &str, password: &str) -> Result<(), SessionError> {
        let mut session = Session::open(&self.shared.cluster.master).await?;
        session.run("changing the password", "ALTER ROLE %I PASSWORD %L", &[role, password]).await?;
        session.close().await;
        Ok(())
    }

    /// Logs in as the role, and out again.
    ///
    /// # Errors
    /// As the server refuses; [`SessionError::sqlstate`] says how.
    pub async fn verify_login(&self, role: &str, password: &str, dbname: &str) -> Result<(), SessionError> {
        let credentials = Credentials {
            username: role.into(),
            password: password.into(),
            dbname: dbname.into(),
            ..self.shared.cluster.master.clone()
        };
        Session::open(&credentials).await?.close().await;
        Ok(())
    }

    /// Fast shutdown; stays down until [`Database::start_again`]. False when it was not available.
    pub async fn stop(&self) -> bool {
        self.order(Order::Stop).await
    }

    /// Starts a stopped server on its data. False when it was not stopped.
    pub async fn start_again(&self) -> bool {
        self.order(Order::Start).await
    }

    /// Fast shutdown and start. False when it was not available.
    pub async fn reboot(&self) -> bool {
        self.order(Order::Reboot).await
    }

    /// Ends the server for good and removes its data.
    pub async fn shutdown(&self) {
        self.order(Order::End).await;
        remove(&self.shared.cluster.folder);
    }

    async fn order(&self, order: Order) -> bool {
        let (reply, answer) = oneshot::channel();
        self.orders.send((order, reply)).await.is_ok() && answer.await.unwrap_or(false)
    }
}

fn remove(folder: &std::path::Path) {
    if let Err(error) = std::fs::remove_dir_all(folder)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, folder = %folder.display(), "the database's folder could not be removed");
    }
}
