//! The truth table, row by row, from the vectors that every language shares.

use std::collections::BTreeMap;

use serde::Deserialize;
use surehook_core::outcome::{HandlerEnd, Judgement, judge, judge_deferred};
use surehook_core::telemetry::attempt::{ErrorInfo, Step};
use surehook_core::{Marks, OnSilentDrop, Outcome, Requirements};

#[derive(Deserialize)]
struct Vectors {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    #[serde(rename = "comment")]
    _comment: String,
    input: Input,
    expected: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    event_type: Option<String>,
    #[serde(default)]
    require_processing_mark: bool,
    #[serde(default)]
    steps: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    ignore: Vec<String>,
    #[serde(default)]
    on_silent_drop: Policy,
    handler: Vec<Call>,
    end: End,
    #[serde(default)]
    later: Vec<Call>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Policy {
    #[default]
    Report,
    Retry,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Call {
    Step { step: String },
    Mark { mark: String, reason: Option<String> },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum End {
    Answered { status: u16 },
    Word(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    outcome: Outcome,
    missing_steps: Vec<String>,
    answer_override: Option<u16>,
    store_response: bool,
    later: Option<Later>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Later {
    outcome: Outcome,
    missing_steps: Vec<String>,
}

fn vectors() -> Vec<Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/outcomes.json");
    let text = std::fs::read_to_string(path).expect("the vector file is there");
    serde_json::from_str::<Vectors>(&text).expect("the vector file has its form").rows
}

fn requirements(input: &Input) -> Requirements {
    let mut requirements = Requirements::default();
    requirements.require_processing_mark = input.require_processing_mark;
    requirements.on_silent_drop = match input.on_silent_drop {
        Policy::Report => OnSilentDrop::Report,
        Policy::Retry => OnSilentDrop::Retry,
    };
    for (pattern, steps) in &input.steps {
        requirements = requirements.with_steps(pattern, steps).expect("a pattern");
    }
    for pattern in &input.ignore {
        requirements = requirements.with_ignored(pattern).expect("a pattern");
    }
    requirements
}

fn marked(calls: &[Call]) -> Marks {
    let mut marks = Marks::default();
    for call in calls {
        match call {
            Call::Step { step } => marks.step(step, 0),
            Call::Mark { mark, .. } if mark == "processed" => marks.processed(),
            Call::Mark { mark, .. } if mark == "deferred" => marks.deferred(),
            Call::Mark { mark, reason } if mark == "failed" => marks.failed(reason.as_deref().expect("a reason")),
            Call::Mark { mark, .. } => panic!("no such mark: {mark}"),
        }
    }
    marks
}

fn run(input: &Input) -> Judgement {
    let marks = marked(&input.handler);
    let end = match &input.end {
        End::Answered { status } => HandlerEnd::Answered { status: *status },
        End::Word(word) => {
            assert_eq!(word, "error");
            HandlerEnd::Errored
        }
    };
    judge(&marks, end, &requirements(input), input.event_type.as_deref())
}

#[test]
fn every_row_of_the_truth_table_holds() {
    let rows = vectors();
    assert!(rows.len() >= 25);
    for row in &rows {
        let Expected { outcome, missing_steps, answer_override, store_response, later } = &row.expected;
        let expected = Judgement {
            outcome: *outcome,
            missing_steps: missing_steps.clone(),
            answer_override: *answer_override,
            store_response: *store_response,
        };
        assert_eq!(run(&row.input), expected, "{}", row.id);
        assert_eq!(later.is_some(), !row.input.later.is_empty(), "{}", row.id);
        if let Some(later) = later {
            let left =
                requirements(&row.input).missing_steps(&marked(&row.input.handler), row.input.event_type.as_deref());
            let judgement = judge_deferred(&marked(&row.input.later), &left);
            assert_eq!(
                (judgement.outcome, &judgement.missing_steps),
                (later.outcome, &later.missing_steps),
                "{}",
                row.id
            );
        }
    }
    println!("outcomes: {} rows", rows.len());
}

#[test]
fn patterns_that_name_no_event_types_are_refused() {
    for pattern in ["", "user*", "*.created", "us*er.*", "**", ".*", "user.**"] {
        assert!(Requirements::default().with_ignored(pattern).is_err(), "{pattern}");
        let fault = Requirements::default().with_steps(pattern, &["a"]).expect_err(pattern);
        assert_eq!(fault.code(), "invalid_option");
    }
    assert!(Requirements::default().with_steps("user.created", &[""]).is_err());
}

#[test]
fn steps_that_could_not_be_recorded_cannot_be_required() {
    let requirements = |steps: &[String]| Requirements::default().with_steps("user.*", steps);
    let error = |steps: &[String]| requirements(steps).expect_err("refused").to_string();
    let many: Vec<String> = (0..201).map(|number| number.to_string()).collect();
    assert!(error(&many).contains("user.* has more than 200 steps"));
    let long = requirements(&["é".repeat(10_000)]).expect("it is cut");
    assert_eq!(long.missing_steps(&Marks::default(), Some("user.created")), ["é".repeat(200)]);
    let all =
        requirements(&many[..200]).and_then(|both| both.with_steps("user.created", &many[1..])).expect("200 each");
    assert_eq!(all.missing_steps(&Marks::default(), Some("user.created")).len(), 200);
}

#[test]
fn steps_and_names_are_bounded() {
    let mut marks = Marks::default();
    for index in 0..100_000 {
        marks.step(&format!("{index}-{}", "é".repeat(1000)), index);
    }
    assert_eq!(marks.steps().len(), 200);
    assert!(marks.steps().iter().all(|step| step.name.chars().count() == 200));
    marks.failed(&"é".repeat(10_000));
    assert!(matches!(marks.mark(), Some(surehook_core::marks::Mark::Failed { reason }) if reason.len() == 1000));
}

#[test]
fn a_required_step_after_many_others_still_counts_as_done() {
    let requirements = Requirements::default().with_steps("*", &["commit"]).expect("a pattern");
    let mut marks = Marks::default();
    for index in 0..5_000 {
        marks.step("row", index);
    }
    assert_eq!(requirements.missing_steps(&marks, None), ["commit"]);
    marks.step("commit", 5_000);
    assert!(requirements.missing_steps(&marks, None).is_empty());
    assert_eq!(marks.steps().len(), 200);
}

#[test]
fn steps_that_are_repeated_leave_room_for_others() {
    let mut marks = Marks::default();
    for round in 0..3 {
        for index in 0..200 {
            marks.step(&format!("step {index}"), round);
        }
    }
    marks.step("commit", 3);
    assert!(marks.did("commit"));
}

#[test]
fn a_required_step_with_a_long_name_can_be_done() {
    let name = "x".repeat(500);
    let requirements = Requirements::default().with_steps("*", &[&name]).expect("a pattern");
    let mut marks = Marks::default();
    marks.step(&name, 0);
    assert!(requirements.missing_steps(&marks, None).is_empty());
}

#[test]
fn a_step_that_ended_with_an_error_was_not_done_until_it_is_done_again() {
    let error = ErrorInfo { kind: "E".into(), message: "no".into(), fingerprint: "0123456789abcdef".into() };
    let mut marks = Marks::default();
    marks.record(Step { name: "save".into(), at_us: 1, duration_us: Some(1), error: Some(error) });
    assert!(!marks.did("save"));
    marks.record(Step { name: "save".into(), at_us: 2, duration_us: Some(1), error: None });
    assert!(marks.did("save"));
    assert_eq!(marks.steps().len(), 2);
}

#[test]
fn a_step_that_has_only_begun_is_not_done() {
    let mut marks = Marks::default();
    marks.step("sync", 1);
    marks.step("sync", 2);
    marks.begun("sync");
    assert!(marks.did("sync"), "the earlier statement stands");
    marks.begun("sync");
    assert!(!marks.did("sync"));
    marks.begun("never told");
    marks.record(Step { name: "sync".to_owned(), at_us: 9, duration_us: Some(4), error: None });
    marks.begun("sync");
    assert!(marks.did("sync"), "one that has ended has not just begun");

    for index in 0..1_000 {
        marks.step(&index.to_string(), index);
    }
    marks.step("late", 1_000);
    marks.begun("399");
    assert!(!marks.did("399") && !marks.did("late"));
}
