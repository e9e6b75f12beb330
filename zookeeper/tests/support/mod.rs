//! What the tests of this crate share: a client that hides nothing, and Apache ZooKeeper from Maven.

#![allow(dead_code, clippy::unwrap_used, clippy::panic, unreachable_pub, clippy::expect_used)]

pub mod apache;
pub mod child;
pub mod raw;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use vltava_zookeeper::ZooKeeperConfig;

/// `user:hash` of the super user of all tests, whose password is `test`.
pub const SUPER: &str = "super:D/InIHSb7yEEbrWz8b9l71RjZJU=";

/// The properties of a server for tests, with more lines behind.
pub fn properties(dir: &Path, port: u16, more: &str) -> String {
    format!(
        "dataDir={}\nclientPort={port}\nclientPortAddress=127.0.0.1\ntickTime=200\n4lw.commands.whitelist=*\n\
         extendedTypesEnabled=true\nDigestAuthenticationProvider.superDigest={SUPER}\n{more}\n",
        dir.display()
    )
}

/// The same, read.
pub fn config(dir: &Path, port: u16, more: &str) -> ZooKeeperConfig {
    let (config, warnings) = ZooKeeperConfig::from_properties(&properties(dir, port, more)).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    config
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Asks until there is an answer, or fails.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what} did not happen in time");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// What a four letter word is answered with.
pub fn four_letter_word(address: SocketAddr, word: &str) -> std::io::Result<String> {
    use std::io::{Read as _, Write as _};
    let mut socket = std::net::TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    socket.write_all(word.as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Numbers that are random but the same for a seed (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}
