//! Where `surehook serve` gets its settings: flags, then the environment, then a TOML file, then the defaults.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::CliError;

/// The port that the SDKs look for when they are told none.
pub(crate) const DEFAULT_PORT: u16 = 4600;
pub(crate) const DEFAULT_HOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const DEFAULT_DATA_DIR: &str = "surehook-data";

/// What a flag or its environment variable said (clap puts the flag first), where one did.
#[derive(clap::Args, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    /// Where the database and its keys are kept [default: ./surehook-data]
    #[arg(long, env = "SUREHOOK_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The address to listen on; 0.0.0.0 for every interface [default: 127.0.0.1]
    #[arg(long, env = "SUREHOOK_HOST", value_name = "ADDRESS")]
    host: Option<IpAddr>,
    /// The port to listen on; 0 picks a free one [default: 4600]
    #[arg(long, env = "SUREHOOK_PORT", value_name = "PORT")]
    port: Option<u16>,
}

/// The same settings in the TOML file. A member that is not one of these is an error, not a typo that nobody sees.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct File {
    data_dir: Option<PathBuf>,
    host: Option<IpAddr>,
    port: Option<u16>,
}

/// What the collector runs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) data_dir: PathBuf,
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
}

impl Settings {
    /// Merges what was given with the file, when there is one.
    pub(crate) fn resolve(given: Given, config: Option<&Path>) -> Result<Self, CliError> {
        let file = config.map(read).transpose()?.unwrap_or_default();
        Ok(Self {
            data_dir: given.data_dir.or(file.data_dir).unwrap_or_else(|| DEFAULT_DATA_DIR.into()),
            host: given.host.or(file.host).unwrap_or(DEFAULT_HOST),
            port: given.port.or(file.port).unwrap_or(DEFAULT_PORT),
        })
    }
}

fn read(path: &Path) -> Result<File, CliError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| CliError::usage(format!("cannot read the configuration {}: {error}", path.display())))?;
    toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
        CliError::usage(format!("{}, line {line}: {}", path.display(), error.message().replace('\n', " ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("surehook.toml");
        std::fs::write(&path, text).unwrap();
        (dir, path)
    }

    #[test]
    fn what_was_given_beats_the_file_and_the_file_beats_the_defaults() {
        let (_dir, path) = file("port = 5000\nhost = \"0.0.0.0\"\n");
        let given = Given { port: Some(6000), ..Given::default() };
        let settings = Settings::resolve(given, Some(&path)).unwrap();
        assert_eq!(settings.port, 6000);
        assert_eq!(settings.host.to_string(), "0.0.0.0");
        assert_eq!(settings.data_dir, PathBuf::from(DEFAULT_DATA_DIR));
        let bare = Settings::resolve(Given::default(), None).unwrap();
        assert_eq!((bare.host, bare.port), (DEFAULT_HOST, DEFAULT_PORT));
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_place() {
        for (text, named) in [
            ("port = 5000\nprot = 1\n", "line 2: unknown field `prot`"),
            ("host = \"everywhere\"\n", "line 1"),
            ("port = 70000\n", "line 1"),
            ("port = \n", "line 1"),
        ] {
            let (_dir, path) = file(text);
            match Settings::resolve(Given::default(), Some(&path)) {
                Err(CliError::Usage(message)) => {
                    assert!(message.contains(named) && message.lines().count() == 1, "{message}");
                }
                other => panic!("{text:?} gave {other:?}"),
            }
        }
        assert!(Settings::resolve(Given::default(), Some(Path::new("/no/such/file.toml"))).is_err());
    }
}
