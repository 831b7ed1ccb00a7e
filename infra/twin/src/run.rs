//! Start in order, serve, end in order.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;
use twin_database::{Database, IDENTIFIER, MASTER, Programs};
use twin_platform::{Account, Identity, Spawner, process};

use crate::{
    Config, Ready, ReadyDatabase, RunError,
    endpoint::Endpoint,
    hangup::{Hangup, Line},
    services::{self, Services},
    state_dir::StateDir,
};

/// Open connections that idle would hold the end for ever; everything that matters is over before this wait begins.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Runs the twin until the token is cancelled. `ready` is called once, when the endpoint answers and `twin.json` is written.
///
/// # Errors
/// [`RunError`] when it cannot start, or a file of the state directory cannot be written. No process is left then.
pub async fn run(config: Config, shutdown: CancellationToken, ready: impl FnOnce(&Ready)) -> Result<(), RunError> {
    let programs = Programs::find(config.pg_bin.as_deref())?;
    let state_dir = StateDir::take(&config.state_dir)?;
    end_orphans(&state_dir)?;
    let listener = bind(config.port, "--port").await?;
    // Held for a moment only: PostgreSQL binds it itself.
    drop(bind(config.db_port, "--db-port").await?);
    let processes = state_dir.processes();
    let spawner = Spawner::start(processes).map_err(io("starting the spawning thread"))?;
    let database = Database::start(twin_database::Settings {
        programs,
        state_dir: state_dir.path().to_owned(),
        port: config.db_port,
        max_connections: config.max_connections,
        speed: config.speed,
        spawner: spawner.clone(),
    })
    .await
    .map_err(RunError::Database)?;
    let result = serve(&config, &state_dir, listener, spawner, database.clone(), shutdown, ready).await;
    database.shutdown().await;
    state_dir.forget()?;
    if result.is_ok() {
        tracing::info!("ended");
    }
    result
}

/// From the database's start to the end of everything else.
async fn serve(
    config: &Config,
    state_dir: &StateDir,
    listener: TcpListener,
    spawner: Spawner,
    database: Arc<Database>,
    shutdown: CancellationToken,
    ready: impl FnOnce(&Ready),
) -> Result<(), RunError> {
    // Ctrl-C during the start: nothing more is begun.
    if shutdown.is_cancelled() {
        return Ok(());
    }
    let address = listener.local_addr().map_err(io("asking for the endpoint's port"))?;
    let account = Account::in_region(config.region.clone());
    let facts = describe(config, &account, &format!("http://{address}"), state_dir, &database);
    state_dir.write(&state_dir.app_secret_file(), database.first_credentials())?;
    let services = Arc::new(Services::new(services::Settings {
        account,
        speed: config.speed,
        spawner,
        endpoint: facts.endpoint.clone(),
        images: config.images.clone(),
        scratch: state_dir.path().join("tasks"),
        database,
    }));
    listen_for_segments(&services, address, &shutdown);
    let router = Endpoint::router(services.clone());
    let last = CancellationToken::new();
    let router = router.into_make_service_with_connect_info::<Hangup>();
    let server = axum::serve(Line(listener), router).with_graceful_shutdown(last.clone().cancelled_owned());
    let mut server = tokio::spawn(async move { server.await });
    let announced = state_dir.announce(&facts);
    if announced.is_ok() {
        tracing::info!(endpoint = %facts.endpoint, region = %facts.region, speed = facts.speed, postgres = facts.database.port, "ready");
        ready(&facts);
    }
    let stopped = match announced {
        Ok(()) => tokio::select! {
            () = shutdown.cancelled() => Ok(()),
            ended = &mut server => Err(match ended {
                Ok(Err(source)) => RunError::Io { operation: "serving the endpoint".into(), source },
                _ => RunError::Io { operation: "serving the endpoint".into(), source: std::io::Error::other("its task ended") },
            }),
        },
        Err(error) => Err(error),
    };
    // The tasks still call the endpoint while they end.
    services.shutdown().await;
    last.cancel();
    if !server.is_finished() {
        let _ = tokio::time::timeout(LAST_ANSWERS, &mut server).await;
        server.abort();
    }
    stopped
}

/// The X-Ray daemon's protocol, by UDP at the endpoint's own port: `AWS_XRAY_DAEMON_ADDRESS` takes an address.
fn listen_for_segments(services: &Services, address: SocketAddr, shutdown: &CancellationToken) {
    let (xray, shutdown) = (services.xray().clone(), shutdown.clone());
    tokio::spawn(async move {
        match UdpSocket::bind(address).await {
            Ok(socket) => drop(shutdown.run_until_cancelled(xray.listen_udp(socket)).await),
            Err(error) => tracing::warn!(%error, %address, "no segments are taken by UDP"),
        }
    });
}

fn describe(config: &Config, account: &Account, endpoint: &str, state_dir: &StateDir, database: &Database) -> Ready {
    let own = Identity::own();
    let credentials = database.first_credentials();
    Ready {
        pid: std::process::id(),
        start_time: own.map(|own| own.start_time).unwrap_or_default(),
        endpoint: endpoint.to_owned(),
        region: account.region.clone(),
        account_id: account.id.clone(),
        speed: config.speed.factor(),
        started_at: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
        database: ReadyDatabase {
            identifier: IDENTIFIER.into(),
            host: credentials.host.clone(),
            port: credentials.port,
            dbname: credentials.dbname.clone(),
            master_username: MASTER.into(),
            app_username: credentials.username.clone(),
            app_secret_file: state_dir.app_secret_file(),
        },
    }
}

fn end_orphans(state_dir: &StateDir) -> Result<(), RunError> {
    let ended = process::end_orphans(&state_dir.processes()).map_err(io("ending what a killed twin left"))?;
    for record in ended {
        tracing::warn!(name = %record.name, pid = record.identity.pid, "ended a process that a killed twin had left behind");
    }
    Ok(())
}

async fn bind(port: u16, option: &'static str) -> Result<TcpListener, RunError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    bound.map_err(|source| RunError::Port { port, option, source })
}

fn io(operation: &'static str) -> impl Fn(std::io::Error) -> RunError {
    move |source| RunError::Io { operation: operation.to_owned(), source }
}
