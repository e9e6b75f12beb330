//! A client that is a socket: requests as bytes, made here, so that nothing of a client library is measured.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Between two attempts at a port that refuses: far below what is measured, and it leaves the cores to those who start.
const RETRY: Duration = Duration::from_micros(200);

/// An ApiVersions request of version 0: small, and answered by every broker.
pub(crate) fn api_versions_request() -> Vec<u8> {
    let mut request = Vec::new();
    request.extend_from_slice(&18_i16.to_be_bytes());
    request.extend_from_slice(&0_i16.to_be_bytes());
    request.extend_from_slice(&7_i32.to_be_bytes());
    request.extend_from_slice(&(-1_i16).to_be_bytes());
    framed(&request)
}

/// A Produce request of version 3 with one record of five bytes for `topic`, partition 0, acks=1.
fn produce_request(topic: &str) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as i64);
    let record: &[u8] = &[22, 0, 0, 0, 1, 10, b'h', b'e', b'l', b'l', b'o', 0];
    let mut after_crc = Vec::new();
    after_crc.extend_from_slice(&[0, 0, 0, 0, 0, 0]);
    after_crc.extend_from_slice(&now.to_be_bytes());
    after_crc.extend_from_slice(&now.to_be_bytes());
    after_crc.extend_from_slice(&[0xff; 8]);
    after_crc.extend_from_slice(&[0xff; 2]);
    after_crc.extend_from_slice(&[0xff; 4]);
    after_crc.extend_from_slice(&1_i32.to_be_bytes());
    after_crc.extend_from_slice(record);
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &after_crc) as u32;
    let mut batch = Vec::new();
    batch.extend_from_slice(&0_i64.to_be_bytes());
    batch.extend_from_slice(&i32::try_from(after_crc.len() + 9).unwrap().to_be_bytes());
    batch.extend_from_slice(&(-1_i32).to_be_bytes());
    batch.push(2);
    batch.extend_from_slice(&crc.to_be_bytes());
    batch.extend_from_slice(&after_crc);

    let mut request = Vec::new();
    request.extend_from_slice(&[0, 0, 0, 3]);
    request.extend_from_slice(&1_i32.to_be_bytes());
    request.extend_from_slice(&(-1_i16).to_be_bytes());
    request.extend_from_slice(&(-1_i16).to_be_bytes());
    request.extend_from_slice(&1_i16.to_be_bytes());
    request.extend_from_slice(&30_000_i32.to_be_bytes());
    request.extend_from_slice(&1_i32.to_be_bytes());
    request.extend_from_slice(&i16::try_from(topic.len()).unwrap().to_be_bytes());
    request.extend_from_slice(topic.as_bytes());
    request.extend_from_slice(&1_i32.to_be_bytes());
    request.extend_from_slice(&0_i32.to_be_bytes());
    request.extend_from_slice(&i32::try_from(batch.len()).unwrap().to_be_bytes());
    request.extend_from_slice(&batch);
    framed(&request)
}

fn framed(request: &[u8]) -> Vec<u8> {
    [&u32::to_be_bytes(u32::try_from(request.len()).unwrap()), request].concat()
}

/// Sends a request and reads its answer.
pub(crate) fn ask(stream: &mut TcpStream, request: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(request)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// Tries from now on until a record for `topic` is acknowledged; milliseconds since `start`.
pub(crate) fn first_record(address: SocketAddr, topic: &str, start: Instant) -> f64 {
    let request = produce_request(topic);
    let end = start + Duration::from_secs(120);
    loop {
        assert!(Instant::now() < end, "no record was taken within two minutes");
        if try_produce(address, &request, topic.len()) == Some(0) {
            return start.elapsed().as_secs_f64() * 1e3;
        }
        std::thread::sleep(RETRY);
    }
}

/// The error code of the answer, if one came.
fn try_produce(address: SocketAddr, request: &[u8], topic_length: usize) -> Option<i16> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_nodelay(true).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let answer = ask(&mut stream, request).ok()?;
    // Correlation id, count of topics, name, count of partitions, index: then the error code.
    let at = 4 + 4 + 2 + topic_length + 4 + 4;
    Some(i16::from_be_bytes(answer.get(at..at + 2)?.try_into().ok()?))
}
