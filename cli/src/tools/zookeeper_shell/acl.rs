//! ACLs as zkCli reads and writes them: `world:anyone:cdrwa,digest:user:hash:r`.

use zookeeper_client::{Acl, AuthId, Permission};

const LETTERS: [(char, Permission); 5] = [
    ('c', Permission::CREATE),
    ('d', Permission::DELETE),
    ('r', Permission::READ),
    ('w', Permission::WRITE),
    ('a', Permission::ADMIN),
];

/// Reads a list, or hands back the entry that is not `scheme:id:permissions`.
pub(super) fn parse(list: &str) -> Result<Vec<Acl>, &str> {
    list.split(',').map(|entry| one(entry).ok_or(entry)).collect()
}

fn one(entry: &str) -> Option<Acl> {
    let (scheme, rest) = entry.split_once(':')?;
    let (id, letters) = rest.rsplit_once(':')?;
    let mut permission = Permission::NONE;
    for letter in letters.chars() {
        permission = permission | LETTERS.iter().find(|(known, _)| *known == letter)?.1;
    }
    Some(Acl::new(permission, AuthId::new(scheme, id)))
}

/// Two lines an entry.
pub(super) fn lines(acls: &[Acl]) -> String {
    let entry = |acl: &Acl| {
        let letters: String =
            LETTERS.iter().filter(|(_, one)| acl.permission().has(*one)).map(|(letter, _)| *letter).collect();
        format!("'{},'{}\n: {letters}\n", acl.scheme(), acl.id())
    };
    acls.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_survives_reading_and_writing() {
        let acls = parse("world:anyone:cdrwa,digest:me:hash=:r").unwrap();
        assert_eq!(lines(&acls), "'world,'anyone\n: cdrwa\n'digest,'me:hash=\n: r\n");
        assert_eq!(parse("world:anyone:r,world:anyone").unwrap_err(), "world:anyone");
        assert!(parse("world:anyone:x").is_err());
    }
}
