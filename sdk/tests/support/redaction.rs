//! The texts of `tests/contract/redaction.json` with their places filled: `{alnum:24}` is 24 random letters and digits.

use super::random::Random;

const CHARACTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/";

/// The text, and its secret: the longest of what was filled in; where there is none, the whole.
pub fn filled(template: &str, seed: u64) -> (String, String) {
    let mut random = Random::of(seed);
    let (mut text, mut secret) = (String::new(), String::new());
    let mut rest = template;
    while let Some((before, name, length, after)) = place(rest) {
        let part: String = (0..length).map(|_| character(name, &mut random)).collect();
        text += before;
        text += &part;
        if part.len() > secret.len() {
            secret = part;
        }
        rest = after;
    }
    text += rest;
    if secret.is_empty() {
        secret.clone_from(&text);
    }
    (text, secret)
}

fn character(alphabet: &str, random: &mut Random) -> char {
    let from =
        |characters: &[u8], random: &mut Random| char::from(characters[random.below(characters.len() as u64) as usize]);
    match alphabet {
        "digits" => from(&CHARACTERS[..10], random),
        "hex" => from(&CHARACTERS[..16], random),
        "lower" => from(&CHARACTERS[..36], random),
        "letters" => from(&CHARACTERS[10..62], random),
        "UPPER" => from(&CHARACTERS[..36], random).to_ascii_uppercase(),
        "base64" => from(CHARACTERS, random),
        _ => from(&CHARACTERS[..62], random),
    }
}

/// The first place of a text: what is before it, its alphabet and length, and what is after it.
fn place(text: &str) -> Option<(&str, &str, usize, &str)> {
    text.match_indices('{').find_map(|(at, _)| {
        let (place, after) = text[at + 1..].split_once('}')?;
        let (name, length) = place.split_once(':')?;
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        Some((&text[..at], name, length.parse().ok().filter(|_| is_name)?, after))
    })
}
