//! Numbers and units as PostgreSQL reads them (`parse_int`, `parse_real` and `convert_to_base_unit` in its `guc.c`).

/// A unit of PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    name: &'static str,
    quantity: Quantity,
    /// In bytes, or in microseconds.
    size: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantity {
    Memory,
    Time,
}

/// The smallest of each kind first.
const UNITS: [Unit; 12] = [
    Unit { name: "B", quantity: Quantity::Memory, size: 1.0 },
    Unit { name: "kB", quantity: Quantity::Memory, size: 1024.0 },
    Unit { name: BLOCK, quantity: Quantity::Memory, size: 8192.0 },
    Unit { name: "MB", quantity: Quantity::Memory, size: 1_048_576.0 },
    Unit { name: "GB", quantity: Quantity::Memory, size: 1_073_741_824.0 },
    Unit { name: "TB", quantity: Quantity::Memory, size: 1_099_511_627_776.0 },
    Unit { name: "us", quantity: Quantity::Time, size: 1.0 },
    Unit { name: "ms", quantity: Quantity::Time, size: 1e3 },
    Unit { name: "s", quantity: Quantity::Time, size: 1e6 },
    Unit { name: "min", quantity: Quantity::Time, size: 6e7 },
    Unit { name: "h", quantity: Quantity::Time, size: 3.6e9 },
    Unit { name: "d", quantity: Quantity::Time, size: 8.64e10 },
];

/// The unit of parameters that count blocks. Nobody can write it.
const BLOCK: &str = "8kB";

impl Unit {
    /// The unit in which a parameter counts.
    pub(super) fn base(name: &str) -> Option<Self> {
        UNITS.into_iter().find(|unit| unit.name == name)
    }

    /// As PostgreSQL writes it, for example `8kB` or `ms`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }

    /// How many of this unit are in so many MiB; `None` if it does not measure memory.
    pub(super) fn in_mebibytes(self, mebibytes: f64) -> Option<f64> {
        (self.quantity == Quantity::Memory).then(|| (mebibytes * 1_048_576.0 / self.size).floor())
    }

    /// The units that values can be given in.
    fn writable(self) -> impl DoubleEndedIterator<Item = Self> {
        UNITS.into_iter().filter(move |unit| unit.quantity == self.quantity && unit.name != BLOCK)
    }
}

/// Reads a number in `unit`. The message says what is wrong with it.
pub(super) fn number(text: &str, unit: Option<Unit>, integer: bool) -> Result<f64, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c)).unwrap_or(text.len());
    let no_number = || {
        let kind = if integer { "a whole number" } else { "a number" };
        match unit {
            Some(unit) => format!("must be {kind}, with one of the units {} or without one for {}, not '{text}'", units(unit), unit.name),
            None => format!("must be {kind}, not '{text}'"),
        }
    };
    let (value, rest) = match hexadecimal(text) {
        Some(read) => read,
        None => {
            let end = exponent(text, digits);
            (text[..end].parse::<f64>().map_err(|_| no_number())?, &text[end..])
        }
    };
    let given = rest.trim_start();
    let value = if given.is_empty() {
        value
    } else {
        let base = unit.ok_or_else(no_number)?;
        let given = base.writable().find(|unit| unit.name == given).ok_or_else(no_number)?;
        converted(value, given, base)
    };
    let value = if integer { value.round_ties_even() } else { value };
    if value.is_finite() { Ok(value) } else { Err(no_number()) }
}

/// A fraction of a unit is rounded to the next smaller unit, for example `30.1GB` to whole MB.
fn converted(value: f64, given: Unit, base: Unit) -> f64 {
    let mut size = value * given.size;
    if value.fract() != 0.0
        && let Some(smaller) = given.writable().rev().find(|unit| unit.size < given.size)
    {
        size = (size / smaller.size).round_ties_even() * smaller.size;
    }
    size / base.size
}

/// The end of the number that begins with `digits` digits, with its exponent.
fn exponent(text: &str, digits: usize) -> usize {
    let Some(rest) = text[digits..].strip_prefix(['e', 'E']) else { return digits };
    let signed = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    let length = signed.find(|c: char| !c.is_ascii_digit()).unwrap_or(signed.len());
    if length == 0 { digits } else { digits + 1 + (rest.len() - signed.len()) + length }
}

/// As C reads it, as PostgreSQL does.
fn hexadecimal(text: &str) -> Option<(f64, &str)> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
    let value = u32::from_str_radix(&digits[..end], 16).ok()?;
    Some((value.into(), &digits[end..]))
}

/// The units to choose from, as a list for people.
fn units(unit: Unit) -> String {
    unit.writable().map(|unit| unit.name).collect::<Vec<_>>().join(", ")
}

/// A number of `unit`, in the largest unit in which it is whole, for people.
pub(super) fn text(value: f64, unit: Option<Unit>) -> String {
    let Some(base) = unit else { return value.to_string() };
    // Negative numbers and 0 have a meaning of their own, such as "off".
    if value <= 0.0 {
        return value.to_string();
    }
    let size = value * base.size;
    let unit = base.writable().rev().find(|unit| size % unit.size == 0.0);
    unit.map_or_else(|| format!("{value}{}", base.name), |unit| format!("{}{}", size / unit.size, unit.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_postgresql() {
        let read = |text: &str, unit: &str| number(text, Unit::base(unit), true).ok();
        for (value, unit, expected) in [
            ("4096", "kB", Some(4096.0)),
            (" 4 MB ", "kB", Some(4096.0)),
            ("1TB", "8kB", Some(134_217_728.0)),
            ("0x10", "kB", Some(16.0)),
            ("1e3", "kB", Some(1000.0)),
            ("1.5GB", "kB", Some(1_572_864.0)),
            ("30.1GB", "kB", Some(30_822.0 * 1024.0)),
            ("100B", "kB", Some(0.0)),
            ("90s", "ms", Some(90_000.0)),
            ("1d", "s", Some(86_400.0)),
            ("500us", "ms", Some(0.0)),
            ("1500us", "ms", Some(2.0)),
            ("-1", "kB", Some(-1.0)),
            ("4mb", "kB", None),
            ("4 M B", "kB", None),
            ("8kB", "ms", None),
            ("4s", "kB", None),
            ("much", "kB", None),
            ("", "kB", None),
            ("1e", "kB", None),
            ("inf", "kB", None),
            ("0x", "kB", None),
            ("1e999", "kB", None),
            ("١", "kB", None),
        ] {
            assert_eq!(read(value, unit), expected, "{value:?} in {unit}");
        }
        assert_eq!(number("0.25", None, false), Ok(0.25));
        assert_eq!(number("2.5", None, true), Ok(2.0), "half to even, as rint does");
        assert!(number("5MB", None, true).is_err());
    }

    #[test]
    fn a_number_is_shown_in_the_largest_unit() {
        assert_eq!(text(16.0, Unit::base("8kB")), "128kB");
        assert_eq!(text(1_572_864.0, Unit::base("kB")), "1536MB");
        assert_eq!(text(-1.0, Unit::base("ms")), "-1");
        assert_eq!(text(0.5, None), "0.5");
    }
}
