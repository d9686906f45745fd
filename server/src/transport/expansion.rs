//! The size of a document once every fragment is expanded (pure).
//!
//! The executor walks a document with its fragments expanded, several times and before anything is executed. Fragments that spread
//! each other twice make that walk exponential in the size of the document, so the size is computed first: once per fragment,
//! and saturating.

use std::collections::HashMap;

use async_graphql::{
    Name,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};

/// Why a document has no expanded size, or a useless one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unexpandable {
    /// A fragment spreads itself, directly or through others.
    Cycle(Name),
    /// The selection sets are nested deeper than allowed.
    TooDeep,
}

/// The fields, spreads, arguments and directives of all operations and fragments, each with its fragments expanded. Fragments
/// that no operation spreads are included, because validation walks them too. `max_nesting` limits how deep selection sets are
/// nested, through fragments too.
pub(super) fn expanded_size(document: &ExecutableDocument, max_nesting: usize) -> Result<u64, Unexpandable> {
    let mut expansion = Expansion { document, max_nesting, fragments: HashMap::new() };
    let mut size = 0u64;
    for (_, operation) in document.operations.iter() {
        size = size.saturating_add(expansion.set(&operation.node.selection_set.node, 1)?.size);
    }
    for name in document.fragments.keys() {
        size = size.saturating_add(expansion.fragment(name, 1)?.size);
    }
    Ok(size)
}

#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    size: u64,
    /// How many selection sets are nested within, itself included.
    nesting: usize,
}

struct Expansion<'a> {
    document: &'a ExecutableDocument,
    max_nesting: usize,
    /// The extent of each fragment; `None` while it is computed.
    fragments: HashMap<&'a Name, Option<Extent>>,
}

impl<'a> Expansion<'a> {
    fn set(&mut self, set: &'a SelectionSet, level: usize) -> Result<Extent, Unexpandable> {
        if level > self.max_nesting {
            return Err(Unexpandable::TooDeep);
        }
        let mut extent = Extent::default();
        for selection in &set.items {
            let (own, nested) = match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let set = &field.selection_set.node;
                    let nested = if set.items.is_empty() { Extent::default() } else { self.set(set, level + 1)? };
                    (1 + field.arguments.len() + field.directives.len(), nested)
                }
                Selection::InlineFragment(fragment) => (1 + fragment.node.directives.len(), self.set(&fragment.node.selection_set.node, level + 1)?),
                Selection::FragmentSpread(spread) => (1 + spread.node.directives.len(), self.fragment(&spread.node.fragment_name.node, level + 1)?),
            };
            extent.size = extent.size.saturating_add(nested.size).saturating_add(u64::try_from(own).unwrap_or(u64::MAX));
            extent.nesting = extent.nesting.max(nested.nesting);
        }
        extent.nesting += 1;
        Ok(extent)
    }

    fn fragment(&mut self, name: &Name, level: usize) -> Result<Extent, Unexpandable> {
        // A fragment that does not exist is reported by validation.
        let Some((name, fragment)) = self.document.fragments.get_key_value(name) else { return Ok(Extent::default()) };
        match self.fragments.get(name) {
            Some(Some(extent)) if level - 1 + extent.nesting > self.max_nesting => Err(Unexpandable::TooDeep),
            Some(Some(extent)) => Ok(*extent),
            Some(None) => Err(Unexpandable::Cycle(name.clone())),
            None => {
                self.fragments.insert(name, None);
                let extent = self.set(&fragment.node.selection_set.node, level)?;
                self.fragments.insert(name, Some(extent));
                Ok(extent)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use async_graphql::parser::parse_query;

    use super::*;

    fn size(document: &str) -> Result<u64, Unexpandable> {
        expanded_size(&parse_query(document).unwrap(), 100)
    }

    #[test]
    fn everything_that_is_walked_counts() {
        assert_eq!(size("{ a }"), Ok(1));
        assert_eq!(size("{ a(x: 1, y: 2) @skip(if: true) { b c } }"), Ok(6));
        assert_eq!(size("{ ... @include(if: true) { a } }"), Ok(3));
        assert_eq!(size("query A { a } query B { b }"), Ok(2), "validation walks every operation");
        assert_eq!(size("{ ...F ...F } fragment F on Q { a b }"), Ok(8), "twice spread and once alone");
        assert_eq!(size("{ ...Missing }"), Ok(1));
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
        assert!(matches!(size("{ a } fragment A on Q { ...B } fragment B on Q { c { ...A } }"), Err(Unexpandable::Cycle(_))));
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
