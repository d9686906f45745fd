//! TLS of the server's own address. The certificate is read again when its files change, so that a renewed one needs no restart.

use std::{
    fs, io,
    path::{Path, PathBuf},
    pin::Pin,
    time::{Duration, SystemTime},
};

use openssl::{
    asn1::Asn1Time,
    pkey::{PKey, Private},
    ssl::{AlpnError, Ssl, SslAcceptor, SslMethod, select_next_proto},
    x509::X509,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
};
use tokio_openssl::SslStream;
use tokio_util::sync::CancellationToken;

/// The only protocol on offer, as ALPN writes it (RFC 7301): a length and a name.
const ALPN: &[u8] = b"\x08http/1.1";
/// The first byte of a TLS connection: the content type `handshake` (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;
/// How often the files are looked at.
const POLL: Duration = Duration::from_secs(2);

/// The certificate of the server and its key, in two PEM files. Clones share what was read last.
#[derive(Clone)]
pub struct Certificate {
    files: Files,
    loaded: watch::Sender<Loaded>,
}

/// What was read last.
#[derive(Clone)]
struct Loaded {
    acceptor: SslAcceptor,
    /// In seconds since 1970.
    expires: f64,
}

/// Where they are. The errors name the settings.
#[derive(Clone, Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Certificate {
    /// Reads a certificate, with the intermediate ones behind it, and its key.
    ///
    /// # Errors
    /// One sentence that names the setting, when a file cannot be read, is not PEM, or the key is not that of the certificate.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, String> {
        let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
        let loaded = files.load()?;
        Ok(Self { files, loaded: watch::Sender::new(loaded) })
    }

    /// Reads the files again when they change, until `shutdown`. What cannot be used is logged, and the former certificate remains.
    ///
    /// To be run once, by an owner that observes its completion.
    pub async fn watch(self, shutdown: CancellationToken) {
        self.report();
        let mut read = self.files.stamp();
        let mut said = String::new();
        while shutdown.run_until_cancelled(tokio::time::sleep(POLL)).await.is_some() {
            let stamp = self.files.stamp();
            if stamp == read {
                continue;
            }
            match self.files.load() {
                Ok(loaded) => {
                    self.loaded.send_replace(loaded);
                    read = stamp;
                    said.clear();
                    tracing::info!(certificate = %self.files.certificate.display(), "the certificate of the server was read again");
                    self.report();
                }
                // Also between the replacement of one file and that of the other.
                Err(why) if why != said => {
                    tracing::warn!("the former certificate of the server stays in use: {why}");
                    said = why;
                }
                Err(_) => {}
            }
        }
    }

    fn report(&self) {
        let expires = self.loaded.borrow().expires;
        metrics::gauge!("toygres_tls_certificate_expiry_timestamp_seconds").set(expires);
        if expires < SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64()) {
            tracing::warn!(certificate = %self.files.certificate.display(), "the certificate of the server has expired: clients refuse it");
        }
    }

    /// Makes the handshake of a connection.
    ///
    /// # Errors
    /// If the handshake fails.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<SslStream<S>> {
        let ssl = Ssl::new(self.loaded.borrow().acceptor.context()).map_err(io::Error::other)?;
        let mut stream = SslStream::new(ssl, stream).map_err(io::Error::other)?;
        Pin::new(&mut stream).accept().await.map_err(io::Error::other)?;
        Ok(stream)
    }
}

/// Whether a client begins a TLS connection. Completes with the first byte.
pub(super) async fn begins_handshake(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    Ok(stream.peek(&mut first).await? == 1 && first[0] == HANDSHAKE)
}

impl Files {
    /// Differs when a file was written, replaced, or is behind a symbolic link that points elsewhere, as in Kubernetes.
    fn stamp(&self) -> [Option<(SystemTime, u64, PathBuf)>; 2] {
        [&self.certificate, &self.key].map(|path| {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len(), fs::canonicalize(path).ok()?))
        })
    }

    fn load(&self) -> Result<Loaded, String> {
        let chain = self.chain()?;
        let key = self.key()?;
        let (leaf, intermediate) =
            chain.split_first().ok_or_else(|| format!("TOYGRES_TLS_CERT: {} has no certificate", self.certificate.display()))?;
        if !leaf.public_key().is_ok_and(|public| public.public_eq(&key)) {
            return Err(format!("TOYGRES_TLS_KEY: {} is not the key of the certificate in {}", self.key.display(), self.certificate.display()));
        }
        let expires = expiry(leaf).map_err(|error| format!("TOYGRES_TLS_CERT: {error}"))?;
        let acceptor = build(leaf, intermediate, &key).map_err(|error| format!("TOYGRES_TLS_CERT: the certificate cannot be used: {error}"))?;
        Ok(Loaded { acceptor, expires })
    }

    fn chain(&self) -> Result<Vec<X509>, String> {
        let pem = read("TOYGRES_TLS_CERT", &self.certificate)?;
        X509::stack_from_pem(&pem).map_err(|_| format!("TOYGRES_TLS_CERT: {} is no PEM file of certificates", self.certificate.display()))
    }

    fn key(&self) -> Result<PKey<Private>, String> {
        let pem = read("TOYGRES_TLS_KEY", &self.key)?;
        // The callback keeps OpenSSL from asking the terminal for the password of an encrypted key.
        PKey::private_key_from_pem_callback(&pem, |_| Ok(0))
            .map_err(|_| format!("TOYGRES_TLS_KEY: {} is no PEM file of a private key without a password", self.key.display()))
    }
}

fn read(setting: &str, path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{setting}: {} cannot be read: {error}", path.display()))
}

fn build(leaf: &X509, intermediate: &[X509], key: &PKey<Private>) -> Result<SslAcceptor, openssl::error::ErrorStack> {
    // Mozilla's "intermediate" configuration: TLS 1.2 and 1.3.
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_certificate(leaf)?;
    for certificate in intermediate {
        builder.add_extra_chain_cert(certificate.clone())?;
    }
    builder.set_private_key(key)?;
    builder.set_alpn_select_callback(|_, offered| select_next_proto(ALPN, offered).ok_or(AlpnError::NOACK));
    Ok(builder.build())
}

/// The end of the validity of a certificate in seconds since 1970.
fn expiry(certificate: &X509) -> Result<f64, openssl::error::ErrorStack> {
    let difference = Asn1Time::from_unix(0)?.diff(certificate.not_after())?;
    Ok(f64::from(difference.days) * 86_400.0 + f64::from(difference.secs))
}
