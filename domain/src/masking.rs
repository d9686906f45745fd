//! Secrets in texts that are not ours: statements of clients, and what a server logs of them.

use std::{borrow::Cow, ops::Range};

/// What stands in place of a secret.
const MASK: &str = "***";

/// A name that contains one of these names a secret.
const NAMES: [&str; 7] = ["password", "passwd", "passphrase", "secret", "token", "api_key", "apikey"];

/// The text with `***` in place of what is known to be secret by its form: literals and values after a name such as `password` (in SQL, in
/// the key words of libpq, in JSON and in the query of a URL), literals among the arguments of a function that such a name is compared with or
/// that is named so, and the password in `scheme://user:password@host`.
///
/// The text may have been cut anywhere: what is secret to its end is masked to its end. A secret without a name beside it, such as one in the
/// list of `VALUES`, is not known.
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    let secrets = Scanner { text, bytes: text.as_bytes() }.secrets();
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut masked, mut end) = (String::with_capacity(text.len()), 0);
    for secret in secrets {
        masked.push_str(&text[end..secret.start]);
        masked.push_str(MASK);
        end = secret.end;
    }
    masked.push_str(&text[end..]);
    Cow::Owned(masked)
}

/// Everything that has a meaning here is ASCII, so every position that it finds is at a character.
struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
}

impl Scanner<'_> {
    /// The secrets, in their order. They do not overlap.
    fn secrets(&self) -> Vec<Range<usize>> {
        let (mut secrets, mut at, mut quoted) = (Vec::new(), 0, false);
        while at < self.bytes.len() {
            let found = if is_word(self.bytes[at]) {
                let end = self.word(at);
                if names_a_secret(&self.text[at..end]) { self.value(end, quoted) } else { Found { secrets: Vec::new(), end } }
            } else {
                quoted ^= self.bytes[at] == b'\'';
                let secret = if self.rest(at).starts_with(b"://") { self.password_of_url(at + 3) } else { None };
                Found { end: secret.as_ref().map_or(at + 1, |secret| secret.end), secrets: Vec::from_iter(secret) }
            };
            secrets.extend(found.secrets.into_iter().filter(|secret| !secret.is_empty()));
            at = found.end;
        }
        secrets
    }

    /// What the name that ends here is the name of. `quoted` is whether the name is within a literal of SQL.
    fn value(&self, name_end: usize, quoted: bool) -> Found {
        let nothing = Found { secrets: Vec::new(), end: name_end };
        // As a key of JSON, or an identifier in quotation marks.
        let after_name = name_end + usize::from(self.bytes.get(name_end) == Some(&b'"'));
        let operator = self.blanks(after_name);
        let mut value = operator + self.rest(operator).iter().take(3).take_while(|byte| b"=:><!~".contains(byte)).count();
        let has_operator = value > operator
            || self.keyword(operator, "to").is_some_and(|end| {
                value = end;
                true
            });
        let spaced = operator > after_name || self.bytes.get(value).is_some_and(u8::is_ascii_whitespace);
        value = self.blanks(value);
        if let Some(Literal { content, end }) = self.literal(value) {
            return Found { end, secrets: vec![content] };
        }
        if self.bytes.get(value) == Some(&b'(') && (value == name_end || has_operator) {
            return self.arguments(value);
        }
        if let Some(open) = self.call(value).filter(|_| has_operator) {
            return self.arguments(open);
        }
        if let Some(open) = self.keyword(value, "in").map(|end| self.blanks(end)).filter(|open| self.bytes.get(*open) == Some(&b'(')) {
            return self.arguments(open);
        }
        // Without quotes: a key word of libpq, or a part of a URL. In SQL it is the name of something.
        if has_operator && (quoted || !spaced) && !self.is_placeholder(value) {
            let token = self.until(value, |byte| byte.is_ascii_whitespace() || b"'\",;&)(}]\\".contains(&byte));
            return Found { end: token.end, secrets: vec![token] };
        }
        nothing
    }

    /// The literal that begins here, if one does.
    fn literal(&self, at: usize) -> Option<Literal> {
        let rest = self.rest(at);
        // A literal within a literal: its quotes are doubled or escaped. `''` alone is empty.
        for quote in [&b"''"[..], b"\\'", b"\\\""] {
            if rest.starts_with(quote) {
                let is_empty = quote == b"''" && rest.get(2).is_none_or(|next| next.is_ascii_whitespace() || b",;)".contains(next));
                return (!is_empty).then(|| self.up_to(at + 2, quote));
            }
        }
        match rest {
            [b'"', ..] => Some(self.quoted(at + 1, b'"', true)),
            [b'\'', ..] => Some(self.quoted(at + 1, b'\'', false)),
            [b'e' | b'E', b'\'', ..] => Some(self.quoted(at + 2, b'\'', true)),
            [b'n' | b'N' | b'b' | b'B' | b'x' | b'X', b'\'', ..] => Some(self.quoted(at + 2, b'\'', false)),
            [b'u' | b'U', b'&', b'\'', ..] => Some(self.quoted(at + 3, b'\'', false)),
            [b'$', next, ..] if !next.is_ascii_digit() => {
                let tag = at + 1 + self.rest(at + 1).iter().take_while(|byte| is_word(**byte)).count();
                (self.bytes.get(tag) == Some(&b'$')).then(|| self.up_to(tag + 1, &self.bytes[at..=tag]))
            }
            _ => None,
        }
    }

    /// To the quote that ends a literal. One that is doubled is part of it, and so is one after a backslash if that escapes.
    fn quoted(&self, start: usize, quote: u8, escapes: bool) -> Literal {
        let mut at = start;
        while at < self.bytes.len() {
            match self.bytes[at] {
                b'\\' if escapes => at += 2,
                byte if byte != quote => at += 1,
                _ if self.bytes.get(at + 1) == Some(&quote) => at += 2,
                _ => return Literal { content: start..at, end: at + 1 },
            }
        }
        self.unfinished(start)
    }

    /// The literals among the arguments whose parenthesis opens here.
    fn arguments(&self, open: usize) -> Found {
        let (mut secrets, mut depth, mut at) = (Vec::new(), 0_usize, open);
        while at < self.bytes.len() {
            match self.bytes[at] {
                b'(' => depth += 1,
                b')' if depth <= 1 => return Found { secrets, end: at },
                b')' => depth -= 1,
                _ => {
                    // A name in quotation marks is no literal.
                    if let Some(Literal { content, end }) = self.literal(at).filter(|_| self.bytes[at] != b'"') {
                        secrets.push(content);
                        at = end;
                        continue;
                    }
                }
            }
            at += 1;
        }
        Found { secrets, end: self.bytes.len() }
    }

    /// The parenthesis of the function that is called here, if one is.
    fn call(&self, at: usize) -> Option<usize> {
        let name = self.rest(at).iter().take_while(|byte| is_word(**byte) || **byte == b'.').count();
        let open = self.blanks(at + name);
        (name > 0 && self.bytes.get(open) == Some(&b'(')).then_some(open)
    }

    /// The password in the authority of a URL that begins here.
    fn password_of_url(&self, start: usize) -> Option<Range<usize>> {
        let authority = self.until(start, |byte| byte.is_ascii_whitespace() || b"'\"/?#,;)".contains(&byte));
        let is_cut = authority.end == self.bytes.len();
        let user_info = match self.text[authority.clone()].rfind('@') {
            Some(at) => start..start + at,
            None if is_cut => authority,
            None => return None,
        };
        let colon = self.text[user_info.clone()].find(':')?;
        Some(start + colon + 1..user_info.end)
    }

    /// A parameter of a prepared statement, in any notation.
    fn is_placeholder(&self, at: usize) -> bool {
        matches!(self.rest(at), [b'$', next, ..] if next.is_ascii_digit()) || matches!(self.rest(at), [b'?' | b'%' | b'@' | b':', ..])
    }

    /// The end of this key word, if it stands here.
    fn keyword(&self, at: usize, word: &str) -> Option<usize> {
        let end = self.word(at);
        self.text[at..end].eq_ignore_ascii_case(word).then_some(end)
    }

    fn word(&self, at: usize) -> usize {
        at + self.rest(at).iter().take_while(|byte| is_word(**byte)).count()
    }

    fn blanks(&self, at: usize) -> usize {
        at + self.rest(at).iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    }

    fn until(&self, start: usize, ends: impl Fn(u8) -> bool) -> Range<usize> {
        start..start + self.rest(start).iter().take_while(|byte| !ends(**byte)).count()
    }

    fn up_to(&self, start: usize, closing: &[u8]) -> Literal {
        match self.rest(start).windows(closing.len()).position(|window| window == closing) {
            Some(length) => Literal { content: start..start + length, end: start + length + closing.len() },
            None => self.unfinished(start),
        }
    }

    fn unfinished(&self, start: usize) -> Literal {
        Literal { content: start..self.bytes.len(), end: self.bytes.len() }
    }

    fn rest(&self, at: usize) -> &[u8] {
        self.bytes.get(at..).unwrap_or_default()
    }
}

/// A literal: what is between its quotes, and the position after them.
struct Literal {
    content: Range<usize>,
    end: usize,
}

/// Secrets, and where to go on.
struct Found {
    secrets: Vec<Range<usize>>,
    end: usize,
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn names_a_secret(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    NAMES.iter().any(|name| word.contains(name)) || word.ends_with("pwd")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every secret in these texts is `hunter2`, perhaps with quotes in it.
    #[test]
    fn what_is_secret_by_its_form_is_masked() {
        for (text, expected) in [
            ("ALTER ROLE app PASSWORD 'hunter2'", "ALTER ROLE app PASSWORD '***'"),
            ("create user a encrypted password E'hun\\'ter2' login", "create user a encrypted password E'***' login"),
            ("ALTER ROLE app PASSWORD 'hun''ter2' VALID UNTIL '2030-01-01'", "ALTER ROLE app PASSWORD '***' VALID UNTIL '2030-01-01'"),
            ("ALTER ROLE a PASSWORD\n\t$$hunter2$$; SELECT 1", "ALTER ROLE a PASSWORD\n\t$$***$$; SELECT 1"),
            ("ALTER ROLE a PASSWORD $p$hun$$ter2$p$", "ALTER ROLE a PASSWORD $p$***$p$"),
            ("ALTER ROLE a PASSWORD U&'hunter2'", "ALTER ROLE a PASSWORD U&'***'"),
            (
                "CREATE USER MAPPING FOR a SERVER b OPTIONS (user 'u', password 'hunter2')",
                "CREATE USER MAPPING FOR a SERVER b OPTIONS (user 'u', password '***')",
            ),
            ("SELECT * FROM u WHERE password = 'hunter2' AND a = 'b'", "SELECT * FROM u WHERE password = '***' AND a = 'b'"),
            ("UPDATE u SET \"Password\"='hunter2', b = 1", "UPDATE u SET \"Password\"='***', b = 1"),
            (
                "UPDATE u SET password = public.crypt('hunter2', gen_salt('bf')) WHERE a = 'b'",
                "UPDATE u SET password = public.crypt('***', gen_salt('***')) WHERE a = 'b'",
            ),
            ("SELECT vault.create_secret('hunter2', 'hunter2')", "SELECT vault.create_secret('***', '***')"),
            ("SELECT 1 FROM t WHERE token IN ('hunter2','hunter2') AND a = 'b'", "SELECT 1 FROM t WHERE token IN ('***','***') AND a = 'b'"),
            ("SELECT dblink('host=h password=hunter2 dbname=d', 'SELECT 1')", "SELECT dblink('host=h password=*** dbname=d', 'SELECT 1')"),
            ("SELECT dblink('host=h password = hunter2')", "SELECT dblink('host=h password = ***')"),
            ("SELECT dblink('host=h password=''hun ter2'' user=u')", "SELECT dblink('host=h password=''***'' user=u')"),
            ("SELECT dblink(E'host=h password=\\'hunter2\\' user=u')", "SELECT dblink(E'host=h password=\\'***\\' user=u')"),
            (
                "CREATE SUBSCRIPTION s CONNECTION 'postgresql://u:hunter2@h:5432/d' PUBLICATION p",
                "CREATE SUBSCRIPTION s CONNECTION 'postgresql://u:***@h:5432/d' PUBLICATION p",
            ),
            ("SELECT 'postgres://u:hun@ter2@h/d?sslpassword=hunter2&a=b'", "SELECT 'postgres://u:***@h/d?sslpassword=***&a=b'"),
            (
                r#"INSERT INTO j VALUES ('{"user": "u", "password": "hun\"ter2", "n": 1}')"#,
                r#"INSERT INTO j VALUES ('{"user": "u", "password": "***", "n": 1}')"#,
            ),
            (
                "ALTER ROLE a PASSWORD 'hunter2'; SELECT 1 FROM a JOIN b ON a.token = b.token",
                "ALTER ROLE a PASSWORD '***'; SELECT 1 FROM a JOIN b ON a.token = b.token",
            ),
            ("SELECT dblink('h', 'SELECT crypt_secret(''hunter2'') = a') FROM b", "SELECT dblink('h', 'SELECT crypt_secret(''***'') = a') FROM b"),
            ("SET app.jwt_secret TO 'hunter2'", "SET app.jwt_secret TO '***'"),
            ("UPDATE größe SET passwd = 'hunter2ä' WHERE ö = 'ü'", "UPDATE größe SET passwd = '***' WHERE ö = 'ü'"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn the_rest_is_left_alone() {
        for text in [
            "",
            "SELECT 1",
            "SELECT name, password FROM users WHERE id = 7",
            "INSERT INTO users (name, password) VALUES ($1, $2)",
            "UPDATE users SET password = $1 WHERE name = 'app'",
            "UPDATE users SET password=$1, token=? WHERE secret = :secret",
            "ALTER ROLE app PASSWORD NULL VALID UNTIL '2030-01-01'",
            "SELECT * FROM a JOIN b ON a.password = b.password",
            "SELECT count(*) FROM reset_tokens WHERE expires < now()",
            "COPY t FROM PROGRAM 'curl http://host:8080/path'",
            "SELECT 'https://example.com/a@b:c'",
            "SELECT password FROM u WHERE n = ''",
        ] {
            assert!(matches!(masked(text), Cow::Borrowed(same) if same == text), "{text} -> {}", masked(text));
        }
    }

    /// A server cuts statements, at any byte.
    #[test]
    fn a_text_that_is_cut_reveals_nothing() {
        for (text, secret) in [
            ("ALTER ROLE app PASSWORD 'Xunter2'", 'X'),
            ("ALTER ROLE app PASSWORD $$Xunter2$$", 'X'),
            ("SELECT dblink('host=h password=Xunter2')", 'X'),
            ("CREATE SUBSCRIPTION s CONNECTION 'postgresql://u:Xunter2@h/d'", 'X'),
            ("UPDATE u SET password = crypt('Xunter2', 'Xunter2')", 'X'),
        ] {
            for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
                let cut = masked(&text[..end]);
                assert!(!cut.contains(secret), "{cut}");
            }
        }
    }

    #[test]
    fn no_text_is_too_odd() {
        let parts = ["password", "=", "'", "\"", "\\", "$", "(", ")", "://", "@", ":", " ", "ü", "E", "in", "a"];
        // Every text of four parts.
        for number in 0..parts.len().pow(4) {
            let text: String = (0..4).map(|digit| parts[number / parts.len().pow(digit) % parts.len()]).collect();
            let _ = masked(&format!("{text}x"));
        }
    }
}
