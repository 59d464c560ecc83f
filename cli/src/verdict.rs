//! Whether an answer is what such a request should get.

use crate::delivery::{Answer, Kind};

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The handler ran and took the message.
    Handled,
    /// The receiver knew the message and answered as before, without its handler.
    Replayed,
    /// The receiver turned away what it must not take.
    Refused,
    /// None of these where it should have been one: what is wrong.
    Unexpected(String),
}

impl Verdict {
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Verdict::Handled => "handled",
            Verdict::Replayed => "replayed",
            Verdict::Refused => "refused",
            Verdict::Unexpected(_) => "unexpected",
        }
    }
}

/// Judges one answer. `handled` is what the delivery of the same message got that a handler took, where one did.
pub(crate) fn judge(kind: Kind, answer: &Answer, handled: Option<&Answer>) -> Verdict {
    match kind {
        Kind::Forged => refusal(answer, "a forged signature"),
        Kind::Stale => refusal(answer, "a signature that is ten minutes old"),
        Kind::Original => acceptance(answer),
        Kind::Duplicate => match handled {
            Some(handled) => replay(answer, handled),
            // Nothing was handled, so nothing can be replayed: a retry is a new try.
            None => acceptance(answer),
        },
    }
}

fn is_success(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

fn refusal(answer: &Answer, what: &str) -> Verdict {
    match answer.status {
        400 | 401 => Verdict::Refused,
        _ if is_success(answer) => Verdict::Unexpected(format!("{what} was accepted; it must get 401")),
        _ => Verdict::Unexpected(format!("{what} must get 401")),
    }
}

fn acceptance(answer: &Answer) -> Verdict {
    match (is_success(answer), &answer.replayed) {
        (true, None) => Verdict::Handled,
        (true, Some(_)) => Verdict::Replayed,
        (false, _) if answer.status == 401 => {
            Verdict::Unexpected("a good signature was refused; is it the receiver's secret?".to_owned())
        }
        (false, _) => Verdict::Unexpected("a good message must get 2xx".to_owned()),
    }
}

fn replay(answer: &Answer, handled: &Answer) -> Verdict {
    let unlike = |what: &str| Verdict::Unexpected(format!("the retry's {what} is not the first answer's"));
    match answer.replayed.as_deref() {
        _ if answer.status != handled.status => unlike("status"),
        None => Verdict::Unexpected("the retry was handled a second time".to_owned()),
        Some("body-omitted") => Verdict::Replayed,
        Some(_) if answer.body != handled.body => unlike("body"),
        Some(_) if answer.content_type != handled.content_type => unlike("content type"),
        Some(_) => Verdict::Replayed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, replayed: Option<&str>, body: &str) -> Answer {
        Answer {
            status,
            replayed: replayed.map(str::to_owned),
            content_type: Some("application/json".to_owned()),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn each_kind_of_request_has_its_right_answer() {
        let first = answer(201, None, "a");
        let again = answer(201, Some("true"), "a");
        let refused = answer(401, None, "");
        assert_eq!(judge(Kind::Original, &first, None), Verdict::Handled);
        assert_eq!(judge(Kind::Original, &again, None), Verdict::Replayed);
        assert_eq!(judge(Kind::Duplicate, &again, Some(&first)), Verdict::Replayed);
        assert_eq!(judge(Kind::Duplicate, &answer(201, Some("body-omitted"), ""), Some(&first)), Verdict::Replayed);
        assert_eq!(judge(Kind::Duplicate, &first, None), Verdict::Handled);
        for kind in [Kind::Forged, Kind::Stale] {
            assert_eq!(judge(kind, &refused, None), Verdict::Refused);
            assert_eq!(judge(kind, &answer(400, None, ""), None), Verdict::Refused);
        }
    }

    #[test]
    fn every_other_answer_is_named() {
        let first = answer(201, None, "a");
        let cases = [
            (Kind::Original, answer(500, None, ""), "2xx"),
            (Kind::Original, answer(302, None, ""), "2xx"),
            (Kind::Original, answer(401, None, ""), "secret"),
            (Kind::Duplicate, answer(201, None, "a"), "second time"),
            (Kind::Duplicate, answer(201, Some("true"), "b"), "body"),
            (Kind::Duplicate, answer(200, Some("true"), "a"), "status"),
            (Kind::Duplicate, answer(409, None, ""), "status"),
            (Kind::Forged, answer(200, None, ""), "forged signature was accepted"),
            (Kind::Forged, answer(500, None, ""), "must get 401"),
            (Kind::Stale, answer(200, None, ""), "ten minutes old was accepted"),
        ];
        for (kind, got, named) in cases {
            match judge(kind, &got, Some(&first)) {
                Verdict::Unexpected(problem) => assert!(problem.contains(named), "{problem} does not say {named}"),
                other => panic!("{kind:?} {got:?} passed as {other:?}"),
            }
        }
        let mut other_type = answer(201, Some("true"), "a");
        other_type.content_type = Some("text/plain".to_owned());
        assert!(matches!(judge(Kind::Duplicate, &other_type, Some(&first)), Verdict::Unexpected(_)));
    }
}
