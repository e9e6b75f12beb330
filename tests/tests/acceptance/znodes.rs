//! Znodes, as a test looks at them.

use std::time::Duration;

use tokio::runtime::Runtime;
use zookeeper_client as zk;

/// A session that only reads.
pub(crate) struct Znodes {
    runtime: Runtime,
    client: zk::Client,
}

impl Znodes {
    /// Connects to `host:port,...`, with an optional chroot.
    pub(crate) fn connect(zookeeper: &str) -> Znodes {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let connector = zk::Client::connector().with_session_timeout(Duration::from_secs(30));
        let client = runtime.block_on(connector.connect(zookeeper)).unwrap();
        Znodes { runtime, client }
    }

    /// The names of the children, in order; none where the node does not exist.
    pub(crate) fn children(&self, path: &str) -> Vec<String> {
        match self.runtime.block_on(self.client.list_children(path)) {
            Ok(mut children) => {
                children.sort();
                children
            }
            Err(zk::Error::NoNode) => Vec::new(),
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// The values of the children, in the order of their names. One that goes meanwhile is left out.
    pub(crate) fn values(&self, path: &str) -> Vec<String> {
        self.children(path).iter().filter_map(|child| self.value(&format!("{path}/{child}"))).collect()
    }

    fn value(&self, path: &str) -> Option<String> {
        match self.runtime.block_on(self.client.get_data(path)) {
            Ok((data, _)) => Some(String::from_utf8(data).unwrap()),
            Err(zk::Error::NoNode) => None,
            Err(error) => panic!("{path}: {error}"),
        }
    }
}
