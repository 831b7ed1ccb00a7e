//! What the User Guide's tables say, and that nothing panics.

use proptest::prelude::*;

use super::*;

struct Given(Vec<(&'static str, TimeSeries)>);

impl Inputs for Given {
    fn get(&self, id: &str) -> Option<Operand> {
        self.0.iter().find(|(known, _)| *known == id).map(|(_, series)| Operand::Series(series.clone()))
    }

    fn metrics(&self) -> Vec<(String, TimeSeries)> {
        self.0.iter().map(|(id, series)| ((*id).to_owned(), series.clone())).collect()
    }

    fn grid(&self) -> Grid {
        Grid { start_s: 0, end_s: 300, period_s: 60 }
    }
}

const NONE: f64 = f64::NAN;

fn series(values: &[f64]) -> TimeSeries {
    let points = (0..).map(|index| index * 60).zip(values.iter().copied()).filter(|(_, value)| !value.is_nan());
    TimeSeries { label: "m".into(), period_s: 60, points: points.collect() }
}

fn given() -> Given {
    Given(vec![
        ("m1", series(&[1.0, 1.0, 0.0, 0.0, NONE])),
        ("m2", series(&[30.0, NONE, 0.0, 0.0, 30.0])),
        ("m3", series(&[0.0, 0.0, 20.0, NONE, 20.0])),
        ("errors", series(&[2.0, NONE, 4.0, NONE, 6.0])),
        ("requests", series(&[10.0, 10.0, 0.0, 20.0, 12.0])),
    ])
}

fn run(expression: &str) -> Result<Operand, MathError> {
    evaluate(&parse(expression)?, &given())
}

/// The points as text, a dash for a missing one; arrays with a bar between.
fn shown(expression: &str) -> String {
    let points = |series: &TimeSeries| {
        let at = |index: i64| {
            series.points.get(&(index * 60)).map_or("-".to_owned(), |value| format!("{}", (value * 1e6).round() / 1e6))
        };
        (0..5).map(at).collect::<Vec<_>>().join(" ")
    };
    match run(expression) {
        Ok(Operand::Scalar(number)) => format!("{number}"),
        Ok(Operand::Series(series)) => points(&series),
        Ok(Operand::Many(many)) => many.iter().map(points).collect::<Vec<_>>().join(" | "),
        Err(error) => error.to_string(),
    }
}

#[test]
fn expressions_come_to_what_the_guide_says() {
    let cases = [
        ("2 + 3 * 4 ^ 2 ^ 1 - -1", "51"),
        ("(2+3)*4/8", "2.5"),
        ("-2^2", "-4"),
        ("2*-3", "-6"),
        ("1e3 + .5", "1000.5"),
        ("1 < 2 && 2 >= 3 || 1 == 1", "1"),
        ("m1 * 100", "100 100 0 0 -"),
        ("m1 + m2", "31 1 0 0 30"),
        ("100 * errors / requests", "20 0 - 0 50"),
        ("m2 > 15 AND m3 > 15", "0 0 0 0 1"),
        ("IF(m1, m2, m3)", "30 0 20 - -"),
        ("IF(m1, 5, m3)", "5 5 20 - -"),
        ("IF(m1, m2, 5)", "30 0 5 5 -"),
        ("IF(m2 > 10, m2)", "30 - - - 30"),
        ("IF(1 > 0, m2, m3)", "30 - 0 0 30"),
        ("IF(0, m2)", "- - - - -"),
        ("FILL(errors, 0)", "2 0 4 0 6"),
        ("FILL(errors, REPEAT)", "2 2 4 4 6"),
        ("FILL(errors, LINEAR)", "2 3 4 5 6"),
        ("FILL(errors, requests)", "2 10 4 20 6"),
        ("FILL(m1, MAX(m2))", "1 1 0 0 30"),
        ("SUM([m1, m2])", "31 1 0 0 30"),
        ("AVG([m1, m2])", "15.5 0.5 0 0 15"),
        ("MAX(METRICS(\"m\")) ", "30 1 20 0 30"),
        ("DATAPOINT_COUNT([m1, errors])", "2 1 2 1 1"),
        ("SUM(requests)", "52"),
        ("DATAPOINT_COUNT(errors)", "3"),
        ("STDDEV(errors)", "1.632993161855452"),
        ("TIME_SERIES(AVG(errors))", "4 4 4 4 4"),
        ("RUNNING_SUM(requests)", "10 20 20 40 52"),
        ("DIFF(errors)", "- - 2 - 2"),
        ("DIFF_TIME(errors)", "- - 120 - 120"),
        ("RATE(errors) * 60", "- - 1 - 1"),
        ("errors / PERIOD(errors) * 60", "2 - 4 - 6"),
        ("METRIC_COUNT(METRICS())", "5"),
        ("FIRST(SORT([m1, m2, requests], SUM, DESC))", "30 - 0 0 30"),
        ("SLICE(SORT([m1, m2, requests], AVG, ASC), 1, 2)", "10 10 0 20 12"),
        ("LAST(REMOVE_EMPTY([m1, IF(0, m2)]))", "1 1 0 0 -"),
        ("CEIL(errors / 4)", "1 - 1 - 2"),
        ("LOG10(requests)", "1 1 - 1.30103 1.079181"),
        ("MINUTE(errors)", "0 1 2 3 4"),
        ("DAY(m1)", "4 4 4 4 4"),
        ("ABS(-[m1, errors])", "1 1 0 0 - | 2 - 4 - 6"),
        ("METRICS('m1') - m1", "0 0 0 0 -"),
    ];
    for (expression, expected) in cases {
        assert_eq!(shown(expression), expected, "{expression}");
    }
}

#[test]
fn errors_name_the_position() {
    let cases = [
        ("", "Expected a value, found the end at position 1"),
        ("m1 +", "Expected a value, found the end at position 5"),
        ("m1 + * 2", "Expected a value, found the operator Multiply at position 6"),
        ("(m1", "Expected ')', found the end at position 4"),
        ("SUM(m1", "Expected ',' or ')', found the end at position 7"),
        ("m1 m2", "Unexpected 'm2' at position 4"),
        ("m1 % 2", "Unexpected '%' at position 4"),
        ("é", "Unexpected 'é' at position 1"),
        ("1..2", "'1..2' is no number at position 1"),
        ("METRICS(\"m", "A text that does not end at position 9"),
        ("1 + NOPE(m1)", "Unknown function NOPE at position 5"),
        ("ABS(m1, m2)", "ABS does not take 2 arguments at position 1"),
        ("m1 + gone", "Unknown id 'gone' at position 6"),
        ("m1 + REPEAT", "'REPEAT' has no meaning here at position 6"),
        ("[m1, 5]", "An array holds time series, not scalars at position 6"),
        ("SUM(5)", "SUM takes time series, not a scalar at position 1"),
        ("[m1, m2] + [m1]", "Two arrays of 2 and 1 time series do not combine at position 10"),
    ];
    for (expression, expected) in cases {
        assert_eq!(shown(expression), expected, "{expression}");
    }
    assert!(run(&"(".repeat(2000)).is_err_and(|error| error.what.contains("levels")));
    assert!(run(&"-".repeat(2000)).is_err_and(|error| error.what.contains("levels")));
    assert!(run(&"1".repeat(3000)).is_err_and(|error| error.position == MOST_CHARACTERS + 1));
    let search = run("SEARCH('{AWS/ECS}', 'Sum', 60)").expect_err("not imitated");
    assert_eq!(search.unimitated.as_deref(), Some("the function SEARCH"));
    assert!(run("SELECT AVG(x) FROM y").is_err_and(|error| error.unimitated.is_some()));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(expression in ".{0,200}") {
        let _ = run(&expression);
    }

    #[test]
    fn no_shuffle_of_tokens_makes_it_panic(tokens in proptest::collection::vec(prop_oneof![
        Just("m1"), Just("errors"), Just("requests"), Just("0"), Just("1e308"), Just("2"), Just("("), Just(")"), Just("["),
        Just("]"), Just(","), Just("+"), Just("-"), Just("*"), Just("/"), Just("^"), Just("<"), Just("=="), Just(" AND "),
        Just("IF("), Just("FILL("), Just("REPEAT"), Just("LINEAR"), Just("METRICS()"), Just("SUM("), Just("SORT("),
        Just("SLICE("), Just("AVG"), Just("DESC"), Just("RATE("), Just("TIME_SERIES("), Just("PERIOD("), Just("FIRST("),
    ], 0..24)) {
        let finite = |series: &TimeSeries| series.points.values().all(|value| value.is_finite());
        match run(&tokens.concat()) {
            Ok(Operand::Series(series)) => prop_assert!(finite(&series)),
            Ok(Operand::Many(many)) => prop_assert!(many.iter().all(finite)),
            Ok(Operand::Scalar(_)) => {}
            Err(error) => prop_assert!(error.position >= 1 && !error.what.is_empty()),
        }
    }
}
