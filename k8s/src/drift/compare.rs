//! Compares what we apply with an object: only the fields that we set count, as in server-side apply.

use serde::Serialize;
use serde_json::Value;

/// The paths of the fields of `wanted` that `actual` does not have, or has with another value.
pub(super) fn differences<K: Serialize>(wanted: &K, actual: &K) -> Vec<String> {
    let (Ok(wanted), Ok(actual)) = (serde_json::to_value(wanted), serde_json::to_value(actual)) else { return Vec::new() };
    let mut paths = Vec::new();
    compare("", &wanted, &actual, &mut paths);
    paths
}

fn compare(path: &str, wanted: &Value, actual: &Value, paths: &mut Vec<String>) {
    match (wanted, actual) {
        _ if is_empty(wanted) => {}
        (Value::Object(wanted), Value::Object(_)) => {
            for (key, value) in wanted {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, value, &actual[key], paths);
            }
        }
        // A list of objects is a set: others may have added elements, such as the volume of a sidecar.
        (Value::Array(wanted), Value::Array(actual)) if wanted.iter().all(Value::is_object) => {
            for element in wanted {
                let matches = |candidate: &&Value| {
                    let mut found = Vec::new();
                    compare("", element, candidate, &mut found);
                    found.is_empty()
                };
                if !actual.iter().any(|candidate| matches(&candidate)) {
                    let name = element["name"].as_str().map(|name| format!("[{name}]")).unwrap_or_default();
                    paths.push(format!("{path}{name}"));
                }
            }
        }
        _ if wanted == actual || is_same_quantity(wanted, actual) => {}
        _ => paths.push(path.to_owned()),
    }
}

/// The API server omits what is empty.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The API server writes quantities in another notation: 1000m becomes 1, and 1024Mi becomes 1Gi.
fn is_same_quantity(wanted: &Value, actual: &Value) -> bool {
    let quantity = |value: &Value| value.as_str().and_then(millis);
    quantity(wanted).is_some_and(|wanted| quantity(actual) == Some(wanted))
}

/// A quantity in thousandths.
fn millis(quantity: &str) -> Option<i128> {
    let digits = quantity.find(|c: char| !c.is_ascii_digit()).unwrap_or(quantity.len());
    let (number, unit) = quantity.split_at(digits);
    let factor: i128 = match unit {
        "m" => 1,
        "" => 1000,
        "k" => 1000i128.pow(2),
        "M" => 1000i128.pow(3),
        "G" => 1000i128.pow(4),
        "T" => 1000i128.pow(5),
        "Ki" => 1000 << 10,
        "Mi" => 1000 << 20,
        "Gi" => 1000 << 30,
        "Ti" => 1000 << 40,
        "Pi" => 1000 << 50,
        _ => return None,
    };
    number.parse::<i128>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_fields_that_we_set_count() {
        let wanted = json!({"spec": {"replicas": 1, "args": ["a", "b"], "egress": [], "limits": {"cpu": "1000m", "memory": "1024Mi"},
            "env": [{"name": "A", "value": "1"}, {"name": "B"}]}});
        let actual = json!({"metadata": {"uid": "1"}, "spec": {"replicas": 1, "args": ["a", "b"], "limits": {"cpu": "1", "memory": "1Gi"},
            "env": [{"name": "X"}, {"name": "B", "value": ""}, {"name": "A", "value": "1"}], "other": true}, "status": {}});
        assert_eq!(differences(&wanted, &actual), Vec::<String>::new());

        let edit = |path: &str, value: Value| {
            let mut edited = actual.clone();
            *edited.pointer_mut(path).unwrap() = value;
            differences(&wanted, &edited)
        };
        assert_eq!(edit("/spec/replicas", json!(0)), ["spec.replicas"]);
        assert_eq!(edit("/spec/args", json!(["b", "a"])), ["spec.args"]);
        assert_eq!(edit("/spec/limits/memory", json!("2Gi")), ["spec.limits.memory"]);
        assert_eq!(edit("/spec/env/2/value", json!("2")), ["spec.env[A]"]);
        assert_eq!(edit("/spec", json!(null)), ["spec"]);
    }
}
