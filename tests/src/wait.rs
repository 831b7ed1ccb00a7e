//! Waiting on a condition, with the last state in the message.

use std::{
    fmt::Display,
    thread,
    time::{Duration, Instant},
};

/// Asks again until the answer is `Ok`, or panics after `seconds` with the last `Err`.
///
/// # Panics
/// When the condition does not come true in time: the message names the condition and the last state.
#[track_caller]
pub fn until<T, E: Display>(condition: &str, seconds: u64, mut ask: impl FnMut() -> Result<T, E>) -> T {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(state) if Instant::now() >= deadline => {
                panic!("not within {seconds} s: {condition}; last state: {state}")
            }
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}
