//! Bech32 (BIP 173), without its limit of length, as `age` writes keys.

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CHECKSUM: usize = 6;

/// 32 bytes with a prefix, in lower case.
pub(super) fn encode(prefix: &str, bytes: &[u8; 32]) -> String {
    let mut values = regroup(bytes.iter().copied(), 8, 5);
    let mut sum = expand(prefix);
    sum.extend(&values);
    sum.extend([0; CHECKSUM]);
    let sum = polymod(&sum) ^ 1;
    values.extend((0..CHECKSUM).map(|index| (sum >> (5 * (CHECKSUM - 1 - index)) & 31) as u8));
    let text: String = values.iter().map(|value| char::from(ALPHABET[usize::from(*value)])).collect();
    format!("{prefix}1{text}")
}

/// The 32 bytes of a text with this prefix, which is all in the case of the prefix.
pub(super) fn decode(prefix: &str, text: &str) -> Option<[u8; 32]> {
    let text = text.strip_prefix(prefix)?.strip_prefix('1')?;
    let is_upper = prefix.bytes().any(|byte| byte.is_ascii_uppercase());
    let value = |byte: u8| {
        let is_other_case = if is_upper { byte.is_ascii_lowercase() } else { byte.is_ascii_uppercase() };
        let byte = byte.to_ascii_lowercase();
        let position = ALPHABET.iter().position(|known| *known == byte).filter(|_| !is_other_case);
        position.and_then(|position| u8::try_from(position).ok())
    };
    let values: Vec<u8> = text.bytes().map(value).collect::<Option<_>>()?;
    let mut sum = expand(&prefix.to_ascii_lowercase());
    sum.extend(&values);
    if polymod(&sum) != 1 {
        return None;
    }
    let values = &values[..values.len().checked_sub(CHECKSUM)?];
    let mut bytes = regroup(values.iter().copied(), 5, 8);
    // The bits that fill up the last value.
    let rest = bytes.split_off(bytes.len().min(32));
    if rest.iter().any(|byte| *byte != 0) || values.len() != 52 { None } else { bytes.try_into().ok() }
}

fn expand(prefix: &str) -> Vec<u8> {
    prefix.bytes().map(|byte| byte >> 5).chain([0]).chain(prefix.bytes().map(|byte| byte & 31)).collect()
}

fn polymod(values: &[u8]) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.iter().fold(1, |sum: u32, value| {
        let top = sum >> 25;
        let sum = (sum & 0x1ff_ffff) << 5 ^ u32::from(*value);
        GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1).fold(sum, |sum, (_, generator)| sum ^ generator)
    })
}

/// The same bits in groups of another width; the last group is filled up with zeros.
fn regroup(values: impl Iterator<Item = u8>, from: u32, to: u32) -> Vec<u8> {
    let (mut bits, mut count, mut groups) = (0_u32, 0, Vec::new());
    for value in values {
        bits = (bits << from | u32::from(value)) & 0xffff;
        count += from;
        while count >= to {
            count -= to;
            groups.push((bits >> count & ((1 << to) - 1)) as u8);
        }
    }
    if count > 0 {
        groups.push((bits << (to - count) & ((1 << to) - 1)) as u8);
    }
    groups
}
