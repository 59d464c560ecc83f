//! Who signs with other secrets is another sender, and the secrets of a rotation are one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use surehook_core::dedup::{DedupKey, MessageName, OperatorId, RegistryKey, Scope, Sender, SenderTag, Senders};
use surehook_core::{Incoming, Secret, TagSeed, Timestamp, Verifier, scheme, sign};

fn registry(namespace: &str, endpoint: &str) -> RegistryKey {
    RegistryKey::of(&Scope::new(namespace, "clerk", endpoint))
}

fn generated(number: u64) -> Secret {
    let mut bytes = [0xA7; 24];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Secret::parse(&format!("whsec_{}", STANDARD.encode(bytes))).unwrap()
}

/// A tag that is made at once, for the many of a random rotation.
fn quick(number: u64) -> SenderTag {
    generated(number).seed().passing_tag(&[7; 32])
}

fn chosen(provider: &str, text: &str) -> TagSeed {
    Secret::for_scheme(text, &scheme::find(provider).unwrap()).unwrap().seed().clone()
}

#[test]
fn a_tag_is_of_one_secret_in_one_record() {
    let seeds = [
        generated(1).seed().clone(),
        generated(2).seed().clone(),
        chosen("github", "It's a Secret to Everybody"),
        chosen("github", "It's a Secret to Everybody!"),
    ];
    let registries = [registry("shop", "users"), registry("shop", "billing"), registry("blog", "users")];
    let tags: BTreeSet<_> = seeds.iter().flat_map(|seed| registries.iter().map(|at| seed.tag(at))).collect();
    assert_eq!(tags.len(), seeds.len() * registries.len());
    assert_eq!(seeds[2].tag(&registries[0]), seeds[2].tag(&registries[0]));
    let identities: Vec<_> = seeds.iter().map(TagSeed::identity).collect();
    assert!((1..identities.len()).all(|at| !identities[..at].contains(&identities[at])));
}

#[test]
fn one_key_has_one_tag_however_it_is_written() {
    let at = registry("shop", "users");
    let same = |provider: &str, texts: [&str; 2]| {
        let [first, second] = texts.map(|text| chosen(provider, text));
        assert_eq!((first.tag(&at), first.identity()), (second.tag(&at), second.identity()), "{provider}");
    };
    same("clerk", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]);
    same("polar", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]);
    let hex = "5c2c3b1f0a77e1a2b3c4d5e6f708192a5c2c3b1f0a77e1a2b3c4d5e6f708192a";
    same("adyen", [hex, &hex.to_uppercase()]);
}

/// What a guess costs: a person's secret is stretched, whatever form it is written in.
#[test]
fn guessing_a_chosen_secret_by_its_tag_is_slow() {
    let written = format!("whsec_{}", STANDARD.encode("correct horse battery staple"));
    for (provider, text, slow) in [
        ("github", "correct horse battery staple", true),
        ("gitlab", "correct horse battery staple", true),
        ("stripe", "whsec_0123456789abcdef", true),
        ("clerk", &written, true),
        ("clerk", "whsec_MfKQ9r8GKYqrTwjUPD8ILA==", true), // short
        ("clerk", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false),
    ] {
        assert_eq!(chosen(provider, text).is_slow(), slow, "{provider}");
    }
    // PBKDF2-HMAC-SHA-256 with 10,000 rounds, of which 8 bytes are kept.
    let at = registry("shop", "users");
    let salt = [b"surehook/dedup/v2/tag", &at.as_bytes()[..]].concat();
    let mut expected = [0; 8];
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(b"correct horse battery staple", &salt, 10_000, &mut expected);
    let shown = format!("{:?}", chosen("github", "correct horse battery staple").tag(&at));
    assert_eq!(shown, format!("SenderTag({}0000000000000000)", base16ct::lower::encode_string(&expected)));
}

#[test]
fn what_a_tag_is_made_of_does_not_show() {
    let seed = chosen("github", "canary-canary-canary");
    assert_eq!(format!("{seed:?} {:?}", seed.identity()), "TagSeed([redacted]) SecretIdentity([redacted])");
}

#[test]
fn a_new_sender_is_called_by_its_lowest_tag_so_that_a_lost_record_comes_back() {
    let tags: BTreeSet<_> = (0..5).map(quick).collect();
    let tags: Vec<_> = tags.into_iter().collect();
    for order in [vec![0, 1, 2], vec![2, 1, 0], vec![1, 2, 0]] {
        let mut senders = Senders::default();
        senders.register(&order.iter().map(|&at| tags[at]).collect::<Vec<_>>());
        let mut again = Senders::default();
        again.register(&tags[..3]);
        assert_eq!(senders, again, "{order:?}");
        assert!(tags[..3].iter().all(|tag| senders.of(*tag) == senders.of(tags[0])));
    }
    let mut none = Senders::default();
    none.register(&[]);
    assert!(none.is_empty());
}

#[test]
fn senders_that_differ_never_merge() {
    let [a, b, c] = [1, 2, 3].map(quick);
    let mut senders = Senders::default();
    senders.register(&[a]);
    senders.register(&[b]);
    let (of_a, of_b) = (senders.of(a), senders.of(b));
    senders.register(&[b, a, c]);
    assert_eq!((senders.of(a), senders.of(b), senders.of(c)), (of_a, of_b, of_a.min(of_b)));
}

#[test]
fn a_record_is_restored_from_what_a_process_knows_but_never_changed_by_it() {
    let [a, b, c] = [1, 2, 3].map(quick);
    let mut known = Senders::default();
    known.register(&[a]);
    known.register(&[a, b]);
    let mut lost = Senders::default();
    lost.register(&[c]);
    assert!(lost.restore(&known));
    assert_eq!((lost.of(a), lost.of(b), lost.len()), (known.of(a), known.of(a), 3));
    let mut anew = Senders::default();
    anew.register(&[b]);
    if anew.of(b) != known.of(b) {
        assert!(!anew.restore(&known), "the store's own word stands");
    }
}

#[test]
fn a_record_that_cannot_be_read_is_never_an_empty_one() {
    let mut senders = Senders::default();
    senders.register(&[quick(1), quick(2)]);
    let bytes = senders.to_bytes();
    assert_eq!(Senders::from_bytes(&bytes), Ok(senders));
    for damaged in [&b""[..], b"\x00", b"\x01\x07", &bytes[..bytes.len() - 1]] {
        assert!(Senders::from_bytes(damaged).unwrap_err().reason.contains("damaged"), "{damaged:?}");
    }
    assert!(Senders::from_bytes(b"\x02").unwrap_err().reason.contains("version 2"));
}

#[test]
fn the_sender_is_a_part_of_a_key() {
    let scope = Scope::new("shop", "clerk", "users");
    let name = MessageName::for_operator(&scheme::find("clerk").unwrap(), OperatorId::Provider("msg_1")).unwrap();
    let mut senders = Senders::default();
    senders.register(&[quick(1)]);
    senders.register(&[quick(2)]);
    let registered = |number| Sender::Registered(senders.of(quick(number)).unwrap());
    let named = |text: &str| Sender::Named(text.to_owned());
    let all = [registered(1), registered(2), named("acme"), named("acm"), named(""), named("unnamed"), Sender::Unnamed];
    let keys: BTreeSet<_> = all.iter().map(|sender| DedupKey::of(&scope, sender, &name)).collect();
    assert_eq!(keys.len(), all.len());
}

#[test]
fn a_message_tells_every_secret_that_signed_it() {
    let texts = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"];
    let verifier = Verifier::new("clerk", &texts).unwrap();
    let signed = |by: &[&str]| {
        let signatures: Vec<_> = by.iter().map(|text| sign(text, "msg_1", 1, b"{}").unwrap()).collect();
        let header = signatures.join(" ");
        let headers: [(&[u8], &[u8]); 3] =
            [(b"svix-id", b"msg_1"), (b"svix-timestamp", b"1"), (b"svix-signature", header.as_bytes())];
        let message = verifier.verify_request(&Incoming::post(&headers, b"{}"), Timestamp::from_unix_seconds(1));
        message.unwrap().signers().map(|secret| secret.seed().identity()).collect::<Vec<_>>()
    };
    let [first, second] = texts.map(|text| Secret::parse(text).unwrap().seed().identity());
    assert_eq!(signed(&texts[..1]), [first]);
    assert_eq!(signed(&texts[1..]), [second]);
    assert_eq!(signed(&[texts[1], texts[0]]), [first, second]);
}

/// A process of a rolling deploy: its secrets, and what it has read of the record.
struct Process {
    secrets: Vec<u64>,
    known: Option<Senders>,
}

impl Process {
    /// The sender of a message, as the SDK finds it: the record is asked for once, with all secrets of the list.
    fn sender_of(&mut self, signed_by: &[u64], record: &mut Senders) -> Option<Sender> {
        let signers: Vec<_> = self.secrets.iter().filter(|secret| signed_by.contains(secret)).collect();
        if signers.is_empty() {
            return None;
        }
        if self.known.is_none() {
            record.register(&self.secrets.iter().map(|secret| quick(*secret)).collect::<Vec<_>>());
            self.known = Some(record.clone());
        }
        let known = self.known.as_ref()?;
        signers.iter().filter_map(|secret| known.of(quick(**secret))).min().map(Sender::Registered)
    }
}

/// Random rotations at two endpoints of one name, in rolling deploys, with lists in any order and messages that carry one
/// signature or several. The model knows which message of which owner ran.
#[test]
fn no_message_runs_twice_in_a_rotation_and_no_two_owners_share_a_key() {
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64);
    println!("SEED={seed}");
    for case in 0..400 {
        rotations(Random(seed.wrapping_add(case * 0x1000_0001)), &format!("SEED={seed}, case {case}"));
    }
}

fn rotations(mut random: Random, case: &str) {
    let scope = Scope::new("shop", "clerk", "clerk");
    let scheme = scheme::find("clerk").unwrap();
    let mut record = Senders::default();
    let mut runs: BTreeMap<DedupKey, (usize, String)> = BTreeMap::new();
    // Both owners have their own secrets, and the provider calls their messages by the same ids.
    let lives: [Vec<Vec<u64>>; 2] = [0, 1000].map(|first| chain(first, &mut random));
    let mut earlier: [Vec<Process>; 2] = [vec![], vec![]];
    for phase in 0..lives[0].len() {
        for owner in 0..2 {
            let Some(list) = lives[owner].get(phase) else { continue };
            let mut processes: Vec<Process> = std::mem::take(&mut earlier[owner]);
            // The first of the new ones serves at once: a configuration that never saw a message can tell nobody of it.
            processes.extend((0..1 + random.below(3)).map(|_| Process { secrets: random.shuffled(list), known: None }));
            for attempt in 0..12 {
                // A retry is signed with what the provider signs with by then: one secret or several.
                let before = if attempt == 0 || phase == 0 { list } else { &lives[owner][phase - 1] };
                let mut signed_by = random.shuffled(&[&before[..], list].concat());
                signed_by.truncate(1 + random.below(list.len()));
                let id = format!("msg_{}", random.below(3 * (phase + 1)));
                let at = if attempt == 0 { processes.len() - 1 } else { random.below(processes.len()) };
                let Some(sender) = processes[at].sender_of(&signed_by, &mut record) else { continue };
                let name = MessageName::for_operator(&scheme, OperatorId::Provider(&id)).unwrap();
                let ran = runs.entry(DedupKey::of(&scope, &sender, &name)).or_insert((owner, id.clone()));
                assert_eq!(*ran, (owner, id), "{case}: two owners, or two messages, share a key");
            }
            // Only the latest configuration stays for the next one.
            processes.retain(|process| {
                process.secrets.len() == list.len() && process.secrets.iter().all(|secret| list.contains(secret))
            });
            earlier[owner] = processes;
        }
    }
    let messages: BTreeSet<_> = runs.values().collect();
    assert_eq!(messages.len(), runs.len(), "{case}: a message ran twice");
}

/// Configurations of which each shares a secret with the one before.
fn chain(first: u64, random: &mut Random) -> Vec<Vec<u64>> {
    let mut next = first;
    let mut fresh = || {
        next += 1;
        next
    };
    let mut lists = vec![vec![fresh()]];
    for _ in 0..1 + random.below(5) {
        let before = lists.last().unwrap();
        let mut list = random.shuffled(before);
        list.truncate(1 + random.below(before.len()));
        if random.below(3) > 0 {
            list.extend((0..1 + random.below(2)).map(|_| fresh()));
        }
        lists.push(list);
    }
    lists
}

/// The numbers of SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    fn shuffled(&mut self, items: &[u64]) -> Vec<u64> {
        let mut items = items.to_vec();
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
        items
    }
}
