//! Who can log in with SCRAM (KIP-554).

use vltava_protocol::messages::alter_user_scram_credentials::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use vltava_protocol::messages::describe_user_scram_credentials::UserName;
use vltava_protocol::messages::{AlterUserScramCredentialsRequest, DescribeUserScramCredentialsRequest};

use crate::error::{ApiError, ClientError};
use crate::{Client, Node};

/// A user, and each mechanism with its iterations, or why the broker does not tell.
pub type ScramUser = (String, Result<Vec<(ScramMechanism, i32)>, ApiError>);

/// A mechanism of SCRAM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScramMechanism {
    /// With SHA-256.
    Sha256,
    /// With SHA-512.
    Sha512,
    /// One that only the broker knows.
    Unknown,
}

/// The credentials of one user (`None`: of all), without their secrets. A user who has none is left out.
///
/// # Errors
/// When there is no answer, or the broker refuses; [`ClientError::Unsupported`] from one that has no users.
pub async fn describe_scram(client: &mut Client, user: Option<&str>) -> Result<Vec<ScramUser>, ClientError> {
    let named = |name: &str| UserName { name: name.to_owned().into(), ..Default::default() };
    let request = DescribeUserScramCredentialsRequest {
        users: user.map(|user| vec![named(user)]),
        ..Default::default()
    };
    client
        .ask_until(Node::Any, &request, |response| {
            ApiError::check(response.error_code, response.error_message.as_deref())?;
            let mut users = Vec::with_capacity(response.results.len());
            for result in response.results {
                let known = match ApiError::check(result.error_code, result.error_message.as_deref()) {
                    Err(error) if error.code == vltava_protocol::ErrorCode::ResourceNotFound => continue,
                    Err(error) => Err(error),
                    Ok(()) => Ok(result
                        .credential_infos
                        .iter()
                        .map(|known| (mechanism(known.mechanism), known.iterations))
                        .collect()),
                };
                users.push((result.user.into_owned(), known));
            }
            Ok(users)
        })
        .await
}

impl ScramMechanism {
    /// As SASL names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ScramMechanism::Sha256 => "SCRAM-SHA-256",
            ScramMechanism::Sha512 => "SCRAM-SHA-512",
            ScramMechanism::Unknown => "UNKNOWN",
        }
    }

    fn number(self) -> i8 {
        match self {
            ScramMechanism::Unknown => 0,
            ScramMechanism::Sha256 => 1,
            ScramMechanism::Sha512 => 2,
        }
    }
}

/// A credential to set: what a broker is told in the place of a password.
pub struct NewCredential {
    /// The mechanism.
    pub mechanism: ScramMechanism,
    /// How often the hash was applied.
    pub iterations: u32,
    /// The salt.
    pub salt: Vec<u8>,
    /// `SaltedPassword` of RFC 5802: whoever has it can log in.
    pub salted_password: Vec<u8>,
}

/// Without its secrets.
impl std::fmt::Debug for NewCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewCredential")
            .field("mechanism", &self.mechanism)
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

/// Sets and deletes credentials of one user.
///
/// # Errors
/// When there is no answer, or the broker refuses; [`ClientError::Unsupported`] from one that has no users.
pub async fn alter_scram(
    client: &mut Client,
    user: &str,
    set: &[NewCredential],
    delete: &[ScramMechanism],
) -> Result<(), ClientError> {
    let upsertion = |new: &NewCredential| ScramCredentialUpsertion {
        name: user.to_owned().into(),
        mechanism: new.mechanism.number(),
        iterations: i32::try_from(new.iterations).unwrap_or(i32::MAX),
        salt: new.salt.clone().into(),
        salted_password: new.salted_password.clone().into(),
        ..Default::default()
    };
    let deletion = |mechanism: &ScramMechanism| ScramCredentialDeletion {
        name: user.to_owned().into(),
        mechanism: mechanism.number(),
        ..Default::default()
    };
    let request = AlterUserScramCredentialsRequest {
        deletions: delete.iter().map(deletion).collect(),
        upsertions: set.iter().map(upsertion).collect(),
        ..Default::default()
    };
    client
        .ask_until(Node::Controller, &request, |response| {
            let results = response.results.iter();
            let mut checked =
                results.map(|result| ApiError::check(result.error_code, result.error_message.as_deref()));
            checked.try_for_each(|result| result)
        })
        .await
}

fn mechanism(number: i8) -> ScramMechanism {
    match number {
        1 => ScramMechanism::Sha256,
        2 => ScramMechanism::Sha512,
        _ => ScramMechanism::Unknown,
    }
}
