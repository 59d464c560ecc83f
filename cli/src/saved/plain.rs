//! Headers in a file of their own, beside a body.

use super::header::Header;

/// The headers of a file with one `Name: value` a line; empty lines do not count.
pub(crate) fn headers_of_file(text: &[u8]) -> Result<Vec<Header>, String> {
    let lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    (1..)
        .zip(lines)
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(number, line)| Header::from_line(line).map_err(|fault| format!("line {number}: {fault}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_header_a_line_with_either_line_end() {
        let headers = headers_of_file(b"Svix-Id: msg_1\r\n\nx: y").unwrap();
        let names: Vec<&str> = headers.iter().map(|header| header.name.as_str()).collect();
        assert_eq!(names, ["svix-id", "x"]);
        assert_eq!(headers_of_file(b""), Ok(Vec::new()));
    }

    #[test]
    fn a_fault_is_told_with_its_line() {
        assert!(headers_of_file(b"a: b\n\nc d: e\n").unwrap_err().starts_with("line 3: "));
        assert!(headers_of_file(b"POST / HTTP/1.1\n").unwrap_err().starts_with("line 1: "));
    }
}
