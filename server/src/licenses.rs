//! The notices of third parties whose code is in the binary: crates, and the packages of the page.

use std::io::{self, Read as _};

use flate2::read::{DeflateDecoder, GzDecoder};

use crate::playground;

/// The notices of the crates, which the build collects (`build/notices.rs`).
static CRATES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/notices.deflate"));

const HEAD: &str = "Toygres is licensed under Apache-2.0. Its binary also contains Rust's standard library (MIT OR Apache-2.0,\n\
                    https://github.com/rust-lang/rust), and the crates and packages below.";

/// All notices.
///
/// # Errors
/// Those of the decompression, if the binary is damaged.
pub fn text() -> io::Result<String> {
    let (mut crates, mut packages) = (String::new(), String::new());
    DeflateDecoder::new(CRATES).read_to_string(&mut crates)?;
    match playground::notices() {
        Some(compressed) => GzDecoder::new(&*compressed).read_to_string(&mut packages)?,
        None => io::Cursor::new("There is no page in this binary.\n").read_to_string(&mut packages)?,
    };
    Ok(format!("{HEAD}\n\nCrates:\n\n{crates}\n{line}\nPackages of the page:\n\n{packages}", line = "=".repeat(80)))
}
