//! `rotateCertificateAuthority`.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::app;
use crate::{
    app::rotate_certificate_authority::RotateCertificateAuthority,
    graphql::{
        errors::{UserError, user_errors},
        guard::admin,
        types::CaCertificate,
    },
};

/// Input of `rotateCertificateAuthority`.
#[derive(InputObject)]
pub struct RotateCertificateAuthorityInput {
    /// Whether the next authority issues at once, and all others are revoked, as after their key was exposed. Clients that do not trust it yet
    /// refuse the instances then. Default: false.
    now: Option<bool>,
}

/// Payload of `rotateCertificateAuthority`.
#[derive(SimpleObject)]
pub struct RotateCertificateAuthorityPayload {
    /// The authorities that clients should trust from now on. Empty if there are user errors.
    ca_certificates: Vec<CaCertificate>,
    /// The errors in the input. Empty if the rotation has begun.
    user_errors: Vec<UserError>,
}

/// See [`super::Mutation`].
#[derive(Default)]
pub struct RotateCertificateAuthorityMutation;

#[Object]
impl RotateCertificateAuthorityMutation {
    /// Replaces the authority that issues the certificates of instances. The next one is published first, so that clients can trust it
    /// before instances move to it, which interrupts no session; the former one is published until no instance presents a certificate of it.
    #[graphql(guard = "admin()")]
    async fn rotate_certificate_authority(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How to replace it.")] input: RotateCertificateAuthorityInput,
    ) -> Result<RotateCertificateAuthorityPayload> {
        let RotateCertificateAuthorityInput { now } = input;
        let rotated = app(ctx).rotate_certificate_authority(RotateCertificateAuthority { now: now.unwrap_or_default() }).await;
        let (authorities, user_errors) = user_errors(rotated)?;
        let ca_certificates = authorities.into_iter().flatten().map(CaCertificate::from).collect();
        Ok(RotateCertificateAuthorityPayload { ca_certificates, user_errors })
    }
}
