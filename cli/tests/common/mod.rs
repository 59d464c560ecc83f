//! The real binary, and real receivers for what it sends.

#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod receiver;
pub(crate) mod saved;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The command with an environment that nothing of this machine leaks into.
pub(crate) fn surehook(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surehook"));
    command.args(args).env_clear();
    command
}

pub(crate) fn run(command: &mut Command) -> Output {
    command.output().expect("the binary runs")
}

/// Runs it with these bytes as its standard input.
pub(crate) fn run_with(command: &mut Command, input: &[u8]) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("piped");
    // A command that refuses its options does not read.
    let _ = stdin.write_all(input);
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The exit code, and the one line that said why.
pub(crate) fn refusal(output: &Output) -> (i32, String) {
    let said = text(&output.stderr);
    assert!(!said.contains("panicked") && !said.contains("RUST_BACKTRACE"), "{said}");
    (output.status.code().unwrap_or(-1), said.trim_end().to_owned())
}

/// A collector in a process of its own, ended with the test.
pub(crate) struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
    pub(crate) printed: Vec<String>,
}

impl Running {
    /// Starts the command and reads what it prints until a line contains `ready`.
    pub(crate) fn start(command: &mut Command, ready: &str) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let (send, lines) = mpsc::channel();
        let stdout = child.stdout.take().expect("piped");
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let mut running = Self { child, lines, printed: Vec::new() };
        while !running.printed.last().is_some_and(|line| line.contains(ready)) {
            match running.lines.recv_timeout(PATIENCE) {
                Ok(line) => running.printed.push(line),
                Err(_) => panic!("no line with {ready:?} in {:#?}", running.printed),
            }
        }
        running
    }

    pub(crate) fn all(&self) -> String {
        self.printed.join("\n")
    }

    /// What follows `name` in one of the lines.
    pub(crate) fn value(&self, name: &str) -> String {
        let found = self.printed.iter().find_map(|line| line.trim().strip_prefix(name));
        found.unwrap_or_else(|| panic!("no {name} in {:#?}", self.printed)).trim().to_owned()
    }

    /// Sends a signal, waits for the end, and gives the exit code.
    pub(crate) fn end_by(&mut self, signal: &str) -> Option<i32> {
        let killed = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(killed.success());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
