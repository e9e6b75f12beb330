//! Control records: what brokers write into a log for one another and consumers skip (KIP-98).
//!
//! Key: version i16, type i16. Value of a transaction's end marker: version i16, coordinator epoch i32. Those of Raft's own
//! control records are Raft's; we only know their types.

use super::{Batch, BatchBuilder, BatchHeader, BatchOptions, RecordsError};

/// The type of a control record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ControlType {
    /// The transaction was aborted.
    Abort,
    /// The transaction was committed.
    Commit,
    /// A leader of a Raft quorum.
    LeaderChange,
    /// The head of a Raft snapshot.
    SnapshotHeader,
    /// The end of a Raft snapshot.
    SnapshotFooter,
    /// The version of a Raft quorum.
    KraftVersion,
    /// The voters of a Raft quorum.
    KraftVoters,
    /// One that this version does not know, by its id: to be skipped.
    Unknown(i16),
}

impl ControlType {
    /// The type of an id.
    pub fn from_id(id: i16) -> Self {
        match id {
            0 => Self::Abort,
            1 => Self::Commit,
            2 => Self::LeaderChange,
            3 => Self::SnapshotHeader,
            4 => Self::SnapshotFooter,
            5 => Self::KraftVersion,
            6 => Self::KraftVoters,
            other => Self::Unknown(other),
        }
    }

    /// The id in a key.
    pub fn id(self) -> i16 {
        match self {
            Self::Abort => 0,
            Self::Commit => 1,
            Self::LeaderChange => 2,
            Self::SnapshotHeader => 3,
            Self::SnapshotFooter => 4,
            Self::KraftVersion => 5,
            Self::KraftVoters => 6,
            Self::Unknown(id) => id,
        }
    }

    /// The type in the key of a control record. Keys of later versions begin as version 0 does.
    pub fn from_key(key: Option<&[u8]>) -> Result<Self, RecordsError> {
        match key {
            Some(&[v0, v1, t0, t1, ..]) if i16::from_be_bytes([v0, v1]) >= 0 => {
                Ok(Self::from_id(i16::from_be_bytes([t0, t1])))
            }
            _ => Err(RecordsError::Malformed(
                "Invalid control record key: too short, or of a negative version",
            )),
        }
    }

    /// The key of a control record, version 0.
    pub fn to_key(self) -> [u8; 4] {
        let [t0, t1] = self.id().to_be_bytes();
        [0, 0, t0, t1]
    }
}

/// The end of a transaction, as its marker in a log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndTxnMarker {
    /// Committed, or aborted.
    pub committed: bool,
    /// Epoch of the transaction coordinator that wrote the marker.
    pub coordinator_epoch: i32,
}

impl EndTxnMarker {
    /// The marker of a control record's key and value; `None` where the record is of another type.
    pub fn parse(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Option<Self>, RecordsError> {
        let committed = match ControlType::from_key(key)? {
            ControlType::Commit => true,
            ControlType::Abort => false,
            _ => return Ok(None),
        };
        match value {
            Some(&[v0, v1, e0, e1, e2, e3, ..]) if i16::from_be_bytes([v0, v1]) >= 0 => {
                Ok(Some(Self { committed, coordinator_epoch: i32::from_be_bytes([e0, e1, e2, e3]) }))
            }
            _ => Err(RecordsError::Malformed(
                "Invalid end transaction marker: too short, or of a negative version",
            )),
        }
    }

    /// The key of the marker's record.
    pub fn to_key(self) -> [u8; 4] {
        if self.committed { ControlType::Commit.to_key() } else { ControlType::Abort.to_key() }
    }

    /// The value of the marker's record, version 0.
    pub fn to_value(self) -> [u8; 6] {
        let [e0, e1, e2, e3] = self.coordinator_epoch.to_be_bytes();
        [0, 0, e0, e1, e2, e3]
    }

    /// Appends to `out` the control batch that ends the transaction of a producer at `base_offset`.
    pub fn write_batch(
        self,
        out: Vec<u8>,
        base_offset: i64,
        leader_epoch: i32,
        timestamp: i64,
        (producer_id, producer_epoch): (i64, i16),
    ) -> Result<(Vec<u8>, BatchHeader), RecordsError> {
        let options = BatchOptions {
            base_offset,
            leader_epoch,
            producer_id,
            producer_epoch,
            transactional: true,
            control: true,
            ..BatchOptions::default()
        };
        let mut builder = BatchBuilder::new(out, options)?;
        builder.append(timestamp, Some(&self.to_key()), Some(&self.to_value()), &[])?;
        builder.finish()
    }
}

impl Batch<'_> {
    /// The transaction's end marker in this batch: `None` where it is no control batch, or one of another type.
    pub fn end_txn_marker(&self) -> Result<Option<EndTxnMarker>, RecordsError> {
        if !self.header.attributes.is_control() || self.header.count == 0 {
            return Ok(None);
        }
        // Kafka compresses no control batch; a limit this small bounds one that pretends.
        let mut records = self.records(64 << 10)?;
        match records.next()? {
            Some(record) => EndTxnMarker::parse(record.key, record.value),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_reads_as_written() {
        for committed in [true, false] {
            let marker = EndTxnMarker { committed, coordinator_epoch: 77 };
            let (bytes, header) = marker.write_batch(Vec::new(), 9, 3, 1000, (5, 2)).unwrap();
            let batch = Batch::parse_checked(&bytes).unwrap();
            assert_eq!(batch.header, header);
            assert!(header.attributes.is_control() && header.attributes.is_transactional());
            assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (5, 2, -1));
            assert_eq!(batch.end_txn_marker().unwrap(), Some(marker));
        }
    }

    #[test]
    fn a_later_key_is_read_and_a_short_one_refused() {
        assert_eq!(ControlType::from_key(Some(&[0, 9, 0, 1, 55])).unwrap(), ControlType::Commit);
        assert_eq!(ControlType::from_key(Some(&[0, 0, 0, 99])).unwrap(), ControlType::Unknown(99));
        for key in [None, Some(&[][..]), Some(&[0, 0, 0][..]), Some(&[0xff, 0, 0, 1][..])] {
            assert!(ControlType::from_key(key).is_err(), "{key:?}");
        }
        for id in -1..10 {
            assert_eq!(ControlType::from_id(id).id(), id);
        }
        assert!(EndTxnMarker::parse(Some(&[0, 0, 0, 1]), Some(&[0, 0])).is_err());
        assert_eq!(EndTxnMarker::parse(Some(&[0, 0, 0, 2]), None).unwrap(), None);
    }
}
