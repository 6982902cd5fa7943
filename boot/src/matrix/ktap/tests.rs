use proptest::prelude::*;

use super::*;

/// The cases of an output, one a line: `+` for passed, `-` for failed, `s` for skipped, the name, and the message.
fn cases(output: &str) -> String {
    let results = parse(output.as_bytes()).expect("the output has results");
    let line = |case: &Case| {
        let sign = match case.outcome {
            Outcome::Passed => '+',
            Outcome::Failed => '-',
            Outcome::Skipped => 's',
        };
        format!("{sign} {}: {}", case.name, case.message)
            .trim_end_matches([':', ' '])
            .to_owned()
    };
    let lines: Vec<_> = results.cases.iter().map(line).collect();
    lines.join("\n")
}

/// What an output means, in the form of [`cases`].
const TABLE: &[(&str, &str)] = &[
    // The example of ktap.rst.
    (
        "KTAP version 1
1..1
  KTAP version 1
  1..3
    KTAP version 1
    1..1
    # test_1: initializing test_1
    ok 1 test_1
  ok 1 example_test_1
    KTAP version 1
    1..2
    ok 1 test_1 # SKIP test_1 skipped
    ok 2 test_2
  ok 2 example_test_2
    KTAP version 1
    1..3
    ok 1 test_1
    # test_2: FAIL
    not ok 2 test_2
    ok 3 test_3 # SKIP test_3 skipped
  not ok 3 example_test_3
not ok 1 main_test
",
        "+ main_test.example_test_1.test_1
s main_test.example_test_2.test_1: SKIP test_1 skipped
+ main_test.example_test_2.test_2
+ main_test.example_test_3.test_1
- main_test.example_test_3.test_2
s main_test.example_test_3.test_3: SKIP test_3 skipped",
    ),
    // KUnit on the console, with other messages between its lines.
    (
        "[    0.060000] printk: console [mc-1] enabled
[    0.060000] TAP version 14
[    0.060000] 1..2
[    0.060000] \t# Subtest: one
[    0.060000] \t1..2
[    0.060000] \tok 1 - a
[    0.060000] Btrfs loaded
[    0.060000] \tok 2 - b
[    0.060000] ok 1 - one
[   10.060000][    T1] \t# Subtest: two
[   10.060000][    T1] \t1..1
[   10.060000][    T1] \tok 1 - c
[   10.060000][    T1] ok 2 - two
[   10.060000] List of all partitions:",
        "+ one.a\n+ one.b\n+ two.c",
    ),
    // It is interrupted by a panic.
    (
        "[    0.060000] TAP version 14
[    0.060000] 1..3
[    0.060000] \t# Subtest: one
[    0.060000] \t1..3
[    0.060000] \tok 1 - a
[    0.060000] \tKernel panic - not syncing: test",
        "+ one.a\n- one.tests 2 to 3: 3 tests were planned, and 1 ran\n- tests 2 to 3: 3 tests were planned, and 1 ran",
    ),
    // A header after the version line; attributes; parameters without a plan.
    (
        "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: suite\n    # module: example\n    1..2
        KTAP version 1\n        # Subtest: parameters\n        ok 1 zero\n        not ok 2 one
    not ok 1 parameters\n    ok 2 last\nnot ok 1 suite",
        "+ suite.parameters.zero\n- suite.parameters.one\n+ suite.last",
    ),
    // A suite without a result line, and the next one.
    (
        "KTAP version 1\n1..2\n  KTAP version 1\n  # Subtest: a\n  1..1\n  ok 1 x
  KTAP version 1\n  # Subtest: b\n  1..1\n  ok 1 y\nok 2 b",
        "+ a.x\n- a: it has no result line\n+ b.y",
    ),
    ("KTAP version 1\n1..2\n  # Subtest: a\n  1..1\n  ok 1 x\nok 2 b", "+ a.x\n- a: it has no result line\n+ b"),
    // A group that failed although its subtests passed.
    ("KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 x\nnot ok 1 a # ERROR exit", "+ a.x\n- a: ERROR exit"),
    // A group without tests is what its result says.
    ("KTAP version 1\n1..1\n  KTAP version 1\n  # Subtest: a\n  1..0\nok 1 a", "+ a"),
    // Nothing is indented.
    ("KTAP version 1\n1..2\n# Subtest: a\n1..1\nok 1 x\nok 1 a\nok 2 b", "+ a.x\n+ b"),
    ("KTAP version 1\n1..1\nKTAP version 1\n# Subtest: a\nok 1 x\nok 2 y\nok 1 a", "+ a.x\n+ a.y"),
    // Perl and TAP 14: the header is not indented, and the plans come last.
    (
        "TAP version 14\n# Subtest: a\n    ok 1 - x\n    not ok 2 - y\n    1..2\nnot ok 1 - a\nok 2 - b\n1..2",
        "+ a.x\n- a.y\n+ b",
    ),
    // kselftest: the output of a test is a comment.
    (
        "TAP version 13\n1..2\n# selftests: dir: one\n# TAP version 13\n# 1..1\n# not ok 1 inner
not ok 1 selftests: dir: one # exit=1\nok 2 selftests: dir: two # SKIP",
        "- selftests: dir: one: exit=1\ns selftests: dir: two: SKIP",
    ),
    // Directives.
    (
        "TAP version 13\n1..6\nnot ok 1 a # TODO later\nok 2 b # TODO\nnot ok 3 c # XFAIL known
not ok 4 d # TIMEOUT 45 seconds\nnot ok 5 e # SKIP\nok 6 # SKIP f",
        "s a: TODO later\n+ b: TODO\ns c: XFAIL known\n- d: TIMEOUT 45 seconds\ns e: SKIP\ns f: SKIP",
    ),
    // Plans.
    ("TAP version 13\n1..2\nok 1 a", "+ a\n- test 2: 2 tests were planned, and 1 ran"),
    ("TAP version 13\n1..1\nok 1 a\nok 2 b", "+ a\n+ b\n- plan: 1 tests were planned, and 2 ran"),
    ("TAP version 13\nok 1 a\nok 2 b", "+ a\n+ b"),
    ("KTAP version 1\n1..0\n", "- plan: no test ran"),
    ("KTAP version 1\n", "- plan: no test ran"),
    ("TAP version 13\n1..18446744073709551615\nok 1 a", "+ a\n- tests 2 to 18446744073709551615: 18446744073709551615 tests were planned, and 1 ran"),
    ("TAP version 13\n1..3\nok 1 a\nBail out! no memory\n# Totals: pass:1", "+ a\n- Bail out!: no memory"),
    (
        "TAP version 13\n1..2\n    # Subtest: a\n    1..2\n    ok 1 x\nBail out!\nok 2 y",
        "+ a.x\n- a.Bail out!",
    ),
    // One program after another.
    ("TAP version 13\n1..1\nok 1 a\nTAP version 13\n1..1\nnot ok 1 b", "+ a\n- b"),
    ("TAP version 13\n1..0 # SKIP none\nTAP version 13\n1..1\nok 1 b", "+ b"),
    // Lines of other kinds; a carriage return; no newline at the end.
    ("before\r\nTAP version 13\r\nok 1 a\r\nnot okay\r\nok 2 b\r", "+ a\n+ b"),
    // In KTAP, a result has a number. In TAP, it need not have one.
    ("KTAP version 1\n1..1\nok then\nok 1 a", "+ a"),
    ("TAP version 13\n1..2\nok\nnot ok - b", "+ test 1\n- b"),
];

#[test]
fn outputs_mean_what_the_specifications_say() {
    for (output, expected) in TABLE {
        assert_eq!(cases(output), *expected, "{output}");
    }
}

#[test]
fn an_output_without_a_version_line_has_no_results() {
    for output in ["", "ok 1 a\n1..1\n", "# KTAP version 1\n", "not ok 1 a"] {
        assert_eq!(parse(output.as_bytes()), None, "{output}");
    }
}

#[test]
fn a_whole_output_can_be_skipped() {
    for (output, reason) in [
        (
            "TAP version 13\n1..0 # SKIP no such device",
            "no such device",
        ),
        ("KTAP version 1\n1..0 # SKIP x", "x"),
        ("TAP version 13\n1..0", ""),
    ] {
        let results = parse(output.as_bytes()).unwrap();
        assert_eq!(results.skipped.as_deref(), Some(reason), "{output}");
        assert!(results.cases.is_empty(), "{output}");
    }
}

#[test]
fn a_test_has_the_lines_before_it_and_its_yaml() {
    let output = "TAP version 13\n1..2\n# first\nodd\nnot ok 1 a\n  ---\n  message: x\n  ...\n# second\nok 2 b\n";
    let results = parse(output.as_bytes()).unwrap();
    let logs: Vec<_> = results
        .cases
        .iter()
        .map(|case| case.log.join("|"))
        .collect();
    assert_eq!(logs, ["# first|odd|  ---|  message: x|  ...", "# second"]);
}

#[test]
fn many_levels_need_little() {
    let mut output = String::new();
    for level in 0..20_000 {
        output += &format!("{}KTAP version 1\n", " ".repeat(level % 100));
    }
    output += &"# Subtest: x\n".repeat(50_000);
    assert!(parse(output.as_bytes()).is_some());
}

/// Lines that mean something, in any order and indentation.
fn lines() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        Just("KTAP version 1"),
        Just("TAP version 13"),
        Just("# Subtest: a"),
        Just("# Subtest: b"),
        Just("1..2"),
        Just("1..0 # SKIP x"),
        Just("ok 1 a"),
        Just("not ok 2 b # TODO x"),
        Just("ok"),
        Just("Bail out! x"),
        Just("---"),
        Just("..."),
        Just("[    0.1] ok 1 a"),
    ];
    let line =
        (0_usize..5, text).prop_map(|(indent, text)| format!("{}{text}\n", " ".repeat(indent)));
    proptest::collection::vec(line, 0..40).prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn no_bytes_panic(output in proptest::collection::vec(any::<u8>(), 0..2000)) {
        parse(&output);
        parse(&[b"TAP version 13\n", &output[..]].concat());
    }

    #[test]
    fn a_failed_line_is_a_failed_case(before in lines(), after in lines()) {
        let output = format!("{before}\nKTAP version 1\nnot ok 77 unique\n{after}");
        let results = parse(output.as_bytes()).unwrap();
        let has_failed = results.cases.iter().any(|case| {
            case.outcome == Outcome::Failed && case.name.contains("unique")
        });
        // A group of that name explains its failure by its subtests; no line here makes one.
        prop_assert!(has_failed, "{}\n{:?}", output, results);
    }
}
