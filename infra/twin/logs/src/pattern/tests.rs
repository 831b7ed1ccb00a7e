//! Every example of the syntax page, and properties over arbitrary input.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(pattern: &str, matching: &[&str], other: &[&str]) {
    let parsed = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    for line in matching {
        assert!(parsed.matches(line), "{pattern} should match {line}");
    }
    for line in other {
        assert!(!parsed.matches(line), "{pattern} should not match {line}");
    }
}

#[track_caller]
fn refused(pattern: &str) -> (usize, String) {
    let error = Pattern::parse(pattern).expect_err(pattern);
    (error.position, error.message)
}

#[test]
fn text_terms() {
    check("", &["anything", ""], &[]);
    check("\" \"", &["anything"], &[]);
    check("ERROR", &["[ERROR] A fatal exception", "Exiting with ERRORCODE: -1"], &["error", "WARN"]);
    check("ERROR ARGUMENTS", &["[ERROR 419] MISSING ARGUMENTS"], &["[ERROR 400] BAD REQUEST"]);
    check("\"INTERNAL SERVER ERROR\"", &["[ERROR 500] INTERNAL SERVER ERROR"], &["INTERNAL ERROR SERVER"]);
    check("ERROR -ARGUMENTS", &["[ERROR 400] BAD"], &["[ERROR 419] MISSING ARGUMENTS", "fine"]);
    check("ERROR - \"Exiting now\"", &["ERROR"], &["ERROR: Exiting now"]);
    check("?ERROR ?WARN", &["ERROR WARN", "ERROR", "WARN"], &["INFO"]);
    check("?ERROR ?ARGUMENTS REQUEST", &["[INFO] REQUEST FAILED"], &["ERROR"]);
    check(r#""a \"b\"""#, &[r#"x a "b" y"#], &["a b"]);
    check("%AUTHORIZED%", &["UNAUTHORIZED REQUEST", "AUTHORIZED"], &["AUTH"]);
    check(r"%\d{3}%", &["status 500"], &["status 50"]);
}

#[test]
fn json_conditions() {
    let event = r#"{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],
        "objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"ThisFlag":true,"cluster.name":"c",
        "user":{"id":1,"email":"John.Stiles@example.com"},"actions":["GET","PUT","DELETE"],
        "coordinates":[[0,1,2],[4,5,6]],"latency":5e2,"account":"123456789012","big":18446744073709551615}"#;
    let matching = [
        r#"{ $.eventType = "UpdateTrail" }"#,
        "{$.eventType=UpdateTrail}",
        "{ $.eventType = Update* }",
        r#"{ $.eventType = "*Trail" }"#,
        "{ $.eventType = *dateTr* }",
        "{ $.eventType = * }",
        "{ $.eventType = %Trail% }",
        "{ $.sourceIPAddress != 123.123.* }",
        r#"{ $.arrayKey[0] = "value" }"#,
        "{ $.arrayKey[*] = %val.{2}% }",
        r"{ $.* = %111\.111\.111\.1[0-9]{1,2}% }",
        "{ $.objectList[1].id = 2 }",
        "{ $.objectList[*].name = b }",
        "{ $.SomeObject IS NULL }",
        "{ $.SomeOtherObject NOT EXISTS }",
        "{ $.SomeObject EXISTS && $.user exists }",
        "{ $.ThisFlag IS TRUE }",
        "{ $.['cluster.name'] = \"c\" }",
        "{ ($.user.id = 1) && ($.user.email = \"John.Stiles@example.com\") }",
        "{ $.user.id = 1 || $.coordinates[0][1] = nonmatch && $.actions[2] = nomatch }",
        "{ $.coordinates[1][2] = 6 }",
        "{ $.latency >= 500 }",
        "{ $.latency < 10e3 }",
        "{ $.latency = 500 }",
        "{ $.latency > +499.5 }",
        "{ $.account = 123456789012 }",
        "{ $.big > 18446744073709551614 }",
    ];
    let other = [
        r#"{ $.eventType = "UpdateTrai" }"#,
        "{ $.eventType = Up*Trail }",
        "{ $.arrayKey = \"value\" }",
        "{ $.arrayKey != \"value\" }",
        "{ $.arrayKey[5] = * }",
        "{ $.missing = * }",
        "{ $.missing != 5 }",
        "{ $.missing EXISTS }",
        "{ $.SomeObject NOT EXISTS }",
        "{ $.eventType IS NULL }",
        "{ $.ThisFlag IS FALSE }",
        "{ ($.user.id = 1 || $.coordinates[0][1] = nonmatch) && $.actions[2] = nomatch }",
        "{ ($.user.id = 2 && $.user.email = nonmatch) || $.actions[2] = \"GET\" }",
        "{ $.latency > 500 }",
        "{ $.eventType > 5 }",
    ];
    for pattern in matching {
        check(pattern, &[event], &["", "plain text", "[1]", "{", r#"{"eventType":"#]);
    }
    for pattern in other {
        check(pattern, &[], &[event]);
    }
    // What a line spells with escapes is found as well.
    check("{ $.path = /healthz }", &[r#"{"path":"\/healthz"}"#, r#"{"p\u0061th":"/healthz"}"#], &[r#"{"path":"/"}"#]);
}

#[test]
fn space_delimited_fields() {
    let line = r#"127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;
    for pattern in [
        r"[ip=%127\.0\.0\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]",
        "[..., request =*.html*, status_code = 4*, bytes]",
        "[ip, user, ..., status_code, bytes > 1000]",
        "[ip, user, ...]",
        "[ip, user, username, timestamp, request, status_code = 404 || status_code = 410, bytes]",
        "[ip, user, username, timestamp, request, status_code = 4* && status_code != 403, bytes]",
        "[..., request=*.html*, status_code=4*,]",
        "[ip, user = Prod, username]",
    ] {
        check(pattern, &[line], &["one", ""]);
    }
    check("[ip, user, bytes = 1534]", &[], &[line]);
    check("[w1=ERROR, w2]", &["ERROR 09/25/2014 12:00:02 Failed to process"], &["ERROR", "WARN x"]);
    check("[w1=!ERROR&&w1=!WARN, w2]", &["INFO x"], &["ERROR x", "WARN x"]);
    check("[(w1=ERROR || w1=%WARN%), w2]", &["ERROR x", "WARNING x"], &["INFO x"]);
}

#[test]
fn a_refusal_names_the_place() {
    assert_eq!(refused("status:500").0, 1);
    assert!(refused("ok status:500").1.contains("Invalid character(s) in term 'status:500'"));
    assert_eq!(refused("ok status:500").0, 4);
    assert_eq!(refused("{ $.a = }").0, 9);
    assert_eq!(refused("{ $.a = 1").0, 10);
    assert_eq!(refused("{ $.a > x }").0, 7);
    assert_eq!(refused("{ a = 1 }").0, 3);
    assert_eq!(refused("\"open").0, 1);
    assert_eq!(refused("%a(b)%").0, 3);
    assert_eq!(refused("%open").0, 1);
    assert_eq!(refused("[a, ..., b, ...]").0, 13);
    assert_eq!(refused("[a = 1 && b = 2]").0, 11);
    assert_eq!(refused("{ $.a EXISTS 1 }").0, 14);
    assert!(refused("%a% %b% %c%").1.contains("regular expressions"));
    assert!(refused("{ $.*[*] = 1 }").1.contains("wildcard"));
    assert!(refused(&"x".repeat(1025)).1.contains("1024"));
    let deep = |levels: usize| format!("{{{}$.a=1{}}}", "(".repeat(levels), ")".repeat(levels));
    assert!(Pattern::parse(&deep(tree::MAX_DEPTH)).is_ok());
    assert!(refused(&deep(tree::MAX_DEPTH + 1)).1.contains("nested"));
    assert!(refused(&deep(500)).1.contains("nested"));
    assert!(refused("%a{999}{999}{999}%").1.contains("refused"));
}

#[test]
fn a_deeply_nested_line_does_not_overflow_the_stack() {
    let line = format!(r#"{{"a":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let selector = format!("$.a{}", "[0]".repeat(300));
    for (pattern, expected) in [("{ $.a = 1 }", false), ("{ $.b NOT EXISTS }", true)] {
        assert_eq!(Pattern::parse(pattern).expect(pattern).matches(&line), expected, "{pattern}");
    }
    assert!(!Pattern::parse(&format!("{{ {selector} = 1 }}")).expect("a long selector").matches(&line));
}

proptest! {
    #[test]
    fn nothing_panics(pattern in any::<String>(), line in any::<String>()) {
        if let Ok(pattern) = Pattern::parse(&pattern) {
            let _ = pattern.matches(&line);
        }
    }

    #[test]
    fn nothing_panics_near_the_grammar(
        pattern in r#"[{\[ ]?([$.a\[\]\(\)*%"'=!<>&|,{}?é\\ -]|IS|NULL|NOT|EXISTS|\.\.\.|&&|1e3){0,40}[}\]]?"#,
        line in r#"\{?("a":|[1\[\]"{}, \\é]|null){0,20}\}?"#,
    ) {
        match Pattern::parse(&pattern) {
            Ok(parsed) => {
                drop((parsed.matches(&line), parsed.values(&line)));
                if let Ok(field) = parsed.field(&pattern) {
                    drop(parsed.extract(&field, &line));
                }
                for field in ["$.a", "$a", "$.a[0]", "$.*"].iter().filter_map(|field| parsed.field(field).ok()) {
                    drop(parsed.extract(&field, &line));
                }
            }
            Err(error) => prop_assert!((1..=pattern.chars().count() + 1).contains(&error.position)),
        }
    }

    #[test]
    fn a_quoted_phrase_is_a_substring_search(phrase in "[a-z:.% -]{1,8}", line in "[a-z:.% -]{0,30}") {
        let pattern = Pattern::parse(&format!("\"{phrase}\"")).expect("a quoted phrase is a pattern");
        prop_assert_eq!(pattern.matches(&line), phrase.trim().is_empty() || line.contains(&phrase));
    }

    #[test]
    fn a_json_comparison_agrees_with_a_full_reading(key in "[ab]", value in 0_i64..5, line_value in 0_i64..5) {
        let line = serde_json::json!({ "x": [1, { "a": 9 }], "a": line_value, "z": "s" }).to_string();
        let pattern = Pattern::parse(&format!("{{ $.{key} >= {value} }}")).expect("a comparison is a pattern");
        prop_assert_eq!(pattern.matches(&line), key == "a" && line_value >= value);
    }
}
