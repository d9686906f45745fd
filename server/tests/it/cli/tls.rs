//! A server behind TLS: requests and subscriptions over https, and a certificate that nobody vouches for.

use tokio::net::{TcpListener, TcpStream};
use tokio_native_tls::{TlsAcceptor, native_tls};

use super::support::{Running, finish};
use crate::support::Home;

/// Good for a hundred years, and for 127.0.0.1 only.
const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/cli/localhost.pem");

#[tokio::test(flavor = "multi_thread")]
async fn https_is_spoken_and_checked() {
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
    let mut watch = Running::start(command(&["instances", "watch"]));
    assert_eq!(watch.line().await["instance"]["name"], "orders");

    let mut stranger = command(&["instances", "list"]);
    stranger.env("SSL_CERT_FILE", home.path().join("none.pem"));
    std::fs::write(home.path().join("none.pem"), "").unwrap();
    let refused = finish(stranger).await;
    assert_eq!(refused.code, 3, "{refused:#?}");
    assert!(refused.err.contains("TLS failed") && refused.err.contains("certificate"), "{refused:#?}");
    server.stop().await;
}

/// Takes TLS off in front of a server; its address.
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
                // A client that does not trust the certificate hangs up.
                let Ok(mut outer) = acceptor.accept(stream).await else { return };
                let mut inner = TcpStream::connect(server).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
            });
        }
    });
    address
}
