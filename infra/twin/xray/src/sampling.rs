//! Sampling rules: the default rule, and who gets how much of its reservoir.
//!
//! The rule is AWS's: "the first request each second, and five percent of any additional requests" (developer guide, "Configuring
//! sampling rules"). Others cannot be made: the twin keeps every trace it is sent, and clients that ask are told this rule.

use std::collections::VecDeque;

/// Name of the one rule.
pub(crate) const DEFAULT_RULE: &str = "Default";
/// Share of requests to record once the reservoir is used up.
pub(crate) const FIXED_RATE: f64 = 0.05;
/// Requests a second, over all clients.
pub(crate) const RESERVOIR: u32 = 1;
/// A quota holds five minutes, or until the next one (developer guide, "Using sampling rules with the X-Ray API").
pub(crate) const QUOTA_SECONDS: f64 = 300.0;
/// Seconds after which a client asks again (same page).
pub(crate) const INTERVAL_SECONDS: u32 = 10;

/// Most clients that share; the one that was silent longest makes room.
const MAX_CLIENTS: usize = 1000;

/// Clients that asked within the time a quota holds, first come first.
#[derive(Default)]
pub(crate) struct Clients(VecDeque<(String, f64)>);

impl Clients {
    /// This client's share of the reservoir, in whole requests a second. What cannot be shared evenly goes to those who came first.
    pub(crate) fn quota(&mut self, client: &str, now: f64) -> u32 {
        self.0.retain(|(known, last)| known == client || *last > now - QUOTA_SECONDS);
        match self.0.iter_mut().find(|(known, _)| known == client) {
            Some((_, last)) => *last = now,
            None => {
                if self.0.len() == MAX_CLIENTS {
                    self.0.pop_back();
                }
                self.0.push_back((client.to_owned(), now));
            }
        }
        let count = u32::try_from(self.0.len()).unwrap_or(u32::MAX).max(1);
        let place = self.0.iter().position(|(known, _)| known == client).unwrap_or(usize::MAX);
        RESERVOIR / count + u32::from(place < (RESERVOIR % count) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reservoir_is_shared_and_never_given_twice() {
        let mut clients = Clients::default();
        assert_eq!((clients.quota("a", 0.0), clients.quota("b", 1.0), clients.quota("a", 2.0)), (1, 0, 1));
        // "a" has been silent for longer than its quota holds.
        assert_eq!(clients.quota("b", 400.0), 1);
        for client in 0..2000 {
            clients.quota(&client.to_string(), 401.0);
        }
        assert_eq!(clients.0.len(), MAX_CLIENTS);
    }
}
