//! Undoes the content encoding, never past a limit.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, header};

use crate::error::Error;

/// The largest window a zstd stream may ask for: 8 MiB, as RFC 8878 asks every decoder to support.
const ZSTD_WINDOW_LOG: u32 = 23;

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    /// What the headers say.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Error> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let Some(value) = values.next() else { return Ok(Self::Identity) };
        if values.next().is_some() {
            return Err(Error::UnsupportedEncoding);
        }
        match value.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Ok(Self::Identity),
            b"gzip" | b"x-gzip" => Ok(Self::Gzip),
            b"zstd" => Ok(Self::Zstd),
            _ => Err(Error::UnsupportedEncoding),
        }
    }

    /// The decoded body. Stops as soon as it is over `limit`: a bomb costs no more memory than an honest batch.
    pub(super) fn decode(self, body: &Bytes, limit: usize) -> Result<Bytes, Error> {
        match self {
            Self::Identity if body.len() > limit => Err(too_large(limit)),
            Self::Identity => Ok(body.clone()),
            Self::Gzip => read(MultiGzDecoder::new(body.as_ref()), body.len(), limit, Error::InvalidGzip),
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(body.as_ref()).map_err(|_| Error::InvalidZstd)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(|_| Error::InvalidZstd)?;
                read(decoder, body.len(), limit, Error::InvalidZstd)
            }
        }
    }
}

fn too_large(limit: usize) -> Error {
    Error::BatchTooLarge(format!("at most {limit} bytes after decompression"))
}

fn read(decoder: impl Read, compressed: usize, limit: usize, damaged: Error) -> Result<Bytes, Error> {
    let mut text = Vec::with_capacity(compressed.saturating_mul(8).min(limit));
    match decoder.take(limit as u64 + 1).read_to_end(&mut text) {
        Err(_) => Err(damaged),
        Ok(read) if read > limit => Err(too_large(limit)),
        Ok(_) => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn code(encoding: Encoding, body: Vec<u8>, limit: usize) -> &'static str {
        encoding.decode(&body.into(), limit).unwrap_err().code()
    }

    #[test]
    fn the_limit_is_inclusive_for_every_encoding() {
        let text = vec![b'a'; 1_000];
        let zstd = zstd::encode_all(text.as_slice(), 3).unwrap();
        for (encoding, body) in
            [(Encoding::Identity, text.clone()), (Encoding::Gzip, gzip(&text)), (Encoding::Zstd, zstd)]
        {
            assert_eq!(encoding.decode(&body.clone().into(), 1_000).unwrap(), text);
            assert_eq!(code(encoding, body, 999), "batch_too_large");
        }
    }

    #[test]
    fn a_stream_cut_anywhere_is_refused() {
        let text = br#"{"schema":1,"attempts":[]}"#;
        let (gzip, zstd) = (gzip(text), zstd::encode_all(text.as_slice(), 3).unwrap());
        for end in 1..gzip.len() {
            assert_eq!(code(Encoding::Gzip, gzip[..end].to_vec(), 100), "invalid_gzip", "cut at {end}");
        }
        for end in 1..zstd.len() {
            assert_eq!(code(Encoding::Zstd, zstd[..end].to_vec(), 100), "invalid_zstd", "cut at {end}");
        }
    }

    #[test]
    fn bytes_that_are_not_the_encoding_are_refused() {
        assert_eq!(code(Encoding::Gzip, b"{}".to_vec(), 100), "invalid_gzip");
        assert_eq!(code(Encoding::Zstd, b"{}".to_vec(), 100), "invalid_zstd");
        let mut trailing = gzip(b"{}");
        trailing.extend_from_slice(b"garbage");
        assert_eq!(code(Encoding::Gzip, trailing, 100), "invalid_gzip");
    }

    #[test]
    fn a_zstd_stream_cannot_ask_for_a_huge_window() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&[b'a'; 100_000]).unwrap();
        assert_eq!(code(Encoding::Zstd, encoder.finish().unwrap(), 1 << 20), "invalid_zstd");
    }
}
