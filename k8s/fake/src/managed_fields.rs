//! `metadata.managedFields`: who owns which fields. Simpler than the real one: a list is one field.

use serde_json::{Map, Value, json};

/// The owner of what a person edits.
const EDITOR: &str = "kubectl-edit";

/// Records that a manager applied fields, by force: it owns them now, and whoever edited them does not any more.
pub fn applied(object: &mut Value, manager: &str, ours: &Value) {
    let fields = fields(ours);
    let mut entries = entries(object);
    for entry in entries.iter_mut().filter(|entry| entry["operation"] == "Update") {
        take(&mut entry["fieldsV1"], &fields);
    }
    entries.retain(|entry| entry["operation"] != "Update" || !is_empty(&entry["fieldsV1"]));
    let entry = json!({"manager": manager, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": fields});
    match entries.iter_mut().find(|present| present["manager"] == manager) {
        Some(present) => *present = entry,
        None => entries.push(entry),
    }
    object["metadata"]["managedFields"] = json!(entries);
}

/// Records that a person edited an object.
pub fn edited(before: &Value, after: &mut Value) {
    let (mut touched, mut set) = (json!({}), json!({}));
    difference(before, after, &mut touched, &mut set);
    let mut entries = entries(before);
    for entry in &mut entries {
        take(&mut entry["fieldsV1"], &touched);
    }
    entries.push(json!({"manager": EDITOR, "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": set}));
    after["metadata"]["managedFields"] = json!(entries);
}

fn entries(object: &Value) -> Vec<Value> {
    object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default()
}

fn fields(value: &Value) -> Value {
    let Value::Object(object) = value else { return json!({}) };
    object.iter().map(|(key, value)| (format!("f:{key}"), fields(value))).collect::<Map<_, _>>().into()
}

/// Removes `touched` from `owned`.
fn take(owned: &mut Value, touched: &Value) {
    let (Some(owned), Some(touched)) = (owned.as_object_mut(), touched.as_object()) else { return };
    for (key, touched) in touched {
        let Some(inner) = owned.get_mut(key) else { continue };
        if is_empty(touched) {
            owned.remove(key);
            continue;
        }
        let had_some = !is_empty(inner);
        take(inner, touched);
        if had_some && is_empty(inner) {
            owned.remove(key);
        }
    }
}

fn difference(before: &Value, after: &Value, touched: &mut Value, set: &mut Value) {
    let empty = Map::new();
    let (before, after) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    for key in before.keys().chain(after.keys().filter(|key| !before.contains_key(*key))) {
        let (one, other) = (before.get(key), after.get(key));
        let field = format!("f:{key}");
        if one == other || key == "managedFields" {
            continue;
        }
        if one.is_some_and(Value::is_object) && other.is_some_and(Value::is_object) {
            let (mut inner_touched, mut inner_set) = (json!({}), json!({}));
            difference(&before[key], &after[key], &mut inner_touched, &mut inner_set);
            if !is_empty(&inner_touched) {
                touched[&field] = inner_touched;
            }
            if !is_empty(&inner_set) {
                set[&field] = inner_set;
            }
            continue;
        }
        touched[&field] = json!({});
        if other.is_some() {
            set[&field] = json!({});
        }
    }
}

fn is_empty(fields: &Value) -> bool {
    fields.as_object().is_none_or(Map::is_empty)
}
