//! `dependency_down`: new calls to a dependency go to a closed port and get its real ECONNREFUSED.
//!
//! The read of the failure mode itself is left alone even for `ssm`: it is the drill's way out, not a dependency of the
//! application, and a task that cannot read it could not leave the mode. What `ssm` cuts is the deep health probe.

use contract::failure::{Dependency, Mode};

use crate::state::App;

/// Cuts what the mode names; `None` restores everything.
pub(super) fn set(app: &App, mode: Option<&Mode>) {
    let targets: &[Dependency] = match mode {
        Some(Mode::DependencyDown { targets }) => targets,
        _ => &[],
    };
    if app.cuts.set(targets) {
        // Idle sessions would hide the cut, and after it they would hide that the way is open again.
        app.database.drop_idle();
    }
}
