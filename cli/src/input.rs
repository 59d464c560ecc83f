//! Files and standard input, read whole and only up to a limit.

use std::fs::File;
use std::io::{self, Read};

/// What `-` stands for in place of a file.
pub(crate) const STANDARD_INPUT: &str = "-";

/// The most that is read of one input: the largest body that any provider sends.
pub(crate) const MOST_BYTES: usize = 25 * 1024 * 1024;

/// The bytes of a file, or of standard input for `-`. The error is one sentence that names the file.
pub(crate) fn read(name: &str) -> Result<Vec<u8>, String> {
    let bytes = match name {
        STANDARD_INPUT => bounded(io::stdin().lock()),
        path => File::open(path).and_then(bounded),
    };
    match bytes {
        Ok(bytes) if bytes.len() > MOST_BYTES => {
            Err(format!("{} is larger than {} MiB", shown(name), MOST_BYTES >> 20))
        }
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(format!("cannot read {}: {error}", shown(name))),
    }
}

/// As a message calls it.
pub(crate) fn shown(name: &str) -> &str {
    match name {
        STANDARD_INPUT => "standard input",
        path => path,
    }
}

/// One byte over the limit is enough to know that it is over.
fn bounded(input: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_25_mib_is_read_and_one_byte_more_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("body").display().to_string();
        let file = File::create(&path).unwrap();
        file.set_len(MOST_BYTES as u64).unwrap();
        assert_eq!(read(&path).map(|bytes| bytes.len()), Ok(MOST_BYTES));
        file.set_len(MOST_BYTES as u64 + 1).unwrap();
        assert_eq!(read(&path), Err(format!("{path} is larger than 25 MiB")));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for path in [dir.path().display().to_string(), dir.path().join("none").display().to_string()] {
            assert!(read(&path).unwrap_err().starts_with(&format!("cannot read {path}: ")));
        }
    }
}
