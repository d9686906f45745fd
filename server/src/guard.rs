//! Which pages of browsers come in.
//!
//! In local mode there is no access control and the server listens on loopback only; but every page that a browser on this
//! machine shows could reach it there. So requests must name this machine (against DNS rebinding) and, where they name an
//! origin, it must be this server or one that the configuration lists. With tokens a page of another site cannot do anything
//! without one, and for requests the browser asks before it sends them (CORS); it does not ask before it opens a WebSocket, so
//! here a socket's origin is held to the same list.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::{Access, ListenConfig, Origin};

/// Puts the guard, and CORS for `origins` if there are any, around `router`.
pub(crate) fn around(router: Router, config: &ListenConfig) -> Router {
    let ListenConfig { access, cors_origins: origins, .. } = config;
    let guard = Arc::new(Guard { access: *access, schemes: schemes(config), origins: origins.to_vec() });
    let guarded = router.layer(from_fn_with_state(guard, check));
    if origins.is_empty() { guarded } else { guarded.layer(cors(origins)) }
}

/// The schemes of the URLs of this server's own pages. Without TLS, a proxy before a server with tokens may speak either.
fn schemes(config: &ListenConfig) -> &'static [&'static str] {
    match (config.tls_cert.is_some(), config.access) {
        (true, _) => &["https://"],
        (false, Access::Local) => &["http://"],
        (false, Access::Tokens) => &["http://", "https://"],
    }
}

struct Guard {
    access: Access,
    schemes: &'static [&'static str],
    origins: Vec<Origin>,
}

async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    match guard.refuses(request.uri().path(), request.headers()) {
        None => next.run(request).await,
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
    }
}

impl Guard {
    fn refuses(&self, path: &str, headers: &HeaderMap) -> Option<&'static str> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST.as_str()).unwrap_or_default();
        let known = match headers.get(header::ORIGIN) {
            // Browsers name no origin in a GET for an image, say, but they say from where it is. A link to a page of ours may be anywhere.
            None => match text("sec-fetch-site") {
                None | Some("same-origin" | "none") => true,
                Some(_) => path != "/graphql" && text("sec-fetch-mode") == Some("navigate"),
            },
            Some(origin) => origin.to_str().is_ok_and(|origin| self.is_own(origin, host) || self.origins.iter().any(|listed| listed.is(origin))),
        };
        let upgrades = text(header::UPGRADE.as_str()).is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"));
        match self.access {
            Access::Local if !is_loopback(host) || !known => {
                Some("This server has no access control, so it answers only requests to localhost from its own pages.\n")
            }
            Access::Tokens if upgrades && !known => Some("The origin of this socket is not among TOYGRES_CORS_ORIGINS.\n"),
            Access::Local | Access::Tokens => None,
        }
    }

    /// Whether a page of this server names `origin`.
    fn is_own(&self, origin: &str, host: &str) -> bool {
        self.schemes.iter().filter_map(|scheme| origin.strip_prefix(scheme)).any(|rest| rest.eq_ignore_ascii_case(host))
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn cors(origins: &[Origin]) -> CorsLayer {
    let listed: Vec<Origin> = origins.to_vec();
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin: &HeaderValue, _| {
            origin.to_str().is_ok_and(|origin| listed.iter().any(|listed| listed.is(origin)))
        }))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::ACCEPT, header::AUTHORIZATION, header::CONTENT_TYPE, HeaderName::from_static("last-event-id")])
        .expose_headers([HeaderName::from_static("x-request-id")])
        .max_age(Duration::from_secs(600))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(access: Access, host: &str, origin: Option<&str>, socket: bool) -> bool {
        let mut headers = HeaderMap::new();
        if !host.is_empty() {
            headers.insert(header::HOST, host.parse().unwrap());
        }
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        if socket {
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        }
        let origins = vec!["https://dash.example".parse().unwrap()];
        let schemes = if access == Access::Local { &["http://"][..] } else { &["http://", "https://"] };
        Guard { access, schemes, origins }.refuses("/graphql", &headers).is_none()
    }

    #[test]
    fn in_local_mode_only_this_machine_and_known_pages_come_in() {
        for socket in [false, true] {
            let asked = |host, origin| asked(Access::Local, host, origin, socket);
            assert!(asked("127.0.0.1:8080", None));
            assert!(asked("localhost:8080", Some("http://localhost:8080")));
            assert!(asked("[::1]:8080", None));
            assert!(asked("127.0.0.1:8080", Some("https://dash.example")), "listed");
            assert!(!asked("evil.example:8080", None), "DNS rebinding");
            assert!(!asked("evil.example:8080", Some("https://dash.example")), "DNS rebinding");
            assert!(!asked("127.0.0.1:8080", Some("http://evil.example")), "another site's page");
            assert!(!asked("127.0.0.1:8080", Some("http://dash.example")), "not the listed scheme");
            assert!(!asked("127.0.0.1:8080", Some("http://127.0.0.1:9999")), "another server's page");
            assert!(!asked("127.0.0.1:8080", Some("null")), "a sandboxed page");
            assert!(!asked("", None));
        }
    }

    #[test]
    fn in_local_mode_images_of_other_sites_are_refused_and_links_are_not() {
        let asked = |path: &str, site: &str, mode: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:8080"));
            headers.insert("sec-fetch-site", site.parse().unwrap());
            headers.insert("sec-fetch-mode", mode.parse().unwrap());
            Guard { access: Access::Local, schemes: &["http://"], origins: Vec::new() }.refuses(path, &headers).is_none()
        };
        for site in ["cross-site", "same-site"] {
            assert!(!asked("/graphql", site, "no-cors"), "{site}");
            assert!(!asked("/graphql", site, "navigate"), "{site}");
            assert!(!asked("/assets/index.js", site, "no-cors"), "{site}");
            assert!(asked("/", site, "navigate"), "{site}");
        }
        for site in ["same-origin", "none"] {
            assert!(asked("/graphql", site, "cors") && asked("/", site, "navigate"), "{site}");
        }
    }

    #[test]
    fn with_tokens_only_sockets_of_unknown_pages_are_refused() {
        let socket = |origin| asked(Access::Tokens, "db.example", origin, true);
        assert!(socket(None), "no browser");
        assert!(socket(Some("https://db.example")), "its own page behind a proxy");
        assert!(socket(Some("https://DASH.example")), "listed");
        assert!(!socket(Some("https://evil.example")));
        assert!(!socket(Some("null")));
        assert!(asked(Access::Tokens, "db.example", Some("https://evil.example"), false), "CORS is the browser's");
    }
}
