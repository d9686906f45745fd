//! Generates random operations from a schema. The same seed generates the same operation.

use std::collections::BTreeMap;

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition},
};
use serde_json::{Map, Value, json};

/// The types of the schema. Maps are ordered, so that the result of a seed is the same everywhere.
pub struct Schema {
    objects: BTreeMap<String, Vec<FieldDefinition>>,
    inputs: BTreeMap<String, Vec<InputValueDefinition>>,
    enums: BTreeMap<String, Vec<String>>,
    implementors: BTreeMap<String, Vec<String>>,
    /// Existing ids and cursors.
    known: Vec<String>,
}

impl Schema {
    pub fn parse(sdl: &str, known: Vec<String>) -> Self {
        let mut this = Self { objects: BTreeMap::new(), inputs: BTreeMap::new(), enums: BTreeMap::new(), implementors: BTreeMap::new(), known };
        for definition in parse_schema(sdl).unwrap().definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            match definition.node.kind {
                TypeKind::Object(object) => {
                    for interface in object.implements {
                        this.implementors.entry(interface.node.to_string()).or_default().push(name.clone());
                    }
                    this.objects.insert(name, object.fields.into_iter().map(|field| field.node).collect());
                }
                TypeKind::Interface(interface) => {
                    this.objects.insert(name, interface.fields.into_iter().map(|field| field.node).collect());
                }
                TypeKind::InputObject(input) => {
                    this.inputs.insert(name, input.fields.into_iter().map(|field| field.node).collect());
                }
                TypeKind::Enum(values) => {
                    this.enums.insert(name, values.values.into_iter().map(|value| value.node.value.node.to_string()).collect());
                }
                TypeKind::Scalar | TypeKind::Union(_) => {}
            }
        }
        this
    }
}

/// A generated operation.
pub struct Generated {
    /// The body of its request.
    pub body: String,
    /// The fields of a successful response; empty if the document was mutated.
    pub selected: Vec<Selected>,
    /// Whether it is a subscription.
    pub streams: bool,
}

/// A selected field.
pub struct Selected {
    pub key: String,
    pub nullable: bool,
    /// The fields that every response has, which excludes those of fragments on one of several types and skipped fields.
    pub below: Vec<Selected>,
}

pub struct Generator<'a> {
    schema: &'a Schema,
    state: u64,
    variables: Map<String, Value>,
    declared: Vec<String>,
    aliases: usize,
}

impl<'a> Generator<'a> {
    pub fn new(schema: &'a Schema, seed: u64) -> Self {
        Self { schema, state: seed, variables: Map::new(), declared: Vec::new(), aliases: 0 }
    }

    pub fn operation(mut self) -> Generated {
        let (kind, root) = match self.below(20) {
            0..=3 => ("mutation", "Mutation"),
            4 => ("subscription", "Subscription"),
            _ => ("query", "Query"),
        };
        let mut selected = Vec::new();
        let fields = if kind == "query" { 1 + self.below(3) } else { 1 };
        let mut body = String::new();
        for _ in 0..fields {
            let field = self.one_of(&self.schema.objects[root]).clone();
            body += &self.field(&field, 5, &mut selected);
        }
        let declared = if self.declared.is_empty() { String::new() } else { format!("({})", self.declared.join(", ")) };
        let mut query = format!("{kind} Fuzz{declared} {{ {body}}}");
        if self.chance(12) {
            self.damage(&mut query);
            selected.clear();
        }
        let mut request = json!({ "query": query, "variables": self.variables });
        if self.chance(5) {
            // The other parameters of the request can be wrong too; then no field is expected.
            let wrong = self
                .one_of(&[json!({ "operationName": "Other" }), json!({ "variables": { "v0": [] } }), json!({ "extensions": { "a": 1 } })])
                .clone();
            request.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
            selected.clear();
        }
        Generated { body: request.to_string(), selected, streams: kind == "subscription" }
    }

    /// Generates a field, and adds it to the expected fields of its object.
    fn field(&mut self, field: &FieldDefinition, depth: u64, siblings: &mut Vec<Selected>) -> String {
        self.aliases += 1;
        let key = format!("k{}", self.aliases);
        let mut text = format!("{key}: {}", field.name.node);
        let arguments: Vec<String> = field.arguments.iter().filter_map(|argument| self.argument(&argument.node)).collect();
        if !arguments.is_empty() {
            text += &format!("({})", arguments.join(", "));
        }
        let skipped = self.chance(4);
        if skipped {
            text += *self.one_of(&[" @skip(if: true)", " @include(if: false)"]);
        } else if self.chance(4) {
            text += *self.one_of(&[" @skip(if: false)", " @include(if: true)"]);
        }
        let mut below = Vec::new();
        let name = named(&field.ty.node);
        if self.schema.objects.contains_key(name) {
            text += &self.selection(name, depth.saturating_sub(1), &mut below);
        }
        if !skipped {
            siblings.push(Selected { key, nullable: field.ty.node.nullable, below });
        }
        text + " "
    }

    fn selection(&mut self, name: &str, depth: u64, selected: &mut Vec<Selected>) -> String {
        let schema = self.schema;
        let mut text = " { ".to_owned();
        let mut content = String::new();
        if depth > 0 {
            for _ in 0..1 + self.below(4) {
                let field = self.one_of(&schema.objects[name]).clone();
                let written = self.field(&field, depth, selected);
                // A fragment on the type itself has no effect on the response.
                content += &if self.chance(8) { format!("... on {name} {{ {written}}} ") } else { written };
            }
            if let Some(types) = schema.implementors.get(name) {
                let on = self.one_of(types).clone();
                let field = self.one_of(&schema.objects[&on]).clone();
                let written = self.field(&field, depth, &mut Vec::new());
                content += &format!("... on {on} {{ {written}}} ");
            }
        }
        // The executor returns null instead of an object in which every field is skipped (async-graphql 7.2.1).
        if selected.is_empty() || self.chance(15) {
            self.aliases += 1;
            let key = format!("k{}", self.aliases);
            text += &format!("{key}: __typename ");
            selected.push(Selected { key, nullable: false, below: Vec::new() });
        }
        text + &content + "}"
    }

    fn argument(&mut self, argument: &InputValueDefinition) -> Option<String> {
        let (name, ty) = (&argument.name.node, &argument.ty.node);
        if ty.nullable && !self.chance(35) {
            return None;
        }
        // Most pages are small, because otherwise most operations would exceed the limit of complexity.
        let value = if (name == "first" || name == "last") && !self.chance(10) { json!(self.below(6)) } else { self.value(ty, 4) };
        if self.chance(30) {
            let variable = format!("v{}", self.declared.len());
            self.declared.push(format!("${variable}: {ty}"));
            self.variables.insert(variable.clone(), value);
            return Some(format!("{name}: ${variable}"));
        }
        Some(format!("{name}: {}", self.literal(ty, &value)))
    }

    /// A value of the type, or sometimes an invalid one.
    fn value(&mut self, ty: &Type, depth: u64) -> Value {
        if ty.nullable && self.chance(10) {
            return Value::Null;
        }
        if self.chance(2) {
            return self.one_of(&[json!(null), json!([]), json!({}), json!("text"), json!(-1), json!(1e300), json!(true)]).clone();
        }
        let name = match &ty.base {
            BaseType::List(element) => return (0..self.below(3)).map(|_| self.value(element, depth.saturating_sub(1))).collect(),
            BaseType::Named(name) => name.as_str(),
        };
        let schema = self.schema;
        if let Some(values) = schema.enums.get(name) {
            return json!(self.one_of(values));
        }
        if let Some(fields) = schema.inputs.get(name) {
            let mut object = Map::new();
            for field in fields {
                if (!field.ty.node.nullable || (depth > 0 && self.chance(35))) && !self.chance(1) {
                    object.insert(field.name.node.to_string(), self.value(&field.ty.node, depth.saturating_sub(1)));
                }
            }
            return Value::Object(object);
        }
        match name {
            "Int" => json!(self.one_of(&[0_i64, 1, 2, 7, 15, 30, 512, -1, i64::from(i32::MAX), i64::from(i32::MIN), 1 << 40])),
            "Float" => json!(0.5),
            "Boolean" => json!(self.chance(50)),
            "BigInt" => self
                .one_of(&[json!("1"), json!("9223372036854775807"), json!("-9223372036854775808"), json!("9223372036854775808"), json!(3)])
                .clone(),
            _ => json!(self.text()),
        }
    }

    fn text(&mut self) -> String {
        if self.chance(50) {
            return self.one_of(&self.schema.known).clone();
        }
        let number = self.below(1_000_000);
        let nul = "a\0b".to_owned();
        let long = "x".repeat(5000);
        let odd = [
            "",
            " ",
            "%",
            "_",
            "'",
            "\\",
            "a'; DROP TABLE instances; --",
            "\u{1F600}",
            "\u{202E}",
            "a/b/c",
            "MTIzL2FiYw",
            "-1",
            "0",
            "18446744073709551616",
        ];
        match self.below(20) {
            0 => nul,
            1 => long,
            2..=9 => (*self.one_of(&odd)).to_owned(),
            _ => format!("name-{number}"),
        }
    }

    /// A value as a GraphQL literal.
    fn literal(&mut self, ty: &Type, value: &Value) -> String {
        match value {
            Value::String(text) if self.schema.enums.contains_key(named(ty)) => text.clone(),
            Value::Array(items) => {
                let element = match &ty.base {
                    BaseType::List(element) => element,
                    BaseType::Named(_) => ty,
                };
                let items: Vec<String> = items.iter().map(|item| self.literal(element, item)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Object(object) => {
                let fields = self.schema.inputs.get(named(ty));
                let of =
                    |name: &str| fields.and_then(|fields| fields.iter().find(|field| field.name.node == name)).map(|field| field.ty.node.clone());
                let fields: Vec<String> =
                    object.iter().map(|(name, value)| format!("{name}: {}", self.literal(&of(name).unwrap_or_else(|| ty.clone()), value))).collect();
                format!("{{{}}}", fields.join(", "))
            }
            other => other.to_string(),
        }
    }

    /// Removes or inserts something in a document.
    fn damage(&mut self, text: &mut String) {
        for _ in 0..1 + self.below(3) {
            let mut at = usize::try_from(self.below(text.len() as u64 + 1)).unwrap();
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            match self.below(3) {
                0 if at < text.len() => drop(text.remove(at)),
                1 => text.truncate(at),
                _ => {
                    let piece = *self.one_of(&["{", "}", "(", ")", "\"", "\\", "$", "@", "...", "\u{0}", "#", "fragment F on X { f }", "__schema"]);
                    text.insert_str(at, piece);
                }
            }
        }
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn one_of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }

    /// A number below `end`, by SplitMix64.
    fn below(&mut self, end: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}

fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(element) => named(element),
    }
}
