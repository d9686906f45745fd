//! The cost of validating a document (pure).
//!
//! The executor walks a document several times before anything is executed. What its rules (async-graphql 7.2.1) do is more than
//! the length of the document says, so the cost is computed first: in one pass over the document, once per fragment, and
//! saturating. It counts:
//!
//! - what the complexity, the depth and the rules of variables walk: each operation with its fragments expanded, and the fragments
//!   that no operation spreads. Fragments that spread each other twice make that exponential in the length of the document;
//! - what `OverlappingFieldsCanBeMerged` compares: it begins at each selection set, and walks the inline fragments and the spreads
//!   in it, so what is nested in inline fragments counts once for each of them;
//! - what is copied for an argument or compared with others: see [`values`];
//! - the suggestions for unknown fields, each of which compares the name with those of all fields of the type;
//! - for each use of a variable, the search through the definitions of its operation.

mod values;

use std::collections::HashMap;

use async_graphql::{
    Name, Variables,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};

use self::values::{Cost, Values};
use super::{FieldTypes, Limits, field_types::innermost};

/// What an unknown field costs: a suggestion takes as long as about forty fields.
const UNKNOWN_FIELD: u64 = 40;
/// Definitions that are compared with a used variable in the time that a field takes.
const DEFINITIONS_PER_FIELD: u64 = 32;

/// Why a document has no cost, or a useless one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unexpandable {
    /// A fragment spreads itself, directly or through others.
    Cycle(Name),
    /// The selection sets are nested deeper than allowed.
    TooDeep,
    /// A selection set has more `__typename` than allowed.
    TooManyTypenames,
}

/// The cost of validating a document. A field without arguments and directives costs 1. Selection sets can be nested as
/// `limits.nesting` says, through fragments too, and have as many `__typename` as `limits.typenames` says.
pub(super) fn expanded_size(document: &ExecutableDocument, variables: &Variables, types: &FieldTypes, limits: &Limits) -> Result<u64, Unexpandable> {
    let values = Values::new(document, variables);
    let mut expansion = Expansion { document, types, limits, values, repeated: 0, fragments: HashMap::new() };
    let mut size = 0u64;
    for (_, operation) in document.operations.iter() {
        let operation = &operation.node;
        let extent = expansion.set(&operation.selection_set.node, types.root(operation.ty).map(Name::as_str), 1)?;
        let definitions = u64::try_from(operation.variable_definitions.len()).unwrap_or(u64::MAX);
        size = size
            .saturating_add(extent.cost.size)
            .saturating_add(extent.cost.variables.saturating_mul(definitions) / DEFINITIONS_PER_FIELD)
            .saturating_add(expansion.values.definitions(&operation.variable_definitions))
            .saturating_add(expansion.values.directives(&operation.directives).size);
    }
    for (name, fragment) in &document.fragments {
        let directives = expansion.values.directives(&fragment.node.directives).size;
        size = size.saturating_add(expansion.fragment(name, 1)?.cost.size).saturating_add(directives);
    }
    Ok(size.saturating_add(expansion.repeated))
}

#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    /// Everything within, with fragments expanded.
    cost: Cost,
    /// The same without what is nested in fields: what is compared when fields are merged.
    merged: u64,
    /// How many `__typename` an object has.
    typenames: usize,
    /// How many selection sets are nested within, itself included.
    nesting: usize,
}

struct Expansion<'a> {
    document: &'a ExecutableDocument,
    types: &'a FieldTypes,
    limits: &'a Limits,
    values: Values<'a>,
    /// What is walked again, because it is in inline fragments or in spread ones.
    repeated: u64,
    /// The extent of each fragment; `None` while it is computed.
    fragments: HashMap<&'a Name, Option<Extent>>,
}

impl<'a> Expansion<'a> {
    /// The extent of a selection set on the type `parent`, if that is known.
    fn set(&mut self, set: &'a SelectionSet, parent: Option<&'a str>, level: usize) -> Result<Extent, Unexpandable> {
        if level > self.limits.nesting {
            return Err(Unexpandable::TooDeep);
        }
        let (mut extent, mut direct) = (Extent::default(), 0u64);
        for selection in &set.items {
            // What belongs to the same object is merged with its siblings.
            let (own, nested, same_object) = match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let name = field.name.node.as_str();
                    // Without an alias, it is one value however often it is selected: clients add it to every fragment.
                    extent.typenames += usize::from(name == "__typename" && field.alias.is_some());
                    let unknown = parent.is_some_and(|parent| !name.starts_with("__") && self.types.lacks_field(parent, name));
                    let own = Cost::of(if unknown { UNKNOWN_FIELD } else { 1 });
                    let own = own.plus(self.values.arguments(&field.arguments)).plus(self.values.directives(&field.directives));
                    let set = &field.selection_set.node;
                    let types = self.types;
                    let below = parent.and_then(|parent| types.field(parent, name)).map(innermost);
                    (own, if set.items.is_empty() { Extent::default() } else { self.set(set, below, level + 1)? }, false)
                }
                Selection::InlineFragment(fragment) => {
                    let fragment = &fragment.node;
                    let on = fragment.type_condition.as_ref().map(|condition| condition.node.on.node.as_str()).or(parent);
                    let nested = self.set(&fragment.selection_set.node, on, level + 1)?;
                    (Cost::of(1).plus(self.values.directives(&fragment.directives)), nested, true)
                }
                Selection::FragmentSpread(spread) => {
                    let nested = self.fragment(&spread.node.fragment_name.node, level + 1)?;
                    (Cost::of(1).plus(self.values.directives(&spread.node.directives)), nested, true)
                }
            };
            direct = direct.saturating_add(own.size);
            extent.cost = extent.cost.plus(own).plus(nested.cost);
            extent.merged = extent.merged.saturating_add(own.size);
            if same_object {
                extent.merged = extent.merged.saturating_add(nested.merged);
                extent.typenames = extent.typenames.saturating_add(nested.typenames);
            }
            extent.nesting = extent.nesting.max(nested.nesting);
        }
        if extent.typenames > self.limits.typenames {
            return Err(Unexpandable::TooManyTypenames);
        }
        self.repeated = self.repeated.saturating_add(extent.merged - direct);
        extent.nesting += 1;
        Ok(extent)
    }

    fn fragment(&mut self, name: &Name, level: usize) -> Result<Extent, Unexpandable> {
        // A fragment that does not exist is reported by validation.
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else { return Ok(Extent::default()) };
        match self.fragments.get(name) {
            Some(Some(extent)) if level - 1 + extent.nesting > self.limits.nesting => Err(Unexpandable::TooDeep),
            Some(Some(extent)) => Ok(*extent),
            Some(None) => Err(Unexpandable::Cycle(name.clone())),
            None => {
                self.fragments.insert(name, None);
                let on = fragment.node.type_condition.node.on.node.as_str();
                let extent = self.set(&fragment.node.selection_set.node, Some(on), level)?;
                self.fragments.insert(name, Some(extent));
                Ok(extent)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use async_graphql::{parser::parse_query, value};

    use super::*;

    const SDL: &str = "schema { query: Q } type Q { a(x: Int): Q, b: [Q!]! }";

    fn size_with(document: &str, variables: Variables) -> Result<u64, Unexpandable> {
        let limits = Limits { nesting: 100, typenames: 20, ..Limits::default() };
        expanded_size(&parse_query(document).unwrap(), &variables, &FieldTypes::of(SDL), &limits)
    }

    fn size(document: &str) -> Result<u64, Unexpandable> {
        size_with(document, Variables::default())
    }

    #[test]
    fn everything_that_is_walked_counts() {
        assert_eq!(size("{ a }"), Ok(1));
        assert_eq!(size("{ a(x: 1, y: 2) @skip(if: true) { b a } }"), Ok(7));
        assert_eq!(size("{ ... @include(if: true) { a } }"), Ok(5), "the field is merged twice");
        assert_eq!(size("query A { a } query B { b }"), Ok(2), "validation walks every operation");
        assert_eq!(size("query A @x(y: 1) { a } fragment F on Q @x { a }"), Ok(5));
        assert_eq!(size("{ ...F ...F } fragment F on Q { a b }"), Ok(12), "twice spread, twice merged, and once alone");
        assert_eq!(size("{ ...Missing }"), Ok(1));
    }

    #[test]
    fn inline_fragments_count_for_each_enclosing_one() {
        let nested = |levels: usize| format!("{{ {} {} {} }}", "... {".repeat(levels), "a b ".repeat(50), "}".repeat(levels));
        assert_eq!(size(&nested(0)), Ok(100));
        assert!(size(&nested(50)).unwrap() > 50 * 100, "{:?}", size(&nested(50)));
        let spread = format!("{{ {} ...F {} }} fragment F on Q {{ {} }}", "... {".repeat(50), "}".repeat(50), "a b ".repeat(50));
        assert!(size(&spread).unwrap() > 50 * 100, "{:?}", size(&spread));
    }

    #[test]
    fn unknown_fields_count_more() {
        assert_eq!(size("{ a { c } b { d } }"), Ok(82));
        assert_eq!(size("{ ... on Q { c } ... on Other { c } }").unwrap(), size("{ ... on Q { a } ... on Other { c } }").unwrap() + 78);
        assert_eq!(size("{ __schema { c } }"), Ok(2), "introspection has a limit of its own");
    }

    #[test]
    fn the_search_for_variables_counts() {
        let document = |definitions: usize, uses: usize| {
            let definitions: String = (0..definitions).map(|n| format!(" $v{n}: Int")).collect();
            format!("query({definitions}) {{ a(x: [{}]) }}", "$v0 ".repeat(uses))
        };
        assert_eq!(size(&document(1, 10)), Ok(13));
        assert!(size(&document(1000, 1000)).unwrap() > 30_000);
        let variables = Variables::from_value(value!({"v0": (0..500).collect::<Vec<i32>>()}));
        assert!(size_with(&document(1, 100), variables).unwrap() > 50_000, "its value is copied each time");
    }

    #[test]
    fn an_object_has_few_typenames() {
        let typenames = |times: usize| "a: __typename ".repeat(times);
        assert_eq!(size(&format!("{{ {} a {{ {} }} }}", typenames(20), typenames(20))), Ok(41));
        for document in [
            format!("{{ {} }}", typenames(21)),
            format!("{{ a {{ {} ... {{ {} }} }} }}", typenames(11), typenames(10)),
            format!("{{ {} ...F }} fragment F on Q {{ {} }}", typenames(11), typenames(10)),
        ] {
            assert_eq!(size(&document), Err(Unexpandable::TooManyTypenames), "{document}");
        }
    }

    #[test]
    fn fragments_that_spread_each_other_twice_are_exponential_but_computed_at_once() {
        let mut document = "{ ...F0 }".to_owned();
        for n in 0..90 {
            write!(document, " fragment F{n} on Q {{ ...F{0} ...F{0} }}", n + 1).unwrap();
        }
        document += " fragment F90 on Q { a }";
        assert_eq!(size(&document), Ok(u64::MAX));
    }

    #[test]
    fn cycles_and_deep_chains_are_found() {
        assert_eq!(size("{ ...A } fragment A on Q { ...A }"), Err(Unexpandable::Cycle(Name::new("A"))));
        assert!(matches!(size("{ a } fragment A on Q { ...B } fragment B on Q { a { ...A } }"), Err(Unexpandable::Cycle(_))));
        let mut chain = "{ ...F0 }".to_owned();
        for n in 0..200 {
            write!(chain, " fragment F{n} on Q {{ ...F{} }}", n + 1).unwrap();
        }
        chain += " fragment F200 on Q { a }";
        assert_eq!(size(&chain), Err(Unexpandable::TooDeep));
        // Whichever end is reached first.
        let mut reversed = String::new();
        for n in (0..200).rev() {
            write!(reversed, " fragment F{n} on Q {{ ...F{} }}", n + 1).unwrap();
        }
        assert_eq!(size(&format!("{reversed} fragment F200 on Q {{ a }} {{ ...F0 }}")), Err(Unexpandable::TooDeep));
    }
}
