//! The guard of local mode. Without access control the server listens on loopback only; but every page that a browser on this
//! machine shows could reach it there. So requests must name this machine (against DNS rebinding) and, where they name an
//! origin, it must be this server (against pages of other sites).

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Refuses what another site's page may have sent.
pub(crate) async fn local_only(request: Request, next: Next) -> Response {
    if is_local(request.headers()) {
        return next.run(request).await;
    }
    let why = "This server has no access control, so it answers only requests to localhost from its own pages.\n";
    (StatusCode::FORBIDDEN, why).into_response()
}

fn is_local(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(header::HOST) else { return false };
    let own_origin = text(header::ORIGIN).is_none_or(|origin| origin.strip_prefix("http://").is_some_and(|rest| rest.eq_ignore_ascii_case(host)));
    is_loopback(host) && own_origin
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        is_local(&headers)
    }

    #[test]
    fn only_this_machine_and_its_own_pages_come_in() {
        assert!(asked("127.0.0.1:8080", None));
        assert!(asked("localhost:8080", Some("http://localhost:8080")));
        assert!(asked("[::1]:8080", None));
        assert!(!asked("evil.example:8080", None), "DNS rebinding");
        assert!(!asked("127.0.0.1:8080", Some("http://evil.example")), "another site's page");
        assert!(!asked("127.0.0.1:8080", Some("http://127.0.0.1:9999")), "another server's page");
        assert!(!asked("127.0.0.1:8080", Some("null")), "a sandboxed page");
        assert!(!is_local(&HeaderMap::new()));
    }
}
