//! The machine's own limits over loopback, with as little code as does the same work: what no broker can be better than.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::measure;

/// Bytes of a segment: the file that is written is changed as often as a broker's.
const SEGMENT: u64 = 1 << 30;

/// CPU seconds a gigabyte of receiving, CRC-32C and `pwrite`, `chunk` bytes at a time: the size of the batches that Vltava was sent.
pub(crate) fn receive_and_write(folder: &Path, bytes: u64, chunk: usize) -> f64 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let chunks = bytes / chunk as u64;
    let sender = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let data = vec![7; chunk];
        for _ in 0..chunks {
            stream.write_all(&data).unwrap();
        }
    });
    let (mut stream, _) = listener.accept().unwrap();
    let segment = |number: u64| File::create_new(folder.join(format!("limit-{number}"))).unwrap();
    let (mut file, mut number, mut position) = (segment(0), 0, 0);
    let mut data = vec![0; chunk];
    let (start, mut checksum) = (measure::thread_cpu_seconds(), 0);
    for _ in 0..chunks {
        stream.read_exact(&mut data).unwrap();
        checksum ^= crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &data);
        if position + chunk as u64 > SEGMENT {
            (number, position) = (number + 1, 0);
            file = segment(number);
        }
        file.write_all_at(&data, position).unwrap();
        position += chunk as u64;
    }
    let used = measure::thread_cpu_seconds() - start;
    sender.join().unwrap();
    std::hint::black_box(checksum);
    used / (chunks as f64 * chunk as f64 / 1e9)
}

/// CPU seconds a gigabyte of `sendfile` from the page cache, `chunk` bytes at a time: the size of the batches that Vltava sent.
pub(crate) fn send_file(folder: &Path, bytes: u64, chunk: usize) -> f64 {
    let path = folder.join("limit");
    let data = vec![7; chunk];
    // Half a gigabyte, sent again and again, as the row's topic is read again and again.
    let file_chunks = ((1 << 29) / chunk as u64).max(1);
    let file = File::create_new(&path).unwrap();
    for n in 0..file_chunks {
        file.write_all_at(&data, n * chunk as u64).unwrap();
    }
    let file = File::open(&path).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let receiver = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let mut data = vec![0; chunk];
        while stream.read(&mut data).unwrap() > 0 {}
    });
    let (stream, _) = listener.accept().unwrap();
    let (start, mut sent) = (measure::thread_cpu_seconds(), 0);
    while sent < bytes {
        let mut offset = sent % (file_chunks * chunk as u64);
        let n = rustix::fs::sendfile(&stream, &file, Some(&mut offset), chunk).unwrap();
        assert!(n > 0, "the file is as long as it was written");
        sent += n as u64;
    }
    let used = measure::thread_cpu_seconds() - start;
    drop(stream);
    receiver.join().unwrap();
    used / (sent as f64 / 1e9)
}
