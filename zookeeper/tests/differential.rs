//! The same random requests to this server and to Apache ZooKeeper: every reply, error, zxid, stat, event and the final tree are equal.
//!
//! Only times are masked, the order of lists that Apache keeps in hash sets, and the numbers of sessions.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use std::fmt::Write as _;
use std::net::SocketAddr;

use support::raw::{Raw, Reply};
use support::{Random, apache};
use vltava_zookeeper::jute::{Buffer, Decoder, Record};
use vltava_zookeeper::proto::{
    Acl, AclStat, CreateRequest, CreateTtlRequest, DataStat, GetEphemeralsRequest, Id, MultiHeader, MultiOp,
    MultiRequest, PathOnly, PathStat, PathType, PathVersion, PathWatch, PersistentWatches, SetAclRequest,
    SetDataRequest, SetWatches, Stat, op,
};
use vltava_zookeeper::{Server, acl};

const CLIENTS: usize = 3;
const PATHS: [&str; 22] = [
    "/a",
    "/b",
    "/c",
    "/a/x",
    "/a/y",
    "/b/x",
    "/b/y",
    "/a/x/1",
    "/a/x/2",
    "/b/y/1",
    "/a/x/1/deep",
    "/a/s-",
    "/b/s-",
    "/",
    "/a",
    "/a/x",
    "/b",
    "/zookeeper/quota",
    "/zookeeper/config",
    "/zookeeper/quota/a",
    "/zookeeper/quota/a/zookeeper_limits",
    "/zookeeper/quota/a/zookeeper_stats",
];
const BAD_PATHS: [&str; 7] = ["", "a", "a/b", "/a/", "//", "/a/./b", "/a\u{1}"];

/// One request of the sequence.
#[derive(Debug, Clone)]
enum Action {
    Call {
        client: usize,
        kind: i32,
        body: Vec<u8>,
        shown: String,
    },
    Auth {
        client: usize,
        auth: String,
    },
    /// Close the session and open another.
    Renew {
        client: usize,
    },
    /// Drop the connection and take the session up again.
    Reconnect {
        client: usize,
    },
}

fn acl_entry(perms: i32, scheme: &str, id: &str) -> Acl {
    Acl { perms, id: Id { scheme: scheme.into(), id: id.into() } }
}

fn random_acl(random: &mut Random) -> Vec<Acl> {
    match random.below(40) {
        0 => vec![],
        1 => vec![acl_entry(31, "digest", "nonsense")],
        2 => vec![acl_entry(31, "nobody", "knows")],
        3 => vec![acl_entry(1, "world", "anyone")],
        4 => vec![acl_entry(31, "auth", "")],
        5 => vec![acl_entry(31, "ip", "127.0.0.1"), acl_entry(1, "world", "anyone")],
        6 => vec![acl_entry(31, "ip", "10.0.0.0/8"), acl_entry(29, "world", "anyone")],
        7 => vec![acl_entry(31, "digest", &acl::digest("user0:pw")), acl_entry(5, "world", "anyone")],
        8 => vec![acl_entry(27, "world", "anyone"), acl_entry(27, "world", "anyone")],
        9 => vec![acl_entry(31, "ip", "1.2.3.4/40")],
        _ => acl::open(),
    }
}

fn random_path(random: &mut Random) -> String {
    if random.chance(4) { random.pick(&BAD_PATHS).to_owned() } else { random.pick(&PATHS).to_owned() }
}

fn random_data(random: &mut Random, path: &str) -> Buffer {
    match random.below(8) {
        // Anything else in a quota ends Apache's server.
        _ if path.starts_with("/zookeeper/quota/a/") => {
            Some(format!("count={},bytes={}", random.below(9), random.below(99)).into_bytes().into())
        }
        0 => None,
        1 => Some(Vec::new().into()),
        2 => Some(format!("count={},bytes={}", random.below(9), random.below(99)).into_bytes().into()),
        n => Some(vec![b'd'; n * 3].into()),
    }
}

fn random_version(random: &mut Random) -> i32 {
    if random.chance(70) { -1 } else { random.below(4) as i32 }
}

fn random_create(random: &mut Random) -> MultiOp {
    let path = random_path(random);
    let (data, acl) = (random_data(random, &path), random_acl(random));
    match random.below(10) {
        0 => MultiOp::CreateTtl(CreateTtlRequest {
            path,
            data,
            acl,
            flags: 5 + random.below(2) as i32,
            ttl: random.below(3) as i64 * 1_000_000,
        }),
        // Not with a TTL of -1 and flags below 5: that ends Apache's server.
        1 => MultiOp::CreateTtl(CreateTtlRequest { path, data, acl, flags: random.below(8) as i32, ttl: 7 }),
        2 => MultiOp::Create(op::CREATE_CONTAINER, CreateRequest { path, data, acl, flags: 4 }),
        n => {
            let flags =
                if random.chance(95) { random.below(4) as i32 } else { [7, -1, 5, 9][random.below(4)] };
            MultiOp::Create(
                if n < 6 { op::CREATE } else { op::CREATE2 },
                CreateRequest { path, data, acl, flags },
            )
        }
    }
}

fn random_write(random: &mut Random) -> MultiOp {
    match random.below(10) {
        0..=4 => random_create(random),
        5 | 6 => MultiOp::Delete(PathVersion { path: random_path(random), version: random_version(random) }),
        7 | 8 => {
            let path = random_path(random);
            let data = random_data(random, &path);
            MultiOp::SetData(SetDataRequest { path, data, version: random_version(random) })
        }
        _ => MultiOp::Check(PathVersion { path: random_path(random), version: random_version(random) }),
    }
}

fn single(operation: &MultiOp) -> (i32, Vec<u8>) {
    match operation {
        MultiOp::Create(kind, request) => (*kind, request.to_bytes()),
        MultiOp::CreateTtl(request) => (op::CREATE_TTL, request.to_bytes()),
        MultiOp::Delete(request) => (op::DELETE, request.to_bytes()),
        MultiOp::SetData(request) => (op::SET_DATA, request.to_bytes()),
        // Outside a multi there is no check.
        MultiOp::Check(request) => {
            (op::EXISTS, PathWatch { path: request.path.clone(), watch: true }.to_bytes())
        }
        MultiOp::GetData(request) => (op::GET_DATA, request.to_bytes()),
        MultiOp::GetChildren(request) => (op::GET_CHILDREN, request.to_bytes()),
    }
}

fn random_action(random: &mut Random) -> Action {
    let client = random.below(CLIENTS);
    let (path, watch) = (random_path(random), random.chance(40));
    let (kind, body, shown) = match random.below(100) {
        0..=34 => {
            let operation = random_write(random);
            let (kind, body) = single(&operation);
            (kind, body, format!("{operation:?}"))
        }
        35..=44 => {
            let multi = MultiRequest { ops: (0..random.below(5)).map(|_| random_write(random)).collect() };
            (op::MULTI, multi.to_bytes(), format!("{multi:?}"))
        }
        45..=52 => (op::EXISTS, PathWatch { path: path.clone(), watch }.to_bytes(), path),
        53..=60 => (op::GET_DATA, PathWatch { path: path.clone(), watch }.to_bytes(), path),
        61..=64 => (op::GET_CHILDREN, PathWatch { path: path.clone(), watch }.to_bytes(), path),
        65..=69 => (op::GET_CHILDREN2, PathWatch { path: path.clone(), watch }.to_bytes(), path),
        70..=72 => (op::GET_ACL, PathOnly { path: path.clone() }.to_bytes(), path),
        73..=76 => {
            let request = SetAclRequest { path, acl: random_acl(random), version: random_version(random) };
            (op::SET_ACL, request.to_bytes(), format!("{request:?}"))
        }
        77 => (op::SYNC, PathOnly { path: path.clone() }.to_bytes(), path),
        78..=80 => {
            let ops = (0..random.below(4)).map(|_| {
                let request = PathWatch { path: random_path(random), watch: false };
                if random.chance(50) { MultiOp::GetData(request) } else { MultiOp::GetChildren(request) }
            });
            let request = MultiRequest { ops: ops.collect() };
            (op::MULTI_READ, request.to_bytes(), format!("{request:?}"))
        }
        81 => (op::GET_ALL_CHILDREN_NUMBER, PathOnly { path: path.clone() }.to_bytes(), path),
        82 => {
            let request = GetEphemeralsRequest {
                prefix: random.pick(&[&None, &Some("/a".to_owned()), &Some("/".to_owned())]).clone(),
            };
            (op::GET_EPHEMERALS, request.to_bytes(), format!("{request:?}"))
        }
        83..=86 => {
            let request = PathType { path, kind: random.below(3) as i32 };
            (op::ADD_WATCH, request.to_bytes(), format!("{request:?}"))
        }
        87 => {
            let request = PathType { path, kind: 1 + random.below(3) as i32 };
            (op::CHECK_WATCHES, request.to_bytes(), format!("{request:?}"))
        }
        88 | 89 => {
            let request = PathType { path, kind: 1 + random.below(3) as i32 };
            (op::REMOVE_WATCHES, request.to_bytes(), format!("{request:?}"))
        }
        90 => (op::WHO_AM_I, vec![], String::new()),
        91 | 92 => {
            let mut some =
                || (0..random.below(3)).map(|_| random.pick(&PATHS[..11]).to_owned()).collect::<Vec<_>>();
            let mut body = Vec::new();
            let (data, exist, child, persistent, recursive) = (some(), some(), some(), some(), some());
            let watches = SetWatches { relative_zxid: random.below(60) as i64, data, exist, child };
            watches.encode(&mut body);
            if random.chance(50) {
                PersistentWatches { persistent, recursive }.encode(&mut body);
                (op::SET_WATCHES2, body, format!("{watches:?}"))
            } else {
                (op::SET_WATCHES, body, format!("{watches:?}"))
            }
        }
        93 => (op::RECONFIG, (None::<String>, -1i64).encode_reconfig(), String::new()),
        94 => (op::DELETE, vec![0, 0], "cut short".into()),
        95 => return Action::Auth { client, auth: format!("user{}:pw", random.below(2)) },
        96 | 97 => return Action::Renew { client },
        _ => return Action::Reconnect { client },
    };
    Action::Call { client, kind, body, shown }
}

/// The body of a reconfiguration that names nobody.
trait EncodeReconfig {
    fn encode_reconfig(&self) -> Vec<u8>;
}

impl EncodeReconfig for (Option<String>, i64) {
    fn encode_reconfig(&self) -> Vec<u8> {
        let mut body = Vec::new();
        (0..3).for_each(|_| self.0.encode(&mut body));
        self.1.encode(&mut body);
        body
    }
}

/// One of the two servers with the clients on it.
struct Side {
    address: SocketAddr,
    clients: Vec<Raw>,
    /// Every session ever, in order: their numbers differ, their places do not.
    sessions: Vec<i64>,
}

impl Side {
    fn new(address: SocketAddr) -> Side {
        let mut side = Side { address, clients: Vec::new(), sessions: Vec::new() };
        for _ in 0..CLIENTS {
            let client = side.open();
            side.clients.push(client);
        }
        side
    }

    fn open(&mut self) -> Raw {
        let client = Raw::connect(self.address, 4000).unwrap();
        self.sessions.push(client.session.session_id);
        client
    }

    /// Does one action; what came of it, as text that must be equal on both sides.
    fn run(&mut self, action: &Action) -> String {
        let mut seen = String::new();
        match action {
            Action::Call { client, kind, body, .. } => {
                // Some requests end the connection; the session lives.
                let shown = match self.clients[*client].call(*kind, body) {
                    Ok(reply) => self.show(*kind, &reply),
                    Err(_) => {
                        let session = self.clients[*client].session.clone();
                        let again = Raw::reconnect(self.address, &session);
                        self.clients[*client] =
                            again.unwrap_or_else(|error| panic!("{action:?} ended the server: {error}"));
                        "disconnected".to_owned()
                    }
                };
                let _ = writeln!(seen, "{shown}");
            }
            Action::Auth { client, auth } => {
                let reply = self.clients[*client].add_auth("digest", auth).unwrap();
                let _ = writeln!(seen, "{reply:?}");
            }
            Action::Renew { client } => {
                let reply = self.clients[*client].call(op::CLOSE_SESSION, &[]).unwrap();
                let _ = writeln!(seen, "{:?} {:?}", reply.header.err, reply.body);
                self.clients[*client] = self.open();
            }
            Action::Reconnect { client } => {
                let session = self.clients[*client].session.clone();
                self.clients[*client] = Raw::reconnect(self.address, &session).unwrap();
                let same = self.clients[*client].session == session;
                let _ = writeln!(seen, "the same session: {same}");
            }
        }
        for (index, client) in self.clients.iter_mut().enumerate() {
            let mut events: Vec<String> =
                client.drain_events().iter().map(|event| format!("{event:?}")).collect();
            // Ephemeral nodes of one session go in the order of a hash set.
            events.sort();
            for event in events {
                let _ = writeln!(seen, "  client {index} hears {event}");
            }
        }
        seen
    }

    fn mask(&self, stat: Stat) -> Stat {
        let place = self.sessions.iter().position(|session| *session == stat.ephemeral_owner);
        Stat {
            ctime: 0,
            mtime: 0,
            ephemeral_owner: place.map_or(stat.ephemeral_owner, |place| place as i64 + 1),
            ..stat
        }
    }

    fn show(&self, kind: i32, reply: &Reply) -> String {
        let mut from = Decoder::new(&reply.body);
        let from = &mut from;
        let header = reply.header;
        let body = if header.err == 0 { self.show_body(kind, from) } else { String::new() };
        format!("zxid {:#x} error {} {body} then {:?}", header.zxid, header.err, from.rest())
    }

    fn show_body(&self, kind: i32, from: &mut Decoder<'_>) -> String {
        match kind {
            op::CREATE | op::SYNC => String::decode(from).unwrap(),
            op::CREATE2 | op::CREATE_TTL | op::CREATE_CONTAINER => {
                let PathStat { path, stat } = Record::decode(from).unwrap();
                format!("{path} {:?}", self.mask(stat))
            }
            op::EXISTS | op::SET_DATA | op::SET_ACL => {
                format!("{:?}", self.mask(Stat::decode(from).unwrap()))
            }
            op::GET_DATA => {
                let DataStat { data, stat } = Record::decode(from).unwrap();
                let data = data.map(|data| String::from_utf8_lossy(&data).into_owned());
                format!("{data:?} {:?}", self.mask(stat))
            }
            op::GET_ACL => {
                let AclStat { acl, stat } = Record::decode(from).unwrap();
                format!("{acl:?} {:?}", self.mask(stat))
            }
            op::GET_CHILDREN | op::GET_CHILDREN2 | op::GET_EPHEMERALS => {
                let mut names: Vec<String> = Record::decode(from).unwrap();
                names.sort();
                let stat = (kind == op::GET_CHILDREN2).then(|| self.mask(Stat::decode(from).unwrap()));
                format!("{names:?} {stat:?}")
            }
            op::WHO_AM_I => {
                let mut who: Vec<Id> = Record::decode(from).unwrap();
                who.sort_by_key(|id| format!("{id:?}"));
                format!("{who:?}")
            }
            op::MULTI | op::MULTI_READ => {
                let mut results = String::new();
                loop {
                    let header = MultiHeader::decode(from).unwrap();
                    if header.done {
                        return results + &format!("{header:?}");
                    }
                    let body = match header.op {
                        op::ERROR => format!("{}", i32::decode(from).unwrap()),
                        op::DELETE | op::CHECK => String::new(),
                        kind => self.show_body(kind, from),
                    };
                    let _ = write!(results, "[{header:?} {body}] ");
                }
            }
            _ => String::new(),
        }
    }

    /// Everything that is there, as the super user sees it.
    fn tree(&mut self) -> String {
        let mut client = Raw::connect(self.address, 4000).unwrap();
        client.add_auth("digest", "super:test").unwrap();
        let mut text = String::new();
        let mut open = vec!["/".to_owned()];
        while let Some(path) = open.pop() {
            let watch = PathWatch { path: path.clone(), watch: false }.to_bytes();
            let data = client.call(op::GET_DATA, &watch).unwrap();
            let acl = client.call(op::GET_ACL, &PathOnly { path: path.clone() }.to_bytes()).unwrap();
            let _ =
                writeln!(text, "{path} {} {}", self.show(op::GET_DATA, &data), self.show(op::GET_ACL, &acl));
            let mut names: Vec<String> = client.call(op::GET_CHILDREN, &watch).unwrap().read();
            names.sort();
            open.extend(names.iter().map(|name| vltava_zookeeper::path::join(&path, name)));
        }
        text
    }
}

fn compare(seed: u64, actions: usize) {
    let dir = tempfile::tempdir().unwrap();
    let fast = "forceSync=no\nznode.container.checkIntervalMs=86400000\nmaxSessionTimeout=60000";
    let (_apache, theirs) = apache::server(&dir.path().join("apache"), fast);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = runtime.block_on(Server::start(support::config(&dir.path().join("ours"), 0, fast))).unwrap();
    let (mut theirs, mut ours) = (Side::new(theirs), Side::new(server.local_addr()));
    let mut random = Random(seed);
    for number in 0..actions {
        let action = random_action(&mut random);
        let shown = match &action {
            Action::Call { client, kind, shown, .. } => format!("client {client} type {kind}: {shown}"),
            other => format!("{other:?}"),
        };
        let (expected, got) = (theirs.run(&action), ours.run(&action));
        assert_eq!(got, expected, "seed {seed}, action {number}: {shown}");
    }
    assert_eq!(ours.tree(), theirs.tree(), "seed {seed}");
    runtime.block_on(server.stop());
}

#[test]
fn random_requests_are_answered_as_apache_zookeeper_answers_them() {
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let seeds = number("ZOOKEEPER_SEEDS", 2);
    let first = number("ZOOKEEPER_SEED", 1);
    for seed in first..first + seeds {
        compare(seed, number("ZOOKEEPER_ACTIONS", 3000) as usize);
    }
}
