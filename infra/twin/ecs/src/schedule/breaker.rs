//! The deployment circuit breaker and the back-off between failing starts.

use std::time::Duration;

use twin_platform::Speed;

/// How many tasks in a row must fail before a deployment fails: half of the desired count, rounded up, within 3 and 200
/// ("Amazon ECS deployment circuit breaker" in the developer guide).
pub(super) fn threshold(desired: u32) -> u32 {
    desired.div_ceil(2).clamp(3, 200)
}

/// From here on ECS says that the service "is unable to consistently start tasks successfully". The guide gives no number.
pub(super) const THROTTLED_FROM: u32 = 4;

/// Seconds that AWS needs at least from one task's end to the next one's start; keeps a crash loop from spinning.
const RESTART_S: f64 = 10.0;
/// The longest wait: a quarter of an hour ("Service throttle logic" in the developer guide).
const BACK_OFF_MAX_S: f64 = 900.0;

/// The wait before the next start after so many failures in a row.
pub(super) fn back_off(failures: u32, speed: Speed) -> Duration {
    let doublings = failures.saturating_sub(THROTTLED_FROM - 1).min(10);
    speed.wait((RESTART_S * f64::from(1u32 << doublings)).min(BACK_OFF_MAX_S))
}

/// Seconds that a rollback stays IN_PROGRESS at least, though the old tasks never stopped. The guide gives no number; the
/// failed deployment, and the reason of the one that takes over, are to be seen for about as long as in AWS.
const ROLLBACK_S: f64 = 60.0;

/// The least time between a rollback's begin and its completion.
pub(super) fn rollback(speed: Speed) -> Duration {
    speed.wait(ROLLBACK_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_half_of_desired_within_3_and_200() {
        let thresholds = [0, 1, 2, 6, 7, 25, 399, 400, 800].map(threshold);
        assert_eq!(thresholds, [3, 3, 3, 3, 4, 13, 200, 200, 200]);
    }

    #[test]
    fn the_wait_doubles_up_to_a_quarter_of_an_hour_and_is_scaled() {
        let speed = Speed::new(10.0).expect("in range");
        let waits = [1, 3, 4, 5, 40].map(|failures| back_off(failures, speed).as_secs_f64());
        assert_eq!(waits, [1.0, 1.0, 2.0, 4.0, 90.0]);
    }
}
