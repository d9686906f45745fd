//! Measures a document before it is parsed (pure).
//!
//! The parser recurses for every bracket, and its cost grows with the number of tokens. One pass over the bytes, without
//! allocation, makes it possible to limit both.

/// The size and the depth of a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// Names, numbers, strings and punctuation marks.
    pub(super) tokens: usize,
    /// The most brackets open at once.
    pub(super) nesting: usize,
    /// The bytes of the longest name. Validation compares an unknown name with every known one.
    pub(super) longest_name: usize,
}

impl Shape {
    /// Measures a document. The result is unspecified for text that is not GraphQL, which the parser rejects.
    pub(super) fn of(document: &str) -> Self {
        let bytes = document.as_bytes();
        let (mut shape, mut open, mut at) = (Self::default(), 0usize, 0);
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b',' | 0xEF | 0xBB | 0xBF => at += 1,
                b'#' => at = past(bytes, at, |byte| byte != b'\n' && byte != b'\r'),
                b'"' => {
                    shape.tokens += 1;
                    at = past_string(bytes, at);
                }
                b'_' | b'A'..=b'Z' | b'a'..=b'z' => {
                    shape.tokens += 1;
                    let end = past(bytes, at, |byte| byte == b'_' || byte.is_ascii_alphanumeric());
                    shape.longest_name = shape.longest_name.max(end - at);
                    at = end;
                }
                b'-' | b'0'..=b'9' => {
                    shape.tokens += 1;
                    at = past(bytes, at, |byte| matches!(byte, b'-' | b'+' | b'.') || byte.is_ascii_alphanumeric());
                }
                b'.' => {
                    shape.tokens += 1;
                    at = past(bytes, at, |byte| byte == b'.');
                }
                _ => {
                    shape.tokens += 1;
                    match byte {
                        b'{' | b'[' | b'(' => open += 1,
                        b'}' | b']' | b')' => open = open.saturating_sub(1),
                        _ => {}
                    }
                    shape.nesting = shape.nesting.max(open);
                    at += 1;
                }
            }
        }
        shape
    }
}

/// The first position after `at` at which `keep` is false.
fn past(bytes: &[u8], at: usize, keep: impl Fn(u8) -> bool) -> usize {
    bytes[at..].iter().position(|byte| !keep(*byte)).map_or(bytes.len(), |length| at + length)
}

/// The position after the string that begins at `at`.
fn past_string(bytes: &[u8], at: usize) -> usize {
    if bytes[at..].starts_with(br#"""""#) {
        let mut at = at + 3;
        while at < bytes.len() {
            if bytes[at..].starts_with(br#"\""""#) {
                at += 4;
            } else if bytes[at..].starts_with(br#"""""#) {
                return at + 3;
            } else {
                at += 1;
            }
        }
        return bytes.len();
    }
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            b'\n' | b'\r' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_tokens_and_nesting() {
        for (document, tokens, nesting) in [
            ("", 0, 0),
            ("{ a }", 3, 1),
            ("query Q($a: Int = -1.5e3) { a(b: [1, 2], c: {d: $a}) ...F @x }", 33, 3),
            ("# {{{{\n{ a }", 3, 1),
            (r#"{ a(b: "{{{ \" {{{") }"#, 8, 2),
            (r#"{ a(b: """{{{ \""" " {{{""") }"#, 8, 2),
            ("}}}}{{", 6, 2),
            ("\"unterminated {{{", 1, 0),
            ("\"\"\"unterminated {{{", 1, 0),
            ("\"\\", 1, 0),
        ] {
            let shape = Shape::of(document);
            assert_eq!((shape.tokens, shape.nesting), (tokens, nesting), "{document}");
        }
    }

    #[test]
    fn finds_the_longest_name() {
        for (document, longest) in [("{ a bcd }", 3), ("{ a(b: \"a_long_string\") }", 1), ("# a_comment\n{ _a1 }", 3), ("", 0)] {
            assert_eq!(Shape::of(document).longest_name, longest, "{document}");
        }
    }
}
