//! Who can log in with SCRAM (KIP-554).

use vltava_protocol::messages::DescribeUserScramCredentialsRequest;
use vltava_protocol::messages::describe_user_scram_credentials::UserName;

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

fn mechanism(number: i8) -> ScramMechanism {
    match number {
        1 => ScramMechanism::Sha256,
        2 => ScramMechanism::Sha512,
        _ => ScramMechanism::Unknown,
    }
}
