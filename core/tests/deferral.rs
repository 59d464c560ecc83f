//! Tokens of deferred work: what is read, and what is refused.

use proptest::prelude::*;
use surehook_core::Timestamp;
use surehook_core::telemetry::attempt::VerificationResult;
use surehook_core::telemetry::deferral::Deferral;
use uuid::Uuid;

fn deferral() -> Deferral {
    Deferral {
        attempt: Uuid::from_u128(7),
        endpoint: "clerk".to_owned(),
        provider: "clerk".to_owned(),
        message_id: Some("msg_1".to_owned()),
        event_type: Some("user.created".to_owned()),
        entity_id: Some("user_1".to_owned()),
        verification: VerificationResult::Verified,
        deadline: Timestamp::from_unix_seconds(1_700_000_000),
        missing_steps: vec!["send_welcome".to_owned()],
    }
}

#[test]
fn a_token_goes_through_any_queue() {
    let token = deferral().token();
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')), "{token}");
    assert_eq!(Deferral::read(&token).unwrap(), deferral());
}

#[test]
fn a_token_is_bounded_whatever_is_required() {
    let steps = (0..10_000).map(|number| format!("{number:x>10000}")).collect();
    let token = Deferral { missing_steps: steps, ..deferral() }.token();
    assert!(token.len() < 64 * 1024, "{} bytes", token.len());
    assert_eq!(Deferral::read(&token).unwrap().missing_steps.len(), 200);
}

#[test]
fn what_is_no_token_is_refused() {
    let token = deferral().token();
    let rejected = Deferral { verification: VerificationResult::Rejected, ..deferral() }.token();
    let nameless = Deferral { endpoint: String::new(), ..deferral() }.token();
    let long = format!("shd_{}", "A".repeat(300 * 1024));
    let texts = ["", "shd_", "shd_e30", &token[4..], &token[..token.len() - 3], &rejected, &nameless, &long];
    for text in texts {
        assert_eq!(Deferral::read(text).err().map(|error| error.code()), Some("invalid_option"), "{text:.60}");
    }
}

proptest! {
    #[test]
    fn no_text_brings_it_down(text in ".*", cut in 0..200_usize) {
        let _ = Deferral::read(&text);
        let _ = Deferral::read(&format!("shd_{text}"));
        let token = deferral().token();
        if cut < token.len() {
            prop_assert!(Deferral::read(&token[..cut]).is_err());
        }
    }
}
