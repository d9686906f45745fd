//! The complexity of a request: how many values its answer can have.

use chrono::{DateTime, Utc};
use toygres_domain::metric::{MetricName, MetricWindow};

use super::paging::DEFAULT_PAGE;
use crate::app::limits::{IntRange, PAGE_SIZE};

/// The most that the complexity of one field can be. The executor adds those of siblings without a check for overflow; a document has
/// fewer than 2^32 fields, so their sum fits.
const MAX_COMPLEXITY: usize = u32::MAX as usize;

/// What a list at the root costs in addition: two statements of its own, which take the database as long as about 250 values. Lists
/// of objects are read for all objects together.
pub(super) const LIST: usize = 250;
/// What an object that is looked up at the root costs in addition: one statement.
pub(super) const LOOK_UP: usize = 100;
/// What it costs in addition to ask the server of an instance: a login there. One request can ask fewer than a server asks at once.
pub(super) const INSPECTION: usize = 2500;

/// The complexity of a list of values: each entry that it can have costs what is selected of it.
pub(super) fn list_complexity(first: Option<i32>, range: IntRange, child_complexity: usize) -> usize {
    // Whatever is outside of the range is refused when the field is resolved.
    let entries = first.or(range.default).unwrap_or(range.max).clamp(range.min, range.max);
    usize::try_from(entries).unwrap_or_default().saturating_mul(child_complexity).min(MAX_COMPLEXITY)
}

/// The complexity of metrics over time: each point counts, and so do the rows that are read for it, ten to one.
pub(super) fn metrics_complexity(
    names: Option<usize>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    step_seconds: Option<i32>,
    child_complexity: usize,
) -> usize {
    // Whatever is outside of the range is refused when the field is resolved.
    let Ok(window) = MetricWindow::new(from, to, step_seconds, Utc::now()) else { return child_complexity };
    // A name that is there twice is answered once.
    let names = names.map_or(MetricName::COUNT, |names| names.min(MetricName::COUNT));
    if window.check(names).is_err() {
        return child_complexity;
    }
    let (points, rows) = (usize::try_from(window.points()).unwrap_or(MAX_COMPLEXITY), usize::try_from(window.rows()).unwrap_or(MAX_COMPLEXITY));
    names.saturating_mul(points.saturating_add(child_complexity)).saturating_add(rows / 10).min(MAX_COMPLEXITY)
}

/// The complexity of a connection: each entry that the page can have costs what is selected of it. A page without entries has at
/// least its totals.
pub(super) fn page_complexity(first: Option<i32>, last: Option<i32>, child_complexity: usize) -> usize {
    // Whatever is outside of the range is refused when the field is resolved.
    let entries = first.max(last).unwrap_or(DEFAULT_PAGE).clamp(1, PAGE_SIZE.max);
    usize::try_from(entries).unwrap_or_default().saturating_mul(child_complexity).saturating_add(5).min(MAX_COMPLEXITY)
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        fmt::Write,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use async_graphql::{
        Request, ServerError, ValidationResult, Value, Variables,
        extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation},
        parser::{
            parse_query, parse_schema,
            types::{BaseType, ExecutableDocument, Field, FieldDefinition, Selection, SelectionSet, Type, TypeKind, TypeSystemDefinition},
        },
    };
    use async_trait::async_trait;

    use super::*;

    /// Records the complexity that the executor computes, and has nothing executed.
    #[derive(Clone, Default)]
    struct Recorder(Arc<AtomicUsize>);

    impl ExtensionFactory for Recorder {
        fn create(&self) -> Arc<dyn Extension> {
            Arc::new(self.clone())
        }
    }

    #[async_trait]
    impl Extension for Recorder {
        async fn validation(&self, ctx: &ExtensionContext<'_>, next: NextValidation<'_>) -> Result<ValidationResult, Vec<ServerError>> {
            self.0.store(next.run(ctx).await?.complexity, Ordering::SeqCst);
            Err(Vec::new())
        }
    }

    #[tokio::test]
    async fn it_is_never_below_the_number_of_values() {
        let recorder = Recorder::default();
        let schema = super::super::builder().extension(recorder.clone()).limit_recursive_depth(200).finish();
        let types = Types::of(&super::super::sdl());
        let mut beyond = 0;
        for seed in 0..2000 {
            // The first is one whose number does not fit into 64 bits, which few of the others have.
            let (query, variables) = if seed == 0 { (nested(10), Value::Object(Default::default())) } else { Generator::document(&types, seed) };
            let document = parse_query(&query).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{query}"));
            let request = Request::new(query.clone()).variables(Variables::from_value(variables.clone()));
            let answer = schema.execute(request).await;
            assert!(answer.errors.is_empty(), "seed {seed}: {:?}\n{query}", answer.errors);
            let (_, operation) = document.operations.iter().next().unwrap();
            let count = Count { types: &types, document: &document, variables: &variables };
            let values = count.values(&operation.node.selection_set.node, "Query", 0);
            let computed = recorder.0.load(Ordering::SeqCst) as u128;
            beyond += usize::from(values > u128::from(u64::MAX));
            assert!(computed >= values.min(MAX_COMPLEXITY as u128), "seed {seed}: {computed} instead of {values}\n{query}\n{variables}");
        }
        assert!(beyond >= 1, "the numbers of {beyond} documents do not fit into 64 bits");
    }

    /// Lists in lists, `depth` deep, with 500 entries each.
    fn nested(depth: usize) -> String {
        let inner = (0..depth).fold("{ id }".to_owned(), |inner, _| format!("{{ operations(first: 500) {{ nodes {{ instance {inner} }} }} }}"));
        format!("{{ instances(first: 500) {{ nodes {inner} }} }}")
    }

    /// The fields of each object type.
    struct Types(BTreeMap<String, Vec<FieldDefinition>>);

    impl Types {
        fn of(sdl: &str) -> Self {
            let definitions = parse_schema(sdl).unwrap().definitions.into_iter();
            Self(
                definitions
                    .filter_map(|definition| match definition {
                        TypeSystemDefinition::Type(definition) => match definition.node.kind {
                            TypeKind::Object(object) => {
                                Some((definition.node.name.node.to_string(), object.fields.into_iter().map(|field| field.node).collect()))
                            }
                            _ => None,
                        },
                        _ => None,
                    })
                    .collect(),
            )
        }

        /// Whether a type has fields that are objects.
        fn leads_further(&self, name: &str) -> bool {
            self.0.get(name).is_some_and(|fields| fields.iter().any(|field| self.0.contains_key(named(&field.ty.node))))
        }

        fn field(&self, parent: &str, name: &str) -> &FieldDefinition {
            self.0[parent].iter().find(|field| field.name.node == name).unwrap()
        }
    }

    fn named(ty: &Type) -> &str {
        match &ty.base {
            BaseType::Named(name) => name,
            BaseType::List(element) => named(element),
        }
    }

    /// Counts the values of an answer that is as large as it can be.
    struct Count<'a> {
        types: &'a Types,
        document: &'a ExecutableDocument,
        variables: &'a Value,
    }

    impl Count<'_> {
        /// The values that are selected of an object, which has this number of entries if it is a connection.
        fn values(&self, set: &SelectionSet, ty: &str, entries: u128) -> u128 {
            let one = |selection: &Selection| match selection {
                // The transport limits their number.
                Selection::Field(field) if field.node.name.node == "__typename" => 0,
                Selection::Field(field) => {
                    let field = &field.node;
                    let below = named(&self.types.field(ty, &field.name.node).ty.node);
                    let Some(page) = self.entries(field, below) else { return 1 };
                    let times = if ty.ends_with("Connection") && matches!(field.name.node.as_str(), "edges" | "nodes") { entries } else { 1 };
                    times.saturating_mul(self.values(&field.selection_set.node, below, page).saturating_add(1))
                }
                Selection::FragmentSpread(spread) => {
                    self.values(&self.document.fragments[&spread.node.fragment_name.node].node.selection_set.node, ty, entries)
                }
                Selection::InlineFragment(inline) => self.values(&inline.node.selection_set.node, ty, entries),
            };
            set.items.iter().fold(0, |all: u128, selection| all.saturating_add(one(&selection.node)))
        }

        /// The entries of a page; none if the field is refused when it is resolved.
        fn entries(&self, field: &Field, ty: &str) -> Option<u128> {
            if !ty.ends_with("Connection") {
                return Some(0);
            }
            let argument = |name: &str| {
                let value = field.get_argument(name)?.node.clone();
                let value = value.into_const_with(|name| match self.variables {
                    Value::Object(given) => Ok::<_, ()>(given[&name].clone()),
                    _ => Err(()),
                });
                Some(i32::try_from(value.unwrap().into_json().unwrap().as_i64().unwrap()).unwrap())
            };
            let entries = match (argument("first"), argument("last")) {
                (Some(_), Some(_)) => return None,
                (entries, None) | (None, entries) => entries.unwrap_or(DEFAULT_PAGE),
            };
            PAGE_SIZE.contains(entries).then(|| u128::try_from(entries).unwrap())
        }
    }

    /// Generates valid documents. The same seed generates the same one.
    struct Generator<'a> {
        types: &'a Types,
        random: fastrand::Rng,
        fields_left: usize,
        aliases: usize,
        fragments: String,
        definitions: String,
        variables: async_graphql::indexmap::IndexMap<async_graphql::Name, Value>,
    }

    impl<'a> Generator<'a> {
        fn document(types: &'a Types, seed: u64) -> (String, Value) {
            let random = fastrand::Rng::with_seed(seed);
            let (fragments, definitions) = (String::new(), String::new());
            let mut this = Self { types, random, fields_left: 80, aliases: 0, fragments, definitions, variables: Default::default() };
            let set = this.set("Query", 40);
            let definitions = if this.definitions.is_empty() { String::new() } else { format!("({})", this.definitions) };
            (format!("query{definitions} {set}{}", this.fragments), Value::Object(this.variables))
        }

        fn set(&mut self, ty: &str, depth: usize) -> String {
            let types = self.types;
            self.aliases += 1;
            let mut content = format!(" t{}: __typename", self.aliases);
            for _ in 0..self.random.usize(1..4) {
                // Mostly those that lead further down.
                let further = self.random.u8(0..10) < 8;
                let fields = types.0[ty].iter().filter(|field| named(&field.ty.node) != "Node");
                let all: Vec<_> = fields.filter(|field| types.leads_further(named(&field.ty.node)) == further).collect();
                if depth == 0 || all.is_empty() {
                    continue;
                }
                let field = all[self.random.usize(0..all.len())];
                content += &self.field(field, depth - 1);
            }
            match self.random.u8(0..20) {
                0 => format!(" {{ ... {{{content} }} }}"),
                1..=2 => {
                    self.aliases += 1;
                    let name = format!("F{}", self.aliases);
                    let _ = write!(self.fragments, " fragment {name} on {ty} {{{content} }}");
                    format!(" {{{} }}", format!(" ...{name}").repeat(self.random.usize(1..3)))
                }
                _ => format!(" {{{content} }}"),
            }
        }

        fn field(&mut self, field: &FieldDefinition, depth: usize) -> String {
            if self.fields_left == 0 {
                return String::new();
            }
            self.fields_left -= 1;
            self.aliases += 1;
            let mut arguments = String::new();
            for argument in &field.arguments {
                let argument = &argument.node;
                match argument.name.node.as_str() {
                    name @ ("first" | "last") if self.random.u8(0..10) < 2 => {
                        let value = self.random.choice([500, 500, 500, 500, 500, 500, 1, 0, -1, 501, i32::MAX, i32::MIN]).unwrap();
                        let _ = write!(arguments, " {name}: {}", self.number(value));
                    }
                    name if !argument.ty.node.nullable => {
                        let _ = write!(arguments, " {name}: \"x\"");
                    }
                    _ => {}
                }
            }
            let arguments = if arguments.is_empty() { arguments } else { format!("({arguments})") };
            let below = named(&field.ty.node);
            let set = if self.types.0.contains_key(below) { self.set(below, depth) } else { String::new() };
            format!(" a{}: {}{arguments}{set}", self.aliases, field.name.node)
        }

        /// A number, or a variable with that value.
        fn number(&mut self, value: i32) -> String {
            if self.random.bool() {
                return value.to_string();
            }
            let name = format!("v{}", self.variables.len());
            let _ = write!(self.definitions, " ${name}: Int");
            self.variables.insert(async_graphql::Name::new(&name), Value::from(value));
            format!("${name}")
        }
    }
}
