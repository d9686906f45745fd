//! The path below which a proxy publishes this server.

use std::str::FromStr;

use axum::{
    Router,
    extract::Request,
    http::{Uri, uri::PathAndQuery},
};
use tower::ServiceExt;

/// A path without a slash at its end, for example `/toygres`; empty for the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

impl BasePath {
    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `router` at the root, for proxies that remove the base path from requests, and below the base path, for those that do not.
    pub fn serve(self, router: Router) -> Router {
        if self.0.is_empty() {
            return router;
        }
        Router::new().fallback_service(router.map_request(move |request| self.remove_from(request)))
    }

    fn remove_from(&self, mut request: Request) -> Request {
        if let Some(uri) = self.without(request.uri()) {
            *request.uri_mut() = uri;
        }
        request
    }

    /// `uri` without the base path, if it begins with it.
    fn without(&self, uri: &Uri) -> Option<Uri> {
        let rest = uri.path_and_query()?.as_str().strip_prefix(&self.0)?;
        let rest = match rest.chars().next() {
            Some('/') => rest.to_owned(),
            None | Some('?') => format!("/{rest}"),
            Some(_) => return None,
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(rest).ok()?);
        Uri::from_parts(parts).ok()
    }
}

impl FromStr for BasePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.trim().trim_end_matches('/');
        let is_segment = |segment: &str| {
            !segment.is_empty()
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
                && !matches!(segment, "." | "..")
        };
        match path.strip_prefix('/') {
            None if path.is_empty() => Ok(Self::default()),
            Some(segments) if segments.split('/').all(is_segment) => Ok(Self(path.to_owned())),
            _ => Err("TOYGRES_BASE_PATH must be a path of letters, digits and -._~, for example /toygres".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_begins_with_a_slash_and_ends_without() {
        for (text, path) in [("", ""), ("/", ""), ("/toygres", "/toygres"), (" /a/b-1/ ", "/a/b-1")] {
            assert_eq!(text.parse::<BasePath>().unwrap().as_str(), path);
        }
        for text in ["toygres", "//a", "/a//b", "/a b", "/..", "/a?b", "/\"", "https://example.com/a"] {
            assert!(text.parse::<BasePath>().unwrap_err().starts_with("TOYGRES_BASE_PATH "), "{text}");
        }
    }

    #[test]
    fn it_is_removed_only_where_it_is_a_whole_part_of_the_path() {
        let base: BasePath = "/toygres".parse().unwrap();
        let without = |uri: &str| base.without(&uri.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(without("/toygres").as_deref(), Some("/"));
        assert_eq!(without("/toygres/").as_deref(), Some("/"));
        assert_eq!(without("/toygres?a=b").as_deref(), Some("/?a=b"));
        assert_eq!(without("/toygres/graphql?query=x").as_deref(), Some("/graphql?query=x"));
        assert_eq!(without("http://localhost/toygres/livez").as_deref(), Some("http://localhost/livez"));
        assert_eq!(without("/toygresql/graphql"), None);
        assert_eq!(without("/graphql"), None);
    }
}
