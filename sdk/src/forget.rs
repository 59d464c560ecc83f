//! Letting a message run again, from inside of the application.

use surehook_core::ConfigError;
use surehook_core::dedup::{DedupKey, MessageName, OperatorId, Sender, StoreError};

use crate::endpoint::{Endpoint, Memory};

/// What an application calls a message that is to run again.
#[derive(Clone, Copy, Debug)]
pub enum Forget<'a> {
    /// The `dedup.key` of one of its attempts.
    Key(&'a str),
    /// The provider's id, where the provider signs it.
    Id(&'a str),
    /// What the application's own function made of it.
    UserKey(&'a str),
}

impl Endpoint {
    /// The keys under which the endpoint may know a message: one for each sender that this process has met.
    ///
    /// # Errors
    /// [`ConfigError::InvalidOption`] for a key that is none, and for an id that the provider does not sign.
    pub fn keys(&self, message: Forget<'_>) -> Result<Vec<DedupKey>, ConfigError> {
        match message {
            Forget::Key(digits) => {
                let fault = "it must be the 64 hexadecimal digits of an attempt's dedup.key";
                let key = DedupKey::from_hex(digits).ok_or_else(|| ConfigError::invalid_option("dedup_key", fault))?;
                Ok(vec![key])
            }
            Forget::Id(id) => self.keys_of(OperatorId::Provider(id)),
            Forget::UserKey(key) => self.keys_of(OperatorId::User(key)),
        }
    }

    /// Forgets a message, so that its next attempt runs the handler: the only way with a store in memory. False: the store does
    /// not know it. A message whose handler runs at this moment is forgotten too. Waits for a store on the other side of a network.
    ///
    /// # Errors
    /// The store cannot be asked, or there is none.
    pub fn forget(&self, keys: &[DedupKey]) -> Result<bool, StoreError> {
        let Memory::Dedup(store) = &self.0.memory else {
            return Err(StoreError { reason: "de-duplication is off: nothing is remembered".to_owned() });
        };
        keys.iter().try_fold(false, |forgotten, key| store.forget(key).map(|known| forgotten | known))
    }

    fn keys_of(&self, id: OperatorId<'_>) -> Result<Vec<DedupKey>, ConfigError> {
        let custom = self.0.is_custom();
        let name = match (custom, id) {
            // A verifier of the user's vouches for its ids.
            (true, id) => MessageName::vouched(id),
            (false, id) => MessageName::for_operator(&self.0.scheme, id)?,
        };
        let registered = self.0.signers().known().into_iter().map(Sender::Registered);
        let senders = registered.chain(custom.then_some(Sender::Unnamed));
        Ok(senders.map(|sender| DedupKey::of(self.0.scope(), &sender, &name)).collect())
    }
}
