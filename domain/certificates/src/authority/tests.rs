use chrono::TimeDelta;

use super::*;

fn days(count: i64) -> DateTime<Utc> {
    Utc::now() + TimeDelta::days(count)
}

fn authority() -> Authority {
    Authority::generate("Toygres test", days(-1), days(100)).unwrap()
}

fn names() -> Vec<String> {
    ["id.toygres.internal", "orders.ns.svc", "127.0.0.1", "::1"].map(str::to_owned).into()
}

#[test]
fn what_it_issues_holds_every_name_and_verifies() {
    let authority = authority();
    let issued = authority.issue(&names(), days(-1), days(90)).unwrap();
    let leaf = X509::from_pem(issued.certificate.chain.as_bytes()).unwrap();
    assert!(leaf.verify(&authority.certificates[0].public_key().unwrap()).unwrap());
    let alternatives = leaf.subject_alt_names().unwrap();
    let dns: Vec<_> = alternatives.iter().filter_map(|name| name.dnsname()).collect();
    assert_eq!(dns, ["id.toygres.internal", "orders.ns.svc"]);
    assert_eq!(alternatives.iter().filter_map(|name| name.ipaddress()).map(<[u8]>::len).collect::<Vec<_>>(), [4, 16]);
    assert_eq!(leaf.public_key().unwrap().bits(), 256);
    let key = PKey::private_key_from_pem(issued.certificate.key.expose().as_bytes()).unwrap();
    assert!(leaf.public_key().unwrap().public_eq(&key));
    assert_eq!(Details::of_pem(&issued.certificate.chain).unwrap(), issued.details);
    assert_eq!(Details::of_der(&leaf.to_der().unwrap()).unwrap(), issued.details);
    assert_eq!(issued.details.fingerprint.len(), 64);
    assert_eq!((issued.details.not_after - days(90)).num_minutes(), 0);
}

#[test]
fn nothing_is_valid_for_longer_than_the_authority() {
    let issued = authority().issue(&names(), days(-1), days(1000)).unwrap();
    assert_eq!((issued.details.not_after - days(100)).num_minutes(), 0);
}

#[test]
fn an_authority_is_read_back() {
    let made = authority();
    let read = Authority::read(&made.certificate().unwrap(), &made.key().unwrap()).unwrap();
    assert_eq!(read.details().unwrap(), made.details().unwrap());
}

#[test]
fn a_renewed_authority_is_the_same() {
    let former = authority();
    let renewed = |name: &str, key: &PKey<Private>| {
        let name = common_name(name).unwrap();
        let mut builder = begin(&name, &name, key, days(0), days(200)).unwrap();
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.sign(key, MessageDigest::sha256()).unwrap();
        pem(std::iter::once(&builder.build())).unwrap()
    };
    let next = renewed("Toygres test", &former.key);
    assert!(former.has_certificate(&next) && former.has_certificate(&former.certificate().unwrap()));
    let read = Authority::read(&next, &former.key().unwrap()).unwrap();
    assert!(read.has_certificate(&former.certificate().unwrap()));
    assert_ne!(read.details().unwrap().fingerprint, former.details().unwrap().fingerprint);
    assert_eq!(read.details().unwrap().public_key, former.details().unwrap().public_key);
    assert_ne!(authority().details().unwrap().public_key, former.details().unwrap().public_key);
    assert!(!former.has_certificate(&renewed("Toygres other", &former.key)), "clients look for the name");
    assert!(!former.has_certificate(&authority().certificate().unwrap()), "another key");
    assert!(!former.has_certificate("no certificate"));
}

#[test]
fn what_cannot_issue_is_refused() {
    let refusal = |certificate: &str, key: &Secret| Authority::read(certificate, key).map(drop).unwrap_err().to_string();
    let one = authority();
    let (certificate, key) = (one.certificate().unwrap(), one.key().unwrap());
    assert!(refusal("", &key).contains("no certificate"));
    assert!(refusal(&certificate, &Secret::new("no key".to_owned())).contains("private key"));
    assert!(refusal(&certificate, &authority().key().unwrap()).contains("not the certificate of its key"));
    let leaf = one.issue(&names(), days(-1), days(90)).unwrap().certificate;
    assert!(refusal(&leaf.chain, &leaf.key).contains("cannot issue"), "a certificate of a server, without its root");
    assert!(refusal(&format!("{}{certificate}", leaf.chain), &leaf.key).contains("cannot issue"), "and with it");
    let expired = Authority::generate("Toygres test", days(-10), days(-1)).unwrap();
    let why = refusal(&expired.certificate().unwrap(), &expired.key().unwrap());
    assert!(why.contains("expired"), "{why}");
}

#[test]
fn an_intermediate_authority_sends_its_certificate_along() {
    let root = {
        let key = generate_key().unwrap();
        let name = common_name("root").unwrap();
        let mut builder = begin(&name, &name, &key, days(-1), days(100)).unwrap();
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        (builder.build(), key)
    };
    let key = generate_key().unwrap();
    let mut builder = begin(&common_name("below").unwrap(), root.0.subject_name(), &key, days(-1), days(50)).unwrap();
    builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    builder.sign(&root.1, MessageDigest::sha256()).unwrap();
    let both = [builder.build(), root.0];
    let authority = Authority::read(&pem(both.iter()).unwrap(), &key_pem(&key).unwrap()).unwrap();
    let issued = authority.issue(&names(), days(-1), days(20)).unwrap();
    assert_eq!(X509::stack_from_pem(issued.certificate.chain.as_bytes()).unwrap().len(), 2);
    let alone = Authority::read(&pem(both[..1].iter()).unwrap(), &key_pem(&key).unwrap()).map(drop).unwrap_err();
    assert!(alone.to_string().contains("cannot issue"), "{alone}");
}
