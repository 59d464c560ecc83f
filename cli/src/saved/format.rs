//! Telling the format of a saved request by its first line.

use clap::ValueEnum;

/// How a request was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A raw HTTP request, or an `.http` file of a REST client
    Http,
    /// An HTTP archive, or one entry of it
    Har,
    /// A curl command
    Curl,
}

/// The format that the first line which is no comment belongs to.
pub(super) fn detect(saved: &[u8]) -> Result<Format, String> {
    let mut lines = saved.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.find(|line| !line.is_empty() && !is_aside(line)).unwrap_or_default();
    match first {
        _ if first.starts_with(b"{") => Ok(Format::Har),
        _ if is_curl(first.strip_prefix(b"$ ").unwrap_or(first)) => Ok(Format::Curl),
        _ if is_request_line(first) => Ok(Format::Http),
        b"" => Err("it holds no request".to_owned()),
        _ => Err(
            "it is neither an HTTP request, nor a HAR, nor a curl command; name its --format, or pass a body alone \
                  with --body"
                .to_owned(),
        ),
    }
}

/// Lines of an `.http` file, and of a shell, that are not part of a request: comments, separators, variables.
pub(super) fn is_aside(line: &[u8]) -> bool {
    [b"#".as_slice(), b"//", b"@"].iter().any(|mark| line.starts_with(mark))
}

/// Whether a command line calls curl, by whatever path.
fn is_curl(line: &[u8]) -> bool {
    let program = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let name = program.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    matches!(name, b"curl" | b"curl.exe")
}

fn is_request_line(line: &[u8]) -> bool {
    let mut parts = line.split(|byte| *byte == b' ');
    let method = parts.next().unwrap_or_default();
    let target = parts.next().unwrap_or_default();
    !method.is_empty()
        && method.iter().all(u8::is_ascii_uppercase)
        && [b"/".as_slice(), b"http://", b"https://"].iter().any(|start| target.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_is_no_comment_decides() {
        for (saved, format) in [
            ("POST /hook HTTP/1.1\r\n", Format::Http),
            ("POST https://a.example/hook\n", Format::Http),
            ("@host = a\n// why\n\n### first\n# note\nGET /\n", Format::Http),
            ("\n\n {\"log\":{}}", Format::Har),
            ("curl https://a.example/", Format::Curl),
            ("# from the browser\n$ curl \\\n https://a.example/", Format::Curl),
            ("/usr/bin/curl x", Format::Curl),
            ("curl.exe x", Format::Curl),
        ] {
            assert_eq!(detect(saved.as_bytes()), Ok(format), "{saved}");
        }
    }

    #[test]
    fn anything_else_is_not_guessed_at() {
        for saved in
            ["", "\n# only a comment\n", "hello", "[1]", "wget https://a.example/", "curly /x", "post /x", "POST x"]
        {
            assert!(detect(saved.as_bytes()).is_err(), "{saved}");
        }
    }
}
