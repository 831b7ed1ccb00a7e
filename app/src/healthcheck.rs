//! `golden healthcheck`: what the container health check runs, since the image has neither shell nor curl.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use contract::names::route;

use crate::http_get;

/// Under the health check's own timeout of five seconds, so that the reason is ours and not a kill.
const TIMEOUT: Duration = Duration::from_secs(4);

/// Asks `/healthz` of the public listener.
///
/// # Errors
/// One line with the address and what was wrong.
pub fn run(bind_addr: SocketAddr) -> Result<(), String> {
    let address = reachable(bind_addr);
    let reply = http_get::get(&address.to_string(), route::HEALTHZ, TIMEOUT)
        .map_err(|error| format!("http://{address}{} gave no answer: {error}", route::HEALTHZ))?;
    match reply.status {
        200 => Ok(()),
        status => Err(format!("http://{address}{} answered {status}, not 200", route::HEALTHZ)),
    }
}

/// A listener on all addresses is reached on loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_mean_loopback_and_a_closed_port_is_sick() {
        let all: SocketAddr = "0.0.0.0:1".parse().expect("an address");
        assert_eq!(reachable(all).to_string(), "127.0.0.1:1");
        let error = run(all).expect_err("port 1 is closed");
        assert!(error.contains("127.0.0.1:1/healthz"), "{error}");
    }
}
