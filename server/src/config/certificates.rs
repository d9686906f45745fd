//! Certificates of instances.

use std::{path::PathBuf, time::Duration};

use clap::{Args, value_parser};
use toygres_workflows::certificates::{AuthorityFiles, CertificatePolicy};

/// Certificates of instances.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Certificates of instances")]
pub struct CertificatesConfig {
    /// Days that the certificate of an instance is valid. It is renewed when two thirds of them are over.
    #[arg(long, env = "TOYGRES_CERTIFICATE_DAYS", default_value = "90", value_parser = value_parser!(u32).range(1..=397))]
    pub certificate_days: u32,
    /// Hours that a new certificate authority is published before it issues: the time that clients have to fetch it.
    #[arg(long, env = "TOYGRES_CA_OVERLAP_HOURS", default_value = "168", value_parser = value_parser!(u32).range(0..=8760))]
    pub ca_overlap_hours: u32,
    /// PEM file of a certificate authority of your own, followed by those that issued it up to the root [default: one that the
    /// control plane makes].
    #[arg(long, env = "TOYGRES_CA_CERT")]
    pub ca_cert: Option<PathBuf>,
    /// PEM file of its key.
    #[arg(long, env = "TOYGRES_CA_KEY")]
    pub ca_key: Option<PathBuf>,
}

impl CertificatesConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        match (&self.ca_cert, &self.ca_key) {
            (Some(_), None) => Err("TOYGRES_CA_KEY must be set too: the file with the key of TOYGRES_CA_CERT".to_owned()),
            (None, Some(_)) => Err("TOYGRES_CA_CERT must be set too: the file with the certificate of TOYGRES_CA_KEY".to_owned()),
            _ => self.policy().authority.map_or(Ok(()), |files| files.read().map(drop)),
        }
    }

    /// See [`CertificatePolicy`].
    #[must_use]
    pub fn policy(&self) -> CertificatePolicy {
        let authority = self.ca_cert.clone().zip(self.ca_key.clone()).map(|(certificate, key)| AuthorityFiles { certificate, key });
        CertificatePolicy { lifetime: Duration::from_secs(u64::from(self.certificate_days) * 86_400), overlap: self.overlap(), authority }
    }

    /// How long a new authority is published before it issues.
    #[must_use]
    pub fn overlap(&self) -> Duration {
        Duration::from_secs(u64::from(self.ca_overlap_hours) * 3600)
    }
}
