//! Documents that are expensive on purpose, one kind for each cost that a server has to compute in advance.

use std::fmt::Write;

use serde_json::{Value, json};

/// Fields of the schema whose values are objects, to nest in: a field of `Query`, and below it.
const NESTING: [(&str, &str); 3] = [("instances(first: 500)", "nodes"), ("operations(last: 500)", "nodes"), ("controlPlane", "limits")];
/// The kinds of documents.
const KINDS: [fn(&mut fastrand::Rng, usize) -> Value; 27] = [
    doubling,
    chain,
    |_, size| query(braces(repeated(size, |n| format!(" a{n}: __typename")))),
    |_, size| query(braces(repeated(size, |n| format!(" a{n}: instances(first: {}) {{ totalCount }}", i32::MAX)))),
    |_, size| query(braces(repeated(size, |n| format!(" unknown{n}")))),
    unknown_names,
    |_, size| query(format!("{{ {} }}", "x".repeat(size * 100))),
    |_, size| query(format!("{{ __typename{} }}", " @skip(if: false)".repeat(size))),
    |_, size| query(format!("{{ controlPlane @skip({}) {{ version }} }}", repeated(size, |n| format!(" if{n}: [$v, {{a: $w}}]")))),
    |_, size| query(format!("query({}) {{ __typename }}", repeated(size, |n| format!(" $v{n}: [[Int]] = [[1]]")))),
    |random, size| query(nested(random, size.min(90))),
    |_, size| {
        let operations = repeated(size, |n| format!(" query Q{n} {{ ...F }}"));
        json!({ "query": operations + " fragment F on Query { __typename }", "operationName": "Q0" })
    },
    undefined_variables,
    |_, size| query(format!("{{{}}} {}", repeated(size, |_| " ...F".to_owned()), wide(size))),
    |_, size| query(format!("{{{}{}", "...{".repeat(size.min(90)), "}".repeat(size.min(90)))),
    conflicts,
    |_, size| query(format!("{{ node(id: \"{}\") {{ id }} }}", "\\u0000x".repeat(size))),
    |_, size| query(format!("{{ instances(filter: {{ state: [{}] }}) {{ totalCount }} }}", " RUNNING".repeat(size))),
    |_, size| {
        let depth = size.min(90);
        query(format!("{{ instances(filter: {}1{}) {{ totalCount }} }}", "{ a: [".repeat(depth / 2), "] }".repeat(depth / 2)))
    },
    |_, size| query(format!("query($v: {}Nothing{} = 1) {{ __typename }}", "[".repeat(size.min(90)), "]".repeat(size.min(90)))),
    |_, size| {
        let depth = size.min(90);
        let items = " 1".repeat(size);
        query(format!("query($v: {}Int{} = [{items}]) {{ instances(first: $v) {{ totalCount }} }}", "[".repeat(depth), "]".repeat(depth)))
    },
    definitions_and_uses,
    |_, size| {
        let arguments = repeated(size, |n| format!(" a{n}: 1"));
        query(format!("{{ controlPlane({arguments}) {{ version }} controlPlane({arguments}) {{ version }} }}"))
    },
    copied_values,
    introspection,
    |_, size| {
        let each = repeated(size, |n| format!(" a{n}: labels {{ key }} b{n}: latestHealthCheck {{ at }} c{n}: __typename"));
        query(format!("{{ instances(first: 500) {{ nodes {{{each} }} }} }}"))
    },
    |_, size| {
        json!({
            "query": "query($filter: InstanceFilter) { instances(filter: $filter) { totalCount } }",
            "variables": { "filter": { "name": "x".repeat(size * 10), "unknown": vec![json!({}); size] } },
        })
    },
];

/// A hostile request, from a seed. Consecutive seeds are of all kinds in turn.
pub(super) fn request(seed: u64) -> Value {
    let mut random = fastrand::Rng::with_seed(seed);
    let size = 1 << random.u32(2..13);
    let kind = usize::try_from(seed % KINDS.len() as u64).unwrap();
    KINDS[kind](&mut random, size)
}

fn query(document: String) -> Value {
    json!({ "query": document })
}

fn braces(content: String) -> String {
    format!("{{{content} }}")
}

fn repeated(times: usize, part: impl Fn(usize) -> String) -> String {
    (0..times).map(part).collect()
}

/// Fragments that each spread the next one several times.
fn doubling(random: &mut fastrand::Rng, size: usize) -> Value {
    let (levels, times) = (size.min(95), random.usize(1..4));
    let mut document = "{ ...F0 }".to_owned();
    for n in 0..levels {
        let _ = write!(document, " fragment F{n} on Query {{{}}}", format!(" ...F{}", n + 1).repeat(times));
    }
    query(document + &format!(" fragment F{levels} on Query {{ __typename }}"))
}

/// Fragments that each spread the next one, the last of which spreads the first.
fn chain(_: &mut fastrand::Rng, size: usize) -> Value {
    let fragments = repeated(size, |n| format!(" fragment F{n} on Query {{ ...F{} }}", (n + 1) % (size + 1)));
    query(format!("{{ ...F0 }}{fragments} fragment F{size} on Query {{ ...F0 }}"))
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

/// Fields and arguments with the longest names, which resemble many known ones.
fn unknown_names(random: &mut fastrand::Rng, size: usize) -> Value {
    let name = |n: usize| format!("{:x<64}", format!("health{n}"));
    let fields = repeated(size, |n| format!(" {}", name(n)));
    let arguments = repeated(size, |n| format!(" {}: 1", name(n)));
    query(match random.u8(0..3) {
        0 => format!("{{ instances {{ nodes {{{fields} }} }} }}"),
        1 => format!("{{ instances({arguments}) {{ totalCount }} }}"),
        _ => format!("{{ ...F }} fragment F on Instance {{{fields} }}"),
    })
}

/// Operations that share a fragment with many variables, which none of them defines.
fn undefined_variables(random: &mut fastrand::Rng, size: usize) -> Value {
    let count = random.usize(1..40);
    let operations = repeated(count, |n| format!(" query Q{n} {{ ...F }}"));
    let variables = repeated(size, |n| format!(" $v{n}"));
    let value = if random.bool() { format!("[{variables} ]") } else { braces(repeated(size, |n| format!(" a{n}: $v{n}"))) };
    json!({ "query": format!("{operations} fragment F on Query {{ instances(filter: {value}) {{ totalCount }} }}"), "operationName": "Q0" })
}

/// Fields of one name that cannot be merged, within inline fragments or spread in them.
fn conflicts(random: &mut fastrand::Rng, size: usize) -> Value {
    // The parser has a limit of 64.
    let depth = random.usize(1..60);
    let (open, close) = ("... {".repeat(depth), "}".repeat(depth));
    let fields = repeated(size, |n| format!(" a: instances(first: {n}) {{ totalCount }}"));
    query(match random.u8(0..3) {
        0 => format!("{{ {open}{fields}{close} }}"),
        1 => format!("{{ {open} ...F {close} }} fragment F on Query {{{fields} }}"),
        _ => format!("{{ ...F }} fragment F on Query {{ {open}{fields}{close} }}"),
    })
}

/// Many variables, each used many times.
fn definitions_and_uses(random: &mut fastrand::Rng, size: usize) -> Value {
    let definitions = repeated(size, |n| format!(" $v{n}: InstanceState"));
    let uses = format!(" $v{}", size - 1).repeat(random.usize(1..4000));
    query(format!("query({definitions}) {{ instances(filter: {{ state: [{uses}] }}) {{ totalCount }} }}"))
}

/// A large value that many arguments use.
fn copied_values(random: &mut fastrand::Rng, size: usize) -> Value {
    let uses = repeated(random.usize(1..500), |n| format!(" a{n}: instances(filter: $v) {{ totalCount }}"));
    json!({ "query": format!("query($v: InstanceFilter) {{{uses} }}"), "variables": { "v": { "labels": vec![json!({ "key": "a", "value": "b" }); size] } } })
}

/// Introspection that asks for more than a client does, and what a client asks for.
fn introspection(random: &mut fastrand::Rng, size: usize) -> Value {
    let times = size.min(90);
    query(match random.u8(0..7) {
        0 => include_str!("../../../src/transport/introspection/client.graphql").to_owned(),
        1 => braces(repeated(size, |n| format!(" a{n}: __schema {{ types {{ name }} }}"))),
        2 => braces(repeated(size, |n| format!(" a{n}: __type(name: \"Instance\") {{ name }}"))),
        3 => format!("{{ __schema {{ types {{ fields {{ args {{{} }} }} }} }} }}", repeated(size, |n| format!(" a{n}: name"))),
        4 => {
            let levels = times / 3;
            format!("{{ __schema {{ types {{ {} name {} }} }} }}", "fields { type {".repeat(levels), "} }".repeat(levels))
        }
        5 => format!("{{ __schema {{ types {{ {} {} }} }} }}", "ofType { kind name ".repeat(times.min(55)), "}".repeat(times.min(55))),
        _ => format!("{{ __schema {{ types {{{} }} }} }} fragment F on __Type {{ name description fields {{ name }} }}", " ...F".repeat(size)),
    })
}
