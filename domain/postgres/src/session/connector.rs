//! What makes TLS connections.

use std::sync::{Mutex, PoisonError};

use tokio_native_tls::native_tls::{self, Certificate, Protocol, TlsConnector};

/// The connectors that were made last. Making one reads every authority of the system, although none of them is asked: with OpenSSL 3 that
/// takes a tenth of a second of processor time, more than everything else in a login.
static MADE: Mutex<Connectors> = Mutex::new(Connectors { verifying: None, trusting: None });

struct Connectors {
    /// With the authorities that it trusts, in PEM. All instances have the same.
    verifying: Option<(String, TlsConnector)>,
    trusting: Option<TlsConnector>,
}

/// A connector that accepts what these authorities have issued.
pub(super) fn verifying(authorities: &str) -> Result<TlsConnector, native_tls::Error> {
    let last = MADE.lock().unwrap_or_else(PoisonError::into_inner).verifying.clone();
    if let Some((_, connector)) = last.filter(|(of, _)| of == authorities) {
        return Ok(connector);
    }
    let mut builder = TlsConnector::builder();
    // The name is one that nobody resolves, and PostgreSQL has one certificate whatever the client calls it.
    builder.min_protocol_version(Some(Protocol::Tlsv12)).disable_built_in_roots(true).use_sni(false);
    for authority in Certificate::stack_from_pem(authorities.as_bytes())? {
        builder.add_root_certificate(authority);
    }
    let connector = builder.build()?;
    MADE.lock().unwrap_or_else(PoisonError::into_inner).verifying = Some((authorities.to_owned(), connector.clone()));
    Ok(connector)
}

/// A connector that accepts any certificate.
pub(super) fn trusting() -> Result<TlsConnector, native_tls::Error> {
    if let Some(connector) = &MADE.lock().unwrap_or_else(PoisonError::into_inner).trusting {
        return Ok(connector.clone());
    }
    let mut builder = TlsConnector::builder();
    builder.min_protocol_version(Some(Protocol::Tlsv12)).danger_accept_invalid_certs(true).danger_accept_invalid_hostnames(true);
    let connector = builder.build()?;
    MADE.lock().unwrap_or_else(PoisonError::into_inner).trusting = Some(connector.clone());
    Ok(connector)
}
