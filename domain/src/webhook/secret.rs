//! The secret of a webhook, and its signatures.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::{Secret, random};

/// What the text of a secret begins with.
const PREFIX: &str = "whsec_";
/// The bytes of a secret, after the specification.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that both sides of a webhook know: 24 to 64 bytes, whose text is `whsec_` and their base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningSecret(Secret);

impl SigningSecret {
    /// A random secret of 32 bytes.
    #[must_use]
    pub fn generate() -> Self {
        Self(Secret::new(format!("{PREFIX}{}", BASE64_STANDARD.encode(random::<32>()))))
    }

    /// Parses the text of a secret.
    ///
    /// # Errors
    /// A sentence that says what a secret looks like, without repeating it.
    pub fn parse(secret: Secret) -> Result<Self, String> {
        let bytes = secret.expose().strip_prefix(PREFIX).and_then(|text| BASE64_STANDARD.decode(text).ok());
        match bytes {
            Some(bytes) if BYTES.contains(&bytes.len()) => Ok(Self(secret)),
            _ => Err(format!(
                "must be {PREFIX} and the base64 of {} to {} random bytes, for example \"{PREFIX}$(openssl rand -base64 32)\"; leave it out to have one \
                 generated",
                BYTES.start(),
                BYTES.end()
            )),
        }
    }

    /// The text of the secret, to store it or to show it to its owner.
    #[must_use]
    pub fn text(&self) -> &Secret {
        &self.0
    }

    /// The signature of a message (`v1`: HMAC-SHA-256), as one entry of the header `webhook-signature`.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let key = self.0.expose().strip_prefix(PREFIX).and_then(|text| BASE64_STANDARD.decode(text).ok()).unwrap_or_default();
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Result<SigningSecret, String> {
        SigningSecret::parse(Secret::new(text.to_owned()))
    }

    #[test]
    fn signatures_are_those_of_the_specification() {
        // The example of the reference implementations.
        let signature =
            secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap().sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_are_checked_and_not_repeated() {
        let encoded = |bytes: usize| format!("whsec_{}", BASE64_STANDARD.encode(vec![7; bytes]));
        for (bytes, accepted) in [(0, false), (23, false), (24, true), (64, true), (65, false)] {
            assert_eq!(secret(&encoded(bytes)).is_ok(), accepted, "{bytes}");
        }
        for text in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64 hunter22 hunter22 hunter22"] {
            let refusal = secret(text).unwrap_err();
            assert!(refusal.contains("openssl rand") && !refusal.contains("hunter22"), "{refusal}");
        }
        let generated = SigningSecret::generate();
        assert!(SigningSecret::parse(generated.text().clone()).is_ok());
        assert_eq!(format!("{generated:?}"), "SigningSecret([secret])");
    }
}
