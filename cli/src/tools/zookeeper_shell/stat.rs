//! A znode's status as zkCli writes it.

use jiff::{Timestamp, tz::TimeZone};
use zookeeper_client::Stat;

/// Eleven lines, each with its line break.
pub(super) fn lines(stat: &Stat, zone: &TimeZone) -> String {
    let time = |millis: i64| {
        // Java's Date.toString.
        let time = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
        time.to_zoned_datetime(zone.clone()).strftime("%a %b %d %H:%M:%S %Z %Y").to_string()
    };
    format!(
        "cZxid = 0x{:x}\nctime = {}\nmZxid = 0x{:x}\nmtime = {}\npZxid = 0x{:x}\ncversion = {}\ndataVersion = {}\naclVersion = {}\nephemeralOwner = 0x{:x}\ndataLength = {}\nnumChildren = {}\n",
        stat.czxid,
        time(stat.ctime),
        stat.mzxid,
        time(stat.mtime),
        stat.pzxid,
        stat.cversion,
        stat.version,
        stat.aversion,
        stat.ephemeral_owner,
        stat.data_length,
        stat.num_children
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_looks_like_zkclis() {
        let stat = Stat {
            czxid: 0x2a,
            mzxid: 0x2b,
            pzxid: 0x2c,
            ctime: 0,
            mtime: 86_400_000,
            version: 1,
            cversion: 2,
            aversion: 0,
            ephemeral_owner: 0x1000,
            data_length: 5,
            num_children: 0,
        };
        assert_eq!(
            lines(&stat, &TimeZone::UTC),
            "cZxid = 0x2a\nctime = Thu Jan 01 00:00:00 UTC 1970\nmZxid = 0x2b\nmtime = Fri Jan 02 00:00:00 UTC 1970\npZxid = 0x2c\ncversion = 2\ndataVersion = 1\naclVersion = 0\nephemeralOwner = 0x1000\ndataLength = 5\nnumChildren = 0\n"
        );
    }
}
