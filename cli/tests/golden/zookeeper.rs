//! `zookeeper-shell`: one command by trailing words, and many from standard input.

use super::session::Counts::{Everything, FirstLine};
use super::session::{Session, Step, run, run_for, run_with};

pub(crate) fn session() -> Session {
    const MANY: &str = "create /golden/b two\nget /golden/b\nset /golden/b three\nget -s /golden/b\nls /golden\nls -R /golden\n\
        create -e /golden/e gone\ngetEphemerals /golden\ngetAllChildrenNumber /golden\nset -v 7 /golden/b no\nset -s -v 1 /golden/b four\n\
        delete -v 9 /golden/b\nstat /golden/b\ngetAcl /golden/b\nsetAcl /golden/b world:anyone:rdwa\ngetAcl -s /golden/b\nsync /golden\n\
        create /golden/none\nget /golden/none\ndelete /golden\ndeleteall /golden\nls /golden\nprintwatches\nprintwatches off\nversions\nquit\n";
    const QUOTAS: &str = "create /quota x\ncreate /quota/a xyz\ncreate /quota/a/b y\nsetquota -n 5 /quota/a\nlistquota /quota/a\nsetquota -B 100 /quota/a\n\
        listquota /quota/a\nsetquota -n 1 /quota/a\nsetquota -b 2 /quota/a\nsetquota -n 5 /quota/a/b\nsetquota -n 5 /quota\nsetquota -n 5 /nosuch\n\
        setquota -n 0 /quota\nsetquota -b -1 /quota\nsetquota -n x /quota\nsetquota -n 5\nsetquota /quota\nsetquota -n 5 /zookeeper/quota/x\n\
        delquota -n /quota/a\nlistquota /quota/a\ndelquota /quota/a\nlistquota /quota/a\ndelquota /quota/a\nlistquota\ndelquota\nls -R /zookeeper\nquit\n";
    // Events are told by another thread of ZooKeeper's shell: where commands write to the same stream, they write before the events, and commands that
    // write nothing there follow the last event.
    const WATCHING: &str = "create /w x\naddWatch /w\nset /w y\ncreate /w/below z\nremovewatches /w\nremovewatches /w\nset /w z\naddWatch -m nonsense /w\n\
        addWatch\nremovewatches\naddWatch -m persistent /w\nset /w y\ncreate /w1 x\ncreate /w2 x\ncreate /w3 x\nquit\n";
    const DATA: &str = "create /v x\nget -w /v\nremovewatches -c /v\nremovewatches -d /v\ncreate /v1 x\ncreate /v2 x\ncreate /v3 x\nquit\n";
    const CHILDREN: &str = "create /u x\nls -w /u\nremovewatches -d /u\nremovewatches -c /u\ncreate /u1 x\ncreate /u2 x\ncreate /u3 x\nquit\n";
    let steps: Vec<Step> = vec![
        run("zookeeper-shell.sh {zookeeper} create /golden one"),
        run("zookeeper-shell.sh {zookeeper} create /golden one"),
        run("zookeeper-shell.sh {zookeeper} create /golden/a/b one"),
        run("zookeeper-shell.sh {zookeeper} create -s /golden/s- 1"),
        run("zookeeper-shell.sh {zookeeper} create -s -e /golden/t- 1"),
        // The shell ends without closing its session, so that this stays until the session's time is over.
        Step::Until("zookeeper-shell {zookeeper} ls /golden", r"\[s-0000000000\]"),
        run("zookeeper-shell.sh {zookeeper} create -c /golden/container 1"),
        run("zookeeper-shell.sh {zookeeper} create -c -e /golden/container2 1"),
        run("zookeeper-shell.sh {zookeeper} create -t x /golden/ttl 1"),
        run("zookeeper-shell.sh {zookeeper} create -e -t 100 /golden/ttl 1"),
        run("zookeeper-shell.sh {zookeeper} create /golden/acl data world:anyone:cdrwa"),
        run("zookeeper-shell.sh {zookeeper} create /golden/acl2 data nonsense"),
        run("zookeeper-shell.sh {zookeeper} ls /golden"),
        run("zookeeper-shell.sh {zookeeper} ls -s /golden"),
        run("zookeeper-shell.sh {zookeeper} ls -R /golden"),
        run("zookeeper-shell.sh {zookeeper} ls -w /golden"),
        run("zookeeper-shell.sh {zookeeper} ls /nosuch"),
        run("zookeeper-shell.sh {zookeeper} ls"),
        run("zookeeper-shell.sh {zookeeper} ls nosuch"),
        run("zookeeper-shell.sh {zookeeper} ls /golden/"),
        run("zookeeper-shell.sh {zookeeper} ls2 /golden"),
        run("zookeeper-shell.sh {zookeeper} get /golden"),
        run("zookeeper-shell.sh {zookeeper} get -s /golden"),
        run("zookeeper-shell.sh {zookeeper} get -w /golden"),
        run("zookeeper-shell.sh {zookeeper} get /golden watch"),
        run("zookeeper-shell.sh {zookeeper} get /nosuch"),
        run("zookeeper-shell.sh {zookeeper} get -x /golden"),
        run("zookeeper-shell.sh {zookeeper} set /golden"),
        run("zookeeper-shell.sh {zookeeper} set /golden 'two words'"),
        run("zookeeper-shell.sh {zookeeper} set -v 9 /golden three"),
        run("zookeeper-shell.sh {zookeeper} stat /golden"),
        run("zookeeper-shell.sh {zookeeper} stat -w /golden"),
        run("zookeeper-shell.sh {zookeeper} stat /nosuch"),
        run("zookeeper-shell.sh {zookeeper} getAcl /golden"),
        run("zookeeper-shell.sh {zookeeper} getAcl -s /golden/acl"),
        run("zookeeper-shell.sh {zookeeper} setAcl /golden/acl world:anyone:r"),
        run("zookeeper-shell.sh {zookeeper} setAcl -s /golden/acl world:anyone:ra"),
        run("zookeeper-shell.sh {zookeeper} getAllChildrenNumber /golden"),
        run("zookeeper-shell.sh {zookeeper} getEphemerals"),
        run("zookeeper-shell.sh {zookeeper} getEphemerals /golden"),
        run("zookeeper-shell.sh {zookeeper} whoami"),
        run("zookeeper-shell.sh {zookeeper} addauth digest me:secret"),
        run("zookeeper-shell.sh {zookeeper} sync /golden"),
        run("zookeeper-shell.sh {zookeeper} delete /golden"),
        run("zookeeper-shell.sh {zookeeper} delete /nosuch"),
        run("zookeeper-shell.sh {zookeeper} rmr /golden/acl"),
        run("zookeeper-shell.sh {zookeeper} deleteall /nosuch"),
        run("zookeeper-shell.sh {zookeeper} history"),
        run("zookeeper-shell.sh {zookeeper} redo 1"),
        run_for(FirstLine, "zookeeper-shell.sh {zookeeper} nosuch"),
        run_with(MANY, Everything, "zookeeper-shell.sh {zookeeper}"),
        run_with(
            "create /h 1\nhistory\nredo 0\nredo 9\ndelete /h\n",
            Everything,
            "zookeeper-shell.sh {zookeeper}",
        ),
        run_with(QUOTAS, Everything, "zookeeper-shell.sh {zookeeper}"),
        run_with(WATCHING, Everything, "zookeeper-shell.sh {zookeeper}"),
        run_with(DATA, Everything, "zookeeper-shell.sh {zookeeper}"),
        run_with(CHILDREN, Everything, "zookeeper-shell.sh {zookeeper}"),
        run("zookeeper-shell.sh {zookeeper} config"),
        run("zookeeper-shell.sh {zookeeper} config -c"),
        run("zookeeper-shell.sh {zookeeper} reconfig"),
        run("zookeeper-shell.sh {zookeeper} reconfig -v x -remove 1"),
        run("zookeeper-shell.sh {zookeeper} reconfig -remove 1"),
        run("zookeeper-shell.sh {zookeeper} reconfig -remove 1 -members 'server.1=a:1:2;3'"),
        run("zookeeper-shell.sh {zookeeper} help"),
        run_with("close\nls /\nconnect {zookeeper}\nls /\n", Everything, "zookeeper-shell.sh {zookeeper}"),
    ];
    Session { name: "znodes", steps }
}
