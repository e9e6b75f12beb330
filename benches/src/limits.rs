//! The machine's own limits over loopback, with as little code as does the same work: what no broker can be better than.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::measure;

/// The size of a large produce request's batch, and of a fetch's slice.
const CHUNK: usize = 1024 * 1024;

/// CPU seconds a gigabyte of receiving, CRC-32C and `pwrite`.
pub(crate) fn receive_and_write(folder: &Path, bytes: u64) -> f64 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let chunks = bytes / CHUNK as u64;
    let sender = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let chunk = vec![7; CHUNK];
        for _ in 0..chunks {
            stream.write_all(&chunk).unwrap();
        }
    });
    let (mut stream, _) = listener.accept().unwrap();
    let file = File::create(folder.join("limit")).unwrap();
    let mut chunk = vec![0; CHUNK];
    let (start, mut checksum) = (measure::thread_cpu_seconds(), 0);
    for n in 0..chunks {
        stream.read_exact(&mut chunk).unwrap();
        checksum ^= crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &chunk);
        file.write_all_at(&chunk, n * CHUNK as u64).unwrap();
    }
    let used = measure::thread_cpu_seconds() - start;
    sender.join().unwrap();
    std::hint::black_box(checksum);
    used / (chunks as f64 * CHUNK as f64 / 1e9)
}

/// CPU seconds a gigabyte of `sendfile` from the page cache.
pub(crate) fn send_file(folder: &Path, bytes: u64) -> f64 {
    let path = folder.join("limit");
    let chunk = vec![7; CHUNK];
    let file_chunks = 256;
    let file = File::create_new(&path).unwrap();
    for n in 0..file_chunks {
        file.write_all_at(&chunk, n * CHUNK as u64).unwrap();
    }
    let file = File::open(&path).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let receiver = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let mut chunk = vec![0; CHUNK];
        while stream.read(&mut chunk).unwrap() > 0 {}
    });
    let (stream, _) = listener.accept().unwrap();
    let (start, mut sent) = (measure::thread_cpu_seconds(), 0);
    while sent < bytes {
        let mut offset = sent % (file_chunks * CHUNK as u64);
        let n = rustix::fs::sendfile(&stream, &file, Some(&mut offset), CHUNK).unwrap();
        sent += n as u64;
    }
    let used = measure::thread_cpu_seconds() - start;
    drop(stream);
    receiver.join().unwrap();
    used / (sent as f64 / 1e9)
}
