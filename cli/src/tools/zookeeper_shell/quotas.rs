//! Quotas: limits below `/zookeeper/quota`, beside which ZooKeeper keeps what is in use.

use vltava_zookeeper::tree::Usage;
use zookeeper_client as zk;

use super::{
    commands::{below, path},
    line::Line,
    refusal::Refusal,
};
use crate::tools::output;

/// Where quotas are.
const QUOTAS: &str = "/zookeeper/quota";
/// The limits of a path, below its place there.
const LIMITS: &str = "zookeeper_limits";
/// What is in use.
const STATS: &str = "zookeeper_stats";

/// Each kind's flag, what it is, and its key.
const KINDS: [(&str, &str, &str); 4] = [
    ("n", "num soft quota", "count"),
    ("b", "bytes soft quota", "bytes"),
    ("N", "num hard quota", "countHardLimit"),
    ("B", "bytes hard quota", "byteHardLimit"),
];

/// `setquota`
pub(super) async fn set(client: &zk::Client, line: &Line) -> Result<(), Refusal> {
    let group = KINDS.map(|(flag, what, _)| (flag, what));
    let flag = line.one_of(&group).map_err(Refusal::Words)?;
    let path = path(line)?;
    if path.starts_with(QUOTAS) {
        eprintln!("cannot set a quota under the path: {QUOTAS}");
        return Ok(());
    }
    let Some(limit) = limit(flag, line.value(flag).unwrap_or_default()) else { return Ok(()) };
    let key = KINDS.iter().find(|(of, ..)| *of == flag).map_or("count", |(_, _, key)| key);
    if client.check_stat(path).await.map_err(Refusal::zk(path))?.is_none() {
        return Err(Refusal::Words(format!("{path} does not exist.")));
    }
    refuse_nested(client, path).await?;
    make_parents(client, path).await?;
    let (limits, stats) = (format!("{QUOTAS}{path}/{LIMITS}"), format!("{QUOTAS}{path}/{STATS}"));
    let known = usage_of(client, &limits).await?;
    let is_new = known.is_none();
    let mut wanted = known.unwrap_or_else(|| {
        let mut none = Usage::default();
        KINDS.iter().for_each(|(_, _, key)| none.set(key, -1));
        none
    });
    wanted.set(key, limit);
    let text = wanted.to_string();
    if is_new {
        create(client, &limits, text.as_bytes()).await?;
        create(client, &stats, Usage::new(0, 0).to_string().as_bytes()).await?;
        warn_if_exceeded(&wanted, &usage_of(client, &stats).await?.unwrap_or_default());
    } else {
        warn_if_exceeded(&wanted, &usage_of(client, &stats).await?.unwrap_or_default());
        client.set_data(&limits, text.as_bytes(), None).await.map_err(Refusal::zk(&limits))?;
    }
    Ok(())
}

/// A limit, if it can be one; if not, why is said.
fn limit(flag: &str, text: &str) -> Option<i64> {
    let nodes = flag.eq_ignore_ascii_case("n");
    // Nodes are counted in 32 bits.
    let number = text.parse::<i64>().ok().filter(|number| !nodes || i32::try_from(*number).is_ok());
    match number {
        None => eprintln!("NumberFormatException happens when parsing the option value"),
        Some(number) if nodes && number <= 0 => eprintln!("the num quota must be greater than zero"),
        Some(number) if number < 0 => eprintln!("the bytes quota must be greater than or equal to zero"),
        Some(number) => return Some(number),
    }
    None
}

fn warn_if_exceeded(limits: &Usage, used: &Usage) {
    let exceeded = |soft: &str, hard: &str, used: i64| {
        [soft, hard].iter().any(|key| limits.get(key) > -1 && limits.get(key) < used)
    };
    let (count, bytes) = (used.get("count"), used.get("bytes"));
    if exceeded("count", "countHardLimit", count) {
        output::line(format_args!(
            "[Warning]: the count quota you create is less than the existing count:{count}"
        ));
    }
    if exceeded("bytes", "byteHardLimit", bytes) {
        output::line(format_args!(
            "[Warning]: the bytes quota you create is less than the existing bytes:{bytes}"
        ));
    }
}

/// One quota inside another is refused.
async fn refuse_nested(client: &zk::Client, path: &str) -> Result<(), Refusal> {
    let place = format!("{QUOTAS}{path}");
    let inside = match below(client, &place).await {
        Ok(inside) => inside,
        Err(Refusal::ZooKeeper(zk::Error::NoNode, _)) => Vec::new(),
        Err(error) => return Err(error),
    };
    let limited = inside.iter().filter_map(|found| found.strip_suffix(&format!("/{LIMITS}")));
    if let Some(child) =
        limited.filter(|found| *found != place).filter_map(|found| found.strip_prefix(QUOTAS)).next()
    {
        return Err(Refusal::Words(format!("{path} has a child {child} which has a quota")));
    }
    for (end, _) in path.match_indices('/').skip(1) {
        let parent = &path[..end];
        let limits = format!("{QUOTAS}{parent}/{LIMITS}");
        if client.check_stat(&limits).await.map_err(Refusal::zk(&limits))?.is_some() {
            return Err(Refusal::Words(format!("{path} has a parent {parent} which has a quota")));
        }
    }
    Ok(())
}

async fn make_parents(client: &zk::Client, path: &str) -> Result<(), Refusal> {
    let ends = path.match_indices('/').skip(1).map(|(end, _)| end).chain([path.len()]);
    for end in ends {
        create(client, &format!("{QUOTAS}{}", &path[..end]), b"").await?;
    }
    Ok(())
}

/// Creates a znode unless it is there.
async fn create(client: &zk::Client, path: &str, data: &[u8]) -> Result<(), Refusal> {
    let options = zk::CreateMode::Persistent.with_acls(zk::Acls::anyone_all());
    match client.create(path, data, &options).await {
        Ok(_) | Err(zk::Error::NodeExists) => Ok(()),
        Err(error) => Err(Refusal::ZooKeeper(error, path.to_owned())),
    }
}

/// What a znode says of use or limits; `None` where there is none.
async fn usage_of(client: &zk::Client, path: &str) -> Result<Option<Usage>, Refusal> {
    match client.get_data(path).await {
        Ok((data, _)) => Ok(Some(Usage::parse(&data))),
        Err(zk::Error::NoNode) => Ok(None),
        Err(error) => Err(Refusal::ZooKeeper(error, path.to_owned())),
    }
}

/// `listquota`
pub(super) async fn list(client: &zk::Client, line: &Line) -> Result<(), Refusal> {
    let path = path(line)?;
    let limits = format!("{QUOTAS}{path}/{LIMITS}");
    eprintln!("absolute path is {limits}");
    let Some(limits) = usage_of(client, &limits).await? else {
        eprintln!("quota for {path} does not exist.");
        return Ok(());
    };
    output::line(format_args!("Output quota for {path} {limits}"));
    match usage_of(client, &format!("{QUOTAS}{path}/{STATS}")).await? {
        Some(used) => output::line(format_args!("Output stat for {path} {used}")),
        None => eprintln!("quota for {path} does not exist."),
    }
    Ok(())
}

/// `delquota`: of some kinds, or the whole quota.
pub(super) async fn delete(client: &zk::Client, line: &Line) -> Result<(), Refusal> {
    let path = path(line)?;
    let (place, limits) = (format!("{QUOTAS}{path}"), format!("{QUOTAS}{path}/{LIMITS}"));
    let Some(mut known) = usage_of(client, &limits).await? else {
        output::line(format_args!("Quota does not exist for {path}"));
        return Ok(());
    };
    let kinds: Vec<&str> = KINDS.iter().filter(|(flag, ..)| line.has(flag)).map(|(_, _, key)| *key).collect();
    if !kinds.is_empty() {
        kinds.iter().for_each(|key| known.set(key, -1));
        let text = known.to_string();
        client.set_data(&limits, text.as_bytes(), None).await.map_err(Refusal::zk(&limits))?;
        return Ok(());
    }
    for child in client.list_children(&place).await.map_err(Refusal::zk(&place))? {
        let child = format!("{place}/{child}");
        client.delete(&child, None).await.map_err(Refusal::zk(&child))?;
    }
    // Up to the first place that has something else below it.
    let mut place = place.as_str();
    while place != QUOTAS && client.list_children(place).await.map_err(Refusal::zk(place))?.is_empty() {
        client.delete(place, None).await.map_err(Refusal::zk(place))?;
        place = place.rsplit_once('/').map_or(QUOTAS, |(parent, _)| parent);
    }
    Ok(())
}
