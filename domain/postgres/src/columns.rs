//! Columns of queries that read what an owner sees too, and their values.

use std::str::FromStr;

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};

use super::session::SessionError;

/// Bytes of a name, as PostgreSQL has it.
pub(super) const NAME: usize = 63;

/// A column with the first `max_bytes` of a text, for [`text`]. It may be in the encoding of another database than the one that is asked,
/// and PostgreSQL sends it as it is, so it travels as bytes.
pub(super) fn text_column(text: &str, max_bytes: usize) -> String {
    // PostgreSQL breaks the lines of base64.
    format!("translate(encode(substring(textsend({text}) FROM 1 FOR {max_bytes}), 'base64'), chr(10), '')")
}

/// The text of such a column. What is no UTF-8 is replaced, and a character that was cut is dropped.
pub(super) fn text(column: Option<String>) -> Option<String> {
    let bytes = BASE64_STANDARD.decode(column?).ok()?;
    // Up to three bytes of a character may be left.
    let whole = match std::str::from_utf8(&bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    };
    Some(String::from_utf8_lossy(&bytes[..whole]).into_owned())
}

/// A column with a time in microseconds since 1970, which is exact, for [`time`].
pub(super) fn time_column(time: &str) -> String {
    format!("(extract(epoch FROM {time}) * 1000000)::bigint")
}

/// The time of such a column.
pub(super) fn time(column: Option<String>) -> Result<DateTime<Utc>, SessionError> {
    let time = DateTime::from_timestamp_micros(number(column)?);
    time.ok_or_else(|| SessionError::Protocol("the answer to the query has no time where it should".to_owned()))
}

/// The number of a column.
pub(super) fn number<T: FromStr>(column: Option<String>) -> Result<T, SessionError> {
    let number = column.and_then(|column| column.parse().ok());
    number.ok_or_else(|| SessionError::Protocol("the answer to the query has no number where it should".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_cut_or_is_in_another_encoding_is_readable() {
        let read = |bytes: &[u8]| text(Some(BASE64_STANDARD.encode(bytes)));
        assert_eq!(read("größe".as_bytes()).as_deref(), Some("größe"));
        assert_eq!(read(&"größe".as_bytes()[..3]).as_deref(), Some("gr"), "cut");
        assert_eq!(read(b"gr\xf6\xdfe").as_deref(), Some("gr\u{fffd}\u{fffd}e"), "LATIN1");
        assert_eq!((text(None), text(Some("?".to_owned()))), (None, None));
    }
}
