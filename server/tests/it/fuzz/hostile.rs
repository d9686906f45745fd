//! Documents that are made to cost much: fragments that spread each other, aliases, variables, directives, depth, long names.

use std::fmt::Write;

use serde_json::{Value, json};

/// Fields of the schema whose values are objects, to nest in: a field of `Query`, and below it.
const NESTING: [(&str, &str); 3] = [("instances(first: 500)", "nodes"), ("operations(last: 500)", "nodes"), ("controlPlane", "limits")];

/// A hostile request, from a seed.
pub(super) fn request(seed: u64) -> Value {
    let mut random = fastrand::Rng::with_seed(seed);
    let size = 1 << random.u32(2..13);
    match random.u8(0..14) {
        0 => json!({ "query": doubling(&mut random, size) }),
        1 => json!({ "query": chain(size) }),
        2 => json!({ "query": format!("{{{}}}", repeated(size, |n| format!(" a{n}: __typename"))) }),
        3 => json!({ "query": format!("{{{}}}", repeated(size, |n| format!(" a{n}: instances(first: {}) {{ totalCount }}", i32::MAX))) }),
        4 => json!({ "query": format!("{{{}}}", repeated(size, |n| format!(" unknown{n}"))) }),
        5 => json!({ "query": format!("{{ {} }}", "x".repeat(size * 100)) }),
        6 => json!({ "query": format!("{{ __typename{} }}", " @skip(if: false)".repeat(size)) }),
        7 => json!({ "query": format!("query({}) {{ __typename }}", repeated(size, |n| format!(" $v{n}: [[Int]] = [[1]]"))) }),
        8 => json!({ "query": format!("{}{}", nested(&mut random, size.min(90)), " ") }),
        9 => json!({ "query": repeated(size, |n| format!(" query Q{n} {{ ...F }}")) + " fragment F on Query { __typename }", "operationName": "Q0" }),
        10 => json!({ "query": format!("{{{}}} {}", repeated(size, |_| " ...F".to_owned()), wide(size)) }),
        11 => json!({ "query": format!("{{{}{}", "...{".repeat(size.min(90)), "}".repeat(size.min(90))) }),
        12 => json!({ "query": format!("{{ node(id: \"{}\") {{ id }} }}", "\\u0000x".repeat(size)) }),
        _ => json!({
            "query": "query($filter: InstanceFilterInput) { instances(filter: $filter) { totalCount } }",
            "variables": { "filter": { "name": "x".repeat(size * 10), "unknown": vec![json!({}); size] } },
        }),
    }
}

fn repeated(times: usize, part: impl Fn(usize) -> String) -> String {
    (0..times).map(part).collect()
}

/// Fragments that each spread the next one several times.
fn doubling(random: &mut fastrand::Rng, size: usize) -> String {
    let (levels, times) = (size.min(95), random.usize(1..4));
    let mut document = "{ ...F0 }".to_owned();
    for n in 0..levels {
        let _ = write!(document, " fragment F{n} on Query {{{}}}", format!(" ...F{}", n + 1).repeat(times));
    }
    document + &format!(" fragment F{levels} on Query {{ __typename }}")
}

/// Fragments that each spread the next one, the last of which may spread the first.
fn chain(size: usize) -> String {
    let fragments = repeated(size, |n| format!(" fragment F{n} on Query {{ ...F{} }}", (n + 1) % (size + 1)));
    format!("{{ ...F0 }}{fragments} fragment F{size} on Query {{ ...F0 }}")
}

/// A fragment with many fields.
fn wide(size: usize) -> String {
    format!("fragment F on Query {{{}}}", repeated(size, |n| format!(" f{n}: controlPlane {{ version }}")))
}

/// Lists within lists.
fn nested(random: &mut fastrand::Rng, depth: usize) -> String {
    let (root, below) = NESTING[random.usize(0..NESTING.len())];
    let inner = " operations(first: 500) { nodes { instance {".repeat(depth / 3);
    format!("{{ {root} {{ {below} {{ instance {{ {inner} id {} }} }} }} }}", "} } }".repeat(depth / 3))
}
