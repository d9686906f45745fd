//! Parsers of single values. Their errors complete a sentence that begins with the variable.

use std::{net::SocketAddr, str::FromStr};

use clap::ValueEnum;
use ipnet::IpNet;
use toygres_domain::secret::SecretKeys;
use url::Url;

/// The origin of a browser's page: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Whether a browser's `Origin` header names it.
    #[must_use]
    pub fn is(&self, header: &str) -> bool {
        self.0.eq_ignore_ascii_case(header)
    }
}

impl FromStr for Origin {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let origin = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some()).map(|url| url.origin());
        // Without what the origin leaves out (a path, a user, a default port), and as browsers write it.
        match origin.map(|origin| origin.ascii_serialization()) {
            Some(origin) if origin.eq_ignore_ascii_case(text) && !text.contains('*') => Ok(Self(origin)),
            _ => Err("it must be a list of origins, each a scheme and a host without a path, for example https://dash.example.com".to_owned()),
        }
    }
}

pub(crate) fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

pub(super) fn parse_metrics_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "TOYGRES_METRICS_LISTEN must be an address with a port, for example 127.0.0.1:9090".to_owned())
}

pub(super) fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "TOYGRES_LISTEN must be an address with a port, for example 127.0.0.1:8080".to_owned())
}

pub(super) fn parse_network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let address = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(address).ok_or_else(|| "it must be a list of addresses or networks, for example 10.0.0.0/8".to_owned())
}

pub(super) fn parse_url(text: &str) -> Result<String, String> {
    url("DATABASE_URL", text)
}

pub(super) fn parse_engine_url(text: &str) -> Result<String, String> {
    url("TOYGRES_ENGINE_DATABASE_URL", text)
}

fn url(variable: &str, text: &str) -> Result<String, String> {
    let valid = (text.starts_with("postgres://") || text.starts_with("postgresql://")) && !text.contains(char::is_whitespace);
    if valid {
        Ok(text.to_owned())
    } else {
        Err(format!("{variable} must be a PostgreSQL URL, for example postgres://user:password@host:5432/database"))
    }
}

pub(super) fn parse_secret_keys(text: &str) -> Result<SecretKeys, String> {
    SecretKeys::parse(text).map_err(|why| format!("TOYGRES_SECRET_KEY {why}"))
}

pub(super) fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "on" | "yes" => Ok(true),
        "false" | "0" | "off" | "no" => Ok(false),
        _ => Err("it must be true or false".to_owned()),
    }
}

pub(super) fn parse_enum<T: ValueEnum>(text: &str) -> Result<T, String> {
    T::from_str(text, true).map_err(|_| {
        let values: Vec<_> = T::value_variants().iter().filter_map(ValueEnum::to_possible_value).map(|value| value.get_name().to_owned()).collect();
        format!("it must be one of: {}", values.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_what_browsers_send() {
        for origin in ["https://dash.example.com", "http://localhost:3000", "http://127.0.0.1:8080", "https://[::1]:8443"] {
            assert!(origin.parse::<Origin>().unwrap().is(origin), "{origin}");
        }
        assert!("https://Dash.Example.com".parse::<Origin>().unwrap().is("https://dash.example.com"));
        for text in ["", "*", "dash.example.com", "https://", "https://a/b", "https://a/", "https://u@a", "https://*.a", "ftp://a", "https://a b"] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}
