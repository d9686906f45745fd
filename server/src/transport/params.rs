//! The parameters of a request, from JSON or from a query string (pure).

use async_graphql::{Extensions, Request, Variables};
use axum::{extract::Query, http::Uri};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// What one GraphQL request consists of, on every transport.
#[derive(Debug)]
pub(super) struct Params {
    query: String,
    operation_name: Option<String>,
    variables: Variables,
    extensions: Extensions,
}

/// The body of an HTTP request.
#[derive(Debug)]
pub(super) enum Body {
    Single(Params),
    Batch(Vec<Params>),
}

impl Body {
    /// Reads a JSON body; the error is for the caller.
    pub(super) fn from_json(bytes: &[u8]) -> Result<Self, String> {
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => Err("The body is empty; it must be a JSON object with a `query`.".to_owned()),
            Some(b'[') => serde_json::from_slice(bytes).map(Self::Batch).map_err(|error| error.to_string()),
            Some(_) => serde_json::from_slice(bytes).map(Self::Single).map_err(|error| error.to_string()),
        }
    }
}

impl Params {
    /// Reads the query string of a GET.
    pub(super) fn from_uri(uri: &Uri) -> Result<Self, String> {
        let Query(pairs) = Query::<InQuery>::try_from_uri(uri).map_err(|error| error.body_text())?;
        Ok(Self {
            query: pairs.query.ok_or("The `query` parameter is missing.")?,
            // A form that leaves a field empty means that there is none.
            operation_name: pairs.operation_name.filter(|name| !name.is_empty()),
            variables: json_parameter("variables", pairs.variables)?,
            extensions: json_parameter("extensions", pairs.extensions)?,
        })
    }

    /// The name of the operation to execute, when the document has several.
    pub(super) fn into_request(self) -> Request {
        let mut request = Request::new(self.query).variables(self.variables);
        request.operation_name = self.operation_name;
        request.extensions = self.extensions;
        request
    }

    pub(super) fn query(&self) -> &str {
        &self.query
    }
}

impl<'de> Deserialize<'de> for Params {
    /// Through a map, because a derived implementation would take an array for the fields in their order, too.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut map = serde_json::Map::deserialize(deserializer)?;
        let mut take = |name| map.remove(name).unwrap_or_default();
        Ok(Self {
            query: match take("query") {
                Value::String(query) => query,
                Value::Null => return Err(D::Error::custom("`query` is missing")),
                _ => return Err(D::Error::custom("`query` must be a string")),
            },
            operation_name: match take("operationName") {
                Value::String(name) => Some(name),
                Value::Null => None,
                _ => return Err(D::Error::custom("`operationName` must be a string or null")),
            },
            variables: match take("variables") {
                object @ (Value::Object(_) | Value::Null) => Variables::from_json(object),
                _ => return Err(D::Error::custom("`variables` must be an object or null")),
            },
            extensions: match take("extensions") {
                object @ (Value::Object(_) | Value::Null) => serde_json::from_value(object).map_err(D::Error::custom)?,
                _ => return Err(D::Error::custom("`extensions` must be an object or null")),
            },
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InQuery {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

/// A parameter that is JSON inside a query string.
fn json_parameter<T: Default + for<'de> Deserialize<'de>>(name: &str, text: Option<String>) -> Result<T, String> {
    match text.as_deref() {
        None | Some("") => Ok(T::default()),
        Some(text) => serde_json::from_str(text).map_err(|_| format!("`{name}` must be a JSON object or null.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_objects_or_arrays_of_objects() {
        assert!(matches!(Body::from_json(br#" {"query":"{a}"}"#), Ok(Body::Single(_))));
        assert!(matches!(Body::from_json(br#"[{"query":"{a}"},{"query":"{b}"}]"#), Ok(Body::Batch(all)) if all.len() == 2));
        for (body, part) in [
            ("", "empty"),
            ("  ", "empty"),
            ("{", "EOF"),
            ("3", "invalid type"),
            ("{}", "`query` is missing"),
            (r#"{"query":null}"#, "`query` is missing"),
            (r#"{"query":3}"#, "`query` must be"),
            (r#"{"query":"{a}","variables":[]}"#, "`variables` must be"),
            (r#"{"query":"{a}","operationName":{}}"#, "`operationName` must be"),
            (r#"{"query":"{a}","extensions":0}"#, "`extensions` must be"),
            (r#"[["{a}"]]"#, "invalid type"),
            (r#"[{"query":"{a}"},3]"#, "invalid type"),
            (r#"{"query":"{a}"} {"#, "trailing"),
        ] {
            let error = Body::from_json(body.as_bytes()).expect_err(body);
            assert!(error.contains(part), "{body}: {error}");
        }
    }

    #[test]
    fn query_strings_carry_json() {
        let uri = |query: &str| format!("/graphql?{query}").parse::<Uri>().expect("a URI");
        let params = Params::from_uri(&uri("query=%7Ba%7D&operationName=A&variables=%7B%22x%22%3A1%7D")).expect("valid");
        assert_eq!((params.query.as_str(), params.operation_name.as_deref()), ("{a}", Some("A")));
        assert_eq!(serde_json::to_string(&params.variables).expect("JSON"), r#"{"x":1}"#);
        for query in ["", "query=%7Ba%7D&variables=3", "query=%7Ba%7D&variables=%5B%5D", "query=%7Ba%7D&extensions=x"] {
            assert!(Params::from_uri(&uri(query)).is_err(), "{query}");
        }
        assert!(Params::from_uri(&uri("query=%7Ba%7D&variables=null&operationName=")).is_ok());
    }
}
