//! Servers behind TLS: requests and subscriptions over https, and an untrusted certificate.

use tokio::net::{TcpListener, TcpStream};
use tokio_native_tls::{TlsAcceptor, native_tls};

use super::{background::Background, commands::finish};
use crate::support::Home;

/// Self-signed, for 127.0.0.1, valid for a hundred years.
const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/cli/localhost.pem");

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_verified() {
    let home = Home::new();
    let server = home.start().await;
    let url = format!("https://{}", proxy(server.address.clone()).await);
    let command = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("TOYGRES_URL", &url).env("SSL_CERT_FILE", CERTIFICATE);
        command
    };
    let made = finish(command(&["instances", "create", "orders", "--wait"])).await;
    assert_eq!(made.code, 0, "{made:#?}");
    let mut watch = Background::start(command(&["instances", "watch"]));
    assert_eq!(watch.line().await["instance"]["name"], "orders");

    let mut untrusting = command(&["instances", "list"]);
    untrusting.env("SSL_CERT_FILE", home.path().join("none.pem"));
    std::fs::write(home.path().join("none.pem"), "").unwrap();
    let refused = finish(untrusting).await;
    assert_eq!(refused.code, 3, "{refused:#?}");
    assert!(refused.err.contains("TLS failed") && refused.err.contains("certificate"), "{refused:#?}");
    server.stop().await;
}

/// Starts a proxy that terminates TLS in front of a server, and returns its address.
async fn proxy(server: String) -> String {
    let certificate = std::fs::read(CERTIFICATE).unwrap();
    let key = std::fs::read(CERTIFICATE.replace(".pem", ".key")).unwrap();
    let identity = native_tls::Identity::from_pkcs8(&certificate, &key).unwrap();
    let acceptor = TlsAcceptor::from(native_tls::TlsAcceptor::new(identity).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, server) = (acceptor.clone(), server.clone());
            tokio::spawn(async move {
                // A client that does not trust the certificate closes the connection.
                let Ok(mut outer) = acceptor.accept(stream).await else { return };
                let mut inner = TcpStream::connect(server).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
            });
        }
    });
    address
}
