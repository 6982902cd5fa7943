use std::fs;

use quick_xml::Reader;

use super::*;
use crate::matrix::options::Options;
use crate::matrix::plan::Cell;
use crate::matrix::result::tests::attempt;

/// The file for cells with these runs. Fails if it is not well-formed.
fn file(runs: Vec<Vec<Attempt>>) -> String {
    let cell = |place: usize| Cell {
        values: vec!["um".into(), format!("c{place}")],
        options: Options::default(),
    };
    let plan = Plan {
        directory: "/".into(),
        axes: vec!["machine", "command"],
        cells: (0..runs.len()).map(cell).collect(),
    };
    let results = runs
        .into_iter()
        .enumerate()
        .map(|(cell, runs)| CellResult::new(cell, runs));
    let text = junit(&plan, "m.toml", &results.collect::<Vec<_>>()).unwrap();
    let mut reader = Reader::from_str(&text);
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Text(text) => drop(text.decode().unwrap()),
            Event::Start(start) | Event::Empty(start) => {
                start
                    .attributes()
                    .for_each(|attribute| drop(attribute.unwrap()));
            }
            _ => {}
        }
    }
    let is_xml = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(is_xml), "{text:?}");
    text
}

#[test]
fn a_suite_has_the_tests_of_its_cell() {
    let tap = "TAP version 13\n1..4\nok 1 a\n# why\nnot ok 2 b # too <late>\nok 3 a # SKIP none\nok 4 a\n";
    let text = file(vec![
        vec![attempt(0, 1, tap, "")],
        vec![attempt(0, 0, "", "")],
        vec![],
    ]);
    let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="m.toml" tests="6" failures="1" errors="0" skipped="2" time="3.000">
 <testsuite name="um,c0" tests="4" failures="1" errors="0" skipped="1" time="1.500">
  <properties>
   <property name="machine" value="um"/>
   <property name="command" value="c0"/>
   <property name="result" value="failed"/>
  </properties>
  <testcase name="a" classname="um,c0"/>
  <testcase name="b" classname="um,c0">
   <failure message="too &lt;late&gt;" type="failure"># why</failure>
  </testcase>
  <testcase name="a (2)" classname="um,c0">
   <skipped message="SKIP none"/>
  </testcase>
  <testcase name="a (3)" classname="um,c0"/>
"#;
    assert!(text.starts_with(expected), "{text}");
    assert!(
        text.contains("<testcase name=\"c1\" classname=\"um,c1\" time=\"1.500\"/>"),
        "{text}"
    );
    assert!(
        text.contains("<skipped message=\"a signal came before it could run\"/>"),
        "{text}"
    );
}

#[test]
fn reruns_are_told_from_failures() {
    let [good, bad, worse] = [(0, ""), (7, "a\n"), (252, "boot: no guests\n")]
        .map(|(status, stderr)| move || attempt(0, status, "", stderr));
    let flaky = file(vec![vec![bad(), worse(), good()]]);
    assert!(
        flaky.contains("tests=\"1\" failures=\"0\" errors=\"0\""),
        "{flaky}"
    );
    let [first, second] = [
        "<flakyFailure message=\"exit status 7\"",
        "<flakyError message=\"could not be tried\"",
    ];
    assert!(
        flaky.find(first).unwrap() < flaky.find(second).unwrap(),
        "{flaky}"
    );
    assert!(
        flaky.contains("<stackTrace>boot: no guests</stackTrace>"),
        "{flaky}"
    );

    let failed = file(vec![vec![
        bad(),
        attempt(0, 8, "", ""),
        attempt(0, 9, "", ""),
    ]]);
    let places: Vec<_> = [
        "<failure message=\"exit status 7\"",
        "<rerunFailure message=\"exit status 8\"",
        "<rerunFailure message=\"exit status 9\"",
    ]
    .map(|part| failed.find(part).unwrap_or_else(|| panic!("{failed}")))
    .into();
    assert!(places.is_sorted(), "{failed}");
    assert!(failed.contains("tests=\"1\" failures=\"1\""), "{failed}");

    let error = file(vec![vec![worse()]]);
    assert!(
        error.contains(
            "<error message=\"could not be tried\" type=\"error\">boot: no guests</error>"
        ),
        "{error}"
    );
    assert!(error.contains("failures=\"0\" errors=\"1\""), "{error}");
}

#[test]
fn a_test_that_is_flaky_is_told_from_the_others() {
    let [bad, good] =
        ["not ok 2 b", "ok 2 b"].map(|line| format!("TAP version 13\n1..2\nok 1 a\n{line}\n"));
    let text = file(vec![vec![
        attempt(0, 1, &bad, ""),
        attempt(0, 0, &good, ""),
    ]]);
    assert!(
        text.contains("<testcase name=\"a\" classname=\"um,c0\"/>"),
        "{text}"
    );
    assert!(
        text.contains("<testcase name=\"b\" classname=\"um,c0\">\n   <flakyFailure "),
        "{text}"
    );
    // The guest failed the first time, after the first test.
    let panic = attempt(
        0,
        250,
        "TAP version 13\nok 1 a\n",
        "boot: the kernel panicked\n",
    );
    let text = file(vec![vec![panic, attempt(0, 0, &good, "")]]);
    assert!(text.contains("<testcase name=\"c0\" classname=\"um,c0\" time=\"1.500\">\n   <flakyFailure message=\"the guest failed\""), "{text}");
    assert!(text.contains("failures=\"0\""), "{text}");
}

#[test]
fn a_guest_that_fails_after_its_tests_is_a_failure() {
    let text = file(vec![vec![attempt(
        0,
        250,
        "TAP version 13\n1..1\nok 1 a\n",
        "boot: the kernel panicked\n  at x\n",
    )]]);
    assert!(text.contains("<failure message=\"the guest failed\" type=\"failure\">boot: the kernel panicked\n  at x</failure>"), "{text}");
}

#[test]
fn any_output_gives_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..=255)
        .cycle()
        .take(200_000)
        .chain(*b"]]>&<end>")
        .collect();
    fs::write(directory.path().join("stdout"), &bytes).unwrap();
    fs::write(directory.path().join("stderr"), "\u{1b}[1mbold\u{fffe}\r\n").unwrap();
    let mut run = attempt(
        0,
        1,
        "KTAP version 1\nnot ok 1 a\u{1}\u{fffe}\"'<>& # \u{7f}\u{85}\n",
        "",
    );
    run.directory = directory.path().to_owned();
    let text = file(vec![vec![run]]);
    assert!(
        text.contains("<system-err>␛[1mbold\u{fffd}\n</system-err>"),
        "{text}"
    );
    assert!(
        text.contains(" bytes are left out]\n")
            && text.contains("]]&gt;&amp;&lt;end&gt;</system-out>"),
        "{text}"
    );
    assert!(
        text.contains("name=\"a␁\u{fffd}&quot;&apos;&lt;&gt;&amp;\""),
        "{text}"
    );
}
