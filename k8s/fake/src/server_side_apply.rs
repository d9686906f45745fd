//! Server-side apply: each field manager owns the fields that it applied; a field that it omits the next time is removed.
//!
//! Simpler than the real one: a list is one value, and ownership follows from what each manager applied last.

use serde_json::{Map, Value};

/// Merges what a manager applies into the object, and removes what the manager applied before and omits now.
pub fn merge(live: &mut Value, before: Option<&Value>, now: &Value) {
    let (Value::Object(live), Value::Object(now)) = (&mut *live, now) else {
        *live = now.clone();
        return;
    };
    let none = Map::new();
    let before = before.and_then(Value::as_object).unwrap_or(&none);
    for key in before.keys().filter(|key| !now.contains_key(*key)) {
        live.remove(key);
    }
    for (key, value) in now {
        match live.get_mut(key) {
            Some(present) if present.is_object() && value.is_object() => merge(present, before.get(key), value),
            _ => {
                live.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Puts back what a merge has removed although another manager applied it too.
pub fn keep(live: &mut Value, theirs: &Value) {
    let (Value::Object(live), Value::Object(theirs)) = (live, theirs) else { return };
    for (key, value) in theirs {
        keep(live.entry(key.clone()).or_insert_with(|| value.clone()), value);
    }
}

/// The path of the first field that both apply with different values.
pub fn conflict(theirs: &Value, ours: &Value, path: &str) -> Option<String> {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            theirs.iter().filter_map(|(key, theirs)| conflict(theirs, ours.get(key)?, &format!("{path}.{key}"))).next()
        }
        _ => (theirs != ours).then(|| path.to_owned()),
    }
}

/// JSON merge patch (RFC 7386).
pub fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let target = target.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge_patch(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}
