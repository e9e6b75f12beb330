//! Several log directories: whose they are, what is loaded, what is checkpointed, what happens when one fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test can do nothing better with it")]

mod records;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use records::{NOW, contents, fill, numbered};
use vltava_log::{
    Identity, LoadOptions, LoadProgress, LoadedLog, Loading, Log, LogConfig, LogDirs, LogError,
    OffsetCheckpoint, TopicPartition,
};

const DAY: i64 = 86_400_000;

fn config() -> Arc<LogConfig> {
    LogConfig { segment_bytes: 1000, index_interval_bytes: 200, ..LogConfig::default() }.into()
}

fn load(dirs: &LogDirs) -> (Vec<LoadedLog>, Loading) {
    let logs = Mutex::new(Vec::new());
    let progress = LoadProgress::default();
    let loading = dirs.load(&LoadOptions {
        threads_per_directory: 3,
        config: &|_| config(),
        deliver: &|loaded| {
            assert!(progress.remaining_logs.load(Ordering::Relaxed) > 0, "it counts until it is delivered");
            logs.lock().unwrap().push(loaded);
        },
        progress: &progress,
        now: NOW,
    });
    assert_eq!(progress.remaining_logs.load(Ordering::Relaxed), 0);
    assert_eq!(progress.remaining_segments.load(Ordering::Relaxed), 0);
    let mut logs = logs.into_inner().unwrap();
    logs.sort_by_key(|loaded| loaded.log.partition().clone());
    (logs, loading)
}

fn two(tmp: &Path) -> [PathBuf; 2] {
    [tmp.join("a"), tmp.join("b")]
}

fn partition(n: i32) -> TopicPartition {
    TopicPartition::new("t", n)
}

#[test]
fn partitions_spread_over_the_directories_and_come_back_after_a_clean_stop() {
    let tmp = tempfile::tempdir().unwrap();
    let paths = two(tmp.path());
    let dirs = LogDirs::open(&paths, 16, DAY).unwrap();
    load(&dirs);
    let mut logs: Vec<Log> = (0..10).map(|n| dirs.create(&partition(n), config(), NOW).unwrap()).collect();
    assert_eq!(dirs.directories().iter().map(vltava_log::LogDir::partitions).collect::<Vec<_>>(), [5, 5]);
    for (n, log) in logs.iter_mut().enumerate() {
        fill(log, 0..n as i64 * 10);
    }
    logs[9].increment_log_start_offset(17, 90).unwrap();
    let watermarks: HashMap<_, _> =
        logs.iter().map(|log| (log.partition().clone(), log.log_end_offset())).collect();
    logs.iter_mut().for_each(|log| log.close().unwrap());
    assert!(dirs.checkpoint_high_watermarks(&watermarks).is_empty());
    assert!(dirs.mark_clean_shutdown(7).is_empty());
    drop(dirs);
    assert_eq!(
        fs::read_to_string(paths[0].join(".kafka_cleanshutdown")).unwrap(),
        r#"{"version":0,"brokerEpoch":7}"#
    );

    let dirs = LogDirs::open(&paths, 16, DAY).unwrap();
    let (logs, loading) = load(&dirs);
    assert!(loading.failures.is_empty() && loading.removals.is_empty());
    assert_eq!(logs.len(), 10);
    for (n, loaded) in logs.iter().enumerate() {
        let end = n as i64 * 10;
        let start = if n == 9 { 17 } else { 0 };
        assert_eq!(loaded.recovered, vltava_log::Recovered::default());
        assert_eq!(loaded.high_watermark, end);
        assert_eq!(contents(&loaded.log), numbered(start..end));
        assert_eq!(loaded.log.recovery_point(), end);
    }
    assert!(!paths[0].join(".kafka_cleanshutdown").exists(), "until the next clean stop a crash is assumed");
    assert!(dirs.files().open() <= 16, "{} files open for 10 partitions", dirs.files().open());
}

#[test]
fn a_crash_is_recovered_from_the_checkpointed_recovery_point() {
    let tmp = tempfile::tempdir().unwrap();
    let paths = two(tmp.path());
    let dirs = LogDirs::open(&paths[..1], 16, DAY).unwrap();
    load(&dirs);
    let mut log = dirs.create(&partition(0), config(), NOW).unwrap();
    fill(&mut log, 0..50);
    log.flush().unwrap();
    assert!(dirs.checkpoint().is_empty());
    fill(&mut log, 50..60);
    let segments = log.segment_count();
    drop((log, dirs));

    let dirs = LogDirs::open(&paths[..1], 16, DAY).unwrap();
    let (logs, _) = load(&dirs);
    let recovered = &logs[0].recovered;
    assert!(
        recovered.segments_scanned > 0 && recovered.segments_scanned < segments,
        "{recovered:?} of {segments}"
    );
    assert_eq!(contents(&logs[0].log), numbered(0..60));
}

#[test]
fn a_deleted_partition_is_renamed_at_once_and_removed_later() {
    let tmp = tempfile::tempdir().unwrap();
    let paths = two(tmp.path());
    let dirs = LogDirs::open(&paths[..1], 16, DAY).unwrap();
    load(&dirs);
    let mut log = dirs.create(&partition(0), config(), NOW).unwrap();
    fill(&mut log, 0..5);
    let data = log.reader().read(0, 1000, i64::MAX, true).unwrap();
    let removal = log.delete(0xabc, NOW).unwrap();
    dirs.forget(&partition(0));
    assert_eq!(removal.due(), NOW + 60_000);
    assert!(!paths[0].join("t-0").exists());
    assert_eq!(records::bytes(&data).len() as u64, data.slice.as_ref().unwrap().length, "who reads goes on");
    // The process ends before the removal: the next start finds it.
    drop((removal, log, dirs));
    let dirs = LogDirs::open(&paths[..1], 16, DAY).unwrap();
    let (logs, loading) = load(&dirs);
    assert!(logs.is_empty());
    assert_eq!(loading.removals.len(), 1);
    loading.removals.into_iter().for_each(|removal| removal.run().unwrap());
    let left: Vec<_> =
        fs::read_dir(&paths[0]).unwrap().filter(|e| e.as_ref().unwrap().path().is_dir()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Fifty records of which the first thirty are deleted, as the checkpoints know too; then the partition goes.
fn delete_with_checkpoints(dirs: &LogDirs) {
    let mut log = dirs.create(&partition(0), config(), NOW).unwrap();
    fill(&mut log, 0..50);
    log.increment_log_start_offset(33, 50).unwrap();
    log.flush().unwrap();
    assert!(dirs.checkpoint().is_empty());
    assert!(dirs.checkpoint_high_watermarks(&HashMap::from([(partition(0), 50)])).is_empty());
    let _ = log.delete(0xabc, NOW).unwrap();
    dirs.forget(&partition(0));
}

#[test]
fn a_partition_that_comes_again_inherits_nothing_from_the_checkpoints() {
    let tmp = tempfile::tempdir().unwrap();
    for (name, restarted) in [("at once", false), ("after a restart", true)] {
        let path = [tmp.path().join(name)];
        let mut dirs = LogDirs::open(&path, 16, DAY).unwrap();
        load(&dirs);
        let mut neighbour = dirs.create(&partition(1), config(), NOW).unwrap();
        fill(&mut neighbour, 0..30);
        neighbour.increment_log_start_offset(17, 30).unwrap();
        delete_with_checkpoints(&dirs);
        drop(neighbour);
        let mut neighbours = Vec::new();
        if restarted {
            drop(dirs);
            dirs = LogDirs::open(&path, 16, DAY).unwrap();
            neighbours = load(&dirs).0;
        }
        let mut log = dirs.create(&partition(0), config(), NOW).unwrap();
        fill(&mut log, 0..10);
        // A crash before the next checkpoint.
        drop((log, neighbours, dirs));
        let dirs = LogDirs::open(&path, 16, DAY).unwrap();
        let (logs, _) = load(&dirs);
        assert_eq!(contents(&logs[0].log), numbered(0..10), "{name}");
        assert_eq!(logs[0].high_watermark, 0, "{name}");
        assert_eq!(contents(&logs[1].log), numbered(17..30), "{name}: the others keep theirs");
    }
}

#[test]
fn a_log_that_was_not_opened_keeps_its_checkpoints_and_its_directory_from_being_clean() {
    let tmp = tempfile::tempdir().unwrap();
    let paths = two(tmp.path());
    let dirs = LogDirs::open(&paths, 16, DAY).unwrap();
    load(&dirs);
    let mut logs: Vec<Log> = (0..4).map(|n| dirs.create(&partition(n), config(), NOW).unwrap()).collect();
    for log in &mut logs {
        fill(log, 0..40);
        log.increment_log_start_offset(7, 40).unwrap();
        log.close().unwrap();
    }
    let broken = logs.iter().find(|log| log.path().starts_with(&paths[0])).unwrap();
    let (broken, lost) = (broken.path(), broken.partition().clone());
    let watermarks = logs.iter().map(|log| (log.partition().clone(), 40)).collect();
    assert!(dirs.checkpoint_high_watermarks(&watermarks).is_empty());
    assert!(dirs.mark_clean_shutdown(1).is_empty());
    drop((logs, dirs));
    // Its last segment leads nowhere for a while.
    let last = fs::read_dir(&broken).unwrap().map(|e| e.unwrap().path());
    let last = last.filter(|path| path.extension().is_some_and(|end| end == "log")).max().unwrap();
    let aside = tmp.path().join("aside");
    fs::rename(&last, &aside).unwrap();
    std::os::unix::fs::symlink("nowhere", &last).unwrap();

    let dirs = LogDirs::open(&paths, 16, DAY).unwrap();
    let (mut logs, loading) = load(&dirs);
    assert_eq!(loading.failures.iter().map(|failure| &failure.partition).collect::<Vec<_>>(), [&lost]);
    assert!(dirs.directories().iter().all(vltava_log::LogDir::is_online), "it says nothing of the disk");
    logs.iter_mut().for_each(|loaded| loaded.log.close().unwrap());
    assert!(dirs.checkpoint_high_watermarks(&HashMap::new()).is_empty());
    assert!(dirs.mark_clean_shutdown(1).is_empty());
    let marked = |path: &Path| path.join(".kafka_cleanshutdown").exists();
    assert!(!marked(&paths[0]) && marked(&paths[1]));
    drop((logs, dirs));
    fs::remove_file(&last).unwrap();
    fs::rename(&aside, &last).unwrap();

    let dirs = LogDirs::open(&paths, 16, DAY).unwrap();
    let (mut logs, loading) = load(&dirs);
    assert!(loading.failures.is_empty());
    for loaded in &mut logs {
        assert_eq!(contents(&loaded.log), numbered(7..40));
        let scanned = loaded.recovered.segments_scanned > 0;
        assert_eq!(scanned, loaded.directory == paths[0], "only that directory is looked at");
        if *loaded.log.partition() == lost {
            assert_eq!(loaded.high_watermark, 40);
        }
        loaded.log.close().unwrap();
    }
    dirs.not_closed(logs[0].log.partition());
    let directory = logs[0].directory.clone();
    assert!(dirs.mark_clean_shutdown(1).is_empty());
    assert_eq!(paths.iter().filter(|path| marked(path)).count(), 1);
    assert!(!marked(&directory));
}

#[test]
fn a_directory_has_one_owner_and_keeps_its_identity() {
    let tmp = tempfile::tempdir().unwrap();
    let paths = two(tmp.path());
    let dirs = LogDirs::open(&paths, 16, DAY).unwrap();
    let second = LogDirs::open(&paths, 16, DAY).unwrap_err().to_string();
    assert!(second.contains("another process or thread is using this directory"), "{second}");
    let us = Identity::new(1, Some("cluster-one".to_owned()));
    dirs.claim(&us).unwrap();
    assert_eq!(dirs.identity().unwrap(), us.clone());
    drop(dirs);
    let dirs = LogDirs::open(&paths, 16, DAY).unwrap();
    assert_eq!(dirs.identity().unwrap().broker_id, Some(1));
    dirs.claim(&us).unwrap();
    for (other, reason) in [
        (Identity::new(2, None), "another broker's directory"),
        (Identity::new(1, Some("cluster-two".to_owned())), "another cluster's directory"),
    ] {
        assert!(dirs.claim(&other).unwrap_err().to_string().contains(reason));
    }
}

#[test]
fn a_partition_in_two_directories_is_refused_and_both_are_named() {
    let tmp = tempfile::tempdir().unwrap();
    let [a, b] = two(tmp.path());
    for directory in [a.join("t-0"), b.join("t-0-future"), b.join("u-0"), b.join("t-0")] {
        assert!(LogDirs::open(&[a.clone(), b.clone()], 16, DAY).is_ok(), "before {}", directory.display());
        fs::create_dir_all(directory).unwrap();
    }
    let error = LogDirs::open(&[a.clone(), b.clone()], 16, DAY).unwrap_err();
    assert!(matches!(&error, LogError::Duplicate { .. }), "{error}");
    for named in ["t-0".to_owned(), a.display().to_string(), b.display().to_string()] {
        assert!(error.to_string().contains(&named), "{error}");
    }
}

#[test]
fn a_directory_under_two_names_is_refused_and_both_are_named() {
    let tmp = tempfile::tempdir().unwrap();
    let [one, other] = two(tmp.path());
    fs::create_dir(&one).unwrap();
    std::os::unix::fs::symlink(&one, &other).unwrap();
    for paths in [[one.clone(), other.clone()], [tmp.path().join("b/../a"), one.clone()]] {
        let error = LogDirs::open(&paths, 16, DAY).unwrap_err().to_string();
        let named = paths.iter().all(|path| error.contains(&*path.to_string_lossy()));
        assert!(named && error.contains("Duplicate log directory found"), "{error}");
    }
}

/// What lacked room when it was loaded is opened later, with what the checkpoints say of it.
#[test]
fn a_log_that_could_not_be_opened_is_opened_again() {
    let name = "a_log_that_could_not_be_opened_is_opened_again";
    let Some(disk) = vltava_testkit::disk::SmallDisk::mount(name, 512) else { return };
    let path = [disk.path().to_owned()];
    let dirs = LogDirs::open(&path, 16, DAY).unwrap();
    load(&dirs);
    let mut log = dirs.create(&partition(0), config(), NOW).unwrap();
    fill(&mut log, 0..20);
    log.increment_log_start_offset(7, 20).unwrap();
    assert_eq!(dirs.checkpoint(), []);
    drop((log, dirs));
    // Without its last segments it begins anew at its start offset, and there is no room for that.
    for file in fs::read_dir(disk.path().join("t-0")).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    disk.allow_files(0);
    let dirs = LogDirs::open(&path, 16, DAY).unwrap();
    let (logs, loading) = load(&dirs);
    assert!(logs.is_empty() && loading.failures[0].error.is_disk_full(), "{:?}", loading.failures);
    assert!(dirs.open_again(&partition(0), config(), NOW).unwrap_err().is_disk_full());
    disk.allow_files(100);
    let loaded = dirs.open_again(&partition(0), config(), NOW).unwrap();
    assert_eq!(loaded.log.log_start_offset(), 7);
    assert!(dirs.open_again(&partition(0), config(), NOW).is_err(), "it is open");
}

#[test]
fn what_was_begun_in_one_directory_is_not_begun_again_in_another() {
    let tmp = tempfile::tempdir().unwrap();
    let paths = two(tmp.path());
    let dirs = LogDirs::open(&paths, 16, DAY).unwrap();
    load(&dirs);
    dirs.create(&partition(0), config(), NOW).unwrap();
    let fuller = dirs.directory_of(&partition(0)).unwrap().path().to_owned();
    fs::create_dir(fuller.join("t-1")).unwrap();
    dirs.create(&partition(1), config(), NOW).unwrap();
    assert_eq!(dirs.directory_of(&partition(1)).unwrap().path(), fuller);
}

#[test]
fn a_failed_directory_goes_offline_and_the_others_go_on() {
    let tmp = tempfile::tempdir().unwrap();
    let paths = two(tmp.path());
    let dirs = LogDirs::open(&paths, 16, DAY).unwrap();
    load(&dirs);
    let mut logs: Vec<Log> = (0..4).map(|n| dirs.create(&partition(n), config(), NOW).unwrap()).collect();
    let lost: Vec<TopicPartition> = logs
        .iter()
        .filter(|log| log.path().starts_with(&paths[0]))
        .map(|log| log.partition().clone())
        .collect();
    let broken = logs.iter().find(|log| log.path().starts_with(&paths[0])).unwrap().path();
    let error = LogError::Io {
        path: broken.join("x.log"),
        action: "read",
        source: std::io::Error::from_raw_os_error(5),
    };
    assert!(error.takes_directory_offline());
    let mut offline = dirs.fail(error);
    offline.sort();
    assert_eq!(offline, lost);
    assert!(dirs.has_offline() && !dirs.directories()[0].is_online() && dirs.directories()[1].is_online());
    for log in &mut logs {
        let refused = records::append(log, &records::batch(NOW, &["x"]), 0, NOW).is_err();
        assert_eq!(refused, lost.contains(log.partition()));
    }
    let log = dirs.create(&partition(9), config(), NOW).unwrap();
    assert!(log.path().starts_with(&paths[1]));
    assert!(dirs.checkpoint().is_empty());
    let table = OffsetCheckpoint::RecoveryPoint.read(&paths[1]).unwrap();
    assert_eq!(table.len(), 3);
}

#[test]
fn a_directory_that_cannot_be_made_is_offline_from_the_start() {
    let tmp = tempfile::tempdir().unwrap();
    fs::write(tmp.path().join("file"), "in the way").unwrap();
    let paths = [tmp.path().join("file/below"), tmp.path().join("good")];
    let dirs = LogDirs::open(&paths, 16, DAY).unwrap();
    assert!(dirs.directories()[0].failure().unwrap().to_string().contains("file/below"));
    let log = dirs.create(&partition(0), config(), NOW).unwrap();
    assert!(log.path().starts_with(&paths[1]));
    assert!(LogDirs::open(&paths[..1], 16, DAY).is_err(), "no directory is left");
}

#[test]
fn replacements_that_a_crash_cut_short_are_finished_or_undone() {
    let tmp = tempfile::tempdir().unwrap();
    let paths = two(tmp.path());
    let dirs = LogDirs::open(&paths[..1], 16, DAY).unwrap();
    load(&dirs);
    let mut log = dirs.create(&partition(0), config(), NOW).unwrap();
    fill(&mut log, 0..60);
    let directory = log.path();
    drop((log, dirs));
    let mut bases: Vec<String> = fs::read_dir(&directory)
        .unwrap()
        .filter_map(|e| Some(e.unwrap().file_name().to_str()?.strip_suffix(".log")?.to_owned()))
        .collect();
    bases.sort();
    let file = |base: &str, end: &str| directory.join(format!("{base}.{end}"));
    // A finished replacement of the first two segments by their own content; an unfinished one of the last; old leftovers.
    let merged =
        [fs::read(file(&bases[0], "log")).unwrap(), fs::read(file(&bases[1], "log")).unwrap()].concat();
    fs::write(file(&bases[0], "log.swap"), merged).unwrap();
    fs::write(file("00000000000000099999", "log.cleaned"), "half").unwrap();
    fs::write(file("00000000000000099999", "index.deleted"), "old").unwrap();
    let dirs = LogDirs::open(&paths[..1], 16, DAY).unwrap();
    let (logs, _) = load(&dirs);
    assert_eq!(contents(&logs[0].log), numbered(0..60));
    assert_eq!(logs[0].log.segment_count(), bases.len() - 1, "the second segment is part of the first now");
    for entry in fs::read_dir(&directory).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!["swap", "cleaned", "deleted"].iter().any(|end| name.ends_with(end)), "{name}");
    }
}
