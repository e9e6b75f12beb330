//! Who may do what: the schemes `world`, `auth`, `digest` and `ip`, and the super user.

use std::net::IpAddr;

use base64::Engine as _;
use sha1::{Digest as _, Sha1};

use crate::ErrorCode;
use crate::proto::{Acl, Id};

/// Access for everybody to everything.
#[must_use]
pub fn open() -> Vec<Acl> {
    vec![world(crate::proto::perms::ALL)]
}

/// The given permissions for everybody.
#[must_use]
pub fn world(perms: i32) -> Acl {
    Acl { perms, id: Id { scheme: "world".into(), id: "anyone".into() } }
}

/// `user:password` as it stands in an access list: `user:base64(sha1(user:password))`.
#[must_use]
pub fn digest(user_and_password: &str) -> String {
    let user = user_and_password.split(':').next().unwrap_or_default();
    let hash = Sha1::digest(user_and_password.as_bytes());
    format!("{user}:{}", base64::engine::general_purpose::STANDARD.encode(hash))
}

/// The identity that every connection has from the start.
#[must_use]
pub fn ip_identity(address: IpAddr) -> Id {
    Id { scheme: "ip".into(), id: address.to_canonical().to_string() }
}

/// What `addauth` with this scheme makes of a connection: new identities, or an error after which it is closed.
///
/// `super_digest` is `user:hash` of the super user, whom no access list stops.
pub fn authenticate(
    scheme: &str,
    auth: &[u8],
    address: IpAddr,
    super_digest: Option<&str>,
) -> Result<Vec<Id>, ErrorCode> {
    match scheme {
        "digest" => {
            let id = digest(&String::from_utf8_lossy(auth));
            let mut ids = Vec::new();
            if super_digest == Some(id.as_str()) {
                ids.push(Id { scheme: "super".into(), id: String::new() });
            }
            ids.push(Id { scheme: "digest".into(), id });
            Ok(ids)
        }
        "ip" => Ok(vec![ip_identity(address)]),
        // Clients say which ensemble they mean; without configured names Apache lets everybody pass.
        "ensemble" => Ok(Vec::new()),
        _ => Err(ErrorCode::AuthFailed),
    }
}

/// The access list to store for one that a client sent: duplicates gone, `auth` replaced by the connection's identities.
pub fn resolve(acl: &[Acl], identities: &[Id]) -> Result<Vec<Acl>, ErrorCode> {
    let mut unique: Vec<&Acl> = Vec::with_capacity(acl.len().min(64));
    for entry in acl {
        if !unique.contains(&entry) {
            unique.push(entry);
        }
    }
    let mut resolved = Vec::with_capacity(unique.len());
    for entry in unique {
        match entry.id.scheme.as_str() {
            "world" if entry.id.id == "anyone" => resolved.push(entry.clone()),
            "auth" => {
                let before = resolved.len();
                // An address is not a proof of who somebody is.
                let proven = identities.iter().filter(|id| id.scheme == "digest");
                resolved.extend(proven.map(|id| Acl { perms: entry.perms, id: id.clone() }));
                if resolved.len() == before {
                    return Err(ErrorCode::InvalidAcl);
                }
            }
            "digest" if is_digest(&entry.id.id) => resolved.push(entry.clone()),
            "ip" if Network::parse(&entry.id.id).is_some() => resolved.push(entry.clone()),
            _ => return Err(ErrorCode::InvalidAcl),
        }
    }
    if resolved.is_empty() { Err(ErrorCode::InvalidAcl) } else { Ok(resolved) }
}

/// Whether one of the identities has one of the permissions in `perm`. An empty list stops nobody.
pub fn check(acl: &[Acl], perm: i32, identities: &[Id]) -> Result<(), ErrorCode> {
    if acl.is_empty() || identities.iter().any(|id| id.scheme == "super") {
        return Ok(());
    }
    let allowed =
        acl.iter().filter(|entry| entry.perms & perm != 0).any(|entry| match entry.id.scheme.as_str() {
            "world" => entry.id.id == "anyone",
            "digest" => identities.contains(&entry.id),
            "ip" => Network::parse(&entry.id.id).is_some_and(|network| {
                identities.iter().any(|id| {
                    id.scheme == "ip" && id.id.parse().is_ok_and(|address| network.contains(address))
                })
            }),
            _ => false,
        });
    if allowed { Ok(()) } else { Err(ErrorCode::NoAuth) }
}

/// The list as somebody without `ADMIN` sees it: users, but not the hashes of their passwords.
#[must_use]
pub fn masked(acl: &[Acl]) -> Vec<Acl> {
    let mask = |entry: &Acl| {
        let mut entry = entry.clone();
        if entry.id.scheme == "digest"
            && let Some(colon) = entry.id.id.find(':')
        {
            entry.id.id.truncate(colon);
            entry.id.id.push_str(":x");
        }
        entry
    };
    acl.iter().map(mask).collect()
}

/// Exactly one colon with something behind it.
fn is_digest(id: &str) -> bool {
    id.split_once(':').is_some_and(|(_, hash)| !hash.is_empty() && !hash.contains(':'))
}

/// `address` or `address/bits`.
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Network> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
        (bits <= most).then_some(Network { address, bits })
    }

    fn contains(&self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                (ours.to_bits() ^ theirs.to_bits()) & mask == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                (ours.to_bits() ^ theirs.to_bits()) & mask == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::perms;

    fn acl(perms: i32, scheme: &str, id: &str) -> Acl {
        Acl { perms, id: Id { scheme: scheme.into(), id: id.into() } }
    }

    fn id(scheme: &str, id: &str) -> Id {
        Id { scheme: scheme.into(), id: id.into() }
    }

    #[test]
    fn a_digest_is_apaches() {
        // From the ZooKeeper administrator's guide.
        assert_eq!(digest("super:test"), "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
        assert_eq!(digest("nocolon"), format!("nocolon:{}", digest("nocolon").split_once(':').unwrap().1));
    }

    #[test]
    fn lists_that_are_refused() {
        let me = [id("ip", "127.0.0.1")];
        let bad: [&[Acl]; 8] = [
            &[],
            &[acl(31, "auth", "")],
            &[acl(31, "world", "somebody")],
            &[acl(31, "digest", "user")],
            &[acl(31, "digest", "user:")],
            &[acl(31, "digest", "a:b:c")],
            &[acl(31, "ip", "1.2.3.4/33")],
            &[acl(31, "magic", "x")],
        ];
        for list in bad {
            assert_eq!(resolve(list, &me), Err(ErrorCode::InvalidAcl), "{list:?}");
        }
    }

    #[test]
    fn auth_becomes_who_the_client_is() {
        let me = [id("ip", "127.0.0.1"), id("digest", "a:1"), id("digest", "b:2")];
        let list = [acl(1, "auth", "ignored"), acl(1, "auth", "ignored"), acl(2, "world", "anyone")];
        assert_eq!(
            resolve(&list, &me),
            Ok(vec![acl(1, "digest", "a:1"), acl(1, "digest", "b:2"), acl(2, "world", "anyone")])
        );
    }

    #[test]
    fn access_by_scheme() {
        let me = [id("ip", "10.1.2.3"), id("digest", "a:1")];
        let cases = [
            (vec![acl(perms::READ, "world", "anyone")], true),
            (vec![acl(perms::WRITE, "world", "anyone")], false),
            (vec![acl(perms::ALL, "digest", "a:1")], true),
            (vec![acl(perms::ALL, "digest", "a:2")], false),
            (vec![acl(perms::ALL, "ip", "10.1.0.0/16")], true),
            (vec![acl(perms::ALL, "ip", "10.2.0.0/16")], false),
            (vec![acl(perms::ALL, "ip", "0.0.0.0/0")], true),
            (vec![acl(perms::ALL, "ip", "10.1.2.3")], true),
            (vec![acl(perms::ALL, "ip", "::1")], false),
            (vec![], true),
        ];
        for (list, allowed) in cases {
            assert_eq!(check(&list, perms::READ, &me).is_ok(), allowed, "{list:?}");
        }
        assert!(check(&[acl(31, "digest", "x:y")], perms::READ, &[id("super", "")]).is_ok());
    }
}
