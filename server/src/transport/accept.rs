//! Content negotiation: the media type of a response (pure).

use axum::http::{HeaderMap, HeaderValue, header};

/// The media types that the caller accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accept {
    /// The preferred type.
    pub(super) best: Media,
    /// Whether `text/event-stream` is accepted by name, which a subscription requires.
    pub(super) events: bool,
}

/// The media types of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/json`, the type of older clients: the status is 200 whatever the document was.
    Json,
    /// `application/graphql-response+json`: the status says whether the document was executed.
    GraphqlResponse,
    /// `text/event-stream`.
    Events,
}

impl Media {
    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Events => "text/event-stream; charset=utf-8",
        })
    }
}

impl Accept {
    /// Reads the `Accept` headers. Returns `None` if no supported type is acceptable.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut lists = headers.get_all(header::ACCEPT).iter().peekable();
        if lists.peek().is_none() {
            return Some(Self { best: Media::Json, events: false });
        }
        let ranges: Vec<Range> = lists.filter_map(|list| list.to_str().ok()).flat_map(|list| list.split(',')).filter_map(Range::parse).collect();
        // A quality of 0 excludes the named type, even together with `*/*`.
        let refused = |media| ranges.iter().any(|range| range.quality == 0 && range.names(media));
        let mut best: Option<(Media, u16)> = None;
        for range in ranges.iter().filter(|range| range.quality > 0) {
            let Some(media) = range.candidates().into_iter().find(|media| !refused(*media)) else {
                continue;
            };
            // Among equals, the one that the caller names first.
            if best.is_none_or(|(_, quality)| range.quality > quality) {
                best = Some((media, range.quality));
            }
        }
        Some(Self { best: best?.0, events: ranges.iter().any(|range| range.quality > 0 && range.names(Media::Events)) })
    }
}

/// One entry of an `Accept` header.
struct Range {
    kind: String,
    subtype: String,
    /// In thousandths.
    quality: u16,
}

impl Range {
    /// Returns `None` if the entry is malformed or names an encoding other than UTF-8.
    fn parse(entry: &str) -> Option<Self> {
        let mut parts = entry.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let mut quality = 1000;
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            if name.eq_ignore_ascii_case("q") {
                // Out of range, or not a number: the highest quality.
                quality = value.parse::<f32>().map_or(1000, |q| (q.clamp(0.0, 1.0) * 1000.0).round() as u16);
            } else if name.eq_ignore_ascii_case("charset") && !is_utf8(value) {
                return None;
            }
        }
        Some(Self { kind: kind.to_ascii_lowercase(), subtype: subtype.to_ascii_lowercase(), quality })
    }

    /// The supported types that match, preferred ones first.
    fn candidates(&self) -> Vec<Media> {
        match (self.kind.as_str(), self.subtype.as_str()) {
            ("application", "graphql-response+json") => vec![Media::GraphqlResponse],
            ("application", "json") => vec![Media::Json],
            ("text", "event-stream" | "*") => vec![Media::Events],
            // A client that does not name a JSON type is assumed to be an older one.
            ("application" | "*", "*") => vec![Media::Json, Media::GraphqlResponse],
            _ => vec![],
        }
    }

    fn names(&self, media: Media) -> bool {
        self.subtype != "*" && self.candidates().contains(&media)
    }
}

/// Whether a `charset` parameter names UTF-8.
pub(super) fn is_utf8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(list: &str) -> Option<(Media, bool)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_str(list).expect("a header"));
        Accept::of(&headers).map(|accept| (accept.best, accept.events))
    }

    #[test]
    fn the_best_acceptable_type_wins() {
        use Media::*;
        assert_eq!(Accept::of(&HeaderMap::new()), Some(Accept { best: Json, events: false }));
        for (list, wanted) in [
            ("*/*", Some((Json, false))),
            ("application/*", Some((Json, false))),
            ("application/json", Some((Json, false))),
            ("APPLICATION/JSON; charset=UTF-8", Some((Json, false))),
            ("application/json;charset=\"utf-8\"", Some((Json, false))),
            ("application/json;charset=latin1", None),
            ("application/graphql-response+json, application/json;q=0.9", Some((GraphqlResponse, false))),
            ("application/json;q=0.9, application/graphql-response+json", Some((GraphqlResponse, false))),
            ("application/json, application/graphql-response+json", Some((Json, false))),
            ("application/json;q=0, */*", Some((GraphqlResponse, false))),
            ("application/json;q=0", None),
            ("*/*;q=0", None),
            ("text/event-stream", Some((Events, true))),
            ("application/graphql-response+json, application/json, text/event-stream", Some((GraphqlResponse, true))),
            ("text/event-stream;q=0, application/json", Some((Json, false))),
            ("text/html, image/webp", None),
            ("text/html, */*;q=0.1", Some((Json, false))),
            ("nonsense", None),
            ("", None),
        ] {
            assert_eq!(accept(list), wanted, "{list}");
        }
    }

    #[test]
    fn several_headers_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(header::ACCEPT, HeaderValue::from_static("text/html"));
        headers.append(header::ACCEPT, HeaderValue::from_static("application/json"));
        assert_eq!(Accept::of(&headers), Some(Accept { best: Media::Json, events: false }));
    }
}
