//! The types of a schema, as the transports need them (pure).

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned,
    parser::{
        parse_schema,
        types::{BaseType, InputValueDefinition, OperationType, Type, TypeKind, TypeSystemDefinition},
    },
};

/// The scalars of every schema, which it does not declare.
const BUILT_IN: [&str; 5] = ["Boolean", "Float", "ID", "Int", "String"];

/// The types of a schema's fields: whether they can be `null`, and which fields and types there are.
#[derive(Clone, Debug, Default)]
pub struct FieldTypes {
    /// By type and field.
    fields: HashMap<Name, HashMap<Name, Type>>,
    query: Option<Name>,
    mutation: Option<Name>,
    subscription: Option<Name>,
    /// The object types of each object type (itself), interface and union.
    objects: HashMap<Name, Vec<Name>>,
    /// The names of all types, also of those without fields.
    names: HashSet<Name>,
    /// The names of arguments and input fields of the type `Int`. One of another type may have the same name elsewhere.
    ints: HashSet<Name>,
}

impl FieldTypes {
    /// Reads the types from a schema in the schema definition language. If the text is not a valid schema, every field is assumed
    /// to be nullable.
    #[must_use]
    pub fn of(sdl: &str) -> Self {
        let mut this = Self::default();
        let definitions = parse_schema(sdl).map(|document| document.definitions).unwrap_or_default();
        if !definitions.is_empty() {
            this.names.extend(BUILT_IN.map(Name::new));
        }
        for definition in definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    let root = |name: Option<Positioned<Name>>| name.map(|name| name.node);
                    (this.query, this.mutation, this.subscription) =
                        (root(schema.node.query), root(schema.node.mutation), root(schema.node.subscription));
                }
                TypeSystemDefinition::Type(definition) => {
                    let name = definition.node.name.node;
                    this.names.insert(name.clone());
                    let fields = match definition.node.kind {
                        TypeKind::InputObject(input) => {
                            this.ints.extend(ints(&input.fields));
                            continue;
                        }
                        TypeKind::Object(object) => {
                            let abstracts = object.implements.into_iter().map(|interface| interface.node);
                            for ty in abstracts.chain([name.clone()]) {
                                this.objects.entry(ty).or_default().push(name.clone());
                            }
                            object.fields
                        }
                        TypeKind::Interface(interface) => interface.fields,
                        TypeKind::Union(union) => {
                            this.objects.insert(name, union.members.into_iter().map(|member| member.node).collect());
                            continue;
                        }
                        _ => continue,
                    };
                    this.ints.extend(fields.iter().flat_map(|field| ints(&field.node.arguments)));
                    let fields = fields.into_iter().map(|field| (field.node.name.node, field.node.ty.node)).collect();
                    this.fields.insert(name, fields);
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        this
    }

    pub(super) fn root(&self, kind: OperationType) -> Option<&Name> {
        match kind {
            OperationType::Query => self.query.as_ref(),
            OperationType::Mutation => self.mutation.as_ref(),
            OperationType::Subscription => self.subscription.as_ref(),
        }
    }

    pub(super) fn field(&self, parent: &str, field: &str) -> Option<&Type> {
        self.fields.get(parent)?.get(field)
    }

    /// The object types that a value of the type `name` can have.
    pub(super) fn objects(&self, name: &str) -> &[Name] {
        self.objects.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether the schema has the type `parent`, which has no such field.
    pub(super) fn lacks_field(&self, parent: &str, field: &str) -> bool {
        self.fields.get(parent).is_some_and(|fields| !fields.contains_key(field))
    }

    /// Whether an argument or input field with this name is an `Int`.
    pub(super) fn is_int(&self, name: &str) -> bool {
        self.ints.contains(name)
    }

    /// Whether the schema has no such type. False without a schema.
    pub(super) fn lacks_type(&self, name: &str) -> bool {
        !self.names.is_empty() && !self.names.contains(name)
    }
}

fn ints(inputs: &[Positioned<InputValueDefinition>]) -> impl Iterator<Item = Name> {
    inputs.iter().filter(|input| innermost(&input.node.ty.node) == "Int").map(|input| input.node.name.node.clone())
}

/// The name of a type within its lists.
pub(super) fn innermost(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(element) => innermost(element),
    }
}
