//! The digests and signatures of requests, from the libraries that the rest of the control plane uses.

use hmac::{Hmac, KeyInit, Mac};
use object_store::{
    Error, Result,
    client::{CryptoProvider, DigestAlgorithm, DigestContext, HmacContext, Signer, SigningAlgorithm},
};
use openssl::{
    hash::MessageDigest,
    pkey::{PKey, Private},
};
use sha2::{Digest, Sha256};

#[derive(Debug)]
pub(super) struct Crypto;

impl CryptoProvider for Crypto {
    fn digest(&self, algorithm: DigestAlgorithm) -> Result<Box<dyn DigestContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => Ok(Box::new(Sha256Context { digest: Sha256::new(), output: [0; 32] })),
            _ => Err(unsupported()),
        }
    }

    fn hmac(&self, algorithm: DigestAlgorithm, secret: &[u8]) -> Result<Box<dyn HmacContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => {
                let mac = Hmac::<Sha256>::new_from_slice(secret).map_err(failed)?;
                Ok(Box::new(HmacSha256Context { mac, output: [0; 32] }))
            }
            _ => Err(unsupported()),
        }
    }

    fn sign(&self, algorithm: SigningAlgorithm, pem: &[u8]) -> Result<Box<dyn Signer>> {
        match algorithm {
            SigningAlgorithm::RS256 => Ok(Box::new(RsaSigner(PKey::private_key_from_pem(pem).map_err(failed)?))),
            _ => Err(unsupported()),
        }
    }
}

struct Sha256Context {
    digest: Sha256,
    output: [u8; 32],
}

impl DigestContext for Sha256Context {
    fn update(&mut self, data: &[u8]) {
        self.digest.update(data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        self.output = self.digest.finalize_reset().into();
        Ok(&self.output)
    }
}

struct HmacSha256Context {
    mac: Hmac<Sha256>,
    output: [u8; 32],
}

impl HmacContext for HmacSha256Context {
    fn update(&mut self, data: &[u8]) {
        self.mac.update(data);
    }

    fn finish(&mut self) -> Result<&[u8]> {
        self.output = self.mac.clone().finalize().into_bytes().into();
        Ok(&self.output)
    }
}

struct RsaSigner(PKey<Private>);

impl Signer for RsaSigner {
    fn sign(&self, text: &[u8]) -> Result<Vec<u8>> {
        let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), &self.0).map_err(failed)?;
        signer.sign_oneshot_to_vec(text).map_err(failed)
    }
}

fn failed(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Generic { store: "signature", source: Box::new(source) }
}

fn unsupported() -> Error {
    Error::NotSupported { source: "the store asks for an algorithm that is not supported".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn digests_are_those_of_the_standards() {
        let mut digest = Crypto.digest(DigestAlgorithm::Sha256).unwrap();
        digest.update(b"abc");
        // FIPS 180-4.
        assert_eq!(hex(digest.finish().unwrap()), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        // RFC 4231, test case 2.
        let mut mac = Crypto.hmac(DigestAlgorithm::Sha256, b"Jefe").unwrap();
        mac.update(b"what do ya want ");
        mac.update(b"for nothing?");
        assert_eq!(hex(mac.finish().unwrap()), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn a_signature_can_be_verified() {
        let key = PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
        let signer = Crypto.sign(SigningAlgorithm::RS256, &key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        let signature = signer.sign(b"text").unwrap();
        let mut verifier = openssl::sign::Verifier::new(MessageDigest::sha256(), &key).unwrap();
        assert!(verifier.verify_oneshot(&signature, b"text").unwrap());
        assert!(Crypto.sign(SigningAlgorithm::RS256, b"no key").is_err());
    }
}
