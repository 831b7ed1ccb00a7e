//! AWS Identity and Access Management: roles, their policies, and what these allow.
//!
//! Promises: a policy is checked whole and compiled when it is written, so a change takes effect at the next call and a call costs
//! no parsing. A deny beats every allow, no statement means no, and what the answer would be is also what SimulatePrincipalPolicy
//! says. The evaluation itself is `iam-rs`'s.
//!
//! Refuses, by name: users, groups, instance profiles, permissions boundaries, and in policies what the evaluator cannot decide
//! (policy variables in conditions, `${*}`).
//!
//! Known differences: a policy variable without a value and without a default becomes an empty text, where AWS lets the statement
//! match nothing; variables act in version 2008-10-17 too; sessions of a deleted role are denied rather than invalid.

mod api;
mod decision;
mod document;
mod error;
mod managed;
mod role;
mod state;

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use twin_platform::{Account, Request, Response, Service};

pub use self::decision::{Ask, Decision};
use self::state::State;

/// The service.
pub struct Iam {
    account: Account,
    state: Mutex<State>,
}

impl Iam {
    /// The service without roles; AWS's own policies that the lab's people attach are there.
    pub fn new(account: Account) -> Arc<Self> {
        Arc::new(Self { account, state: Mutex::new(State::with_managed_by_aws()) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while holding it leaves whole roles and policies, so the state stays usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for Iam {
    fn service_name(&self) -> &str {
        "iam"
    }

    fn url_patterns(&self) -> Vec<&str> {
        vec![r"https?://iam\.amazonaws\.com"]
    }

    fn handle(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move { api::call(self, &request).unwrap_or_else(|error| error.xml()) })
    }
}
