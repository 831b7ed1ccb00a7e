//! `stale_credentials`: the database credentials are those read when the process started, and nothing reads them anew.
//!
//! Sessions that are open outlive a rotation, so while the mode holds each `/db` call opens a fresh session; only then does
//! the changed password show as 28P01. Without a rotation the mode is invisible, as the real mistake is.

use crate::state::App;

/// Pins or releases the credentials; either way the pool starts over.
pub(super) fn set(app: &App, pinned: bool) {
    app.database.pin_credentials(pinned);
}
