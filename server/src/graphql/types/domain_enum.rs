//! The enums of the domain as enums of the contract: their values in upper case, described by their doc comments. A new value in
//! the domain needs no change here.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, Name, OutputType, Positioned, ServerResult, Value,
    indexmap::IndexMap,
    parser::types::Field,
    registry::{Deprecation, MetaEnumValue, MetaType, MetaTypeId, Registry},
};
use strum::{EnumMessage, VariantArray};
use toygres_domain::{
    backup, certificate, database_user, event, instance, maintenance, metric, notice, operation, restoration, server_log, session,
    statement_statistics, token, webhook,
};

use crate::app;

/// An enum of the domain with its name and description in the contract.
pub trait DomainEnum: Copy + PartialEq + Send + Sync + VariantArray + EnumMessage + Into<&'static str> {
    /// The name of the type in the contract.
    const NAME: &'static str;
    /// The description of the type in the contract.
    const DESCRIPTION: &'static str;
}

/// A value of a [`DomainEnum`] in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiEnum<T>(pub T);

macro_rules! domain_enums {
    ($($(#[doc = $doc:literal])+ $name:ident = $domain:ty;)*) => {$(
        $(#[doc = $doc])+
        pub type $name = ApiEnum<$domain>;

        impl DomainEnum for $domain {
            const NAME: &'static str = stringify!($name);
            const DESCRIPTION: &'static str = concat!($($doc, "\n"),+);
        }
    )*};
}

domain_enums! {
    /// The kind of an operation.
    OperationKind = operation::OperationKind;
    /// The status of an operation.
    OperationStatus = operation::OperationStatus;
    /// The steps that operations consist of.
    StepName = operation::StepName;
    /// The status of a step.
    StepStatus = operation::StepStatus;
    /// The stage of an instance's life.
    InstanceState = instance::InstanceState;
    /// What health checks found.
    HealthStatus = instance::HealthStatus;
    /// The kinds of reasons.
    ReasonCode = instance::ReasonCode;
    /// The kinds of notices.
    NoticeCode = notice::NoticeCode;
    /// What an event reports.
    InstanceEventType = event::EventKind;
    /// What the bearer of a token may do. Each role includes those before it.
    TokenRole = token::TokenRole;
    /// Whether a certificate authority issues certificates.
    CaStatus = certificate::AuthorityStatus;
    /// What a user of an instance may do.
    DatabaseAccess = database_user::DatabaseAccess;
    /// The stage of a base backup.
    BackupStatus = backup::BackupStatus;
    /// Why a base backup was taken.
    BackupTrigger = backup::BackupTrigger;
    /// Why a base backup is kept.
    BackupKeptFor = backup::KeptFor;
    /// Whether a base backup was restored to see that it can be.
    BackupVerificationStatus = backup::VerificationStatus;
    /// What the store of backups survives.
    BackupDurability = backup::Durability;
    /// Whether an instance is protected by backups.
    BackupProtection = backup::Protection;
    /// Why a range cannot be restored.
    RecoveryGapReason = backup::GapReason;
    /// How the data of a restored instance got there.
    RestoreMethod = restoration::RestoreMethod;
    /// What a session does.
    SessionState = session::SessionState;
    /// How severe an entry of a log is, from the least to the most severe. A filter selects a severity and those after it.
    LogSeverity = server_log::LogSeverity;
    /// The order of statements, the largest first.
    TopQueryOrder = statement_statistics::TopQueryOrder;
    /// A metric of an instance.
    MetricName = metric::MetricName;
    /// The unit of a metric.
    MetricUnit = metric::MetricUnit;
    /// A day of the week.
    Weekday = maintenance::Weekday;
    /// What a webhook is told, with the `type` of the message.
    WebhookEventType = webhook::WebhookEventType;
    /// Whether a webhook is sent messages.
    WebhookState = webhook::WebhookState;
    /// Why a webhook is disabled.
    WebhookDisabledCode = webhook::WebhookDisabledCode;
    /// The network access of an instance.
    ExposureType = app::create_instance::ExposureKind;
}

impl<T: DomainEnum> ApiEnum<T> {
    fn name(self) -> String {
        let name: &'static str = self.0.into();
        name.to_ascii_uppercase()
    }

    fn register(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::Enum, |_| MetaType::Enum {
            name: T::NAME.to_owned(),
            description: Some(T::DESCRIPTION.trim().to_owned()),
            enum_values: T::VARIANTS.iter().map(|value| (Self(*value).name(), Self(*value).meta())).collect::<IndexMap<_, _>>(),
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            rust_typename: Some(std::any::type_name::<Self>()),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        })
    }

    fn meta(self) -> MetaEnumValue {
        MetaEnumValue {
            name: self.name(),
            description: self.0.get_documentation().map(str::to_owned),
            deprecation: Deprecation::NoDeprecated,
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            directive_invocations: Vec::new(),
        }
    }
}

impl<T: DomainEnum> From<T> for ApiEnum<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: DomainEnum> InputType for ApiEnum<T> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed(T::NAME)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Self::register(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let value = value.unwrap_or_default();
        let name = match &value {
            Value::Enum(name) => name.as_str(),
            Value::String(name) => name,
            _ => return Err(InputValueError::expected_type(value)),
        };
        let found = T::VARIANTS.iter().copied().map(Self).find(|value| value.name() == name);
        found.ok_or_else(|| InputValueError::custom(format_args!(r#"Enumeration type does not contain value "{name}"."#)))
    }

    fn to_value(&self) -> Value {
        Value::Enum(Name::new(self.name()))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl<T: DomainEnum> OutputType for ApiEnum<T> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed(T::NAME)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Self::register(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(self.to_value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_the_domain_is_described_and_read_back() {
        fn check<T: DomainEnum + std::fmt::Debug>() {
            for value in T::VARIANTS.iter().copied().map(ApiEnum) {
                assert!(value.meta().description.is_some(), "{value:?} has no doc comment");
                assert_eq!(ApiEnum::parse(Some(value.to_value())).ok(), Some(value));
            }
            assert!(ApiEnum::<T>::parse(Some(Value::String("running".to_owned()))).is_err());
        }
        check::<operation::OperationKind>();
        check::<operation::StepName>();
        check::<instance::ReasonCode>();
        check::<notice::NoticeCode>();
        check::<app::create_instance::ExposureKind>();
    }
}
