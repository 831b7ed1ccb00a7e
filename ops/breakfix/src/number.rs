//! Numbers within bounds, as arguments.

/// A parser for numbers from `min` to `max`, both allowed.
pub(crate) fn within(min: f64, max: f64) -> impl Fn(&str) -> Result<f64, String> + Clone + Send + Sync + 'static {
    move |text| match text.parse::<f64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ if max.is_finite() => Err(format!("give a number from {min} to {max}")),
        _ => Err(format!("give a number from {min} on")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_within_the_bounds_are_taken() {
        let share = within(0.0, 1.0);
        assert_eq!(share("0"), Ok(0.0));
        assert_eq!(share("0.05"), Ok(0.05));
        assert_eq!(share("1"), Ok(1.0));
        for text in ["", "-0.1", "1.01", "5%", "NaN", "inf"] {
            assert_eq!(share(text), Err("give a number from 0 to 1".to_owned()), "{text}");
        }
        let limit = within(0.0, f64::INFINITY);
        assert_eq!(limit("500"), Ok(500.0));
        assert_eq!(limit("-1"), Err("give a number from 0 on".to_owned()));
    }
}
