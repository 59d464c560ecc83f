//! Bodies that were signed before they were compressed.

use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::error::ReasonCode;
use crate::request::Incoming;
use crate::scheme::Scheme;

const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// The body as it was signed, where the scheme signs it before compression and it came compressed in one coding; `None`: as it came,
/// which is also what a server leaves that decompressed it and kept the header.
///
/// # Errors
/// `body_too_large` for one that unpacks to more than `most` bytes; no more of it is unpacked.
pub(super) fn inflated(scheme: &Scheme, incoming: &Incoming<'_>, most: usize) -> Result<Option<Vec<u8>>, ReasonCode> {
    if !scheme.signed_before_compression || incoming.body.len() > most {
        return Ok(None);
    }
    let body = incoming.body;
    let Some(coding) = coding(incoming) else { return Ok(None) };
    let unpacked = match coding.to_ascii_lowercase().as_slice() {
        b"gzip" | b"x-gzip" if body.starts_with(GZIP_MAGIC) => unpack(MultiGzDecoder::new(body), most),
        // Some senders mean the bare stream, the standard means the one with a head.
        b"deflate" => unpack(ZlibDecoder::new(body), most).or_else(|| unpack(DeflateDecoder::new(body), most)),
        _ => None,
    };
    match unpacked {
        Some(unpacked) if unpacked.len() > most => Err(ReasonCode::BodyTooLarge),
        other => Ok(other),
    }
}

/// The one coding; several, in one header or in many, are none.
fn coding<'a>(incoming: &Incoming<'a>) -> Option<&'a [u8]> {
    let mut codings = incoming.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding"));
    let (_, coding) = codings.next()?;
    codings.next().is_none().then(|| coding.trim_ascii())
}

/// At most one byte more than `most`; `None` for what is not of this coding.
fn unpack(decoder: impl Read, most: usize) -> Option<Vec<u8>> {
    let mut unpacked = Vec::new();
    decoder.take(most as u64 + 1).read_to_end(&mut unpacked).ok().map(|_| unpacked)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const BODY: &[u8] =
        br#"{"type":"a","data":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#;

    fn scheme(before: bool) -> Scheme {
        let row = serde_json::json!({
            "provider": "acme", "secret": "utf8", "algorithm": "hmac_sha256", "signature": {"header": "x-acme"},
            "content": "{body}", "signed_before_compression": before,
        });
        Scheme::from_json(&row.to_string()).unwrap()
    }

    fn packed(kind: &str) -> Vec<u8> {
        let level = Compression::default();
        match kind {
            "gzip" => {
                let mut encoder = GzEncoder::new(Vec::new(), level);
                encoder.write_all(BODY).unwrap();
                encoder.finish().unwrap()
            }
            "zlib" => {
                let mut encoder = ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(BODY).unwrap();
                encoder.finish().unwrap()
            }
            _ => {
                let mut encoder = DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(BODY).unwrap();
                encoder.finish().unwrap()
            }
        }
    }

    fn unpacked(before: bool, codings: &[&[u8]], body: &[u8], most: usize) -> Result<Option<Vec<u8>>, ReasonCode> {
        let headers: Vec<(&[u8], &[u8])> = codings.iter().map(|coding| (&b"Content-Encoding"[..], *coding)).collect();
        inflated(&scheme(before), &Incoming::post(&headers, body), most)
    }

    #[test]
    fn one_coding_is_undone() {
        for (coding, kind) in
            [("gzip", "gzip"), ("X-GZIP", "gzip"), (" gzip ", "gzip"), ("deflate", "zlib"), ("deflate", "raw")]
        {
            let found = unpacked(true, &[coding.as_bytes()], &packed(kind), BODY.len());
            assert_eq!(found.unwrap().as_deref(), Some(BODY), "{coding} {kind}");
        }
    }

    #[test]
    fn what_is_something_else_stays_as_it_came() {
        let gzip = packed("gzip");
        for (codings, body) in [
            (&[][..], &gzip[..]),
            (&[&b"identity"[..]], &gzip),
            (&[b"br"], &gzip),
            (&[b"gzip, gzip"], &gzip),
            (&[b"gzip", b"gzip"], &gzip),
            (&[b"gzip"], BODY),
            (&[b"gzip"], &gzip[..gzip.len() - 1]),
            (&[b"gzip"], b""),
        ] {
            assert_eq!(unpacked(true, codings, body, 1000), Ok(None), "{codings:?}");
        }
        assert_eq!(unpacked(false, &[b"gzip"], &gzip, 1000), Ok(None));
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        for (coding, kind) in [("gzip", "gzip"), ("deflate", "zlib"), ("deflate", "raw")] {
            let found = unpacked(true, &[coding.as_bytes()], &packed(kind), BODY.len() - 1);
            assert_eq!(found, Err(ReasonCode::BodyTooLarge), "{coding} {kind}");
        }
    }
}
