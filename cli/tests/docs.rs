//! The examples of docs/cli.md: what each command prints is what stands there.
#![cfg(unix)]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{run, surehook, text};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");
/// Published by the Standard Webhooks libraries.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ANOTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// Info string and content of each fenced block.
fn blocks(markdown: &str) -> Vec<(&str, &str)> {
    let fences: Vec<&str> = markdown.split("```").collect();
    fences.iter().skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect()
}

/// What a person would see: the command runs in a shell that finds the binary.
fn printed(command: &str, dir: &Path) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_surehook"));
    let path = format!("{}:/usr/bin:/bin", binary.parent().expect("a folder").display());
    let variables = [("PATH", path.as_str()), ("CLERK_WEBHOOK_SIGNING_SECRET", SECRET)];
    let script = format!("{command} 2>&1");
    text(&run(Command::new("/bin/sh").args(["-c", &script]).env_clear().envs(variables).current_dir(dir)).stdout)
}

/// Line by line; the page ends a long line by `…`.
fn is_as_written(printed: &str, expected: &str) -> bool {
    let same = |(printed, expected): (&str, &str)| match expected.strip_suffix('…') {
        Some(start) => printed.starts_with(start.trim_end()),
        None => printed == expected,
    };
    printed.lines().count() == expected.lines().count() && printed.lines().zip(expected.lines()).all(same)
}

#[test]
fn the_examples_print_what_they_say() {
    let docs = fs::read_to_string(DOCS).expect("the page");
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, content: &str| fs::write(dir.path().join(name), content).expect("a file");
    write("event.json", "{\"type\":\"user.created\",\"data\":{\"id\":\"user_2ab\"}}");
    write("right-secret", SECRET);
    write("wrong-secret", ANOTHER);
    let mut examples = 0;
    for (info, content) in blocks(&docs) {
        if let Some((_, name)) = info.split_once("file=") {
            write(name, content);
            if let Some((head, _)) = content.split_once("\n\n") {
                write("headers.txt", head.split_once('\n').expect("a request line").1);
            }
        } else if info == "console" {
            let (command, expected) = content.split_once('\n').expect("a command");
            let command = command.strip_prefix("$ ").expect("a prompt");
            let printed = printed(command, dir.path());
            assert!(is_as_written(&printed, expected), "{command}\nprinted\n{printed}and not\n{expected}");
            examples += 1;
        }
    }
    assert_eq!(examples, 7, "an example is not run");
}

#[test]
fn every_flag_is_in_the_page() {
    let docs = fs::read_to_string(DOCS).expect("the page");
    for command in ["verify", "sign"] {
        let help = text(&run(&mut surehook(&[command, "--help"])).stdout);
        let flags: Vec<&str> = help
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("--").and_then(|rest| rest.split_whitespace().next()))
            .collect();
        assert!(flags.len() > 8, "{help}");
        for flag in flags {
            assert!(docs.contains(&format!("`--{flag}")), "{command} --{flag} is not in docs/cli.md");
        }
    }
}
