//! `Label` and `LabelInput`.

use async_graphql::{InputObject, SimpleObject};

/// A label that a caller put on an instance.
#[derive(Clone, Debug, SimpleObject)]
pub struct Label {
    /// The key, unique on the instance.
    pub key: String,
    /// The value.
    pub value: String,
}

/// A label.
#[derive(Clone, Debug, InputObject)]
pub struct LabelInput {
    /// 1 to 63 letters, digits or any of `- _ . /`. Unique on the instance.
    pub key: String,
    /// Up to 63 of the same characters.
    pub value: String,
}

/// Labels as use cases take them.
pub(in crate::graphql) fn pairs(labels: Vec<LabelInput>) -> Vec<(String, String)> {
    labels.into_iter().map(|label| (label.key, label.value)).collect()
}
