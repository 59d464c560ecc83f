//! Whether this process is one of several that serve one application, as far as what started it tells.
//!
//! Each of them has a memory of its own, so the memory store does not protect one from what another handled. A number that
//! stands in a configuration file is not seen.

use std::path::Path;

/// Servers that start workers, and their flags for how many.
const SERVERS: &[(&str, &[&str])] = &[
    ("gunicorn", &["-w", "--workers"]),
    ("uvicorn", &["--workers"]),
    ("fastapi", &["--workers"]),
    ("hypercorn", &["-w", "--workers"]),
    ("granian", &["--workers"]),
    ("uwsgi", &["-p", "--processes", "--workers"]),
];

/// What runs several workers of which this process is one, e.g. `gunicorn`.
pub(crate) fn several() -> Option<&'static str> {
    let lines = ["self".to_owned(), parent()].map(|process| command_line(&process));
    found(&|name| std::env::var(name).ok(), &lines)
}

/// Decides by the environment, and by the command lines of this process and of its parent.
fn found(variable: &dyn Fn(&str) -> Option<String>, lines: &[Vec<String>]) -> Option<&'static str> {
    if variable("NODE_UNIQUE_ID").is_some() {
        return Some("Node's cluster");
    }
    let instance = variable("NODE_APP_INSTANCE").is_some_and(|number| number != "0");
    if variable("pm_id").is_some() && (instance || variable("instances").is_some_and(|count| count != "1")) {
        return Some("PM2");
    }
    let named: Vec<Named<'_>> = lines.iter().filter_map(|line| server_of(line)).collect();
    let (server, flags, _) = *named.first()?;
    let more: Vec<String> = match server {
        "gunicorn" => variable("GUNICORN_CMD_ARGS").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let told = named.iter().find_map(|(_, flags, line)| workers(line, flags)).or_else(|| workers(&more, flags));
    let count = told.or_else(|| variable("WEB_CONCURRENCY")?.parse().ok()).unwrap_or(1);
    (count > 1).then_some(server)
}

/// A server, its flags, and the command line that names it.
type Named<'l> = (&'static str, &'static [&'static str], &'l [String]);

/// The server that a command line starts: its own program, or one that an interpreter runs.
fn server_of(line: &[String]) -> Option<Named<'_>> {
    let program = |word: &String| {
        let file = Path::new(word).file_name()?.to_str()?;
        // `python -m uvicorn` shows as …/uvicorn/__main__.py; a title that a process gave itself as `gunicorn: master`.
        let name = match file {
            "__main__.py" => Path::new(word).parent()?.file_name()?.to_str()?,
            file => file.split(':').next()?,
        };
        SERVERS.iter().find(|(server, _)| *server == name).map(|(server, flags)| (*server, *flags))
    };
    line.iter().take(3).find_map(program).map(|(server, flags)| (server, flags, line))
}

/// The number behind one of the flags: `-w 4`, `-w4`, `--workers=4`; the last one counts.
fn workers(line: &[String], flags: &[&str]) -> Option<u32> {
    let number = |(index, word): (usize, &String)| {
        let (flag, rest) = flags.iter().find_map(|flag| Some((flag, word.strip_prefix(flag)?)))?;
        match rest {
            "" => line.get(index + 1)?.parse().ok(),
            rest if flag.starts_with("--") => rest.strip_prefix('=')?.parse().ok(),
            rest => rest.parse().ok(),
        }
    };
    line.iter().enumerate().rev().find_map(number)
}

fn parent() -> String {
    #[cfg(unix)]
    return std::os::unix::process::parent_id().to_string();
    #[cfg(not(unix))]
    String::new()
}

/// The command line of a process, where the system shows it as a file.
fn command_line(process: &str) -> Vec<String> {
    let bytes = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    bytes.split(|byte| *byte == 0).filter_map(|word| std::str::from_utf8(word).ok().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found_in(variables: &str, lines: &[&str]) -> Option<&'static str> {
        let variable = |name: &str| {
            variables
                .split(';')
                .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
                .map(|(_, v)| v.into())
        };
        let words = |line: &&str| line.split(' ').map(str::to_owned).collect();
        found(&variable, &lines.iter().map(words).collect::<Vec<_>>())
    }

    #[test]
    fn several_workers_are_seen() {
        for (variables, lines, server) in [
            ("", &["/app/.venv/bin/python3 /app/.venv/bin/gunicorn -w 4 app:app"][..], "gunicorn"),
            ("", &["gunicorn app:app -w4"], "gunicorn"),
            ("", &["gunicorn: worker app:app", "gunicorn --workers=2 app:app"], "gunicorn"),
            ("GUNICORN_CMD_ARGS=--bind=:80 --workers=3", &["gunicorn app:app"], "gunicorn"),
            ("WEB_CONCURRENCY=2", &["uvicorn app:app"], "uvicorn"),
            ("", &["python -c spawn_main", "python -m uvicorn app:app --workers 4"], "uvicorn"),
            ("", &["python /site-packages/uvicorn/__main__.py app:app --workers 4"], "uvicorn"),
            ("", &["uwsgi -p 4 --http :80"], "uwsgi"),
            ("NODE_UNIQUE_ID=1", &["node server.js"], "Node's cluster"),
            ("pm_id=3;NODE_APP_INSTANCE=3", &["node server.js"], "PM2"),
            ("pm_id=0;NODE_APP_INSTANCE=0;instances=max", &["node server.js"], "PM2"),
        ] {
            assert_eq!(found_in(variables, lines), Some(server), "{variables} {lines:?}");
        }
    }

    #[test]
    fn one_worker_is_not_several() {
        for (variables, line) in [
            ("", "gunicorn app:app"),
            ("", "gunicorn -w 1 app:app"),
            ("WEB_CONCURRENCY=4", "gunicorn -w 1 app:app"),
            ("WEB_CONCURRENCY=4", "python worker.py"),
            ("WEB_CONCURRENCY=1", "uvicorn app:app"),
            ("", "gunicorn -p 4711 app:app"),
            ("", "uvicorn app:app --workers-of-another 4"),
            ("pm_id=0;NODE_APP_INSTANCE=0;instances=1", "node server.js"),
            ("NODE_APP_INSTANCE=2", "node server.js"),
            ("", ""),
        ] {
            assert_eq!(found_in(variables, &[line]), None, "{variables} {line}");
        }
    }
}
