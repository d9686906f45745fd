//! Which addresses the server may send to: those of the public Internet, and the networks that its operator names. Otherwise whoever creates a
//! webhook could make the server speak to what only the server reaches, such as the metadata service of a cloud.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// The networks that are allowed in addition to the public ones.
pub(crate) const ALLOWED_NETWORKS: &str = "TOYGRES_WEBHOOK_ALLOWED_NETWORKS";
/// Whether plain HTTP is allowed.
pub(crate) const ALLOW_HTTP: &str = "TOYGRES_WEBHOOK_ALLOW_HTTP";

/// Networks without a public host: IANA's registries of special-purpose addresses, multicast, and the address under which virtual machines of Azure
/// reach its platform, which is public only by its number.
const REFUSED_V4: [(Ipv4Addr, u8); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];
/// The part of IPv6 that is given out to public hosts. Outside lie loopback, link-local, unique-local, site-local, multicast, NAT64 and mapped ones.
const PUBLIC_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// Special networks in it: protocol assignments with Teredo, documentation, and 6to4, which leads to any IPv4 address.
const REFUSED_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Where the server may send to.
#[derive(Clone, Debug, Default)]
pub struct AddressPolicy {
    allowed: Arc<[IpNet]>,
    allow_http: bool,
}

/// Why the server does not send to an address.
#[derive(Debug)]
pub(super) struct Refused(String);

impl AddressPolicy {
    /// Public addresses and `allowed` networks; by plain HTTP too if `allow_http`.
    #[must_use]
    pub fn new(allowed: &[IpNet], allow_http: bool) -> Self {
        Self { allowed: allowed.into(), allow_http }
    }

    /// Checks the URL of a webhook as far as that is possible without resolving its name. `localhost` needs no look-up.
    ///
    /// # Errors
    /// What is wrong, without repeating the URL, whose path may hold a credential.
    pub fn check(&self, text: &str) -> Result<(), String> {
        let url = self.parse(text)?;
        let name = url.host_str().unwrap_or_default().trim_end_matches('.');
        match name == "localhost" || name.ends_with(".localhost") {
            true => self.permit(IpAddr::V4(Ipv4Addr::LOCALHOST)).map_err(|refused| refused.0),
            false => Ok(()),
        }
    }

    /// Parses the URL of a webhook, and checks the address in it, if it is one.
    ///
    /// # Errors
    /// What is wrong, without repeating the URL, whose path may hold a credential.
    pub(super) fn parse(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|_| "must be a URL, for example https://hooks.example.com/toygres".to_owned())?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            "http" => return Err(format!("must begin with https://; plain HTTP is refused unless the server is started with {ALLOW_HTTP}=true")),
            _ => return Err("must begin with https://".to_owned()),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a user or a password: receivers verify the signature instead".to_owned());
        }
        if url.fragment().is_some() {
            return Err("must not have a fragment (#), which is never sent".to_owned());
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return Err("must name a host".to_owned()),
        };
        match literal {
            Some(address) => self.permit(address).map(|()| url).map_err(|refused| refused.0),
            None => Ok(url),
        }
    }

    /// Whether the server may connect to an address.
    pub(super) fn permit(&self, address: IpAddr) -> Result<(), Refused> {
        // An IPv4 address that is written as an IPv6 address leads to the same host.
        let canonical = address.to_canonical();
        if is_public(canonical) || self.allowed.iter().any(|network| network.contains(&canonical) || network.contains(&address)) {
            return Ok(());
        }
        Err(Refused(format!(
            "leads to {address}, which is no public address: messages are sent to loopback, private and other special addresses only if the server is \
             started with {ALLOWED_NETWORKS} naming their network"
        )))
    }
}

/// Resolves names for a connection, and withholds the addresses that are refused: no other look-up follows, so a name that leads elsewhere a moment
/// later changes nothing.
impl Resolve for AddressPolicy {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.clone();
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let mut permitted: Vec<SocketAddr> = Vec::new();
            let mut refused = None;
            for address in found {
                match policy.permit(address.ip()) {
                    Ok(()) => permitted.push(address),
                    Err(why) => refused = Some(why),
                }
            }
            match (permitted.is_empty(), refused) {
                (true, Some(why)) => Err(why.into()),
                _ => Ok(Box::new(permitted.into_iter()) as Addrs),
            }
        })
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the URL {}", self.0)
    }
}

impl std::error::Error for Refused {}

fn is_public(address: IpAddr) -> bool {
    let within = |(network, length): (IpAddr, u8)| IpNet::new_assert(network, length).contains(&address);
    match address {
        IpAddr::V4(_) => !REFUSED_V4.iter().any(|(network, length)| within((IpAddr::V4(*network), *length))),
        IpAddr::V6(_) => {
            within((IpAddr::V6(PUBLIC_V6.0), PUBLIC_V6.1)) && !REFUSED_V6.iter().any(|(network, length)| within((IpAddr::V6(*network), *length)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_permitted() {
        let policy = AddressPolicy::default();
        for refused in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
        ] {
            let why = policy.permit(refused.parse().unwrap()).unwrap_err().to_string();
            let written = refused.parse::<IpAddr>().unwrap().to_string();
            assert!(why.contains(&written) && why.contains(ALLOWED_NETWORKS), "{why}");
        }
        for public in ["1.1.1.1", "8.8.8.8", "100.63.0.1", "172.32.0.1", "192.0.1.1", "::ffff:8.8.8.8", "2606:4700::1111", "2a00::1"] {
            assert!(policy.permit(public.parse().unwrap()).is_ok(), "{public}");
        }
        let office = AddressPolicy::new(&["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()], false);
        for allowed in ["10.1.2.3", "::ffff:10.1.2.3", "fd12::1"] {
            assert!(office.permit(allowed.parse().unwrap()).is_ok(), "{allowed}");
        }
        assert!(office.permit("127.0.0.1".parse().unwrap()).is_err());
    }

    #[test]
    fn urls_are_checked_and_not_repeated() {
        let policy = AddressPolicy::default();
        for (url, why) in [
            ("hunter22", "must be a URL"),
            ("ftp://a.example/hunter22", "https://"),
            ("http://a.example/hunter22", ALLOW_HTTP),
            ("https://user:hunter22@a.example/", "user"),
            ("https://a.example/#hunter22", "fragment"),
            ("https://127.0.0.1/hunter22", ALLOWED_NETWORKS),
            ("https://2130706433/hunter22", ALLOWED_NETWORKS),
            ("https://0x7f.1/hunter22", ALLOWED_NETWORKS),
            ("https://[::1]/hunter22", ALLOWED_NETWORKS),
            ("https://[::ffff:169.254.169.254]/hunter22", ALLOWED_NETWORKS),
            ("https://localhost:8443/hunter22", ALLOWED_NETWORKS),
            ("https://a.localhost./hunter22", ALLOWED_NETWORKS),
        ] {
            let refusal = policy.check(url).unwrap_err();
            assert!(refusal.contains(why) && !refusal.contains("hunter22"), "{url}: {refusal}");
        }
        assert!(policy.check("https://hooks.example.com/a?b=c").is_ok());
        let local = AddressPolicy::new(&["127.0.0.0/8".parse().unwrap()], true);
        assert!(
            local.check("http://127.0.0.1:8080/").is_ok() && local.check("http://localhost:1/").is_ok() && local.check("http://[::1]:1/").is_err()
        );
    }

    #[tokio::test]
    async fn a_name_that_leads_to_loopback_is_refused_when_it_is_resolved() {
        let refusal = match AddressPolicy::default().resolve("localhost".parse().unwrap()).await {
            Ok(_) => panic!("localhost was permitted"),
            Err(refusal) => refusal.to_string(),
        };
        assert!(refusal.contains(ALLOWED_NETWORKS), "{refusal}");
        let local = AddressPolicy::new(&["127.0.0.1/32".parse().unwrap()], true);
        let permitted: Vec<_> = local.resolve("localhost".parse().unwrap()).await.unwrap().map(|address| address.ip()).collect();
        assert_eq!(permitted, [IpAddr::V4(Ipv4Addr::LOCALHOST)], "others are withheld");
    }
}
